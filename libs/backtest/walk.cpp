// Runs the forecaster of a link over a series.
#include "libs/backtest/walk.h"

#include "libs/base/time.h"

namespace flowcast::backtest {
namespace {

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

}  // namespace

Walk WalkAlong(const Series& series, const Options& options, const Sequences& sequences,
               const std::vector<Answers>& answers) {
  forecast::ForecasterOptions forecaster_options;
  forecaster_options.window_length = std::chrono::seconds(1);
  forecaster_options.horizons = options.horizons;
  forecast::LinkForecaster forecaster(forecaster_options);
  Recorder recorder(series.values, CutOf(series, options), options.horizons);
  Walk walk;
  for (std::size_t at = 0; at < series.values.size(); ++at) {
    forecaster.Observe(base::FromUnixNanoseconds(static_cast<std::int64_t>(at) * 1'000'000'000),
                       series.values[at]);
    std::vector<forecast::ModelOpinion> opinions;
    for (const Answers& model : answers) {
      if (const forecast::ModelOpinion* opinion = model.At(at)) opinions.push_back(*opinion);
    }
    walk.last = forecaster.Predict({opinions, "backtest", sequences.SeasonAt(at)});
    recorder.Take(at, walk.last);
  }
  walk.horizons = recorder.Finish();
  return walk;
}

}  // namespace flowcast::backtest
