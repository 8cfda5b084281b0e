// The seasonal expert, and a profile for series whose season is a number of steps.
#pragma once

#include <array>
#include <memory>
#include <optional>
#include <vector>

#include "libs/forecast/autoregression.h"
#include "libs/forecast/expert.h"

namespace flowcast::forecast {

/// "seasonal": the link's usual course, moved to where the link is now:
///   x[t+h] = x[t] + a (usual[t+h] - usual[t]) + b (usual[t] - x[t]) + c (autoregression's x[t+h] - x[t]),
/// with a, b, c learned for each horizon as the weights of the autoregression are. kUnknown while the profile
/// does not know both windows.
class Seasonal : public Expert {
 public:
  /// `autoregression` is asked and must have the same horizons; both must outlive this.
  Seasonal(const std::vector<int>& horizons, Autoregression& autoregression);
  std::string_view name() const override { return "seasonal"; }
  void Observe(const History& history) override;
  void Forecast(const History& history, const Season& season, std::span<float> values) override;
  void Interrupt() override;
  void Visit(StateVisitor& state) override;

  static constexpr float kLargestInput = 20;  // in scales
  static constexpr float kLargestError = 4;
  static constexpr float kStart = 0.1F;
  static constexpr float kWalk = 3e-6F;

 private:
  static constexpr std::size_t kInputs = 3;
  using Inputs = std::array<float, kInputs>;

  using Waiting = std::array<Brief, kInputs>;

  struct Horizon {
    Inputs weights{};
    std::array<float, kInputs*(kInputs + 1) / 2> covariance{};  // the lower triangle, row by row

    float& Covariance(std::size_t row, std::size_t column);
    void Learn(const Inputs& inputs, float step);
  };

  /// What was asked at this step of horizon `h`.
  Waiting& WaitingAt(std::size_t h);

  std::span<Horizon> horizons() { return {horizons_.get(), windows_.size()}; }
  std::span<Waiting> waiting();

  const std::vector<int>& windows_;  // by horizon
  std::unique_ptr<Horizon[]> horizons_;
  std::unique_ptr<Waiting[]>
      waiting_;  // a ring a horizon, by the step they were asked at; NaN: nothing to learn
  Autoregression& autoregression_;
  std::size_t step_ = 0;
};

/// The usual value at each step of a season of `length` steps: the mean of the first seasons, then forgotten
/// at kRate. 8 bytes a step.
class StepProfile {
 public:
  explicit StepProfile(std::size_t length) : steps_(length) {}
  void Learn(std::size_t step, double value);
  /// NaN before the first season is over.
  double At(std::size_t step) const;

  static constexpr double kRate = 0.15;

 private:
  struct Step {
    float usual = kUnknown;
    float seen = 0;
  };
  std::vector<Step> steps_;
};

}  // namespace flowcast::forecast
