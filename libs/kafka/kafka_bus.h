// The bus over Apache Kafka; the only includer of librdkafka.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "libs/bus/bus.h"

namespace flowcast::kafka {

struct KafkaOptions {
  std::string brokers = "localhost:9092";
  std::string client_id = "flowcast";
  /// Passed through to librdkafka last, so that users can set TLS, SASL and everything else, but
  /// not what the bus's guarantees rest on (such as isolation.level).
  std::map<std::string, std::string> properties{};
  /// File of the token that SASL/OAUTHBEARER shows, read again every minute; empty: none, or what
  /// librdkafka's own properties say.
  std::string token_file{};
  /// How long calls wait for a broker before they throw kUnreachable.
  std::chrono::milliseconds timeout{60'000};
  /// Asked while a call waits for a broker: true ends the wait with kStopped.
  std::function<bool()> stop_requested{};
  /// Told about what librdkafka logs, one line each, from its threads, and at most every 5 s that
  /// a broker is waited for and why. Must outlive the bus and what it made.
  std::function<void(int syslog_level, const std::string& line)> log{};
};

/// Throws base::ConfigError for a property that librdkafka does not know or that is not the user's
/// to set, naming it. Connects lazily.
std::unique_ptr<bus::Bus> Connect(const KafkaOptions& options);

/// librdkafka's version, for --version.
std::string LibraryVersion();

}  // namespace flowcast::kafka
