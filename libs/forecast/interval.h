// The interval around the median: from a link's own residuals and the model's quantiles, corrected as truths
// arrive.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "libs/forecast/brief.h"
#include "libs/forecast/forecast.h"
#include "libs/forecast/state_bytes.h"

namespace flowcast::forecast {

/// Quantiles less the median, in units of a scale, without the median itself: ascending, three below and
/// three above.
inline constexpr std::size_t kOffsetCount = kQuantileCount - 1;
using Offsets = std::array<float, kOffsetCount>;
using BriefOffsets = std::array<Brief, kOffsetCount>;

struct IntervalOptions {
  std::uint32_t enough = 40;  // settled forecasts before which a link is young: wider
  double rate = 0.03;         // of the tracked quantiles, at the first horizon
  double correction = 0.02;   // gamma of the conformal correction, at the first horizon
  double scale_rate = 0.03;   // how fast the scale forgets
  double model_voice = 0.3;   // what the model's quantiles start with
  double voice_rate = 0.5;    // learning rate of that
};

/// Quantiles of one horizon of one link:
///   q_i = median + scale ((1 - v) r_i + v m_i + c_i)
/// - scale: the mean absolute error of the medians, forgotten at scale_rate;
/// - r_i: quantiles of the link's own residuals in units of scale, tracked by the gradient of the pinball
///   loss, r_i += rate max(1, |r_i|) (p_i - [residual < r_i]);
/// - m_i: the model's quantiles less its median, and v its voice: exponential weights on the pinball losses
/// of
///   the two, with a fixed share;
/// - c_i: the conformal correction (Gibbs & Candes 2021; in the space of quantiles, as Angelopoulos et al.,
///   "Conformal PID Control", 2023), the same step on whether the truth was below q_i. It makes the promised
///   share hold in the long run whatever the link does.
/// Never negative, ascending, around the median. Rates are divided by the square root of the horizon. As
/// there is one a link and horizon, it keeps what it has learned and nothing else: its terms, always the same
/// ones, are the caller's.
class Interval {
 public:
  struct Terms {
    const IntervalOptions& options;
    int windows = 1;  // the horizon

    double slowness() const;
  };
  /// What a forecast must remember until its truth arrives.
  struct Asked {
    float median = 0;
    float low = 0;  // of the outermost quantiles
    float high = 0;
    Brief scale = 0;
    BriefOffsets model{};  // NaN first: there was no model
  };

  explicit Interval(const IntervalOptions& options);

  /// The kQuantileCount quantiles around `median` (at least 0). `model` holds kQuantileCount raw quantiles or
  /// is empty; what is not finite or not ascending is not used, and counted.
  std::vector<double> Around(double median, std::span<const double> model, const Terms& terms, Asked& asked);

  void Learn(double actual, const Asked& asked, const Terms& terms);
  void Visit(StateVisitor& state);

  std::uint32_t count() const { return count_; }
  bool HasEnough(const IntervalOptions& options) const { return count_ >= options.enough; }
  /// Values that were bounded: offsets beyond kLargestOffset scales, model quantiles that were no quantiles.
  std::uint32_t clipped() const { return clipped_; }
  double model_voice() const { return static_cast<double>(voice_); }

  static constexpr float kLargestOffset = 100;

 private:
  BriefOffsets OffsetsOf(std::span<const double> model, double scale);
  double Published(std::size_t index, const BriefOffsets& model) const;
  double Young(std::size_t index, double median, double scale) const;
  void LearnVoice(float residual, const BriefOffsets& model, const Terms& terms);
  float Bound(double value);

  Offsets own_;
  Offsets correction_{};
  float voice_;
  float scale_ = 0;
  std::uint32_t count_ = 0;
  std::uint32_t clipped_ = 0;
};

}  // namespace flowcast::forecast
