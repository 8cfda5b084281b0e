// The producer of the in-memory bus.
#include <stdexcept>

#include "libs/bus/internal/memory_cluster.h"

namespace flowcast::bus::internal {
namespace {

class MemoryProducer : public Producer {
 public:
  MemoryProducer(std::shared_ptr<MemoryCluster> cluster, std::string transactional_id)
      : cluster_(std::move(cluster)), transactional_id_(std::move(transactional_id)) {}

  void Send(OutRecord record) override {
    cluster_->RequireReachable();
    if (!transactional_id_.empty()) RequireTransaction();
    cluster_->Append(std::move(record), identity_, transaction_);
  }

  void Flush(std::chrono::milliseconds) override { cluster_->RequireReachable(); }
  std::size_t queued() const override { return 0; }

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

  std::shared_ptr<MemoryCluster> cluster_;
  std::string transactional_id_;
  ProducerIdentity identity_;
  std::shared_ptr<Transaction> transaction_;
};

}  // namespace

std::unique_ptr<Producer> MakeMemoryProducer(std::shared_ptr<MemoryCluster> cluster,
                                             const ProducerOptions& options) {
  return std::make_unique<MemoryProducer>(std::move(cluster), options.transactional_id);
}

}  // namespace flowcast::bus::internal
