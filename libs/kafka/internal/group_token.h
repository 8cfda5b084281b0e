// What a consumer tells a transactional producer about its group.
#pragma once

#include <memory>

#include "libs/kafka/internal/rdkafka.h"

namespace flowcast::kafka::internal {

struct KafkaGroupToken : bus::GroupToken {
  std::shared_ptr<rd_kafka_consumer_group_metadata_t> metadata;
};

}  // namespace flowcast::kafka::internal
