// From options to the status server.
#include "libs/app/status.h"

#include <cstdio>
#include <utility>

#include "libs/app/process_metrics.h"
#include "libs/base/error.h"
#include "libs/base/host_port.h"
#include "libs/http/status_server.h"
#include "libs/kafka/kafka_bus.h"
#include "libs/telemetry/describe.h"

namespace flowcast::app {
namespace {

struct ServiceFacts {
  std::string service;
  bool ready = false;
};

const telemetry::Table<ServiceFacts>& ServiceMetrics() {
  using Facts = ServiceFacts;
  static const auto table =
      telemetry::Table<Facts>()
          .Info("flowcast_build_info", "What runs here.", {"service", "version", "librdkafka"},
                [](const Facts& facts) {
                  return std::vector<std::string>{facts.service, FLOWCAST_VERSION, kafka::LibraryVersion()};
                })
          .Gauge("flowcast_ready", "1 while /readyz answers 200, else 0.",
                 [](const Facts& facts) { return facts.ready ? 1 : 0; });
  return table;
}

void Append(std::vector<telemetry::Metric>& metrics, std::vector<telemetry::Metric> more) {
  metrics.insert(metrics.end(), std::make_move_iterator(more.begin()), std::make_move_iterator(more.end()));
}

}  // namespace

Endpoint ParseEndpoint(const std::string& text) {
  if (text == "off") return {};
  const auto parts = base::ParseHostAndPort(text);
  if (!parts || !parts->port) {
    throw base::ConfigError("--http '" + text +
                            "' is no address; write ADDRESS:PORT, like 127.0.0.1:9471 or [::1]:0, or off");
  }
  return {.address = parts->host, .port = *parts->port};
}

Status::Status(const CommonOptions& options, const std::string& service, const base::Clock& clock,
               base::Log log, base::Duration stall_limit)
    : service_(service),
      clock_(clock),
      log_(std::move(log)),
      endpoint_(ParseEndpoint(options.http)),
      asked_for_(options.http_given),
      health_(stall_limit) {
  SetReady(false, "waiting for Kafka at " + options.brokers + " and its topics");
}

Status::~Status() = default;

void Status::Start() {
  if (server_ != nullptr || endpoint_.address.empty()) return;
  server_ = std::make_unique<http::StatusServer>(
      http::StatusSources{.metrics = [this] { return Metrics(); },
                          .live = [this] { return health_.Live(clock_.Steady()); },
                          .ready = [this] { return health_.Ready(clock_.Steady()); }},
      log_);
  try {
    server_->Start(endpoint_.address, endpoint_.port);
  } catch (const base::ConfigError& error) {
    if (asked_for_) throw;
    log_(base::LogLevel::kWarning, std::string("no status page: ") + error.what());
    return;
  }
  const bool is_v6 = endpoint_.address.find(':') != std::string::npos;
  log_(base::LogLevel::kInfo, "status at http://" +
                                  (is_v6 ? "[" + endpoint_.address + "]" : endpoint_.address) + ":" +
                                  std::to_string(server_->port()));
}

void Status::Publish(std::vector<telemetry::Metric> metrics) {
  board_.Publish(std::move(metrics));
  Beat();
}

void Status::Beat() { health_.Beat(clock_.Steady()); }

void Status::SetReady(bool ready, const std::string& reason) { health_.SetReady(ready, reason); }

std::vector<telemetry::Metric> Status::Metrics() const {
  std::vector<telemetry::Metric> metrics = board_.Snapshot();
  Append(metrics, ServiceMetrics().Read({service_, health_.Ready(clock_.Steady()).ok}));
  Append(metrics, ProcessMetrics().Read(ReadProcessFacts()));
  return metrics;
}

void PrintMetrics(const std::vector<telemetry::Metric>& described) {
  std::vector<telemetry::Metric> metrics = described;
  Append(metrics, ServiceMetrics().Describe());
  metrics.push_back(http::DescribeRequests());
  Append(metrics, ProcessMetrics().Describe());
  std::fputs(telemetry::MarkdownRows(metrics).c_str(), stdout);
}

}  // namespace flowcast::app
