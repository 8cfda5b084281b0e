// Makes the parts of the Kafka bus, and converts between its types and librdkafka's.
#include "libs/kafka/kafka_bus.h"

#include <chrono>
#include <cstring>

#include "libs/base/within.h"
#include "libs/kafka/internal/cluster.h"

namespace flowcast::kafka {
namespace internal {
namespace {

constexpr auto kToLetGo = std::chrono::seconds(10);  // what takes longer than a session never ends
constexpr int kNoLogs = -1;                          // nobody may be there any more to take them

rd_kafka_topic_partition_t* Add(const PartitionList& list, const bus::TopicPartition& partition) {
  return rd_kafka_topic_partition_list_add(list.get(), partition.topic.c_str(), partition.partition);
}

void SetMetadata(rd_kafka_topic_partition_t& element, const std::string& metadata) {
  if (metadata.empty()) return;
  // librdkafka frees it with free(), and writes its size but also expects the terminating zero.
  element.metadata = strdup(metadata.c_str());
  element.metadata_size = metadata.size();
}

}  // namespace

/// A consumer whose broker went away and came back may never end (librdkafka's #4674, since its 2.0.0).
void EndClient(rd_kafka_t* rk) {
  rd_kafka_set_log_level(rk, kNoLogs);
  base::FinishesWithin(kToLetGo, [rk] { rd_kafka_destroy(rk); });
}

PartitionList ToList(const std::vector<bus::TopicPartition>& partitions) {
  PartitionList list(rd_kafka_topic_partition_list_new(static_cast<int>(partitions.size())));
  for (const bus::TopicPartition& partition : partitions) Add(list, partition);
  return list;
}

PartitionList ToList(const std::vector<bus::Position>& positions, std::int64_t no_offset) {
  PartitionList list(rd_kafka_topic_partition_list_new(static_cast<int>(positions.size())));
  for (const bus::Position& position : positions) {
    rd_kafka_topic_partition_t* element = Add(list, position.at);
    element->offset = position.offset == bus::kNoOffset ? no_offset : position.offset;
    SetMetadata(*element, position.metadata);
  }
  return list;
}

std::vector<bus::TopicPartition> ToPartitions(const rd_kafka_topic_partition_list_t& list) {
  std::vector<bus::TopicPartition> partitions;
  for (int i = 0; i < list.cnt; ++i) partitions.push_back({list.elems[i].topic, list.elems[i].partition});
  return partitions;
}

std::vector<bus::Header> ToHeaders(const rd_kafka_message_t& message) {
  std::vector<bus::Header> headers;
  rd_kafka_headers_t* list = nullptr;
  if (rd_kafka_message_headers(&message, &list) != RD_KAFKA_RESP_ERR_NO_ERROR) return headers;
  const char* name = nullptr;
  const void* value = nullptr;
  std::size_t size = 0;
  for (std::size_t i = 0;
       rd_kafka_header_get_all(list, i, &name, &value, &size) == RD_KAFKA_RESP_ERR_NO_ERROR; ++i) {
    headers.push_back({name, value == nullptr ? "" : std::string(static_cast<const char*>(value), size)});
  }
  return headers;
}

}  // namespace internal

namespace {

class KafkaBus : public bus::Bus {
 public:
  explicit KafkaBus(const KafkaOptions& options) : cluster_(std::make_shared<internal::Cluster>(options)) {}

  std::unique_ptr<bus::Consumer> MakeConsumer(const bus::ConsumerOptions& options) override {
    return internal::MakeConsumer(cluster_, options);
  }
  std::unique_ptr<bus::Producer> MakeProducer(const bus::ProducerOptions& options) override {
    return internal::MakeProducer(cluster_, options);
  }
  std::unique_ptr<bus::Admin> MakeAdmin() override { return internal::MakeAdmin(cluster_); }

 private:
  std::shared_ptr<internal::Cluster> cluster_;
};

}  // namespace

std::unique_ptr<bus::Bus> Connect(const KafkaOptions& options) { return std::make_unique<KafkaBus>(options); }

std::string LibraryVersion() { return rd_kafka_version_str(); }

}  // namespace flowcast::kafka
