// Over cpp-httplib.
#include "libs/http/status_server.h"

#include <httplib.h>

#include <atomic>
#include <map>
#include <mutex>
#include <thread>
#include <utility>

#include "libs/base/error.h"
#include "libs/http/exposition.h"
#include "libs/http/internal/bounded_queue.h"
#include "libs/http/internal/bounded_server.h"

namespace flowcast::http {
namespace {

constexpr std::size_t kThreads = 4;
constexpr std::size_t kMostWaiting = 16;
constexpr std::size_t kMostBodyBytes = 1024;
constexpr base::Duration kConnectionLimit = std::chrono::seconds(5);
constexpr const char* kText = "text/plain; charset=utf-8";

telemetry::Metric RequestsMetric() {
  return {.name = "flowcast_http_requests_total",
          .help = "Requests of the status page that were answered, by status.",
          .kind = telemetry::Kind::kCounter};
}

/// How many requests were answered with which status.
class RequestCounts {
 public:
  void Count(int status) {
    const std::lock_guard lock(mutex_);
    ++by_status_[status];
  }
  telemetry::Metric Read() const {
    telemetry::Metric metric = RequestsMetric();
    const std::lock_guard lock(mutex_);
    for (const auto& [status, count] : by_status_) {
      metric.samples.push_back({{{"code", std::to_string(status)}}, static_cast<double>(count)});
    }
    return metric;
  }

 private:
  mutable std::mutex mutex_;
  std::map<int, std::uint64_t> by_status_;
};

/// Not httplib's own, which let two programs listen on one port (SO_REUSEPORT).
void SetSocketOptions(socket_t socket) {
  const int on = 1;
  setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
}

}  // namespace

telemetry::Metric DescribeRequests() {
  telemetry::Metric metric = RequestsMetric();
  metric.samples.push_back({{{"code", ""}}, 0});
  return metric;
}

class StatusServer::Impl {
 public:
  Impl(StatusSources sources, base::Log log) : sources_(std::move(sources)), log_(std::move(log)) {
    SetBounds();
    SetRoutes();
  }

  void Start(const std::string& address, int port) {
    port_ = port == 0 ? server_.bind_to_any_port(address) : (server_.bind_to_port(address, port) ? port : -1);
    if (port_ <= 0) {
      port_ = 0;
      throw base::ConfigError("can't listen on " + address + " port " + std::to_string(port) +
                              ": it is taken, or the address is not this host's; choose another with --http "
                              "ADDRESS:PORT, or --http off");
    }
    thread_ = std::thread([this] { Listen(); });
    // A stop before it runs would be lost.
    while (!server_.is_running() && !ended_) std::this_thread::yield();
  }

  void Stop() {
    if (!thread_.joinable()) return;
    stopping_ = true;
    server_.stop();
    thread_.join();
  }

  int port() const { return port_; }

 private:
  void SetBounds() {
    server_.new_task_queue = [] { return new internal::BoundedQueue(kThreads, kMostWaiting); };
    server_.set_payload_max_length(kMostBodyBytes);
    server_.set_socket_options(SetSocketOptions);
  }

  void SetRoutes() {
    server_.Get("/metrics", [this](const httplib::Request&, httplib::Response& response) {
      std::vector<telemetry::Metric> metrics = sources_.metrics();
      metrics.push_back(counts_.Read());
      response.set_content(Exposition(metrics), kExpositionType);
    });
    AddHealth("/healthz", sources_.live);
    AddHealth("/readyz", sources_.ready);
    server_.set_error_handler([](const httplib::Request&, httplib::Response& response) {
      if (response.status == 404) response.set_content("there are /metrics, /healthz and /readyz\n", kText);
    });
    server_.set_exception_handler([this](const httplib::Request& request, httplib::Response& response,
                                         auto error) { Explain(request, response, error); });
    // Before the answer is sent: who has it finds it counted.
    server_.set_post_routing_handler([this](const httplib::Request&, const httplib::Response& response) {
      counts_.Count(response.status);
    });
  }

  void AddHealth(const char* path, const std::function<telemetry::Health::State()>& state_of) {
    server_.Get(path, [state_of](const httplib::Request&, httplib::Response& response) {
      const telemetry::Health::State state = state_of();
      response.status = state.ok ? 200 : 503;
      response.set_content(state.reason + "\n", kText);
    });
  }

  void Explain(const httplib::Request& request, httplib::Response& response, std::exception_ptr error) {
    response.status = 500;
    try {
      std::rethrow_exception(std::move(error));
    } catch (const std::exception& exception) {
      log_(base::LogLevel::kError, "status page: " + request.path + " failed: " + exception.what());
    } catch (...) {
      log_(base::LogLevel::kError, "status page: " + request.path + " failed");
    }
  }

  void Listen() {
    server_.listen_after_bind();
    ended_ = true;
    if (!stopping_)
      log_(base::LogLevel::kError, "the status page ended: its socket failed; restart to have it back");
  }

  StatusSources sources_;
  base::Log log_;
  RequestCounts counts_;
  internal::BoundedServer server_{kConnectionLimit};
  std::atomic<bool> stopping_ = false;
  std::atomic<bool> ended_ = false;
  std::thread thread_;
  int port_ = 0;
};

StatusServer::StatusServer(StatusSources sources, base::Log log)
    : impl_(std::make_unique<Impl>(std::move(sources), std::move(log))) {}

StatusServer::~StatusServer() { Stop(); }

void StatusServer::Start(const std::string& address, int port) { impl_->Start(address, port); }

void StatusServer::Stop() { impl_->Stop(); }

int StatusServer::port() const { return impl_->port(); }

}  // namespace flowcast::http
