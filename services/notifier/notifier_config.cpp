// Options of the notifier and what they default to.
#include "services/notifier/notifier_config.h"

#include <CLI/CLI.hpp>
#include <cstdlib>
#include <sstream>
#include <utility>

#include "libs/app/secret_file.h"
#include "libs/base/error.h"
#include "libs/notify/syslog_message.h"
#include "services/notifier/notifier_metrics.h"

namespace flowcast::services {
namespace {

constexpr std::size_t kMostSecretBytes = 4096;

std::string ReadSecret(const std::string& path) {
  std::string secret = app::ReadSecretFile("--webhook-secret-file", path);
  if (secret.empty() || secret.size() > kMostSecretBytes) {
    throw base::ConfigError("--webhook-secret-file " + path +
                            " holds no secret; write one line of 1 to 4096 bytes to it");
  }
  return secret;
}

std::vector<std::string> ReadUrls(const std::string& path) {
  std::vector<std::string> urls;
  std::istringstream lines(app::ReadSecretFile("--webhook-file", path));
  for (std::string line; std::getline(lines, line);) {
    if (line.ends_with('\r')) line.pop_back();
    if (!line.empty() && line.front() != '#') urls.push_back(line);
  }
  return urls;
}

/// Its path may be all that it takes to post there.
std::string WithoutPath(const std::string& url) {
  const auto scheme = url.find("://");
  const auto path = url.find_first_of("/?#", scheme == std::string::npos ? 0 : scheme + 3);
  return path == std::string::npos || url.substr(path) == "/" ? url : url.substr(0, path) + "/(hidden)";
}

void AddReceivers(CLI::App& app, NotifierConfig& config) {
  app.add_option("--webhook", config.webhook,
                 "URL that is posted what Alertmanager would post (version 4); may be repeated");
  app.add_option("--webhook-file", config.webhook_file,
                 "file of such URLs, one a line: who may see the command line does not see them");
  app.add_option("--webhook-secret-file", config.webhook_secret_file,
                 "file with the secret that web-hooks are signed with [FLOWCAST_WEBHOOK_SECRET of the "
                 "environment; none: not signed]");
  app.add_option("--alertmanager", config.alertmanager,
                 "URL of an Alertmanager, such as http://localhost:9093; may be repeated");
  app.add_option("--syslog", config.syslog,
                 "a syslog server, udp://HOST:PORT or tcp://HOST:PORT; may be repeated");
  app.add_option("--syslog-facility", config.syslog_facility, "of the messages: user, daemon, local0, ...")
      ->capture_default_str();
  app.add_option("--ca-file", config.ca_file,
                 "PEM file with the authorities that https is trusted by [the system's]");
}

void AddDelivery(CLI::App& app, NotifierConfig& config) {
  constexpr std::size_t kFewest = 2, kMost = 1'000'000;
  app.add_option("--severity", config.notifier.selection.severity,
                 "lowest severity that is sent; another word than these four is always sent")
      ->capture_default_str()
      ->check(CLI::IsMember(notify::Severities()));
  app.add_flag("--silenced", config.notifier.selection.silenced, "send silenced alerts, too");
  app.add_option("--give-up-after", config.give_up_after, "how long an alert is tried to be handed over")
      ->capture_default_str();
  app.add_option("--queue-limit", config.destination.queue_limit,
                 "alerts that wait for a receiver; of more the oldest is given up")
      ->capture_default_str()
      ->check(CLI::Range(kFewest, kMost));
  app.add_option("--resend-every", config.resend, "how often an Alertmanager is told what is firing")
      ->capture_default_str();
  app.add_option("--request-timeout", config.timeout,
                 "for connecting to an HTTP server, and for each wait for it")
      ->capture_default_str();
}

}  // namespace

void AddNotifierOptions(CLI::App& app, NotifierConfig& config) {
  AddReceivers(app, config);
  AddDelivery(app, config);
  app.add_option("--group", config.group, "consumer group")->capture_default_str();
  app.add_option("--instance", config.instance,
                 "name of this instance within its group; stable over restarts")
      ->capture_default_str();
  config.common.shown["webhook"] = WithoutPath;
  config.common.describe = [] { return NotifierMetrics().Describe(); };
  AddCommonOptions(app, config.common);
}

std::vector<std::string> NotifierConfig::Warnings() const {
  std::vector<std::string> warnings;
  for (const std::string& path : {webhook_file, webhook_secret_file}) {
    if (auto warning = app::WarnOfOthers(path)) warnings.push_back(std::move(*warning));
  }
  return warnings;
}

void NotifierConfig::Resolve() {
  if (!webhook_file.empty()) {
    for (std::string& url : ReadUrls(webhook_file)) webhook.push_back(std::move(url));
  }
  for (const std::string& url : webhook) webhooks.push_back(notify::ParseHttpAddress("--webhook", url));
  for (const std::string& url : alertmanager)
    alertmanagers.push_back(notify::ParseHttpAddress("--alertmanager", url));
  for (const std::string& address : syslog) syslogs.push_back(notify::ParseSyslogAddress(address));
  if (webhooks.empty() && alertmanagers.empty() && syslogs.empty()) {
    throw base::ConfigError(
        "there is nobody to notify; name one with --webhook URL, --alertmanager URL or --syslog "
        "udp://HOST:PORT");
  }
  const auto number = notify::FacilityOf(syslog_facility);
  if (!number) {
    throw base::ConfigError("--syslog-facility '" + syslog_facility +
                            "' is none; take user, daemon, auth, syslog or one of local0 to local7");
  }
  facility = *number;
  destination.give_up_after = base::ParseDuration(give_up_after);
  notifier.first_reach = destination.give_up_after;
  notifier.trace = common.log_level == "debug";
  resend_every = base::ParseDuration(resend);
  request_timeout = base::ParseDuration(timeout);
  const char* from_environment = std::getenv("FLOWCAST_WEBHOOK_SECRET");
  if (!webhook_secret_file.empty()) {
    secret = ReadSecret(webhook_secret_file);
  } else if (from_environment != nullptr) {
    secret = from_environment;
  }
}

}  // namespace flowcast::services
