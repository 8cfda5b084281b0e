// What a link's load usually is at a time of day.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "libs/base/time.h"

namespace flowcast::feature {

/// The usual load of one window, and how many earlier days say so; nothing is known from 0 days.
struct Usual {
  double packets = 0;
  double bytes = 0;
  std::uint32_t days = 0;
  bool operator==(const Usual&) const = default;
};

/// Quarters of an hour of a working day and of a day of the weekend (UTC), each with the mean over earlier
/// days of the mean of log(1 + x) over its windows: the mean of logarithms, since one burst should not be
/// what is usual. A day weighs 1/n among the first n days and from then on at least kLeastWeight, so that the
/// profile follows a link that changes. Learned in order of time, window by window; 12 bytes for each quarter
/// that was ever seen, so at most 2.3 KB. Not thread-safe.
class SeasonalProfile {
 public:
  static constexpr int kQuartersOfDay = 96;
  static constexpr float kLeastWeight = 0.1F;

  /// Twice kQuartersOfDay numbers: working days first.
  struct Quarter {
    std::uint16_t number = 0;
    std::uint16_t days = 0;
    std::array<float, 2> log_mean{};  // of packets and bytes a window
    bool operator==(const Quarter&) const = default;
  };
  /// The quarter that windows are coming in from, not yet among the others.
  struct Open {
    std::int64_t since_epoch = 0;  // quarters of an hour
    std::uint32_t windows = 0;
    std::array<double, 2> log_sum{};
    bool operator==(const Open&) const = default;
  };
  struct State {
    std::vector<Quarter> quarters;  // by number
    Open open;
    bool operator==(const State&) const = default;
  };

  SeasonalProfile() = default;
  explicit SeasonalProfile(State state) : state_(std::move(state)) {}

  void Learn(base::EventTime start, double packets, double bytes);
  /// Of a window that starts at `start`; from what was learned on days before.
  Usual At(base::EventTime start) const;
  const State& state() const { return state_; }

 private:
  void Close();

  State state_;
};

}  // namespace flowcast::feature
