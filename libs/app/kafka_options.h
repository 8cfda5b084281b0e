// How a program's common options reach the Kafka library, for who wants more of it than a bus.
#pragma once

#include <string>

#include "libs/app/app.h"
#include "libs/kafka/kafka_bus.h"

namespace flowcast::app {

/// Brokers, properties and time-out; no log. Throws base::ConfigError.
kafka::KafkaOptions KafkaOptionsOf(const CommonOptions& options, const std::string& client_id);

}  // namespace flowcast::app
