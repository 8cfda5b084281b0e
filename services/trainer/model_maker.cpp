// Data set, forecasters, scores, manifest.
#include "services/trainer/model_maker.h"

#include <algorithm>
#include <charconv>
#include <cstdio>

#include "libs/base/error.h"
#include "libs/base/hash.h"
#include "libs/base/text.h"
#include "libs/forecast/score.h"
#include "libs/training/predictors.h"

namespace flowcast::services {
namespace {

using namespace std::chrono_literals;
using base::LogLevel;

constexpr base::Duration kBetweenCheckpoints = 10s;

/// "20261121T100000.123-1a2b3c4d": sorts by time, and tells models of the same moment apart.
std::string MakeVersion(base::EventTime now, const std::map<std::string, std::string>& networks) {
  std::string version = base::FormatTime(base::AlignDown(now, 1ms));
  std::erase_if(version, [](char c) { return c == '-' || c == ':' || c == 'Z'; });
  std::uint64_t hash = base::Fnv1a64("");
  for (const auto& [name, weights] : networks) hash = base::Fnv1a64(weights, hash);
  return version + "-" + base::Hex(hash).substr(0, 8);
}

std::string LineOf(const training::ExampleStore& store, const training::Dataset& dataset) {
  return "learning from " + base::Grouped(store.size()) + " sequences of " +
         base::Grouped(store.link_count()) + " links, " + base::FormatTime(dataset.from) + " to " +
         base::FormatTime(dataset.until) + ": " + base::Grouped(dataset.training.count) +
         " examples to train, " + base::Grouped(dataset.validation.count) + " to validate";
}

model_store::Metrics MetricsOf(const std::vector<training::Scored>& scored) {
  forecast::ScoreKeeper keeper;
  for (const training::Scored& one : scored) keeper.Add(one.actual, one.forecast, one.persistence);
  const forecast::Scores scores = keeper.Result();
  return {.count = scores.count,
          .mse = scores.mse.value_or(0),
          .mae = scores.mae.value_or(0),
          .rmse = scores.rmse.value_or(0),
          .mape = scores.mape,
          .r2 = scores.r2,
          .mae_persistence = scores.mae_persistence.value_or(0),
          .skill = scores.skill};
}

/// The scores of one horizon, where the manifest has those of the target at this position.
void WriteDown(const std::map<std::string, std::vector<training::Scored>>& said, std::size_t target,
               int horizon, model_store::Manifest& manifest) {
  model_store::FurtherTarget* const further = target == 0 ? nullptr : &manifest.further[target - 1];
  for (model_store::ForecasterRecord& record : manifest.forecasters) {
    auto& by_horizon = further == nullptr ? record.metrics : further->forecasters[record.name];
    by_horizon[horizon] = MetricsOf(said.at(record.name));
  }
  if (horizon != manifest.horizon_windows) return;
  (further == nullptr ? manifest.metrics : further->metrics) = MetricsOf(said.at(training::kTogether));
}

}  // namespace

std::string TextOf(const TrainingStep& step) {
  char text[160];
  std::snprintf(text, sizeof text, "%s %s %3d  training loss %.5f  validation loss %.5f  %.2f s",
                step.forecaster.c_str(), step.name.c_str(), step.number, step.training_loss,
                step.validation_loss, step.seconds);
  return text;
}

std::optional<MadeModel> ModelMaker::Make(const training::ExampleStore& store) {
  const Checkpoint checkpoint = ReadCheckpoint(store);
  MadeModel made{.newest = std::min(checkpoint.newest, store.newest())};
  model_store::Manifest& manifest = made.model.manifest;
  {
    training::DatasetOptions options = options_.dataset;
    options.newest = made.newest;
    const training::Dataset dataset = store.Build(options);
    parts_.log(LogLevel::kInfo, LineOf(store, dataset));
    for (std::size_t i = 0; i < parts_.forecasters.size(); ++i) {
      Trained trained = TrainOne(i, dataset, made.newest, checkpoint);
      if (parts_.stop_requested()) {
        parts_.log(LogLevel::kInfo, "stopped while learning; the next training goes on from here");
        return std::nullopt;
      }
      made.model.networks[parts_.forecasters[i].name] = std::move(trained.network.weights);
      manifest.forecasters.push_back(std::move(trained.record));
    }
    Describe(store, dataset, manifest);
    made.validation_from = dataset.validation_from;
  }
  std::sort(manifest.forecasters.begin(), manifest.forecasters.end(),
            [](const auto& a, const auto& b) { return a.name < b.name; });
  const base::EventTime now = parts_.clock.Now();
  manifest.version = MakeVersion(now, made.model.networks);
  manifest.created_at = base::FormatTime(base::AlignDown(now, 1ms));
  Score(store, made.validation_from, made.model);
  progress_.share = 0;
  return made;
}

ModelMaker::Trained ModelMaker::TrainOne(std::size_t number, const training::Dataset& dataset,
                                         base::EventTime newest, const Checkpoint& from) {
  const training::Forecaster& forecaster = parts_.forecasters[number];
  const base::Duration began = parts_.clock.Steady();
  base::Duration step_began = began;
  base::Duration kept = began;
  Checkpoint checkpoint{newest, forecaster.name, {}};
  std::map<int, double> seconds;
  const auto listener = [&](const training::EpochResult& epoch) {
    const base::Duration now = parts_.clock.Steady();
    seconds[epoch.number] = base::ToSeconds(now - step_began);
    Tell(forecaster, epoch, seconds[epoch.number]);
    step_began = now;
    ++progress_.epochs;
    const double done = forecaster.steps > 0 ? static_cast<double>(epoch.number) / forecaster.steps : 0;
    progress_.share = (static_cast<double>(number) + done) / static_cast<double>(parts_.forecasters.size());
    report_();
    const bool stop = parts_.stop_requested();
    if (stop || now - kept >= kBetweenCheckpoints) {
      Keep(checkpoint);
      kept = now;
    }
    return !stop;
  };
  training::Shape shape = dataset.shape;
  shape.levels = forecaster.levels;
  training::TrainedNetwork network = forecaster.learner.Train(
      shape, dataset.training, dataset.validation,
      {.listener = listener,
       .keep_checkpoint = [&checkpoint](const std::string& state) { checkpoint.state = state; },
       .checkpoint = from.forecaster == forecaster.name ? from.state : ""});
  if (network.resumed_at > 0) {
    parts_.log(LogLevel::kInfo, forecaster.name + " went on from the checkpoint after epoch " +
                                    std::to_string(network.resumed_at));
  }
  model_store::ForecasterRecord record{.name = forecaster.name,
                                       .parameters = network.parameters,
                                       .best_epoch = network.best_epoch,
                                       .seconds = base::ToSeconds(parts_.clock.Steady() - began),
                                       .history = {},
                                       .metrics = {}};
  for (const training::EpochResult& epoch : network.history) {
    const double took = forecaster.step == "epoch" ? seconds[epoch.number] : 0;
    record.history.push_back({epoch.number, epoch.training_loss, epoch.validation_loss, took});
  }
  return {std::move(network), std::move(record)};
}

void ModelMaker::Tell(const training::Forecaster& forecaster, const training::EpochResult& epoch,
                      double seconds) const {
  const TrainingStep step{forecaster.name,     forecaster.step,       epoch.number, forecaster.steps,
                          epoch.training_loss, epoch.validation_loss, seconds};
  if (parts_.show) {
    parts_.show(step);
  } else {
    parts_.log(LogLevel::kInfo, TextOf(step));
  }
}

/// "NEWEST_NS FORECASTER\n", then the learner's bytes.
ModelMaker::Checkpoint ModelMaker::ReadCheckpoint(const training::ExampleStore& store) const {
  const std::string bytes = parts_.folder.Checkpoint(options_.model_name);
  std::int64_t newest_ns = 0;
  const auto [end, error] = std::from_chars(bytes.data(), bytes.data() + bytes.size(), newest_ns);
  const std::size_t head = bytes.find('\n');
  if (error != std::errc() || head == std::string::npos || end == bytes.data() + bytes.size() || *end != ' ')
    return {};
  const base::EventTime newest = base::FromUnixNanoseconds(newest_ns);
  // Of windows that are long gone one would rather not learn any more.
  if (newest > store.newest() || store.newest() - newest > options_.retrain.every) return {};
  const auto name = static_cast<std::size_t>(end - bytes.data()) + 1;
  if (name > head) return {};
  return {newest, bytes.substr(name, head - name), bytes.substr(head + 1)};
}

void ModelMaker::Keep(const Checkpoint& checkpoint) const {
  if (checkpoint.state.empty()) return;
  try {
    parts_.folder.KeepCheckpoint(options_.model_name,
                                 std::to_string(base::ToUnixNanoseconds(checkpoint.newest)) + " " +
                                     checkpoint.forecaster + "\n" + checkpoint.state);
  } catch (const base::RuntimeError& error) {
    parts_.log(LogLevel::kWarning, std::string("no checkpoint: ") + error.what());
  }
}

void ModelMaker::Describe(const training::ExampleStore& store, const training::Dataset& dataset,
                          model_store::Manifest& manifest) const {
  manifest.name = options_.model_name;
  manifest.flowcast_version = FLOWCAST_VERSION;
  manifest.schema_hash = options_.schema.sequence_hash();
  const auto name_of = [&](const training::Target& target) {
    return options_.schema.columns()[target.column].name;
  };
  const std::vector<training::Target>& targets = options_.dataset.targets;
  manifest.target = name_of(targets.front());
  manifest.horizon_windows = options_.dataset.horizons.front();
  manifest.horizons = options_.dataset.horizons;
  manifest.window_length = store.shape().window_length;
  manifest.sequence_length = store.shape().length;
  manifest.layers = options_.network.layers;
  manifest.hidden = options_.network.hidden;
  manifest.dropout = options_.network.dropout;
  manifest.head_size = options_.network.head_size;
  manifest.attention = options_.network.attention;
  manifest.members = options_.network.members;
  manifest.seed = options_.seed;
  manifest.trained_from = dataset.from;
  manifest.trained_until = dataset.until;
  manifest.training_examples = dataset.training.count;
  manifest.validation_examples = dataset.validation.count;
  manifest.percentiles = dataset.percentiles.front();
  for (std::size_t i = 1; i < targets.size(); ++i)
    manifest.further.push_back({.name = name_of(targets[i]), .percentiles = dataset.percentiles[i]});
  for (const feature::Column& column : options_.schema.columns()) manifest.features.push_back(column.name);
}

void ModelMaker::Score(const training::ExampleStore& store, base::EventTime from,
                       model_store::Model& model) const {
  model_store::Manifest& manifest = model.manifest;
  const training::Predictors predictors = training::LoadPredictors(parts_.loaders, model, options_.schema);
  for (const int horizon : manifest.horizons) {
    const auto pairs = store.Pairs(from, manifest.trained_until, horizon);
    for (std::size_t i = 0; i < options_.dataset.targets.size(); ++i)
      WriteDown(training::ForecastAll(predictors, pairs, options_.dataset.targets[i], horizon), i, horizon,
                manifest);
  }
}

}  // namespace flowcast::services
