// When what is known of a link is of use no more.
#include "libs/window/former_links.h"

#include <algorithm>
#include <utility>
#include <vector>

namespace flowcast::window {

using base::EventTime;

feature::SeasonalProfile::State FormerLinks::Take(const std::string& name, EventTime begin) {
  const auto found = links_.find(name);
  if (found == links_.end()) return {};
  const LinkSnapshot remains = std::move(found->second);
  links_.erase(found);
  const bool is_of_use = remains.next_start <= begin && begin - remains.next_start <= kKept;
  return is_of_use ? remains.profile : feature::SeasonalProfile::State{};
}

void FormerLinks::Tidy(EventTime from, EventTime to, Changed& changed) {
  constexpr base::Duration kLookEvery = std::chrono::minutes(15);
  // Longer than a profile is of use, so that no window depends on when this looks.
  constexpr base::Duration kAway = kKept + std::chrono::days(1);
  if (from != base::kBeginningOfTime && base::AlignDown(from, kLookEvery) != base::AlignDown(to, kLookEvery))
    ForgetBefore(to - kAway, changed);
  if (links_.size() <= 2 * kMost) return;
  std::vector<EventTime> times;
  for (const auto& [name, remains] : links_) times.push_back(remains.next_start);
  const auto kept = times.end() - static_cast<std::ptrdiff_t>(kMost);
  std::nth_element(times.begin(), kept, times.end());
  ForgetBefore(*kept, changed);
}

void FormerLinks::ForgetBefore(EventTime next_start, Changed& changed) {
  for (auto link = links_.begin(); link != links_.end();) {
    if (link->second.next_start >= next_start) {
      ++link;
      continue;
    }
    changed[link->first] = std::nullopt;
    link = links_.erase(link);
  }
}

void FormerLinks::Clear(Changed& changed) {
  for (const auto& [name, remains] : links_) changed[name] = std::nullopt;
  links_.clear();
}

}  // namespace flowcast::window
