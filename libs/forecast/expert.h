// Simple forecasters of a series, each learning from one value at a time.
#pragma once

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

/// "ewma": simple exponential smoothing, level += alpha * (value - level) (Brown 1956).
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

/// One of each, persistence first.
std::vector<std::unique_ptr<Expert>> MakeExperts();

}  // namespace flowcast::forecast
