// A small HTTP server that tells how a program is.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "libs/base/log.h"
#include "libs/telemetry/health.h"
#include "libs/telemetry/metric.h"

namespace flowcast::http {

/// Called from the server's threads, several at a time.
struct StatusSources {
  std::function<std::vector<telemetry::Metric>()> metrics;
  std::function<telemetry::Health::State()> live;
  std::function<telemetry::Health::State()> ready;
};

/// flowcast_http_requests_total without a value, for the reference.
telemetry::Metric DescribeRequests();

/// GET /metrics answers with the metrics and flowcast_http_requests_total; /healthz and /readyz with
/// 200 or 503 and the reason; anything else with 404 and what there is.
class StatusServer {
 public:
  /// Inert until Start.
  StatusServer(StatusSources sources, base::Log log);
  ~StatusServer();
  StatusServer(const StatusServer&) = delete;
  StatusServer& operator=(const StatusServer&) = delete;

  /// Listens; once only. Port 0: any that is free. Throws base::ConfigError when the address is not
  /// this host's or the port is taken.
  void Start(const std::string& address, int port);
  /// Answers what it has begun to and ends; whoever is slow is not waited for.
  void Stop();
  /// The port it listens on, 0 before Start.
  int port() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace flowcast::http
