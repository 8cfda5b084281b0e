// Who is shown.
#include "libs/forecast/link_board.h"

#include <algorithm>

#include "libs/base/pattern.h"

namespace flowcast::forecast {
namespace {

constexpr double kAdvantage = 1.25;
constexpr double kSmoothing = 1.0 / 8;

double LoadOf(const Forecast& forecast) {
  return forecast.horizons.empty() ? forecast.last_actual : forecast.horizons.front().median();
}

base::Duration WindowOf(const LinkBoard::Entry& entry) {
  return entry.forecasts.empty() ? base::Duration::zero() : entry.forecasts.begin()->second.window_length;
}

}  // namespace

void LinkBoard::Show(const Forecast& forecast, std::int32_t partition, bool leads, base::Duration now) {
  auto found = links_.find(forecast.link);
  if (leads) {
    const double load = LoadOf(forecast);
    if (found == links_.end()) found = Admit(forecast, load);
    if (found == links_.end()) return;
    found->second.rank += (load - found->second.rank) * kSmoothing;
    least_.reset();
  }
  if (found == links_.end()) return;
  Entry& entry = found->second;
  entry.partition = partition;
  entry.shown_at = now;
  entry.forecasts.insert_or_assign(forecast.target, forecast);
}

LinkBoard::Links::iterator LinkBoard::Admit(const Forecast& forecast, double load) {
  if (options_.most == 0) return links_.end();
  const bool is_full = links_.size() >= options_.most;
  if (is_full && load <= LeastRank() * kAdvantage) return links_.end();
  if (!Fits(forecast.link)) return links_.end();
  if (is_full) links_.erase(Least());
  return links_.emplace(forecast.link, Entry{.rank = load}).first;
}

bool LinkBoard::Fits(const std::string& link) const {
  if (link.size() > kLongestName) return false;
  return options_.patterns.empty() ||
         std::any_of(options_.patterns.begin(), options_.patterns.end(),
                     [&link](const std::string& pattern) { return base::MatchesPattern(pattern, link); });
}

double LinkBoard::LeastRank() {
  if (!least_) least_ = Least()->second.rank;
  return *least_;
}

LinkBoard::Links::iterator LinkBoard::Least() {
  return std::min_element(links_.begin(), links_.end(), [](const auto& one, const auto& other) {
    return one.second.rank < other.second.rank;
  });
}

void LinkBoard::ForgetPartition(std::int32_t partition) {
  std::erase_if(links_, [partition](const auto& link) { return link.second.partition == partition; });
  least_.reset();
}

void LinkBoard::ForgetSilent(base::Duration now) {
  std::erase_if(links_, [now](const auto& link) {
    return now - link.second.shown_at > kSilentWindows * WindowOf(link.second) + std::chrono::minutes(1);
  });
  least_.reset();
}

}  // namespace flowcast::forecast
