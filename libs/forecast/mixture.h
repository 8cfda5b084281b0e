// The mixture of experts: who is believed how much, by recent losses.
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "libs/forecast/state_bytes.h"

namespace flowcast::forecast {

struct MixtureOptions {
  double learning_rate = 2;  // eta: how fast a loss moves a weight
  double share = 0.002;      // alpha: what of every weight returns to the start each step
  double first_voice = 0.5;  // what the first expert starts with; the others share the rest
  double least_voice =
      0.03;  // another than the first with less weight than this is not heard, but still learns
};

/// The options `windows` ahead, in half the room: learning rate and share go with 1 / sqrt(windows).
struct MixtureRates {
  explicit MixtureRates(const MixtureOptions& options, int windows = 1);

  float learning_rate, share, first_voice, least_voice;
};

/// Fixed-share exponential weights (Herbster & Warmuth, "Tracking the Best Expert", 1998), sharing
/// into the starting weights u instead of uniformly:
///   v_i = w_i exp(-eta loss_i),  w_i = (1 - alpha) v_i / sum(v) + alpha u_i.
/// For losses in [0, 1], T steps and the best sequence of experts with k changes, the weighted loss
/// exceeds that sequence's by at most
///   1/eta ((k + 1) ln(1 / u_min) + k ln(1 / alpha) + (T - k - 1) ln(1 / (1 - alpha))) + eta T / 8,
/// when each loss is learned before the next forecast; when it comes d steps late, by at most d times that
/// of T / d steps for d copies that take turns (Weinberger & Ordentlich, "On delayed prediction", 2002),
/// which one copy is in practice better than. Weights are kept as float and nothing beside them, as there is
/// one a link and horizon: the rates, always the same ones, are the caller's.
class Mixture {
 public:
  static constexpr std::size_t kMostExperts = 8;

  /// 1 to kMostExperts experts.
  Mixture(std::size_t experts, const MixtureRates& rates);

  /// The weighted mean of one opinion an expert. Not-a-number: the expert is absent, and the others share
  /// its voice by their weights. The first must be there. For a convex loss it is no worse than the
  /// weighted mean of their losses.
  double Combine(std::span<const float> opinions, const MixtureRates& rates) const;

  /// One loss an expert, in [0, 1]; others are clipped. Not-a-number: the expert was absent, and its
  /// weight stays (a sleeping expert, Freund et al. 1997).
  void Learn(std::span<const double> losses, const MixtureRates& rates);

  /// Each expert's part in Combine of these opinions; they sum to 1.
  std::array<double, kMostExperts> Voices(std::span<const float> opinions, const MixtureRates& rates) const;
  void Visit(StateVisitor& state) { state(weights_); }
  /// What was learned; sums to 1.
  std::span<const float> weights() const { return std::span(weights_).first(size_); }

 private:
  double StartOf(std::size_t expert, const MixtureRates& rates) const;
  /// Its weight, or 0 when it is not heard.
  double VoiceOf(std::size_t expert, std::span<const float> opinions, const MixtureRates& rates) const;

  std::array<float, kMostExperts> weights_{};
  std::uint32_t size_;
};

/// What an expert's error is worth as a loss, beside the error of the first expert for the same window:
///   1/2 + (error - base) / (2 (kLossFloor scale + (error + base) / 2)), within [0, 1].
/// Less than 1/2 is better than the first expert. Relative to both errors, so that one burst that surprised
/// everybody is a lesson for nobody, and to the link's scale, so that trifles weigh little.
double RelativeLoss(double error, double base, double scale);
inline constexpr double kLossFloor = 6;

}  // namespace flowcast::forecast
