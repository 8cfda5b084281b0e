// The frame of a program: options, logging, signals, exit codes.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "libs/app/kafka_properties.h"
#include "libs/app/print_config.h"
#include "libs/base/clock.h"
#include "libs/base/log.h"
#include "libs/bus/bus.h"
#include "libs/telemetry/metric.h"
#include "libs/topics/topics.h"

namespace CLI {
class App;
}

namespace flowcast::app {

/// What the shell sees.
enum ExitCode { kOk = 0, kFailed = 1, kUsage = 2, kNoBroker = 3 };

/// Options that every program has.
struct CommonOptions {
  std::string brokers = "localhost:9092";
  std::string prefix = "flowcast.";
  std::vector<std::string> kafka;  // librdkafka properties, each "key=value"
  std::string kafka_file;          // more of them, a line each
  std::string kafka_token_file;    // the token of SASL/OAUTHBEARER
  std::optional<KafkaProperties>
      properties;  // of both; read while options are parsed, before rights are dropped
  ShownAs shown;   // for --print-config, what is not to be shown as it was given
  std::string broker_timeout = "60s";
  std::string log_level = "info";
  bool log_json = false;
  bool check = false;
  bool print_config = false;
  std::string http;         // ADDRESS:PORT of the status page, "off"; empty: the program has none, nor --http
  bool http_given = false;  // by flag, environment or file, rather than the default
  std::function<std::vector<telemetry::Metric>()> describe;  // the program's metrics, for --print-metrics

  topics::Names names() const { return topics::Names(prefix); }
};

/// Adds --brokers, --prefix, --kafka, --kafka-file, --kafka-token-file, --broker-timeout, --log-level,
/// --log-json, --check,
/// --config,
/// --print-config and --version, and where options.http has a default --http and --print-metrics. Call after
/// the program's own options: every option also gets an environment variable, FLOWCAST_ and its name in
/// capitals (--pcap: FLOWCAST_PCAP).
void AddCommonOptions(CLI::App& app, CommonOptions& options);

/// A logger as the options say, on standard error: "12:00:00.123 info  text" or one JSON object a line.
base::Log MakeLog(const std::string& program, const CommonOptions& options);

/// Connects lazily to the brokers; librdkafka's lines go to `log`, and what is unsafe about its properties.
/// Throws base::ConfigError.
std::unique_ptr<bus::Bus> ConnectBus(const CommonOptions& options, const std::string& client_id,
                                     const base::Log& log);

/// Waits until the broker answers and all `topics` exist, saying every few seconds for what it
/// waits. Throws bus::BusError after --broker-timeout, with the remedy. Ends early, returning
/// false, when a stop was asked for.
bool WaitForTopics(bus::Bus& bus, const std::vector<std::string>& topics, const CommonOptions& options,
                   base::Clock& clock, const base::Log& log);

/// True once SIGTERM or SIGINT came; RunMain installs the handlers.
bool StopRequested();

/// From now on the process ends, with exit code 0, so long after a stop was asked for at the latest:
/// librdkafka may wait for a broker that is away until all its time-outs are over, and who asked (systemd,
/// Kubernetes, Compose) would kill it. For programs that lose nothing when they are killed.
void EndWithin(std::chrono::seconds limit);

/// From now on SIGHUP ends nothing but is noted, until HangupCame tells: of servers it means "read your files
/// again".
void NoteHangups();
/// True once for any number of them.
bool HangupCame();

/// Writes out what was printed to standard output; to be called now and then by who prints much.
/// Throws base::RuntimeError when it can't be written. Where nobody reads it any more (`| head`) the
/// program ends: what is thrown then is for RunMain alone.
void FlushOutput();

/// Parses the command line, which must not hold a secret, runs `body` and turns exceptions into one line on
/// standard error and an exit code. What `body` printed is written out; a reader who has gone is no error.
int RunMain(CLI::App& app, int argc, char** argv, const std::function<int()>& body);

}  // namespace flowcast::app
