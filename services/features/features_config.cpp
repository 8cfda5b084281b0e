// Options of the features and what they default to.
#include "services/features/features_config.h"

#include <CLI/CLI.hpp>
#include <iostream>
#include <sstream>
#include <utility>

#include "libs/base/error.h"
#include "libs/base/hash.h"
#include "services/features/features_metrics.h"

namespace flowcast::services {
namespace {

std::vector<std::string> SplitAtCommas(const std::string& text) {
  std::vector<std::string> parts;
  std::istringstream stream(text);
  for (std::string part; std::getline(stream, part, ',');) parts.push_back(part);
  return parts;
}

}  // namespace

void AddWindowOptions(CLI::App& app, FeaturesConfig& config) {
  app.add_option("--window", config.window, "length of a window, 50ms to 1h")->capture_default_str();
  app.add_option(
      "--hop", config.hop,
      "windows begin so far apart and overlap; divides --window; sequences are made of those aligned to "
      "--window [--window]");
  app.add_option("--lateness", config.lateness, "how much longer a window waits for late packets [0]");
  app.add_option("--link-expiry", config.link_expiry, "a link without packets for so long is forgotten")
      ->capture_default_str();
  app.add_option("--burst-gap", config.burst_gap, "packets closer than this are a burst (burst_share)")
      ->capture_default_str();
  app.add_option("--features", config.features,
                 "features of windows and sequences, with commas between: names, groups (" +
                     feature::Schema::Groups() + "), ratios NAME=A/B and differences NAME=A-B")
      ->capture_default_str();
  app.add_flag("--explain", config.explain,
               "print what the features of --features mean, as Markdown, and exit");
  app.add_option("--home-net", config.home_net, "networks on this side of the links, for uplink and downlink")
      ->capture_default_str();
}

void AddFeaturesOptions(CLI::App& app, FeaturesConfig& config) {
  AddWindowOptions(app, config);
  app.add_option("--source-expiry", config.source_expiry,
                 "a source that was not heard of for so long, by the clock, has ended")
      ->capture_default_str();
  app.add_option("--normalization", config.normalization,
                 "of sequences: robust, z-score, min-max or none (docs/features.md)")
      ->capture_default_str();
  app.add_option("--sequence-length", config.sequence_length, "windows a sequence")
      ->capture_default_str()
      ->check(CLI::Range(2, 1000));
  app.add_flag("--json-mirror", config.json_mirror, "write each window to windows-json.v1, too, as JSON");
  app.add_option(
         "--sequences-at-once", config.sequences_at_once,
         "links; of a source with more of them in a partition, sequences are written after the windows")
      ->capture_default_str();
  app.add_option("--group", config.group, "consumer group")->capture_default_str();
  app.add_option("--instance", config.instance,
                 "name of this instance within its group; stable over restarts")
      ->capture_default_str();
  app.add_option("--exit-when-idle", config.exit_when_idle,
                 "end once nothing came for so long, after something had [never]");
  config.common.describe = [] { return FeaturesMetrics().Describe(); };
  AddCommonOptions(app, config.common);
}

int Explain(const FeaturesConfig& config) {
  const feature::Schema schema = feature::Schema::Parse(config.features);
  std::cout << feature::Explain(schema) << "\nSchema hash: " << base::Hex(schema.hash()) << '\n';
  return app::kOk;
}

FeaturesOptions FeaturesConfig::Options() const {
  const base::Duration silence = base::ParseDuration(source_expiry);
  window::FoldOptions fold = FoldOptions();
  fold.sequences_at_once = sequences_at_once;
  return {.fold = std::move(fold),
          .source_expiry = silence,
          .json_mirror = json_mirror,
          .trace = common.log_level == "debug"};
}

std::vector<std::string> FeaturesConfig::Needs() const {
  const topics::Names names = common.names();
  std::vector<std::string> needs{names.packets, names.windows, names.sequences, names.state};
  if (json_mirror) needs.push_back(names.windows_json);
  return needs;
}

base::Duration FeaturesConfig::Hop(base::Duration length) const {
  constexpr int kMostRows = 100;
  if (hop.empty()) return length;
  const base::Duration parsed = base::ParseDuration(hop);
  if (parsed > length || length % parsed != base::Duration::zero() || length / parsed > kMostRows) {
    throw base::ConfigError("--hop " + hop + " does not fit --window " + window +
                            "; take the window divided by a whole number up to 100");
  }
  return parsed;
}

window::FoldOptions FeaturesConfig::FoldOptions() const {
  using namespace std::chrono_literals;
  const base::Duration length = base::ParseDuration(window);
  if (length < 50ms || length > 1h) throw base::ConfigError("--window " + window + " is outside 50ms to 1h");
  const base::Duration expiry = base::ParseDuration(link_expiry);
  if (expiry < length)
    throw base::ConfigError("--link-expiry " + link_expiry + " is shorter than a window (" + window + ")");
  // Whatever may throw stands before the return: GCC 12 destroys twice what an aggregate had when its
  // initializer throws.
  auto schema = std::make_shared<feature::Schema>(
      feature::Schema::Parse(features, feature::ParseScaling(normalization)));
  const base::Duration step = Hop(length);
  const base::Duration burst = base::ParseDuration(burst_gap);
  const base::Duration late =
      lateness.empty() || lateness == "0" ? base::Duration::zero() : base::ParseDuration(lateness);
  base::CidrSet home(SplitAtCommas(home_net));
  return {.window_length = length,
          .hop = step,
          .lateness = late,
          .link_expiry = expiry,
          .sequence_length = sequence_length,
          .features = {.home_net = std::move(home), .burst_gap = burst},
          .schema = std::move(schema)};
}

}  // namespace flowcast::services
