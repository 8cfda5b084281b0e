// The autoregression: recursive least squares on a link's last steps.
#pragma once

#include <array>
#include <memory>
#include <span>
#include <vector>

#include "libs/forecast/expert.h"

namespace flowcast::forecast {

/// "autoregression": x[t+h] = x[t] + scale[t] w_h . z[t] with z the kLags values before x[t], less x[t], in
/// units of scale[t] and clipped to +-kLargestInput. The weights w_h follow the errors of their own horizon
/// by the gain of recursive least squares for weights that walk randomly (Kalman's filter; Haykin, "Adaptive
/// Filter Theory", ch. 14), with one covariance for all horizons, since they share their inputs:
///   k = P z / (1 + z'Pz + kNoise max(z)^2),  w_h += k clip(error / scale, +-kLargestError),
///   P -= P z z' P / (...), then kWalk is added to those of P's diagonal that are below kStart.
/// Untrained it is persistence. Clipped errors and the noise that grows with the inputs keep one burst from
/// being the whole lesson; the bound of P keeps it from winding up while nothing happens. Deliberately the
/// covariance of the moment when the truth arrives: nothing of the past but the values has to be kept.
class Autoregression : public Expert {
 public:
  /// The horizons must outlive it.
  explicit Autoregression(const std::vector<int>& horizons);
  std::string_view name() const override { return "autoregression"; }
  void Observe(const History& history) override;
  void Forecast(const History& history, const Season&, std::span<float> values) override;
  void Visit(StateVisitor& state) override;

  static constexpr std::size_t kLags = 12;
  static constexpr float kLargestInput = 5;
  static constexpr float kLargestError = 2;
  static constexpr float kLargestStep = 20;  // of a forecast, in scales
  static constexpr float kNoise = 0.05F;
  static constexpr float kStart = 0.03F;
  static constexpr float kWalk = 2e-6F;

 private:
  using Inputs = std::array<float, kLags>;

  static bool InputsAt(const History& history, std::size_t back, Inputs& inputs);
  Inputs Gain(const Inputs& inputs) const;
  void Narrow(const Inputs& inputs);
  float& Covariance(std::size_t row, std::size_t column) { return covariance_[Packed(row, column)]; }
  /// The lower triangle, row by row.
  static std::size_t Packed(std::size_t row, std::size_t column) {
    return row >= column ? row * (row + 1) / 2 + column : column * (column + 1) / 2 + row;
  }
  Inputs TimesCovariance(const Inputs& inputs) const;
  static float Noise(const Inputs& inputs, const Inputs& times);

  std::span<Inputs> weights() { return {weights_.get(), horizons_.size()}; }

  const std::vector<int>& horizons_;
  std::unique_ptr<Inputs[]> weights_;  // by horizon
  std::array<float, kLags*(kLags + 1) / 2> covariance_{};
};

}  // namespace flowcast::forecast
