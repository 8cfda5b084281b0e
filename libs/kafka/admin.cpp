// Topics over librdkafka.
#include <array>

#include "libs/bus/group_in_use.h"
#include "libs/kafka/internal/cluster.h"
#include "libs/kafka/probe.h"

namespace flowcast::kafka::internal {
namespace {

using bus::BusError;

using NewTopic = std::unique_ptr<rd_kafka_NewTopic_t, Destroyer<rd_kafka_NewTopic_destroy>>;
using DeleteRequest = std::unique_ptr<rd_kafka_DeleteTopic_t, Destroyer<rd_kafka_DeleteTopic_destroy>>;
using DeleteOffsets = std::unique_ptr<rd_kafka_DeleteConsumerGroupOffsets_t,
                                      Destroyer<rd_kafka_DeleteConsumerGroupOffsets_destroy>>;
using ListOffsets = std::unique_ptr<rd_kafka_ListConsumerGroupOffsets_t,
                                    Destroyer<rd_kafka_ListConsumerGroupOffsets_destroy>>;
using ConfigResource = std::unique_ptr<rd_kafka_ConfigResource_t, Destroyer<rd_kafka_ConfigResource_destroy>>;

/// It will know in a moment: a broker that has just been started reads the groups' positions first.
bool IsPassing(rd_kafka_resp_err_t code) {
  return code == RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS ||
         code == RD_KAFKA_RESP_ERR_COORDINATOR_NOT_AVAILABLE || code == RD_KAFKA_RESP_ERR_NOT_COORDINATOR;
}

std::vector<bus::Position> CommittedOf(const rd_kafka_topic_partition_list_t& list) {
  std::vector<bus::Position> positions;
  for (int i = 0; i < list.cnt; ++i) {
    const rd_kafka_topic_partition_t& element = list.elems[i];
    if (element.offset < 0) continue;
    positions.push_back({{element.topic, element.partition},
                         element.offset,
                         std::string(static_cast<const char*>(element.metadata), element.metadata_size)});
  }
  return positions;
}

class KafkaAdmin : public bus::Admin {
 public:
  explicit KafkaAdmin(std::shared_ptr<Cluster> cluster) : cluster_(std::move(cluster)) {}

  bool CreateTopic(const bus::TopicSpec& spec) override;
  std::optional<bus::TopicDescription> DescribeTopic(const std::string& name) override;
  bool DeleteTopic(const std::string& name) override;
  bool DeletePositions(const std::string& group, const std::vector<bus::TopicPartition>& partitions) override;
  GroupDescription DescribeGroup(const std::string& group,
                                 const std::vector<bus::TopicPartition>& partitions) {
    return {MembersOf(group), PositionsOf(group, partitions)};
  }
  std::int32_t PartitionCount(const std::string& topic) override { return cluster_->PartitionCount(topic); }

 private:
  /// Starts a request with the options and queue it is given, and waits for its answer, which may be that
  /// there is no such group.
  template <typename Start>
  Event Ask(rd_kafka_admin_op_t operation, const std::string& doing, const std::string& right, Start start);
  rd_kafka_resp_err_t TryDeletePositions(const std::string& group,
                                         const std::vector<bus::TopicPartition>& partitions);
  std::size_t MembersOf(const std::string& group);
  std::vector<bus::Position> PositionsOf(const std::string& group,
                                         const std::vector<bus::TopicPartition>& partitions);
  void AwaitPartitions(const std::string& topic, std::int32_t count);
  BusError Failed(const rd_kafka_topic_result_t& result, const std::string& doing,
                  const std::string& right) const;

  std::shared_ptr<Cluster> cluster_;
};

template <typename Start>
Event KafkaAdmin::Ask(rd_kafka_admin_op_t operation, const std::string& doing, const std::string& right,
                      Start start) {
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
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR || code == RD_KAFKA_RESP_ERR_GROUP_ID_NOT_FOUND) return event;
    if (IsPassing(code)) continue;
    const BusError error = cluster_->ErrorFor(code, doing, right);
    if (error.kind() != BusError::Kind::kUnreachable) throw error;
  }
}

BusError KafkaAdmin::Failed(const rd_kafka_topic_result_t& result, const std::string& doing,
                            const std::string& right) const {
  if (Cluster::IsDenial(rd_kafka_topic_result_error(&result))) return cluster_->Denied(right);
  const char* text = rd_kafka_topic_result_error_string(&result);
  return {BusError::Kind::kFatal,
          doing + ": " + (text != nullptr ? text : rd_kafka_err2str(rd_kafka_topic_result_error(&result)))};
}

bool KafkaAdmin::CreateTopic(const bus::TopicSpec& spec) {
  const std::string doing = "creating topic " + spec.name;
  const std::string right = "Create on topic " + spec.name;
  std::array<char, 256> text{};
  const NewTopic topic(
      rd_kafka_NewTopic_new(spec.name.c_str(), spec.partitions, spec.replication, text.data(), text.size()));
  if (!topic) throw BusError(BusError::Kind::kFatal, doing + ": " + text.data());
  for (const auto& [name, value] : spec.settings) {
    rd_kafka_NewTopic_set_config(topic.get(), name.c_str(), value.c_str());
  }
  rd_kafka_NewTopic_t* request = topic.get();
  const Event event =
      Ask(RD_KAFKA_ADMIN_OP_CREATETOPICS, doing, right, [&](const auto* options, auto* queue) {
        rd_kafka_CreateTopics(cluster_->directory(), &request, 1, options, queue);
      });
  std::size_t count = 0;
  const auto** results =
      rd_kafka_CreateTopics_result_topics(rd_kafka_event_CreateTopics_result(event.get()), &count);
  if (rd_kafka_topic_result_error(results[0]) == RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS) return false;
  if (rd_kafka_topic_result_error(results[0]) != RD_KAFKA_RESP_ERR_NO_ERROR)
    throw Failed(*results[0], doing, right);
  AwaitPartitions(spec.name, spec.partitions);
  return true;
}

bool KafkaAdmin::DeleteTopic(const std::string& name) {
  const std::string doing = "deleting topic " + name;
  const std::string right = "Delete on topic " + name;
  const DeleteRequest topic(rd_kafka_DeleteTopic_new(name.c_str()));
  rd_kafka_DeleteTopic_t* request = topic.get();
  const Event event =
      Ask(RD_KAFKA_ADMIN_OP_DELETETOPICS, doing, right, [&](const auto* options, auto* queue) {
        rd_kafka_DeleteTopics(cluster_->directory(), &request, 1, options, queue);
      });
  std::size_t count = 0;
  const auto** results =
      rd_kafka_DeleteTopics_result_topics(rd_kafka_event_DeleteTopics_result(event.get()), &count);
  if (rd_kafka_topic_result_error(results[0]) == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART) return false;
  if (rd_kafka_topic_result_error(results[0]) != RD_KAFKA_RESP_ERR_NO_ERROR)
    throw Failed(*results[0], doing, right);
  AwaitPartitions(name, 0);
  return true;
}

bool KafkaAdmin::DeletePositions(const std::string& group,
                                 const std::vector<bus::TopicPartition>& partitions) {
  if (partitions.empty()) return false;
  const Deadline deadline(cluster_->options().timeout);
  for (;; cluster_->WaitOrGiveUp(deadline)) {
    const rd_kafka_resp_err_t code = TryDeletePositions(group, partitions);
    if (code == RD_KAFKA_RESP_ERR_GROUP_ID_NOT_FOUND) return false;
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR) return true;
    if (!IsPassing(code))
      throw cluster_->ErrorFor(code, "deleting the positions of group " + group, "Delete on group " + group);
  }
}

/// The group's error. Throws GroupInUse, and the error of a partition.
rd_kafka_resp_err_t KafkaAdmin::TryDeletePositions(const std::string& group,
                                                   const std::vector<bus::TopicPartition>& partitions) {
  const std::string doing = "deleting the positions of group " + group;
  const std::string right = "Delete on group " + group;
  const DeleteOffsets offsets(
      rd_kafka_DeleteConsumerGroupOffsets_new(group.c_str(), ToList(partitions).get()));
  rd_kafka_DeleteConsumerGroupOffsets_t* request = offsets.get();
  const Event event =
      Ask(RD_KAFKA_ADMIN_OP_DELETECONSUMERGROUPOFFSETS, doing, right, [&](const auto* options, auto* queue) {
        rd_kafka_DeleteConsumerGroupOffsets(cluster_->directory(), &request, 1, options, queue);
      });
  if (const auto code = rd_kafka_event_error(event.get()); code != RD_KAFKA_RESP_ERR_NO_ERROR) return code;
  std::size_t count = 0;
  const auto** results = rd_kafka_DeleteConsumerGroupOffsets_result_groups(
      rd_kafka_event_DeleteConsumerGroupOffsets_result(event.get()), &count);
  if (const auto* error = rd_kafka_group_result_error(results[0])) return rd_kafka_error_code(error);
  const rd_kafka_topic_partition_list_t* list = rd_kafka_group_result_partitions(results[0]);
  for (int i = 0; list != nullptr && i < list->cnt; ++i) {
    const rd_kafka_topic_partition_t& partition = list->elems[i];
    if (partition.err == RD_KAFKA_RESP_ERR_GROUP_SUBSCRIBED_TO_TOPIC)
      throw bus::GroupInUse(group, partition.topic);
    if (partition.err != RD_KAFKA_RESP_ERR_NO_ERROR)
      throw cluster_->ErrorFor(partition.err, doing, "Read on topic " + std::string(partition.topic));
  }
  return RD_KAFKA_RESP_ERR_NO_ERROR;
}

std::size_t KafkaAdmin::MembersOf(const std::string& group) {
  const std::string doing = "describing group " + group;
  const Deadline deadline(cluster_->options().timeout);
  for (;; cluster_->WaitOrGiveUp(deadline)) {
    const char* name = group.c_str();
    const Event event =
        Ask(RD_KAFKA_ADMIN_OP_DESCRIBECONSUMERGROUPS, doing, [&](const auto* options, auto* queue) {
          rd_kafka_DescribeConsumerGroups(cluster_->directory(), &name, 1, options, queue);
        });
    std::size_t count = 0;
    const auto** groups = rd_kafka_DescribeConsumerGroups_result_groups(
        rd_kafka_event_DescribeConsumerGroups_result(event.get()), &count);
    if (count != 1) return 0;
    const rd_kafka_error_t* error = rd_kafka_ConsumerGroupDescription_error(groups[0]);
    if (error == nullptr) return rd_kafka_ConsumerGroupDescription_member_count(groups[0]);
    const rd_kafka_resp_err_t code = rd_kafka_error_code(error);
    if (code == RD_KAFKA_RESP_ERR_GROUP_ID_NOT_FOUND) return 0;
    if (!IsPassing(code)) throw cluster_->ErrorFor(code, doing);
  }
}

std::vector<bus::Position> KafkaAdmin::PositionsOf(const std::string& group,
                                                   const std::vector<bus::TopicPartition>& partitions) {
  if (partitions.empty()) return {};
  const std::string doing = "reading the positions of group " + group;
  const ListOffsets wanted(rd_kafka_ListConsumerGroupOffsets_new(group.c_str(), ToList(partitions).get()));
  const Deadline deadline(cluster_->options().timeout);
  for (;; cluster_->WaitOrGiveUp(deadline)) {
    rd_kafka_ListConsumerGroupOffsets_t* request = wanted.get();
    const Event event =
        Ask(RD_KAFKA_ADMIN_OP_LISTCONSUMERGROUPOFFSETS, doing, [&](const auto* options, auto* queue) {
          rd_kafka_ListConsumerGroupOffsets(cluster_->directory(), &request, 1, options, queue);
        });
    if (rd_kafka_event_error(event.get()) != RD_KAFKA_RESP_ERR_NO_ERROR) return {};  // no such group
    std::size_t count = 0;
    const auto** groups = rd_kafka_ListConsumerGroupOffsets_result_groups(
        rd_kafka_event_ListConsumerGroupOffsets_result(event.get()), &count);
    if (count != 1) return {};
    const rd_kafka_error_t* error = rd_kafka_group_result_error(groups[0]);
    if (error == nullptr) return CommittedOf(*rd_kafka_group_result_partitions(groups[0]));
    if (!IsPassing(rd_kafka_error_code(error))) throw cluster_->ErrorFor(rd_kafka_error_code(error), doing);
  }
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
  const std::string right = "DescribeConfigs on topic " + name;
  const ConfigResource resource(rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, name.c_str()));
  rd_kafka_ConfigResource_t* request = resource.get();
  const Event event =
      Ask(RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS, doing, right, [&](const auto* options, auto* queue) {
        rd_kafka_DescribeConfigs(cluster_->directory(), &request, 1, options, queue);
      });
  std::size_t count = 0;
  const auto** found =
      rd_kafka_DescribeConfigs_result_resources(rd_kafka_event_DescribeConfigs_result(event.get()), &count);
  if (count == 1 && Cluster::IsDenial(rd_kafka_ConfigResource_error(found[0]))) throw cluster_->Denied(right);
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

namespace flowcast::kafka {

GroupDescription DescribeGroup(const KafkaOptions& options, const std::string& group,
                               const std::vector<bus::TopicPartition>& partitions) {
  return internal::KafkaAdmin(std::make_shared<internal::Cluster>(options)).DescribeGroup(group, partitions);
}

}  // namespace flowcast::kafka
