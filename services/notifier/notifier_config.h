// The options of flowcast-notifier.
#pragma once

#include <string>
#include <vector>

#include "libs/app/app.h"
#include "libs/notify/address.h"
#include "services/notifier/notifier_service.h"

namespace flowcast::services {

struct NotifierConfig {
  app::CommonOptions common{.http = "127.0.0.1:9475"};
  NotifierOptions notifier;
  std::vector<std::string> webhook, alertmanager, syslog;
  std::string webhook_file;
  std::string webhook_secret_file;
  std::string ca_file;
  std::string syslog_facility = "local0";
  std::string give_up_after = "1h";
  std::string resend = "1m";
  std::string timeout = "10s";
  std::string group = "flowcast-notifier";
  std::string instance = "0";

  // Filled by Resolve.
  std::vector<notify::HttpAddress> webhooks, alertmanagers;
  std::vector<notify::SyslogAddress> syslogs;
  notify::DestinationOptions destination;
  std::string secret;  // of the signatures; empty: none
  int facility = 0;
  base::Duration resend_every{}, request_timeout{};

  /// Fills what the texts say, reads the file of URLs, and the secret: from its file, or else from the
  /// environment's FLOWCAST_WEBHOOK_SECRET. Throws base::ConfigError.
  void Resolve();
  /// A line for each file that holds a secret and is open to others.
  std::vector<std::string> Warnings() const;
};

void AddNotifierOptions(CLI::App& app, NotifierConfig& config);

}  // namespace flowcast::services
