// The seam to the forecasters that learn online from one link, and the simple ones of them.
#pragma once

#include <array>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "libs/forecast/history.h"

namespace flowcast::forecast {

/// One forecaster of one link's series, for the horizons it was made for. Deterministic.
class Expert {
 public:
  virtual ~Expert() = default;
  /// The name in every output: one of kExpertNames.
  virtual std::string_view name() const = 0;
  /// Learns from the newest value, which is already in `history`.
  virtual void Observe(const History& history) = 0;
  /// One value a horizon, raw units, finite or kUnknown; `history` is not empty. May be asked again before
  /// the next value; what it learns from is its last answer.
  virtual void Forecast(const History& history, const Season& season, std::span<float> values) = 0;
  /// A hole in the series: forgets what it still waits to learn from.
  virtual void Interrupt() {}
  /// Shows what it has learned.
  virtual void Visit(StateVisitor&) {}
};

/// "persistence": the next value is the last one.
class Persistence : public Expert {
 public:
  std::string_view name() const override { return "persistence"; }
  void Observe(const History&) override {}
  void Forecast(const History& history, const Season&, std::span<float> values) override;
};

/// "ewma": exponential smoothing (Brown 1956). Of kRates the one whose errors at this horizon were the
/// smallest lately (mean absolute error, forgotten at kForget); the quickest while they are equal.
class Ewma : public Expert {
 public:
  /// The horizons, here and below, must outlive the expert.
  explicit Ewma(const std::vector<int>& horizons);
  std::string_view name() const override { return "ewma"; }
  void Observe(const History& history) override;
  void Forecast(const History& history, const Season&, std::span<float> values) override;
  void Interrupt() override { seen_ = 0; }
  void Visit(StateVisitor& state) override;

  static constexpr std::array<float, 5> kRates{0.8F, 0.6F, 0.4F, 0.2F, 0.1F};
  static constexpr float kForget = 0.02F;

 private:
  using Levels = std::array<float, kRates.size()>;
  using Past = std::array<Brief, kRates.size()>;

  std::span<Past> past() { return {past_.get(), static_cast<std::size_t>(horizons_.back()) + 1}; }
  std::span<Levels> errors() { return {errors_.get(), horizons_.size()}; }

  const std::vector<int>& horizons_;
  Levels levels_{};
  std::unique_ptr<Past[]> past_;      // a ring: levels less the value of their time
  std::unique_ptr<Levels[]> errors_;  // by horizon
  std::size_t seen_ = 0;              // since the last hole
};

/// "holt": level and damped trend (Gardner & McKenzie 1985).
class Holt : public Expert {
 public:
  explicit Holt(const std::vector<int>& horizons) : horizons_(horizons) {}
  std::string_view name() const override { return "holt"; }
  void Observe(const History& history) override;
  void Forecast(const History& history, const Season&, std::span<float> values) override;
  void Interrupt() override { started_ = false; }
  void Visit(StateVisitor& state) override;

  static constexpr double kLevelRate = 0.5;
  static constexpr double kTrendRate = 0.1;
  static constexpr double kDamping = 0.9;

 private:
  const std::vector<int>& horizons_;
  double level_ = 0;
  double trend_ = 0;
  bool started_ = false;
};

/// "mean": of the last kLength values.
class MovingMean : public Expert {
 public:
  std::string_view name() const override { return "mean"; }
  void Observe(const History&) override {}
  void Forecast(const History& history, const Season&, std::span<float> values) override;

  static constexpr std::size_t kLength = 24;
};

/// Names in every output, in the order of every list of experts: first those that learn online
/// (OnlineExperts), then the models, whose values come from outside.
inline constexpr std::array<std::string_view, 8> kExpertNames{
    "persistence", "ewma", "holt", "seasonal", "mean", "autoregression", "xgboost", "lstm"};
inline constexpr std::size_t kOnlineExperts = 6;
/// What the mixture of them is called where experts are compared.
inline constexpr std::string_view kMixtureName = "flowcast";

/// How many values a history for the online ones must hold.
std::size_t HistoryFor(const std::vector<int>& horizons);
/// How many windows wait for their truth at once: the horizons' sum.
std::size_t WindowsOfAll(const std::vector<int>& horizons);

}  // namespace flowcast::forecast
