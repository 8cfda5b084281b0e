// Simple forecasters of a series, each learning from one value at a time.
#pragma once

#include <array>
#include <deque>
#include <memory>
#include <string_view>
#include <vector>

namespace flowcast::forecast {

/// One forecaster of one link's series. Forecasts before the first value are 0.
class Expert {
 public:
  virtual ~Expert() = default;
  /// The name in every output; see docs/formats.md.
  virtual std::string_view name() const = 0;
  virtual void Observe(double value) = 0;
  /// `horizon` windows after the last observed value; 1 is the next.
  virtual double Forecast(int horizon) const = 0;
};

/// "persistence": the next value is the last one.
class Persistence : public Expert {
 public:
  std::string_view name() const override { return "persistence"; }
  void Observe(double value) override { last_ = value; }
  double Forecast(int) const override { return last_; }

 private:
  double last_ = 0;
};

/// Simple exponential smoothing, level += alpha * (value - level) (Brown 1956).
class Ewma : public Expert {
 public:
  explicit Ewma(double alpha = 0.5) : alpha_(alpha) {}
  std::string_view name() const override { return "ewma"; }
  void Observe(double value) override;
  double Forecast(int) const override { return level_; }

 private:
  double alpha_;
  double level_ = 0;
  bool started_ = false;
};

/// "ewma": of four smoothings the one whose one-step errors were the smallest lately (exponentially
/// forgotten mean absolute error, rate kForget); the quickest while they are equal.
class AdaptiveEwma : public Expert {
 public:
  std::string_view name() const override { return "ewma"; }
  void Observe(double value) override;
  double Forecast(int horizon) const override;

  static constexpr double kForget = 0.02;

 private:
  struct Candidate {
    Ewma level;
    double error = 0;
  };

  std::array<Candidate, 4> candidates_ = {{{Ewma(0.8), 0}, {Ewma(0.6), 0}, {Ewma(0.4), 0}, {Ewma(0.2), 0}}};
  bool started_ = false;
};

/// "mean": the mean of the last `length` values.
class MovingMean : public Expert {
 public:
  explicit MovingMean(std::size_t length = 60) : length_(length) {}
  std::string_view name() const override { return "mean"; }
  void Observe(double value) override;
  double Forecast(int) const override;

 private:
  std::size_t length_;
  std::deque<double> values_;
};

/// Persistence, adaptive smoothing, mean: in this order.
std::vector<std::unique_ptr<Expert>> MakeExperts();

}  // namespace flowcast::forecast
