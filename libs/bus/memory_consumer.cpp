// The consumer of the in-memory bus.
#include <algorithm>
#include <stdexcept>

#include "libs/bus/internal/memory_cluster.h"

namespace flowcast::bus::internal {
namespace {

class MemoryConsumer : public Consumer {
 public:
  MemoryConsumer(std::shared_ptr<MemoryCluster> cluster, std::string group)
      : cluster_(std::move(cluster)), group_(std::move(group)) {}
  ~MemoryConsumer() override { Leave(); }

  void Subscribe(const std::vector<std::string>& topics, RebalanceListener& listener) override {
    cluster_->RequireReachable();
    if (group_.empty()) throw std::logic_error("a consumer without a group cannot subscribe");
    for (const std::string& topic : topics) cluster_->RequirePartition({topic, 0});
    Leave();
    listener_ = &listener;
    member_ = cluster_->Join(group_, topics);
  }

  void Assign(const std::vector<Position>& partitions) override {
    cluster_->RequireReachable();
    for (const Position& position : partitions) cluster_->RequirePartition(position.at);
    Leave();
    ReadFrom(partitions);
  }

  std::vector<InRecord> Poll(std::chrono::milliseconds, std::size_t limit) override {
    cluster_->RequireReachable();
    if (member_ != 0) Rebalance();
    return Read(limit);
  }

  void Rewind() override {
    cluster_->RequireReachable();
    if (member_ == 0 || next_.empty()) return;
    const auto partitions = Assigned();
    Revoke();
    Receive(cluster_->Committed(group_, {partitions.begin(), partitions.end()}));
  }

  void Pause(const std::vector<TopicPartition>& partitions) override {
    paused_.insert(partitions.begin(), partitions.end());
  }

  void Resume(const std::vector<TopicPartition>& partitions) override {
    for (const TopicPartition& partition : partitions) paused_.erase(partition);
  }

  std::unique_ptr<GroupToken> Token() const override {
    return std::make_unique<MemberToken>(cluster_->Token(group_, member_));
  }

  std::int64_t EndOffset(const TopicPartition& partition) override {
    cluster_->RequireReachable();
    return cluster_->EndOffset(partition);
  }

  std::int64_t NextOffset(const TopicPartition& partition) const override {
    const auto found = next_.find(partition);
    return found == next_.end() ? kNoOffset : found->second;
  }

  std::uint64_t Unread() const override {
    std::int64_t unread = 0;
    for (const auto& [partition, next] : next_) unread += cluster_->Behind(partition, next);
    return static_cast<std::uint64_t>(unread);
  }

  void Close() override {
    if (member_ != 0 && !next_.empty()) Revoke();
    Leave();
  }

 private:
  void Rebalance() {
    auto step = cluster_->NextStep(group_, member_);
    if (step.revoke) {
      if (!next_.empty()) Revoke();
      cluster_->GiveUp(group_, member_);
      step = cluster_->NextStep(group_, member_);
    }
    if (step.assigned) Receive(*step.assigned);
  }

  void Revoke() {
    const auto partitions = Assigned();
    next_.clear();  // whatever the listener makes of it
    paused_.clear();
    listener_->OnRevoked(partitions, false);
  }

  void Receive(std::vector<Position> positions) {
    try {
      listener_->OnAssigned(positions);
    } catch (...) {
      cluster_->GiveUp(group_, member_);  // and be given them again
      throw;
    }
    ReadFrom(positions);
  }

  void ReadFrom(const std::vector<Position>& positions) {
    next_.clear();
    for (const Position& position : positions)
      next_[position.at] = std::max<std::int64_t>(position.offset, 0);
  }

  std::vector<InRecord> Read(std::size_t limit) {
    std::vector<InRecord> records;
    // Begins after the partition that was read last, so that a busy one cannot starve the others.
    auto at = next_.upper_bound(last_read_);
    for (std::size_t i = 0; i < next_.size() && records.size() < limit; ++i, ++at) {
      if (at == next_.end()) at = next_.begin();
      if (paused_.count(at->first) > 0) continue;
      at->second = cluster_->Read(at->first, at->second, limit, records);
      last_read_ = at->first;
    }
    return records;
  }

  std::vector<TopicPartition> Assigned() const {
    std::vector<TopicPartition> partitions;
    for (const auto& [partition, next] : next_) partitions.push_back(partition);
    return partitions;
  }

  void Leave() {
    if (member_ != 0) cluster_->Leave(group_, member_);
    member_ = 0;
    next_.clear();
    paused_.clear();
  }

  std::shared_ptr<MemoryCluster> cluster_;
  std::string group_;
  RebalanceListener* listener_ = nullptr;
  MemberId member_ = 0;  // 0: in no group
  std::map<TopicPartition, std::int64_t> next_;
  std::set<TopicPartition> paused_;
  TopicPartition last_read_;
};

}  // namespace

std::unique_ptr<Consumer> MakeMemoryConsumer(std::shared_ptr<MemoryCluster> cluster,
                                             const ConsumerOptions& options) {
  return std::make_unique<MemoryConsumer>(std::move(cluster), options.group);
}

}  // namespace flowcast::bus::internal
