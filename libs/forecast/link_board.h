// The last forecasts of a few links, for displays that can't take all.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "libs/base/time.h"
#include "libs/forecast/forecast.h"

namespace flowcast::forecast {

struct LinkBoardOptions {
  std::size_t most = 20;              // links; 0: none
  std::vector<std::string> patterns;  // of their names (base::MatchesPattern); none: all
};

/// Keeps so many links, those with most load lately, whatever the number of all: a link that is not on it
/// takes the place of the one with the least when its forecast is a quarter above what that one has had on
/// the mean. A link that is silent for kSilentWindows of its windows and a minute leaves it. Not thread-safe.
class LinkBoard {
 public:
  static constexpr int kSilentWindows = 3;
  static constexpr std::size_t kLongestName = 256;  // longer ones are not shown

  struct Entry {
    std::int32_t partition = 0;
    base::Duration shown_at{};                  // by a steady clock
    std::map<std::string, Forecast> forecasts;  // the last ones, by target
    double rank = 0;                            // the nearest median of the first target, smoothed
  };

  explicit LinkBoard(LinkBoardOptions options = {}) : options_(std::move(options)) {}

  /// The newest forecast of a target of a link of this partition. Of a link's targets the first one `leads`:
  /// it decides whether the link is shown.
  void Show(const Forecast& forecast, std::int32_t partition, bool leads, base::Duration now);
  /// Another instance has the partition.
  void ForgetPartition(std::int32_t partition);
  void ForgetSilent(base::Duration now);

  const std::map<std::string, Entry, std::less<>>& links() const { return links_; }

 private:
  using Links = std::map<std::string, Entry, std::less<>>;

  Links::iterator Admit(const Forecast& forecast, double load);
  bool Fits(const std::string& link) const;
  double LeastRank();
  Links::iterator Least();

  LinkBoardOptions options_;
  Links links_;
  std::optional<double> least_;  // of the ranks; none: to be found again
};

}  // namespace flowcast::forecast
