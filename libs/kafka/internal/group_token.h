// What a consumer tells a transactional producer about its group.
#pragma once

#include "libs/kafka/internal/rdkafka.h"

namespace flowcast::kafka::internal {

struct KafkaGroupToken : bus::GroupToken {
  GroupMetadata metadata;
};

}  // namespace flowcast::kafka::internal
