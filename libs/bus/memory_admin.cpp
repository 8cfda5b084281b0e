// Topics of the in-memory bus.
#include "libs/bus/internal/memory_cluster.h"

namespace flowcast::bus::internal {
namespace {

class MemoryAdmin : public Admin {
 public:
  explicit MemoryAdmin(std::shared_ptr<MemoryCluster> cluster) : cluster_(std::move(cluster)) {}

  bool CreateTopic(const TopicSpec& spec) override {
    cluster_->RequireReachable();
    return cluster_->CreateTopic(spec);
  }

  std::optional<TopicDescription> DescribeTopic(const std::string& name) override {
    cluster_->RequireReachable();
    const auto spec = cluster_->FindTopic(name);
    if (!spec) return std::nullopt;
    return TopicDescription{spec->partitions, spec->settings};
  }

  bool DeleteTopic(const std::string& name) override {
    cluster_->RequireReachable();
    return cluster_->DeleteTopic(name);
  }

  bool DeletePositions(const std::string& group, const std::vector<TopicPartition>& partitions) override {
    cluster_->RequireReachable();
    return cluster_->DeletePositions(group, partitions);
  }

  std::int32_t PartitionCount(const std::string& topic) override {
    const auto description = DescribeTopic(topic);
    return description ? description->partitions : 0;
  }

 private:
  std::shared_ptr<MemoryCluster> cluster_;
};

}  // namespace

std::unique_ptr<Admin> MakeMemoryAdmin(std::shared_ptr<MemoryCluster> cluster) {
  return std::make_unique<MemoryAdmin>(std::move(cluster));
}

}  // namespace flowcast::bus::internal
