// The options of flowcast-features.
#pragma once

#include <string>
#include <vector>

#include "libs/app/app.h"
#include "services/features/features_service.h"

namespace flowcast::services {

struct FeaturesConfig {
  app::CommonOptions common{.http = "127.0.0.1:9472"};
  std::string window = "5s";
  std::string hop;
  std::string lateness;
  std::string link_expiry = "1h";
  std::string source_expiry = "1h";
  std::string burst_gap = "1ms";
  std::string features = "default";
  std::string normalization = "robust";
  bool explain = false;
  std::size_t sequence_length = feature::kDefaultSequenceLength;
  std::size_t sequences_at_once = 1'000;
  std::string home_net = "10.0.0.0/8,172.16.0.0/12,192.168.0.0/16,fc00::/7";
  std::string group = "flowcast-features";
  std::string instance = "0";
  std::string exit_when_idle;
  bool json_mirror = false;

  /// Throws base::ConfigError.
  FeaturesOptions Options() const;
  /// Topics that must exist.
  std::vector<std::string> Needs() const;

 private:
  base::Duration Hop(base::Duration length) const;
  window::FoldOptions FoldOptions() const;
};

/// Prints what the features mean; returns the exit code.
int Explain(const FeaturesConfig& config);

void AddFeaturesOptions(CLI::App& app, FeaturesConfig& config);
/// Of these, what decides which windows there are and what is in them: --window, --hop, --lateness,
/// --link-expiry,
/// --burst-gap, --features, --explain, --home-net.
void AddWindowOptions(CLI::App& app, FeaturesConfig& config);

}  // namespace flowcast::services
