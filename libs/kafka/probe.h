// For diagnosis: how far a connection to a broker comes, and who is in a group.
#pragma once

#include <string>
#include <vector>

#include "libs/kafka/kafka_bus.h"

namespace flowcast::kafka {

/// Where an attempt failed: resolving the name, connecting, TLS, SASL, or the first answer.
enum class ProbeStep { kName, kPort, kTls, kSasl, kAnswer };

struct ProbeResult {
  bool answered = false;
  ProbeStep failed_at = ProbeStep::kAnswer;  // meaningful when it did not answer
  std::string reason;      // what librdkafka said last, one line; empty: it just took too long
  std::string advertised;  // "HOST:PORT, HOST:PORT": where clients are sent
};

/// Asks any of the brokers for metadata, for options.timeout at most; less when all of them have refused.
/// options.log is not told anything. Throws base::ConfigError.
ProbeResult Probe(KafkaOptions options);

/// A consumer group as the broker knows it.
struct GroupDescription {
  std::size_t members = 0;
  std::vector<bus::Position> positions;  // committed, of the partitions asked for; those that have one
};

/// Of a group that never was: no members and no positions. Throws bus::BusError.
GroupDescription DescribeGroup(const KafkaOptions& options, const std::string& group,
                               const std::vector<bus::TopicPartition>& partitions);

}  // namespace flowcast::kafka
