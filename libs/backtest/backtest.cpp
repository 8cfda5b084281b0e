// Fits, then walks along the series.
#include "libs/backtest/backtest.h"

#include <algorithm>
#include <cmath>

#include "libs/base/error.h"
#include "libs/base/time.h"
#include "libs/training/model_opinion.h"

namespace flowcast::backtest {
namespace {

constexpr feature::Index kTarget = feature::kPackets;
constexpr std::size_t kBatch = 1024;

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

/// What a model said: by step it was asked at and horizon.
class Answers {
 public:
  /// Fits and asks for every step from `from` on. Empty when there is too little to learn from.
  static Answers Of(const Model& model, const Sequences& sequences, std::size_t cut, std::size_t from,
                    std::size_t until) {
    Answers answers;
    const training::Shape shape = sequences.ShapeFor(model.levels);
    const auto [training, validation] = Split(model, shape, sequences, cut);
    if (training.count < kFewestExamples) return answers;
    const std::string weights = model.learner.Train(shape, training, validation, {}).weights;
    answers.Ask(*model.load(weights), sequences, from, until);
    return answers;
  }

  bool empty() const { return opinions_.empty(); }
  /// Null where the model was not asked.
  const forecast::ModelOpinion* At(std::size_t at) const {
    return at < from_ || at - from_ >= opinions_.size() ? nullptr : &opinions_[at - from_];
  }

  void Name(const std::string& name) {
    for (forecast::ModelOpinion& opinion : opinions_) opinion.name = name;
  }
  /// Nothing is said of steps before `cut`.
  void Silence(std::size_t cut, const std::vector<int>& horizons) {
    for (std::size_t i = 0; i < opinions_.size(); ++i) {
      for (std::size_t h = 0; h < horizons.size(); ++h) {
        if (from_ + i + static_cast<std::size_t>(horizons[h]) < cut)
          opinions_[i].medians[h] = std::numeric_limits<double>::quiet_NaN();
      }
    }
  }

 private:
  static std::pair<training::Examples, training::Examples> Split(const Model& model,
                                                                 const training::Shape& shape,
                                                                 const Sequences& sequences,
                                                                 std::size_t cut) {
    const std::size_t first = sequences.first();
    if (!model.wants_validation) return {sequences.Make(shape, first, cut, cut), {}};
    const auto held = static_cast<std::size_t>(kHeldShare * static_cast<double>(cut - std::min(cut, first)));
    const std::size_t gap = static_cast<std::size_t>(shape.length + shape.horizons.back());
    const std::size_t begin = cut - held;
    const std::size_t end = begin > gap + first ? begin - std::min(gap, held) : begin;
    return {sequences.Make(shape, first, end, begin), sequences.Make(shape, begin, cut, cut)};
  }

  void Ask(training::Predictor& predictor, const Sequences& sequences, std::size_t from, std::size_t until) {
    from_ = std::max(from, sequences.first());
    const training::Shape& shape = predictor.shape();
    for (std::size_t begin = from_; begin < until; begin += kBatch) {
      const std::size_t end = std::min(begin + kBatch, until);
      const training::Examples asked = sequences.Ask(shape, begin, end);
      const std::vector<float> said = predictor.Predict(asked.inputs, asked.context);
      for (std::size_t i = 0; i < asked.count; ++i) {
        Take(sequences.At(begin + i), shape,
             std::span(said).subspan(i * shape.answer_size(), shape.answer_size()));
      }
    }
  }

  void Take(const feature::Sequence& sequence, const training::Shape& shape, std::span<const float> said) {
    opinions_.push_back(training::OpinionOf("", sequence, kTarget, shape.horizons, shape, said));
  }

  std::size_t from_ = 0;
  std::vector<forecast::ModelOpinion> opinions_;
};

/// Collects what is said of the steps from `cut` on.
class Recorder {
 public:
  Recorder(const std::vector<double>& values, std::size_t cut, const std::vector<int>& horizons)
      : values_(values), cut_(cut) {
    for (const int horizon : horizons) {
      HorizonRun run{.horizon = horizon};
      for (const std::string_view name : forecast::kExpertNames)
        run.forecasts.push_back({std::string(name), {}});
      run.forecasts.push_back({std::string(forecast::kMixtureName), {}});
      runs_.push_back(std::move(run));
      spoke_.emplace_back(forecast::kExpertNames.size());
    }
  }

  void Take(std::size_t at, const forecast::Forecast& forecast) {
    for (std::size_t h = 0; h < runs_.size(); ++h) {
      const std::size_t target = at + static_cast<std::size_t>(runs_[h].horizon);
      if (target < cut_ || target >= values_.size()) continue;
      const forecast::HorizonForecast& said = forecast.horizons[h];
      runs_[h].actual.push_back(values_[target]);
      runs_[h].quantiles.push_back(said.quantiles);
      for (std::size_t i = 0; i < forecast::kExpertNames.size(); ++i) {
        runs_[h].forecasts[i].second.push_back(ValueOf(said, i, h));
      }
      runs_[h].forecasts.back().second.push_back(said.median());
    }
  }

  std::vector<HorizonRun> Finish() {
    for (std::size_t h = 0; h < runs_.size(); ++h) {
      for (std::size_t i = spoke_[h].size(); i-- > 0;) {
        if (!spoke_[h][i])
          runs_[h].forecasts.erase(runs_[h].forecasts.begin() + static_cast<std::ptrdiff_t>(i));
      }
    }
    return std::move(runs_);
  }

 private:
  double ValueOf(const forecast::HorizonForecast& said, std::size_t expert, std::size_t h) {
    for (const forecast::ExpertOpinion& opinion : said.experts) {
      if (opinion.name != forecast::kExpertNames[expert]) continue;
      spoke_[h][expert] = true;
      return opinion.value;
    }
    return said.experts.front().value;
  }

  const std::vector<double>& values_;
  std::size_t cut_;
  std::vector<HorizonRun> runs_;
  std::vector<std::vector<bool>> spoke_;
};

std::vector<Answers> AskModels(const Series& series, const Options& options, const std::vector<Model>& models,
                               const Sequences& sequences, std::vector<std::string>& notes) {
  const std::size_t cut = CutOf(series, options);
  const std::size_t from = cut - std::min(cut, static_cast<std::size_t>(options.horizons.back()));
  std::vector<Answers> all;
  for (const Model& model : models) {
    all.push_back(Answers::Of(model, sequences, cut, from, series.values.size()));
    all.back().Name(model.name);
    all.back().Silence(cut, options.horizons);
    if (all.back().empty())
      notes.push_back(model.name + " was left out: it needs at least " + std::to_string(kFewestExamples) +
                      " sequences to learn from");
  }
  return all;
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

Run Backtest(const Series& series, const Options& options, const std::vector<Model>& models,
             const base::Clock& clock) {
  Check(series, options);
  Run run{.series = series.name, .steps = series.values.size(), .first_scored = CutOf(series, options)};
  const Sequences sequences(series.values,
                            {options.length, options.season, options.scaling, options.horizons});
  const base::Duration begun = clock.Steady();
  const std::vector<Answers> answers = AskModels(series, options, models, sequences, run.notes);
  const base::Duration fitted = clock.Steady();

  forecast::ForecasterOptions forecaster_options;
  forecaster_options.window_length = std::chrono::seconds(1);
  forecaster_options.horizons = options.horizons;
  forecast::LinkForecaster forecaster(forecaster_options);
  Recorder recorder(series.values, run.first_scored, options.horizons);
  for (std::size_t at = 0; at < series.values.size(); ++at) {
    forecaster.Observe(base::FromUnixNanoseconds(static_cast<std::int64_t>(at) * 1'000'000'000),
                       series.values[at]);
    std::vector<forecast::ModelOpinion> opinions;
    for (const Answers& model : answers) {
      if (const forecast::ModelOpinion* opinion = model.At(at)) opinions.push_back(*opinion);
    }
    recorder.Take(at, forecaster.Predict({opinions, "backtest", sequences.SeasonAt(at)}));
  }
  run.horizons = recorder.Finish();
  run.fit_seconds = base::ToSeconds(fitted - begun);
  run.forecast_seconds = base::ToSeconds(clock.Steady() - fitted);
  return run;
}

}  // namespace flowcast::backtest
