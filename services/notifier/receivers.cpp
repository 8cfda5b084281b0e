// Adapters, senders and destinations put together.
#include "services/notifier/receivers.h"

#include <unistd.h>

#include <random>

#include "libs/http/http_client.h"
#include "libs/http/signature.h"
#include "libs/notify/http_senders.h"
#include "libs/syslog/pipes.h"

namespace flowcast::services {

/// In the order in which one needs the other.
struct Receivers::Receiver {
  std::unique_ptr<notify::HttpPoster> poster;
  std::unique_ptr<notify::Pipe> pipe;
  std::unique_ptr<notify::Sender> sender;
  std::unique_ptr<notify::Destination> destination;
};

class Receivers::Builder {
 public:
  Builder(const NotifierConfig& config, const base::Clock& clock, const base::Log& log)
      : config_(config), clock_(clock), log_(log) {}

  std::unique_ptr<Receiver> Webhook(const notify::HttpAddress& to, const std::string& name) {
    auto receiver = Http(to);
    notify::Sign sign;
    if (!config_.secret.empty())
      sign = [key = config_.secret](const std::string& text) { return http::HmacSha256(key, text); };
    receiver->sender = std::make_unique<notify::WebhookSender>(*receiver->poster, to.path, sign, clock_);
    return Finish(std::move(receiver), name, to.server + (sign ? ", signed" : ""), config_.destination);
  }
  std::unique_ptr<Receiver> Alertmanager(const notify::HttpAddress& to, const std::string& name) {
    auto receiver = Http(to);
    receiver->sender = std::make_unique<notify::AlertmanagerSender>(*receiver->poster, to.path, clock_);
    notify::DestinationOptions options = config_.destination;
    options.resend_every = config_.resend_every;
    return Finish(std::move(receiver), name, to.server, options);
  }
  std::unique_ptr<Receiver> Syslog(const notify::SyslogAddress& to, const std::string& name) {
    auto receiver = std::make_unique<Receiver>();
    receiver->pipe = std::make_unique<syslog::SocketPipe>(to);
    const notify::SyslogOptions options{
        .host = HostName(), .facility = config_.facility, .count_octets = to.tcp};
    receiver->sender = std::make_unique<notify::SyslogSender>(*receiver->pipe, options);
    const std::string where = to.host + " port " + std::to_string(to.port) + (to.tcp ? " (TCP)" : " (UDP)");
    return Finish(std::move(receiver), name, where, config_.destination);
  }

 private:
  std::unique_ptr<Receiver> Http(const notify::HttpAddress& to) const {
    auto receiver = std::make_unique<Receiver>();
    receiver->poster = std::make_unique<http::HttpClient>(
        to.server, http::ClientOptions{config_.request_timeout, config_.ca_file});
    return receiver;
  }
  std::unique_ptr<Receiver> Finish(std::unique_ptr<Receiver> receiver, const std::string& name,
                                   const std::string& where, const notify::DestinationOptions& options) {
    log_(base::LogLevel::kInfo, name + " is " + where);
    receiver->destination = std::make_unique<notify::Destination>(name, options, *receiver->sender, clock_,
                                                                  log_, std::random_device()());
    return receiver;
  }
  static std::string HostName() {
    char name[256] = "";
    return gethostname(name, sizeof name - 1) == 0 ? name : "-";
  }

  const NotifierConfig& config_;
  const base::Clock& clock_;
  const base::Log& log_;
};

namespace {

/// "webhook", "webhook-2", ...: a URL may hold a secret, and names stand in metrics and log.
std::string Numbered(const std::string& kind, std::size_t i) {
  return i == 0 ? kind : kind + "-" + std::to_string(i + 1);
}

}  // namespace

Receivers::Receivers(const NotifierConfig& config, const base::Clock& clock, const base::Log& log) {
  Builder builder(config, clock, log);
  for (std::size_t i = 0; i < config.webhooks.size(); ++i)
    receivers_.push_back(builder.Webhook(config.webhooks[i], Numbered("webhook", i)));
  for (std::size_t i = 0; i < config.alertmanagers.size(); ++i)
    receivers_.push_back(builder.Alertmanager(config.alertmanagers[i], Numbered("alertmanager", i)));
  for (std::size_t i = 0; i < config.syslogs.size(); ++i)
    receivers_.push_back(builder.Syslog(config.syslogs[i], Numbered("syslog", i)));
}

Receivers::~Receivers() = default;

std::vector<notify::Destination*> Receivers::destinations() const {
  std::vector<notify::Destination*> destinations;
  for (const auto& receiver : receivers_) destinations.push_back(receiver->destination.get());
  return destinations;
}

}  // namespace flowcast::services
