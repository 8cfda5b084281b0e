// Quarter by quarter.
#include "libs/feature/seasonal_profile.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

namespace flowcast::feature {
namespace {

using Quarter = SeasonalProfile::Quarter;
constexpr base::Duration kQuarter = std::chrono::minutes(15);

std::int64_t SinceEpoch(base::EventTime time) {
  return base::AlignDown(time, kQuarter).time_since_epoch() / kQuarter;
}

std::uint16_t NumberOf(std::int64_t since_epoch) {
  const base::EventTime time{since_epoch * kQuarter};
  const auto day = base::AlignDown(time, std::chrono::hours(24));
  const std::chrono::weekday weekday{std::chrono::floor<std::chrono::days>(day)};
  const int weekend = weekday.iso_encoding() > 5 ? SeasonalProfile::kQuartersOfDay : 0;
  return static_cast<std::uint16_t>(weekend + static_cast<int>((time - day) / kQuarter));
}

template <typename Quarters>
auto Find(Quarters& quarters, std::uint16_t number) {
  return std::lower_bound(quarters.begin(), quarters.end(), number,
                          [](const Quarter& quarter, std::uint16_t n) { return quarter.number < n; });
}

}  // namespace

void SeasonalProfile::Learn(base::EventTime start, double packets, double bytes) {
  const std::int64_t quarter = SinceEpoch(start);
  if (quarter != state_.open.since_epoch) Close();
  state_.open.since_epoch = quarter;
  ++state_.open.windows;
  state_.open.log_sum[0] += std::log1p(packets);
  state_.open.log_sum[1] += std::log1p(bytes);
}

void SeasonalProfile::Close() {
  const Open open = std::exchange(state_.open, {});
  if (open.windows == 0) return;
  const std::uint16_t number = NumberOf(open.since_epoch);
  auto found = Find(state_.quarters, number);
  if (found == state_.quarters.end() || found->number != number)
    found = state_.quarters.insert(found, Quarter{.number = number});
  if (found->days < std::numeric_limits<std::uint16_t>::max()) ++found->days;
  const float weight = std::max(1.0F / static_cast<float>(found->days), kLeastWeight);
  for (std::size_t i = 0; i < open.log_sum.size(); ++i) {
    const auto mean = static_cast<float>(open.log_sum[i] / open.windows);
    found->log_mean[i] += weight * (mean - found->log_mean[i]);
  }
}

Usual SeasonalProfile::At(base::EventTime start) const {
  const std::uint16_t number = NumberOf(SinceEpoch(start));
  const auto found = Find(state_.quarters, number);
  if (found == state_.quarters.end() || found->number != number) return {};
  return {std::expm1(static_cast<double>(found->log_mean[0])),
          std::expm1(static_cast<double>(found->log_mean[1])), found->days};
}

}  // namespace flowcast::feature
