// Topics over librdkafka.
#include <array>

#include "libs/kafka/internal/cluster.h"

namespace flowcast::kafka::internal {
namespace {

using bus::BusError;

using NewTopic = std::unique_ptr<rd_kafka_NewTopic_t, Destroyer<rd_kafka_NewTopic_destroy>>;
using DeleteRequest = std::unique_ptr<rd_kafka_DeleteTopic_t, Destroyer<rd_kafka_DeleteTopic_destroy>>;
using ConfigResource = std::unique_ptr<rd_kafka_ConfigResource_t, Destroyer<rd_kafka_ConfigResource_destroy>>;

class KafkaAdmin : public bus::Admin {
 public:
  explicit KafkaAdmin(std::shared_ptr<Cluster> cluster) : cluster_(std::move(cluster)) {}

  bool CreateTopic(const bus::TopicSpec& spec) override;
  std::optional<bus::TopicDescription> DescribeTopic(const std::string& name) override;
  bool DeleteTopic(const std::string& name) override;
  std::int32_t PartitionCount(const std::string& topic) override { return cluster_->PartitionCount(topic); }

 private:
  /// Starts a request with the options and queue it is given, and waits for its answer.
  template <typename Start>
  Event Ask(rd_kafka_admin_op_t operation, const std::string& doing, Start start);
  void AwaitPartitions(const std::string& topic, std::int32_t count);
  BusError Failed(const rd_kafka_topic_result_t& result, const std::string& doing) const;

  std::shared_ptr<Cluster> cluster_;
};

template <typename Start>
Event KafkaAdmin::Ask(rd_kafka_admin_op_t operation, const std::string& doing, Start start) {
  const Deadline deadline(cluster_->options().timeout);
  const Queue queue(rd_kafka_queue_new(cluster_->directory()));
  for (;; cluster_->WaitOrGiveUp(deadline)) {
    const AdminOptions options(rd_kafka_AdminOptions_new(cluster_->directory(), operation));
    std::array<char, 256> text{};
    rd_kafka_AdminOptions_set_request_timeout(options.get(), std::max(deadline.LeftMs(), 1), text.data(),
                                              text.size());
    start(options.get(), queue.get());
    Event event(rd_kafka_queue_poll(queue.get(), -1));
    const rd_kafka_resp_err_t code = rd_kafka_event_error(event.get());
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR) return event;
    const BusError error = cluster_->ErrorFor(code, doing);
    if (error.kind() != BusError::Kind::kUnreachable) throw error;
  }
}

BusError KafkaAdmin::Failed(const rd_kafka_topic_result_t& result, const std::string& doing) const {
  const char* text = rd_kafka_topic_result_error_string(&result);
  return {BusError::Kind::kFatal,
          doing + ": " + (text != nullptr ? text : rd_kafka_err2str(rd_kafka_topic_result_error(&result)))};
}

bool KafkaAdmin::CreateTopic(const bus::TopicSpec& spec) {
  const std::string doing = "creating topic " + spec.name;
  std::array<char, 256> text{};
  const NewTopic topic(
      rd_kafka_NewTopic_new(spec.name.c_str(), spec.partitions, spec.replication, text.data(), text.size()));
  if (!topic) throw BusError(BusError::Kind::kFatal, doing + ": " + text.data());
  for (const auto& [name, value] : spec.settings) {
    rd_kafka_NewTopic_set_config(topic.get(), name.c_str(), value.c_str());
  }
  rd_kafka_NewTopic_t* request = topic.get();
  const Event event = Ask(RD_KAFKA_ADMIN_OP_CREATETOPICS, doing, [&](const auto* options, auto* queue) {
    rd_kafka_CreateTopics(cluster_->directory(), &request, 1, options, queue);
  });
  std::size_t count = 0;
  const auto** results =
      rd_kafka_CreateTopics_result_topics(rd_kafka_event_CreateTopics_result(event.get()), &count);
  if (rd_kafka_topic_result_error(results[0]) == RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS) return false;
  if (rd_kafka_topic_result_error(results[0]) != RD_KAFKA_RESP_ERR_NO_ERROR) throw Failed(*results[0], doing);
  AwaitPartitions(spec.name, spec.partitions);
  return true;
}

bool KafkaAdmin::DeleteTopic(const std::string& name) {
  const std::string doing = "deleting topic " + name;
  const DeleteRequest topic(rd_kafka_DeleteTopic_new(name.c_str()));
  rd_kafka_DeleteTopic_t* request = topic.get();
  const Event event = Ask(RD_KAFKA_ADMIN_OP_DELETETOPICS, doing, [&](const auto* options, auto* queue) {
    rd_kafka_DeleteTopics(cluster_->directory(), &request, 1, options, queue);
  });
  std::size_t count = 0;
  const auto** results =
      rd_kafka_DeleteTopics_result_topics(rd_kafka_event_DeleteTopics_result(event.get()), &count);
  if (rd_kafka_topic_result_error(results[0]) == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART) return false;
  if (rd_kafka_topic_result_error(results[0]) != RD_KAFKA_RESP_ERR_NO_ERROR) throw Failed(*results[0], doing);
  AwaitPartitions(name, 0);
  return true;
}

void KafkaAdmin::AwaitPartitions(const std::string& topic, std::int32_t count) {
  // The broker answers before its own metadata has caught up.
  const Deadline deadline(cluster_->options().timeout);
  while (cluster_->PartitionCount(topic) != count) cluster_->WaitOrGiveUp(deadline);
}

std::optional<bus::TopicDescription> KafkaAdmin::DescribeTopic(const std::string& name) {
  bus::TopicDescription description{cluster_->PartitionCount(name), {}};
  if (description.partitions == 0) return std::nullopt;
  const std::string doing = "describing topic " + name;
  const ConfigResource resource(rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, name.c_str()));
  rd_kafka_ConfigResource_t* request = resource.get();
  const Event event = Ask(RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS, doing, [&](const auto* options, auto* queue) {
    rd_kafka_DescribeConfigs(cluster_->directory(), &request, 1, options, queue);
  });
  std::size_t count = 0;
  const auto** found =
      rd_kafka_DescribeConfigs_result_resources(rd_kafka_event_DescribeConfigs_result(event.get()), &count);
  if (count != 1 || rd_kafka_ConfigResource_error(found[0]) != RD_KAFKA_RESP_ERR_NO_ERROR) {
    throw BusError(BusError::Kind::kFatal, doing + " failed");
  }
  const auto** entries = rd_kafka_ConfigResource_configs(found[0], &count);
  for (std::size_t i = 0; i < count; ++i) {
    const char* value = rd_kafka_ConfigEntry_value(entries[i]);
    description.settings[rd_kafka_ConfigEntry_name(entries[i])] = value != nullptr ? value : "";
  }
  return description;
}

}  // namespace

std::unique_ptr<bus::Admin> MakeAdmin(std::shared_ptr<Cluster> cluster) {
  return std::make_unique<KafkaAdmin>(std::move(cluster));
}

}  // namespace flowcast::kafka::internal
