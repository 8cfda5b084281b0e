// The mixture of experts: who is believed how much, by recent losses.
#pragma once

#include <span>
#include <vector>

namespace flowcast::forecast {

struct MixtureOptions {
  double learning_rate = 4;   // eta: how fast a loss moves a weight
  double share = 0.002;       // alpha: what of every weight returns to the start each step
  double least_voice = 0.02;  // an expert with less weight than this is not heard, but still learns
};

/// Fixed-share exponential weights (Herbster & Warmuth, "Tracking the Best Expert", 1998), sharing
/// into the starting weights u instead of uniformly:
///   v_i = w_i exp(-eta loss_i),  w_i = (1 - alpha) v_i / sum(v) + alpha u_i.
/// For losses in [0, 1], T steps and the best sequence of experts with k changes, the weighted loss
/// exceeds that sequence's by at most
///   1/eta ((k + 1) ln(1 / u_min) + k ln(1 / alpha) + (T - k - 1) ln(1 / (1 - alpha))) + eta T / 8.
class Mixture {
 public:
  /// `start`: positive weights; they need not sum to 1.
  explicit Mixture(std::vector<double> start, const MixtureOptions& options = {});

  /// The weighted mean of one opinion an expert, over those that are heard. For a convex loss it is
  /// no worse than the weighted mean of their losses.
  double Combine(std::span<const double> opinions) const;

  /// One loss an expert, in [0, 1]; others are clipped. Not-a-number: the expert was absent, and its
  /// weight stays (a sleeping expert, Freund et al. 1997).
  void Learn(std::span<const double> losses);

  /// Each expert's part in Combine; they sum to 1.
  std::vector<double> Voices() const;
  /// What was learnt; sums to 1.
  std::span<const double> weights() const { return weights_; }

 private:
  double VoiceOf(double weight) const { return weight < options_.least_voice ? 0 : weight; }

  std::vector<double> start_;
  std::vector<double> weights_;
  MixtureOptions options_;
};

}  // namespace flowcast::forecast
