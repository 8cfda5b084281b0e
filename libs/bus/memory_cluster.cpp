// Logs, groups and transactions of the in-memory bus.
#include <algorithm>
#include <utility>

#include "libs/bus/group_in_use.h"
#include "libs/bus/internal/memory_cluster.h"

namespace flowcast::bus::internal {
namespace {

bool IsOpen(const Entry& entry) {
  return entry.transaction != nullptr && entry.transaction->outcome == Transaction::Outcome::kOpen;
}

bool IsVisible(const Entry& entry) {
  return !entry.marker &&
         (entry.transaction == nullptr || entry.transaction->outcome == Transaction::Outcome::kCommitted);
}

InRecord Deliver(const Entry& entry, std::int64_t offset) {
  const OutRecord& record = entry.record;
  return {record.to, offset, record.key, record.value, record.tombstone, record.headers, entry.produced_at};
}

}  // namespace

void MemoryCluster::RequireReachable() const {
  if (faults.unreachable) {
    throw BusError(BusError::Kind::kUnreachable, "the in-memory bus was told to be unreachable");
  }
}

bool MemoryCluster::CreateTopic(const TopicSpec& spec) {
  const std::lock_guard lock(mutex_);
  Topic topic{spec, std::vector<Log>(static_cast<std::size_t>(spec.partitions))};
  return topics_.emplace(spec.name, std::move(topic)).second;
}

std::optional<TopicSpec> MemoryCluster::FindTopic(const std::string& name) const {
  const std::lock_guard lock(mutex_);
  const auto found = topics_.find(name);
  return found == topics_.end() ? std::nullopt : std::optional(found->second.spec);
}

bool MemoryCluster::DeleteTopic(const std::string& name) {
  const std::lock_guard lock(mutex_);
  return topics_.erase(name) > 0;
}

const Log& MemoryCluster::LogOf(const TopicPartition& partition) const {
  const auto topic = topics_.find(partition.topic);
  if (topic == topics_.end()) {
    throw BusError(BusError::Kind::kMissingTopic,
                   "topic " + partition.topic + " does not exist; run: flowcast topics create");
  }
  const auto index = static_cast<std::size_t>(partition.partition);
  if (index >= topic->second.partitions.size()) {
    throw BusError(BusError::Kind::kMissingTopic, "topic " + partition.topic + " has no partition " +
                                                      std::to_string(partition.partition) + ", only " +
                                                      std::to_string(topic->second.partitions.size()));
  }
  return topic->second.partitions[index];
}

Log& MemoryCluster::LogOf(const TopicPartition& partition) {
  return const_cast<Log&>(std::as_const(*this).LogOf(partition));
}

void MemoryCluster::RequirePartition(const TopicPartition& partition) const {
  const std::lock_guard lock(mutex_);
  LogOf(partition);
}

std::int64_t MemoryCluster::Read(const TopicPartition& from, std::int64_t offset, std::size_t limit,
                                 std::vector<InRecord>& out) const {
  const std::lock_guard lock(mutex_);
  const Log& log = LogOf(from);
  auto next = static_cast<std::size_t>(std::max<std::int64_t>(offset, 0));
  for (; next < log.size() && out.size() < limit && !IsOpen(log[next]); ++next) {
    if (IsVisible(log[next])) out.push_back(Deliver(log[next], static_cast<std::int64_t>(next)));
  }
  return static_cast<std::int64_t>(next);
}

std::int64_t MemoryCluster::EndOffset(const TopicPartition& partition) const {
  const std::lock_guard lock(mutex_);
  const Log& log = LogOf(partition);
  return std::find_if(log.begin(), log.end(), IsOpen) - log.begin();
}

std::int64_t MemoryCluster::Behind(const TopicPartition& partition, std::int64_t next) const {
  const std::lock_guard lock(mutex_);
  const auto topic = topics_.find(partition.topic);
  if (topic == topics_.end()) return 0;
  const Log& log = topic->second.partitions.at(static_cast<std::size_t>(partition.partition));
  const auto from = log.begin() + std::clamp<std::int64_t>(next, 0, static_cast<std::int64_t>(log.size()));
  return std::find_if(from, log.end(), IsOpen) - from;
}

MemberId MemoryCluster::Join(const std::string& group, const std::vector<std::string>& topics) {
  const std::lock_guard lock(mutex_);
  Group& joined = groups_[group];
  ++joined.generation;
  joined.members[++last_member_].topics = topics;
  return last_member_;
}

void MemoryCluster::Leave(const std::string& group, MemberId member) {
  const std::lock_guard lock(mutex_);
  Group& left = groups_[group];
  if (left.members.erase(member) > 0) ++left.generation;
}

void MemoryCluster::GiveUp(const std::string& group, MemberId member) {
  const std::lock_guard lock(mutex_);
  Group& of = groups_[group];
  Member& self = of.members.at(member);
  self.held.clear();
  self.generation = of.generation;
}

RebalanceStep MemoryCluster::NextStep(const std::string& group, MemberId member) {
  const std::lock_guard lock(mutex_);
  Group& of = groups_[group];
  Member& self = of.members.at(member);
  if (self.generation != of.generation) return {.revoke = true, .assigned = {}};
  const auto share = ShareOf(of, member);
  if (std::set(share.begin(), share.end()) == self.held) return {};
  const bool all_gave_up = std::all_of(of.members.begin(), of.members.end(), [&](const auto& other) {
    return other.second.generation == of.generation;
  });
  if (!all_gave_up) return {};
  self.held.insert(share.begin(), share.end());
  return {.revoke = false, .assigned = CommittedLocked(of, share)};
}

std::vector<TopicPartition> MemoryCluster::ShareOf(const Group& group, MemberId member) const {
  std::vector<TopicPartition> share;
  for (const std::string& name : group.members.at(member).topics) {
    const auto topic = topics_.find(name);
    if (topic == topics_.end()) continue;
    std::size_t rank = 0;
    std::size_t count = 0;
    for (const auto& [id, other] : group.members) {
      if (std::find(other.topics.begin(), other.topics.end(), name) == other.topics.end()) continue;
      rank += id < member ? 1 : 0;
      ++count;
    }
    // Kafka's range assignor: contiguous shares, so equal partitions of several topics stay together.
    const std::size_t partitions = topic->second.partitions.size();
    const std::size_t first = rank * (partitions / count) + std::min(rank, partitions % count);
    const std::size_t size = partitions / count + (rank < partitions % count ? 1 : 0);
    for (std::size_t i = first; i < first + size; ++i) share.push_back({name, static_cast<std::int32_t>(i)});
  }
  return share;
}

MemberToken MemoryCluster::Token(const std::string& group, MemberId member) const {
  const std::lock_guard lock(mutex_);
  MemberToken token;
  token.group = group;
  token.member = member;
  const auto of = groups_.find(group);
  if (of != groups_.end() && of->second.members.count(member) > 0) {
    token.generation = of->second.members.at(member).generation;
  }
  return token;
}

std::vector<Position> MemoryCluster::CommittedLocked(const Group& group,
                                                     const std::vector<TopicPartition>& partitions) const {
  std::vector<Position> positions;
  for (const TopicPartition& partition : partitions) {
    const auto found = group.committed.find(partition);
    positions.push_back(found == group.committed.end() ? Position{partition, kNoOffset, ""} : found->second);
  }
  return positions;
}

std::vector<Position> MemoryCluster::Committed(const std::string& group,
                                               const std::set<TopicPartition>& partitions) const {
  const std::lock_guard lock(mutex_);
  return CommittedLocked(groups_.at(group), {partitions.begin(), partitions.end()});
}

std::vector<Position> MemoryCluster::Committed(const std::string& group) const {
  const std::lock_guard lock(mutex_);
  std::vector<Position> positions;
  const auto of = groups_.find(group);
  if (of == groups_.end()) return positions;
  for (const auto& [partition, position] : of->second.committed) positions.push_back(position);
  return positions;
}

bool MemoryCluster::DeletePositions(const std::string& group, const std::vector<TopicPartition>& partitions) {
  const std::lock_guard lock(mutex_);
  const auto found = groups_.find(group);
  if (found == groups_.end()) return false;
  const auto is_read = [&](const TopicPartition& partition) {
    return std::any_of(found->second.members.begin(), found->second.members.end(), [&](const auto& member) {
      const auto& topics = member.second.topics;
      return std::find(topics.begin(), topics.end(), partition.topic) != topics.end();
    });
  };
  const auto read = std::find_if(partitions.begin(), partitions.end(), is_read);
  if (read != partitions.end()) throw GroupInUse(group, read->topic);
  for (const TopicPartition& partition : partitions) found->second.committed.erase(partition);
  return true;
}

ProducerIdentity MemoryCluster::InitProducer(const std::string& transactional_id) {
  const std::lock_guard lock(mutex_);
  Identifier& identifier = identifiers_[transactional_id];
  if (const auto open = identifier.open.lock()) End(*open, Transaction::Outcome::kAborted);
  identifier.open.reset();
  return {transactional_id, ++identifier.epoch};
}

void MemoryCluster::RequireCurrent(const ProducerIdentity& identity) const {
  if (identity.transactional_id.empty()) return;
  if (identifiers_.at(identity.transactional_id).epoch != identity.epoch) {
    throw BusError(BusError::Kind::kFatal,
                   "another producer has taken over transactional.id " + identity.transactional_id);
  }
}

void MemoryCluster::RequireCurrent(const MemberToken& token) const {
  const auto group = groups_.find(token.group);
  const bool current = group != groups_.end() && group->second.members.count(token.member) > 0 &&
                       group->second.generation == token.generation;
  if (!current) throw BusError(BusError::Kind::kAbort, "group " + token.group + " has been rebalanced");
}

std::shared_ptr<Transaction> MemoryCluster::BeginTransaction(const ProducerIdentity& identity) {
  const std::lock_guard lock(mutex_);
  RequireCurrent(identity);
  auto transaction = std::make_shared<Transaction>();
  identifiers_[identity.transactional_id].open = transaction;
  return transaction;
}

void MemoryCluster::Append(OutRecord record, const ProducerIdentity& identity,
                           std::shared_ptr<Transaction> transaction) {
  const std::lock_guard lock(mutex_);
  RequireCurrent(identity);
  Log& log = LogOf(record.to);
  if (transaction != nullptr) transaction->partitions.insert(record.to);
  log.push_back({std::move(record), Now(), std::move(transaction), false});
}

void MemoryCluster::Commit(const ProducerIdentity& identity, Transaction& transaction,
                           const std::vector<Position>& positions, const MemberToken* token) {
  const std::lock_guard lock(mutex_);
  RequireCurrent(identity);
  if (token != nullptr) RequireCurrent(*token);
  if (faults.abort_next_commits > 0) {
    --faults.abort_next_commits;
    throw BusError(BusError::Kind::kAbort, "the in-memory bus was told to abort this commit");
  }
  End(transaction, Transaction::Outcome::kCommitted);
  for (const Position& position : positions) groups_[token->group].committed[position.at] = position;
}

void MemoryCluster::Abort(const ProducerIdentity& identity, Transaction& transaction) {
  const std::lock_guard lock(mutex_);
  RequireCurrent(identity);
  End(transaction, Transaction::Outcome::kAborted);
}

void MemoryCluster::End(Transaction& transaction, Transaction::Outcome outcome) {
  if (transaction.outcome != Transaction::Outcome::kOpen) return;
  transaction.outcome = outcome;
  for (const TopicPartition& partition : transaction.partitions) {
    const auto topic = topics_.find(partition.topic);
    if (topic == topics_.end()) continue;
    topic->second.partitions.at(static_cast<std::size_t>(partition.partition))
        .push_back({OutRecord{.to = partition}, Now(), nullptr, true});
  }
}

std::chrono::milliseconds MemoryCluster::Now() const {
  if (clock_ == nullptr) return {};
  return std::chrono::duration_cast<std::chrono::milliseconds>(clock_->Now().time_since_epoch());
}

}  // namespace flowcast::bus::internal
