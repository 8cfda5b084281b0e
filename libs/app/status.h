// The status page of a program: --http, what it says of itself, and whether it is well.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "libs/app/app.h"
#include "libs/telemetry/health.h"
#include "libs/telemetry/metric_board.h"

namespace flowcast::http {
class StatusServer;
}

namespace flowcast::app {

/// Where the status page is; `address` is empty when it is off.
struct Endpoint {
  std::string address;
  int port = 0;
};

/// "127.0.0.1:9471", "[::1]:0" or "off". Throws base::ConfigError.
Endpoint ParseEndpoint(const std::string& text);

/// Publish, SetReady and the server's own threads may be at it at the same time.
class Status {
 public:
  /// Inert until Start. A loop that has not published for `stall_limit` counts as stalled; it must be
  /// longer than anything the program waits for. `service` is what its metrics say. Throws
  /// base::ConfigError when --http makes no sense.
  Status(const CommonOptions& options, const std::string& service, const base::Clock& clock, base::Log log,
         base::Duration stall_limit = std::chrono::minutes(2));
  ~Status();

  /// Listens, unless it is off or was started; says where. After privileges were dropped: it starts
  /// threads. Throws base::ConfigError when the address that was asked for can't be had; the default
  /// one not to be had is a warning.
  void Start();

  /// From the program's loop, about once a second: what /metrics says from now on, and a heartbeat.
  void Publish(std::vector<telemetry::Metric> metrics);
  /// Publish, for those who know no Status; valid as long as this is.
  std::function<void(std::vector<telemetry::Metric>)> publisher() {
    return [this](std::vector<telemetry::Metric> metrics) { Publish(std::move(metrics)); };
  }
  /// A heartbeat without news: the program waits, and means to.
  void Beat();
  void SetReady(bool ready, const std::string& reason);

 private:
  std::vector<telemetry::Metric> Metrics() const;

  std::string service_;
  const base::Clock& clock_;
  base::Log log_;
  Endpoint endpoint_;
  bool asked_for_;
  telemetry::MetricBoard board_;
  telemetry::Health health_;
  std::unique_ptr<http::StatusServer> server_;
};

/// For --print-metrics: rows of a Markdown table on standard output, those that all programs share
/// after the program's own.
void PrintMetrics(const std::vector<telemetry::Metric>& described);

}  // namespace flowcast::app
