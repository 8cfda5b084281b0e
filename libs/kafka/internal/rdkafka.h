// librdkafka's C resources with owners.
#pragma once

#include <librdkafka/rdkafka.h>

#include <memory>
#include <string>
#include <vector>

#include "libs/bus/bus.h"

namespace flowcast::kafka::internal {

template <auto destroy>
struct Destroyer {
  template <typename T>
  void operator()(T* resource) const {
    destroy(resource);
  }
};

/// Ends a client. One that librdkafka does not let go of in time is left to the end of the process.
void EndClient(rd_kafka_t* rk);

using Handle = std::unique_ptr<rd_kafka_t, Destroyer<EndClient>>;
using Conf = std::unique_ptr<rd_kafka_conf_t, Destroyer<rd_kafka_conf_destroy>>;
using Topic = std::unique_ptr<rd_kafka_topic_t, Destroyer<rd_kafka_topic_destroy>>;
using Message = std::unique_ptr<rd_kafka_message_t, Destroyer<rd_kafka_message_destroy>>;
using Headers = std::unique_ptr<rd_kafka_headers_t, Destroyer<rd_kafka_headers_destroy>>;
using Error = std::unique_ptr<rd_kafka_error_t, Destroyer<rd_kafka_error_destroy>>;
using PartitionList =
    std::unique_ptr<rd_kafka_topic_partition_list_t, Destroyer<rd_kafka_topic_partition_list_destroy>>;
using Metadata = std::unique_ptr<const rd_kafka_metadata_t, Destroyer<rd_kafka_metadata_destroy>>;
using Queue = std::unique_ptr<rd_kafka_queue_t, Destroyer<rd_kafka_queue_destroy>>;
using Event = std::unique_ptr<rd_kafka_event_t, Destroyer<rd_kafka_event_destroy>>;
using AdminOptions = std::unique_ptr<rd_kafka_AdminOptions_t, Destroyer<rd_kafka_AdminOptions_destroy>>;
using GroupMetadata =
    std::unique_ptr<rd_kafka_consumer_group_metadata_t, Destroyer<rd_kafka_consumer_group_metadata_destroy>>;

/// Without offsets.
PartitionList ToList(const std::vector<bus::TopicPartition>& partitions);
/// With offsets, where kNoOffset is `no_offset`, and metadata.
PartitionList ToList(const std::vector<bus::Position>& positions, std::int64_t no_offset);
std::vector<bus::TopicPartition> ToPartitions(const rd_kafka_topic_partition_list_t& list);
std::vector<bus::Header> ToHeaders(const rd_kafka_message_t& message);

}  // namespace flowcast::kafka::internal
