// The producer of the in-memory bus.
#include <deque>
#include <stdexcept>

#include "libs/bus/internal/memory_cluster.h"

namespace flowcast::bus::internal {
namespace {

class MemoryProducer : public Producer {
 public:
  MemoryProducer(std::shared_ptr<MemoryCluster> cluster, const ProducerOptions& options)
      : cluster_(std::move(cluster)),
        transactional_id_(options.transactional_id),
        queue_bytes_(options.queue_bytes) {}

  void Send(OutRecord record) override {
    cluster_->RequireReachable();
    if (!transactional_id_.empty()) RequireTransaction();
    Deliver();
    Append(std::move(record));
  }

  bool TrySend(OutRecord& record) override {
    if (!transactional_id_.empty()) throw std::logic_error("TrySend is for producers without transactions");
    cluster_->RequirePartition(record.to);
    Deliver();
    if (queued_bytes_ + record.value.size() > queue_bytes_) return false;
    queued_bytes_ += record.value.size();
    queue_.push_back(std::move(record));
    Deliver();
    return true;
  }

  std::uint64_t acknowledged() const override {
    Deliver();
    return acknowledged_;
  }

  void Flush(std::chrono::milliseconds) override {
    cluster_->RequireReachable();
    Deliver();
  }

  void InitTransactions() override {
    cluster_->RequireReachable();
    if (transactional_id_.empty())
      throw std::logic_error("this producer was made without a transactional id");
    transaction_.reset();
    identity_ = cluster_->InitProducer(transactional_id_);
  }

  void Begin() override {
    if (identity_.epoch == 0) throw std::logic_error("Begin before InitTransactions");
    if (transaction_ != nullptr) throw std::logic_error("Begin within a transaction");
    transaction_ = cluster_->BeginTransaction(identity_);
  }

  void Commit(const std::vector<Position>& positions, const GroupToken& group) override {
    End(positions, &dynamic_cast<const MemberToken&>(group));
  }

  void Commit() override { End({}, nullptr); }

  void Abort() override {
    cluster_->RequireReachable();
    RequireTransaction();
    cluster_->Abort(identity_, *transaction_);
    transaction_.reset();
  }

 private:
  void RequireTransaction() const {
    if (transaction_ == nullptr) throw std::logic_error("no transaction has begun");
  }

  void End(const std::vector<Position>& positions, const MemberToken* token) {
    cluster_->RequireReachable();
    RequireTransaction();
    cluster_->Commit(identity_, *transaction_, positions, token);
    transaction_.reset();
  }

  void Append(OutRecord record) const {
    cluster_->Append(std::move(record), identity_, transaction_);
    ++acknowledged_;
  }

  void Deliver() const {
    if (cluster_->faults.unreachable) return;
    for (; !queue_.empty(); queue_.pop_front()) {
      queued_bytes_ -= queue_.front().value.size();
      Append(std::move(queue_.front()));
    }
  }

  std::shared_ptr<MemoryCluster> cluster_;
  std::string transactional_id_;
  std::size_t queue_bytes_;
  mutable std::deque<OutRecord> queue_;  // while the bus is unreachable
  mutable std::size_t queued_bytes_ = 0;
  mutable std::uint64_t acknowledged_ = 0;
  ProducerIdentity identity_;
  std::shared_ptr<Transaction> transaction_;
};

}  // namespace

std::unique_ptr<Producer> MakeMemoryProducer(std::shared_ptr<MemoryCluster> cluster,
                                             const ProducerOptions& options) {
  return std::make_unique<MemoryProducer>(std::move(cluster), options);
}

}  // namespace flowcast::bus::internal
