// Whether a model is still as good as it was when it came into use.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "libs/base/time.h"

namespace flowcast::training {

/// A published forecast whose truth has come.
struct LiveError {
  std::string link;
  base::EventTime made_at = base::kBeginningOfTime;   // end of the last window known when it was made
  base::EventTime known_at = base::kBeginningOfTime;  // end of the window that it was about
  base::Duration window_length{};
  double error = 0;  // absolute, as that of persistence
  double error_persistence = 0;
};

/// Follows the errors of one model version in event time, over all links, as a share of persistence's:
/// traffic that is harder to forecast for everybody is no drift. What it was at first, over the first kPart
/// windows with kFewest forecasts, is compared with the last kPart windows and those of the block that has
/// begun. Memory: one entry a link, and kBlocks + 1 sums.
class DriftWatch {
 public:
  static constexpr int kBlocks = 10;
  static constexpr int kBlockWindows = 20;
  static constexpr int kPart = kBlocks * kBlockWindows;
  static constexpr std::uint64_t kFewest = 200;

  struct Sums {
    double error = 0;
    double error_persistence = 0;
    std::uint64_t count = 0;
    std::optional<double> relative() const;
    Sums& operator+=(const Sums& other);
    bool operator==(const Sums&) const = default;
  };
  /// What has been learned so far: what a restart goes on from.
  struct Measure {
    std::string version;
    base::EventTime newest = base::kBeginningOfTime;  // forecast that was seen
    std::map<std::int64_t, Sums> blocks;              // by number of the block since the epoch; the newest
    std::optional<std::int64_t> first;                // block that it began with
    std::optional<double> at_first;
    bool operator==(const Measure&) const = default;
  };

  /// `version` is of the model that the link's newest forecast was made with ("" for none), at `newest`.
  /// Another version than before begins anew; one that is older in event time is of a link that lags behind,
  /// and does not count. A forecast counts when it was made after the link's first one of this version.
  void Add(const std::string& version, base::EventTime newest, const LiveError& live);
  /// What was learned anew is the measure from now on.
  void Restart();
  /// Goes on from what another one had learned. Which links it had seen is forgotten: a link's forecasts that
  /// were made before its first one from here on do not count.
  void Recall(const Measure& measure);
  const Measure& measure() const { return measure_; }

  /// Error now over error at first, both relative to persistence; 1.2 is 20 % worse. Nothing before there are
  /// both, without overlap.
  std::optional<double> ratio() const;
  /// The error now as a share of persistence's; nothing before there is enough.
  std::optional<double> recent() const;
  const std::string& version() const { return measure_.version; }

 private:
  Sums Recent() const;

  Measure measure_;
  std::map<std::string, base::EventTime> began_;  // by link: its first forecast of this version
};

}  // namespace flowcast::training
