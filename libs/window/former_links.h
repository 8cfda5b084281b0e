// What is known of links that have ended, for when they come back.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "libs/window/link_history.h"

namespace flowcast::window {

/// The usual load of a source's links that were forgotten: one that is idle at night is there again in the
/// morning. Kept for two weeks after a link's last window, of at most kMost links. Not thread-safe.
class FormerLinks {
 public:
  using Changed = std::map<std::string, std::optional<LinkSnapshot>>;
  static constexpr base::Duration kKept = std::chrono::days(14);
  static constexpr std::size_t kMost = 10'000;

  FormerLinks() = default;
  explicit FormerLinks(std::map<std::string, LinkSnapshot> links) : links_(std::move(links)) {}

  void Keep(const std::string& name, LinkSnapshot remains) {
    links_.insert_or_assign(name, std::move(remains));
  }
  /// Of a link whose first window starts at `begin`; nothing when it is unknown, was away for too long, or
  /// its source went back in time.
  feature::SeasonalProfile::State Take(const std::string& name, base::EventTime begin);

  /// Forgets those that are of no use any more, and the oldest when there are twice kMost. `from` and `to`
  /// are what was closed before and is now; those forgotten are in `changed` as nothing.
  void Tidy(base::EventTime from, base::EventTime to, Changed& changed);
  void Clear(Changed& changed);

 private:
  void ForgetBefore(base::EventTime next_start, Changed& changed);

  std::map<std::string, LinkSnapshot> links_;
};

}  // namespace flowcast::window
