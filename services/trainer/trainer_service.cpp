// Reading, training, publishing.
#include "services/trainer/trainer_service.h"

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <map>

#include "libs/base/error.h"
#include "libs/base/hash.h"
#include "libs/base/text.h"
#include "libs/bus/read_to_end.h"
#include "libs/forecast/score.h"
#include "libs/wire/model_wire.h"
#include "libs/wire/window_wire.h"

namespace flowcast::services {
namespace {

using namespace std::chrono_literals;
using base::LogLevel;

constexpr std::chrono::milliseconds kPoll = 100ms;
constexpr std::size_t kPollRecords = 2000;
constexpr std::chrono::milliseconds kPublishTimeout = 60s;
constexpr base::Duration kBetweenCheckpoints = 10s;

/// "20261121T100000.123-1a2b3c4d": sorts by time, and tells models of the same moment apart.
std::string MakeVersion(base::EventTime now, const std::string& weights) {
  std::string version = base::FormatTime(base::AlignDown(now, 1ms));
  std::erase_if(version, [](char c) { return c == '-' || c == ':' || c == 'Z'; });
  return version + "-" + base::Hex(base::Fnv1a64(weights)).substr(0, 8);
}

std::string EpochLine(const training::EpochResult& epoch, double seconds) {
  char text[120];
  std::snprintf(text, sizeof text, "epoch %3d  training loss %.5f  validation loss %.5f  %.2f s",
                epoch.number, epoch.training_loss, epoch.validation_loss, seconds);
  return text;
}

std::string MetricsLine(const model_store::Metrics& metrics) {
  char text[120];
  std::snprintf(text, sizeof text, "validation MAE %.4g, persistence %.4g, skill %+.1f %%", metrics.mae,
                metrics.mae_persistence, 100 * metrics.skill.value_or(0));
  return text;
}

}  // namespace

void TrainerService::Take(const bus::InRecord& record) {
  auto sequence = wire::DecodeSequence(record.value);
  if (sequence && sequence->schema_hash == options_.schema.sequence_hash() &&
      sequence->last.size() == options_.schema.size()) {
    ++(store_.Add(std::move(*sequence)) ? progress_.kept : progress_.left_out);
  } else {
    ++progress_.refused;
  }
  ReportEverySecond();
}

void TrainerService::ReportEverySecond() {
  if (parts_.clock.Steady() < report_at_) return;
  report_at_ = parts_.clock.Steady() + 1s;
  Report();
}

void TrainerService::Report() {
  progress_.sequences = store_.size();
  progress_.links = store_.link_count();
  parts_.progress(progress_);
}

std::optional<model_store::Manifest> TrainerService::RunOnce(std::int32_t partitions) {
  bus::ReadToEnd(
      parts_.consumer, bus::FromStart(names_.sequences, partitions),
      [this](const bus::InRecord& record) { Take(record); }, parts_.stop_requested);
  return TrainAndPublish();
}

void TrainerService::RunContinuously(std::int32_t partitions) {
  parts_.consumer.Assign(bus::FromStart(names_.sequences, partitions));
  base::Duration train_at = parts_.clock.Steady();
  base::EventTime learned_to = base::kBeginningOfTime;
  while (!parts_.stop_requested()) {
    const auto records = parts_.consumer.Poll(kPoll, kPollRecords);
    for (const bus::InRecord& record : records) Take(record);
    ReportEverySecond();
    const bool idle = records.size() < kPollRecords;
    if (!idle || parts_.clock.Steady() < train_at || store_.size() == 0 || store_.newest() <= learned_to)
      continue;
    try {
      if (!TrainAndPublish()) continue;
      learned_to = store_.newest();
      train_at = parts_.clock.Steady() + options_.every;
    } catch (const base::RuntimeError& error) {
      ++progress_.gave_up;
      parts_.log(LogLevel::kInfo, error.what());
      train_at = parts_.clock.Steady() + std::min<base::Duration>(options_.every, 10s);
    }
  }
}

std::optional<model_store::Manifest> TrainerService::TrainAndPublish() {
  const base::Duration began = parts_.clock.Steady();
  Report();
  Checkpoint checkpoint = ReadCheckpoint();
  training::DatasetOptions dataset_options = options_.dataset;
  dataset_options.newest = checkpoint.newest = std::min(checkpoint.newest, store_.newest());
  const training::Dataset dataset = store_.Build(dataset_options);
  parts_.log(LogLevel::kInfo, "learning from " + base::Grouped(store_.size()) + " sequences of " +
                                  base::Grouped(store_.link_count()) + " links, " +
                                  base::FormatTime(dataset.from) + " to " + base::FormatTime(dataset.until) +
                                  ": " + base::Grouped(dataset.training.count) + " examples to train, " +
                                  base::Grouped(dataset.validation.count) + " to validate");
  std::map<int, double> seconds;
  const training::TrainedNetwork trained = TrainOn(dataset, std::move(checkpoint), seconds);
  if (parts_.stop_requested()) {
    parts_.log(LogLevel::kInfo, "stopped while learning; the next training goes on from here");
    return std::nullopt;
  }
  model_store::Model model{Describe(dataset, trained), {{"lstm", trained.weights}}};
  for (model_store::EpochRecord& epoch : model.manifest.history) epoch.seconds = seconds[epoch.number];
  const auto folder = parts_.folder.Save(model);
  Publish(model);
  parts_.folder.DropCheckpoint(options_.model_name);
  ++progress_.published;
  progress_.last_training_seconds = base::ToSeconds(parts_.clock.Steady() - began);
  progress_.last_published_at = parts_.clock.Now();
  progress_.last = model.manifest;
  Report();
  parts_.log(LogLevel::kInfo, "model " + model.manifest.version + ": best epoch " +
                                  std::to_string(model.manifest.best_epoch) + ", " +
                                  MetricsLine(model.manifest.metrics) + "; kept in " + folder.string());
  return model.manifest;
}

TrainerService::Checkpoint TrainerService::ReadCheckpoint() const {
  const std::string bytes = parts_.folder.Checkpoint(options_.model_name);
  std::int64_t newest_ns = 0;
  const auto [end, error] = std::from_chars(bytes.data(), bytes.data() + bytes.size(), newest_ns);
  if (error != std::errc() || end == bytes.data() + bytes.size() || *end != '\n') return {};
  const base::EventTime newest = base::FromUnixNanoseconds(newest_ns);
  // Of windows that are long gone one would rather not learn any more.
  if (newest > store_.newest() || store_.newest() - newest > options_.every) return {};
  return {newest, std::string(end + 1, bytes.data() + bytes.size())};
}

void TrainerService::Keep(const Checkpoint& checkpoint) const {
  if (checkpoint.state.empty()) return;
  try {
    parts_.folder.KeepCheckpoint(
        options_.model_name,
        std::to_string(base::ToUnixNanoseconds(checkpoint.newest)) + "\n" + checkpoint.state);
  } catch (const base::RuntimeError& error) {
    parts_.log(LogLevel::kWarning, std::string("no checkpoint: ") + error.what());
  }
}

training::TrainedNetwork TrainerService::TrainOn(const training::Dataset& dataset, Checkpoint checkpoint,
                                                 std::map<int, double>& seconds) {
  base::Duration began = parts_.clock.Steady();
  base::Duration kept = began;
  const auto listener = [&](const training::EpochResult& epoch) {
    const base::Duration now = parts_.clock.Steady();
    seconds[epoch.number] = base::ToSeconds(now - began);
    parts_.log(LogLevel::kInfo, EpochLine(epoch, seconds[epoch.number]));
    began = now;
    ++progress_.epochs;
    Report();
    const bool stop = parts_.stop_requested();
    if (stop || now - kept >= kBetweenCheckpoints) {
      Keep(checkpoint);
      kept = now;
    }
    return !stop;
  };
  const std::string resumed = std::move(checkpoint.state);
  checkpoint.state.clear();
  training::TrainedNetwork trained = parts_.learner.Train(
      dataset.shape, dataset.training, dataset.validation,
      {.listener = listener,
       .keep_checkpoint = [&checkpoint](const std::string& state) { checkpoint.state = state; },
       .checkpoint = resumed});
  if (trained.resumed_at > 0) {
    parts_.log(LogLevel::kInfo,
               "went on from the checkpoint after epoch " + std::to_string(trained.resumed_at));
  }
  return trained;
}

model_store::Metrics TrainerService::Evaluate(const training::Dataset& dataset,
                                              const std::string& weights) const {
  const auto predictor = parts_.load(weights);
  forecast::ScoreKeeper keeper;
  const int horizon = options_.dataset.horizons.front();
  const auto pairs = store_.Pairs(dataset.validation_from, dataset.until, horizon);
  for (const training::Scored& scored :
       training::Forecast(*predictor, pairs, options_.dataset.targets.front(), horizon)) {
    keeper.Add(scored.actual, scored.forecast, scored.persistence);
  }
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

model_store::Manifest TrainerService::Describe(const training::Dataset& dataset,
                                               const training::TrainedNetwork& trained) const {
  const base::EventTime now = parts_.clock.Now();
  model_store::Manifest manifest{
      .name = options_.model_name,
      .version = MakeVersion(now, trained.weights),
      .created_at = base::FormatTime(base::AlignDown(now, 1ms)),
      .flowcast_version = FLOWCAST_VERSION,
      .schema_hash = options_.schema.sequence_hash(),
      .target = options_.schema.columns()[options_.dataset.targets.front().column].name,
      .horizon_windows = options_.dataset.horizons.front(),
      .horizons = options_.dataset.horizons,
      .window_length = store_.shape().window_length,
      .sequence_length = store_.shape().length,
      .layers = options_.network.layers,
      .hidden = options_.network.hidden,
      .dropout = options_.network.dropout,
      .head_size = options_.network.head_size,
      .attention = options_.network.attention,
      .members = options_.network.members,
      .parameters = trained.parameters,
      .seed = options_.seed,
      .trained_from = dataset.from,
      .trained_until = dataset.until,
      .training_examples = dataset.training.count,
      .validation_examples = dataset.validation.count,
      .best_epoch = trained.best_epoch,
      .metrics = Evaluate(dataset, trained.weights),
      .percentiles = dataset.percentiles};
  for (const feature::Column& column : options_.schema.columns()) manifest.features.push_back(column.name);
  for (const training::EpochResult& epoch : trained.history) {
    manifest.history.push_back({epoch.number, epoch.training_loss, epoch.validation_loss, 0});
  }
  return manifest;
}

void TrainerService::Publish(const model_store::Model& model) {
  const std::string& name = model.manifest.name;
  const std::string& version = model.manifest.version;
  constexpr std::int32_t kPartition = 0;  // models.v1 has one
  parts_.producer.Send({.to = {names_.models, kPartition},
                        .key = wire::ModelKey(name, version),
                        .value = wire::Encode(model)});
  parts_.producer.Send({.to = {names_.models, kPartition},
                        .key = wire::CurrentModelKey(name),
                        .value = wire::EncodeCurrentModel(version)});
  parts_.producer.Flush(kPublishTimeout);
}

}  // namespace flowcast::services
