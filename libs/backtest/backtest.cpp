// Fits, then walks along the series.
#include "libs/backtest/backtest.h"

#include <algorithm>

#include "libs/backtest/walk.h"
#include "libs/base/error.h"
#include "libs/base/time.h"

namespace flowcast::backtest {
namespace {

/// Gives the options back, so that they are checked before anything is made of them.
const Options& Checked(const Series& series, const Options& options) {
  Check(series, options);
  return options;
}

SequenceOptions SequenceOptionsOf(const Options& options) {
  return {options.length, options.season, options.scaling, options.horizons};
}

}  // namespace

const std::vector<double>& HorizonRun::of(std::string_view name) const {
  const auto found = std::find_if(forecasts.begin(), forecasts.end(),
                                  [name](const auto& forecast) { return forecast.first == name; });
  return found->second;
}

std::size_t CutOf(const Series& series, const Options& options) {
  return static_cast<std::size_t>(options.train_fraction * static_cast<double>(series.values.size()));
}

void Check(const Series& series, const Options& options) {
  forecast::CheckHorizons(options.horizons);
  if (!(options.train_fraction > 0 && options.train_fraction < 1))
    throw base::ConfigError("--train-fraction must lie between 0 and 1, like 0.7");
  if (options.length < 2 || options.length > 10'000)
    throw base::ConfigError("--length must be 2 to 10000 values, like 30");
  const std::size_t cut = CutOf(series, options);
  const auto furthest = static_cast<std::size_t>(options.horizons.back());
  if (cut < kFewestSteps + furthest || series.values.size() - cut < kFewestSteps) {
    throw base::ConfigError(series.name + " has " + std::to_string(series.values.size()) +
                            " steps; at least " + std::to_string(kFewestSteps + furthest) + " to fit and " +
                            std::to_string(kFewestSteps) + " to score are needed: give a longer series, or " +
                            "shorter windows");
  }
  if (options.season > 0 && options.season + furthest >= cut) {
    throw base::ConfigError("a season of " + std::to_string(options.season) + " steps is longer than the " +
                            std::to_string(cut) + " steps to fit; leave --season out or give more data");
  }
}

Backtester::Backtester(const Series& series, const Options& options, const std::vector<Model>& models,
                       const base::Clock& clock)
    : series_(series),
      options_(Checked(series, options)),
      cut_(CutOf(series, options)),
      sequences_(series, SequenceOptionsOf(options)),
      run_{.series = series.name, .steps = series.values.size(), .first_scored = cut_} {
  const base::Duration begun = clock.Steady();
  for (const Model& model : models) {
    if (auto fitted = FittedModel::Fit(model, sequences_, cut_)) {
      models_.push_back(std::move(*fitted));
      continue;
    }
    run_.notes.push_back(model.name + " was left out: it needs at least " + std::to_string(kFewestExamples) +
                         " sequences to learn from");
  }
  answers_ = AskAll(nullptr);
  const base::Duration fitted = clock.Steady();
  Walk walk = WalkAlong(series_, options_, sequences_, answers_);
  run_.horizons = std::move(walk.horizons);
  last_ = std::move(walk.last);
  run_.fit_seconds = base::ToSeconds(fitted - begun);
  run_.forecast_seconds = base::ToSeconds(clock.Steady() - fitted);
}

std::vector<std::string> Backtester::models() const {
  std::vector<std::string> names;
  for (const FittedModel& model : models_) names.push_back(model.name());
  return names;
}

std::vector<Answers> Backtester::AskAll(const Shuffle* shuffle) {
  const std::size_t from = cut_ - std::min(cut_, static_cast<std::size_t>(options_.horizons.back()));
  std::vector<Answers> all;
  for (FittedModel& model : models_)
    all.push_back(model.Ask(sequences_, from, series_.values.size(), cut_, shuffle));
  return all;
}

std::vector<HorizonRun> Backtester::WalkWith(const Shuffle& shuffle) {
  return WalkAlong(series_, options_, sequences_, AskAll(&shuffle)).horizons;
}

forecast::Forecast Backtester::LastOf(const Series& other) {
  const Sequences sequences(other, SequenceOptionsOf(options_));
  const std::size_t newest = other.values.size() - 1;
  std::vector<Answers> answers = answers_;
  for (std::size_t i = 0; i < models_.size(); ++i) {
    answers[i].opinions.back() = models_[i].Ask(sequences, newest, newest + 1, cut_).opinions.front();
  }
  return WalkAlong(other, options_, sequences, answers).last;
}

Run Backtest(const Series& series, const Options& options, const std::vector<Model>& models,
             const base::Clock& clock) {
  return Backtester(series, options, models, clock).run();
}

}  // namespace flowcast::backtest
