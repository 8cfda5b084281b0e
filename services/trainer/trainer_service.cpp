// Reading, deciding, publishing.
#include "services/trainer/trainer_service.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <sstream>

#include "libs/base/error.h"
#include "libs/base/hash.h"
#include "libs/base/text.h"
#include "libs/bus/read_to_end.h"
#include "libs/model_topic/model_topic.h"
#include "libs/wire/forecast_wire.h"
#include "libs/wire/model_wire.h"
#include "libs/wire/window_wire.h"
#include "services/trainer/contest.h"
#include "services/trainer/trainer_memory.h"

namespace flowcast::services {
namespace {

using namespace std::chrono_literals;
using base::LogLevel;

constexpr std::chrono::milliseconds kPoll = 100ms;
constexpr std::size_t kPollRecords = 2000;
constexpr base::Duration kBetweenMemories = 60s;

training::StoreLimits LimitsOf(const TrainerOptions& options) {
  training::StoreLimits limits = options.limits;
  limits.horizons = options.dataset.horizons;
  return limits;
}

std::string MetricsText(const model_store::Metrics& metrics) {
  char text[120];
  std::snprintf(text, sizeof text, "validation MAE %.4g, persistence %.4g, skill %+.1f %%", metrics.mae,
                metrics.mae_persistence, 100 * metrics.skill.value_or(0));
  return text;
}

std::string MetricsLine(const model_store::Manifest& manifest) {
  if (manifest.further.empty()) return MetricsText(manifest.metrics);
  std::string line = manifest.target + " " + MetricsText(manifest.metrics);
  for (const model_store::FurtherTarget& target : manifest.further)
    line.append("; ").append(target.name).append(" ").append(MetricsText(target.metrics));
  return line;
}

}  // namespace

TrainerService::TrainerService(const TrainerParts& parts, const TrainerOptions& options,
                               const topics::Names& names)
    : parts_(parts),
      options_(options),
      names_(names),
      sequences_(parts.bus.MakeConsumer({})),
      forecasts_(parts.bus.MakeConsumer({})),
      models_(parts.bus.MakeConsumer({})),
      producer_(parts.bus.MakeProducer({})),
      store_(LimitsOf(options)),
      drift_(options.dataset.targets.size()),
      maker_(parts_, options_, progress_, [this] { Report(); }) {}

void TrainerService::Take(const bus::InRecord& record) {
  progress_.of_sequences.produced_at = std::max(progress_.of_sequences.produced_at, record.produced_at);
  auto sequence = wire::DecodeSequence(record.value);
  if (sequence && options_.sequence_length > 0 && sequence->length != options_.sequence_length) {
    if (progress_.left_out++ == 0)
      parts_.log(LogLevel::kWarning, "sequences of " + std::to_string(sequence->length) +
                                         " windows are left out: --length asks for " +
                                         std::to_string(options_.sequence_length) +
                                         "; start flowcast-features with --sequence-length " +
                                         std::to_string(options_.sequence_length));
  } else if (sequence && sequence->schema_hash == options_.schema.sequence_hash() &&
             sequence->last.size() == options_.schema.size()) {
    const bool is_newer = sequence->end > recalled_to_;
    const bool is_new = store_.Add(std::move(*sequence));
    ++(is_new ? progress_.kept : progress_.left_out);
    new_sequences_ += is_new && is_newer ? 1 : 0;
  } else {
    ++progress_.refused;
  }
  ReportEverySecond();
}

void TrainerService::TakePointer(const bus::InRecord& record) {
  if (record.tombstone || record.key != wire::CurrentModelKey(options_.model_name)) return;
  if (const auto version = wire::DecodeCurrentModel(record.value)) pointed_at_ = *version;
}

void TrainerService::FollowCurrent() {
  constexpr std::size_t kPollModels = 16;  // they are large
  for (const bus::InRecord& record : models_->Poll(0ms, kPollModels)) TakePointer(record);
  if (pointed_at_ == followed_) return;
  followed_ = pointed_at_;
  if (!parts_.folder.Has(options_.model_name, followed_)) {
    parts_.log(LogLevel::kInfo, "model " + followed_ +
                                    " is in use and not in the folder, whose `current` stays; " +
                                    "flowcast models export writes it there");
    return;
  }
  try {
    parts_.folder.PointAt(options_.model_name, followed_);
  } catch (const base::RuntimeError& error) {
    parts_.log(LogLevel::kWarning, error.what());
  }
}

void TrainerService::FollowForecasts() {
  if (options_.retrain.drift_ratio <= 0) return;
  for (const bus::InRecord& record : forecasts_->Poll(0ms, kPollRecords)) TakeForecast(record);
}

void TrainerService::TakeForecast(const bus::InRecord& record) {
  progress_.of_forecasts.produced_at = std::max(progress_.of_forecasts.produced_at, record.produced_at);
  const auto decoded = wire::DecodeForecast(record.value);
  if (!decoded) return;
  const forecast::Forecast& forecast = decoded->forecast;
  const std::vector<training::Target>& targets = options_.dataset.targets;
  const auto target = std::find_if(targets.begin(), targets.end(), [&](const training::Target& one) {
    return NameOf(one) == forecast.target;
  });
  if (target == targets.end()) return;
  training::DriftWatch& drift = drift_[static_cast<std::size_t>(target - targets.begin())];
  for (const forecast::Settled& settled : decoded->settled) {
    if (!settled.had_model || settled.horizon_windows != options_.dataset.horizons.front()) continue;
    drift.Add(forecast.model_version, forecast.made_at,
              {.link = forecast.link,
               .made_at = settled.target_start - forecast.window_length * (settled.horizon_windows - 1),
               .known_at = settled.target_start + forecast.window_length,
               .window_length = forecast.window_length,
               .error = std::abs(settled.actual - settled.median),
               .error_persistence = std::abs(settled.actual - settled.persistence)});
  }
}

void TrainerService::ReportEverySecond() {
  if (parts_.clock.Steady() < report_at_) return;
  report_at_ = parts_.clock.Steady() + 1s;
  Report();
}

void TrainerService::Report() {
  progress_.of_sequences.unread = sequences_->Unread();
  progress_.of_forecasts.unread = forecasts_->Unread();
  progress_.sequences = store_.size();
  progress_.sampled_out = store_.sampled_out();
  progress_.links = store_.link_count();
  progress_.live_error = drift_.front().recent();
  progress_.drift = MostDrifted().ratio();
  parts_.progress(progress_);
}

std::optional<model_store::Manifest> TrainerService::RunOnce(std::int32_t partitions) {
  bus::ReadToEnd(
      *sequences_, bus::FromStart(names_.sequences, partitions),
      [this](const bus::InRecord& record) { Take(record); }, parts_.stop_requested);
  return TrainAndPublish(training::Reason::kOnce);
}

void TrainerService::RunContinuously(std::int32_t partitions) {
  sequences_->Assign(bus::FromStart(names_.sequences, partitions));
  if (options_.retrain.drift_ratio > 0) {
    auto positions = bus::FromStart(names_.forecasts, partitions);
    for (bus::Position& position : positions) position.offset = forecasts_->EndOffset(position.at);
    forecasts_->Assign(positions);
  }
  bus::ReadToEnd(
      *models_, bus::FromStart(names_.models, 1),
      [this](const bus::InRecord& record) { TakePointer(record); }, parts_.stop_requested);
  Recall();
  while (!parts_.stop_requested()) {
    const auto records = sequences_->Poll(kPoll, kPollRecords);
    for (const bus::InRecord& record : records) Take(record);
    FollowForecasts();
    FollowCurrent();
    ReportEverySecond();
    if (trained_ && parts_.clock.Steady() >= memorized_at_ + kBetweenMemories) Memorize();
    const bool idle = records.size() < kPollRecords;
    if (!idle || store_.size() == 0 || parts_.clock.Steady() < not_before_) continue;
    const auto reason = Due();
    if (!reason) continue;
    try {
      TrainAndPublish(*reason);
    } catch (const base::RuntimeError& error) {
      ++progress_.gave_up;
      parts_.log(LogLevel::kInfo, error.what());
      not_before_ = parts_.clock.Steady() + std::min<base::Duration>(options_.retrain.every, 10s);
    }
  }
  if (trained_) Memorize();
}

std::string TrainerService::NameOf(const training::Target& target) const {
  return options_.schema.columns()[target.column].name;
}

std::string TrainerService::Settings() const {
  std::ostringstream text;
  text << base::Hex(options_.schema.sequence_hash()) << " of";
  for (const training::Target& target : options_.dataset.targets) text << ' ' << NameOf(target);
  text << " at";
  for (const int horizon : options_.dataset.horizons) text << ' ' << horizon;
  text << " from " << options_.sequence_length << ", parts " << options_.dataset.train_fraction << ' '
       << options_.dataset.validation_fraction << ", at most " << options_.limits.per_link << ' '
       << options_.limits.bytes << ", by";
  for (const training::Forecaster& forecaster : parts_.forecasters) text << ' ' << forecaster.name;
  text << ": " << options_.recipe;
  return text.str();
}

void TrainerService::Recall() {
  if (pointed_at_.empty() || !parts_.folder.Has(options_.model_name, pointed_at_)) return;
  const auto memory = MemoryFrom(parts_.folder.Memory(options_.model_name));
  if (!memory || memory->settings != Settings()) return;
  const base::Duration ago = parts_.clock.Now() - memory->trained_at;
  trained_ = true;
  trained_at_ = memorized_at_ = parts_.clock.Steady() - std::max<base::Duration>(ago, 0s);
  learned_to_ = recalled_to_ = memory->learned_to;
  for (std::size_t i = 0; i < drift_.size(); ++i) {
    const auto known = memory->drift.find(NameOf(options_.dataset.targets[i]));
    if (known != memory->drift.end()) drift_[i].Recall(known->second);
  }
  parts_.log(LogLevel::kInfo, "goes on from the training of " +
                                  base::FormatTime(base::AlignDown(memory->trained_at, 1s)) +
                                  ", which knew windows until " + base::FormatTime(learned_to_));
}

void TrainerService::Memorize() {
  memorized_at_ = parts_.clock.Steady();
  TrainerMemory memory{.settings = Settings(),
                       .trained_at = parts_.clock.Now() - (memorized_at_ - trained_at_),
                       .learned_to = learned_to_,
                       .drift = {}};
  for (std::size_t i = 0; i < drift_.size(); ++i)
    memory.drift[NameOf(options_.dataset.targets[i])] = drift_[i].measure();
  try {
    parts_.folder.KeepMemory(options_.model_name, ToText(memory));
  } catch (const base::RuntimeError& error) {
    parts_.log(LogLevel::kWarning, error.what());
  }
}

std::optional<training::Reason> TrainerService::Due() const {
  return training::DueFor(options_.retrain, {.trained = trained_,
                                             .since_training = parts_.clock.Steady() - trained_at_,
                                             .new_sequences = new_sequences_,
                                             .newer = store_.newest() > learned_to_,
                                             .drift = MostDrifted().ratio()});
}

const training::DriftWatch& TrainerService::MostDrifted() const {
  return *std::max_element(drift_.begin(), drift_.end(),
                           [](const auto& a, const auto& b) { return a.ratio() < b.ratio(); });
}

std::optional<model_store::Manifest> TrainerService::TrainAndPublish(training::Reason reason) {
  const base::Duration began = parts_.clock.Steady();
  Report();
  if (reason == training::Reason::kDrift) {
    char text[120];
    std::snprintf(text, sizeof text, "the live error of model %s is %.2f times what it was at first",
                  MostDrifted().version().c_str(), MostDrifted().ratio().value_or(0));
    parts_.log(LogLevel::kInfo, text);
  }
  auto made = maker_.Make(store_);
  if (!made) return std::nullopt;
  model_store::Model& model = made->model;
  Decide(*made, model.manifest.decision);
  model.manifest.decision.trained_for = training::ToString(reason);
  Fit(model);
  Publish(model);
  progress_.last_training_seconds = base::ToSeconds(parts_.clock.Steady() - began);
  trained_ = true;
  trained_at_ = parts_.clock.Steady();
  new_sequences_ = 0;
  learned_to_ = made->newest;
  for (training::DriftWatch& drift : drift_) drift.Restart();
  Memorize();
  Report();
  return model.manifest;
}

void TrainerService::Decide(const MadeModel& made, model_store::Decision& decision) {
  const auto current = model_topic::FindCurrent(parts_.bus, names_, options_.model_name);
  decision = Compare(store_, options_.schema, options_.dataset.targets, parts_.loaders, made, current);
}

void TrainerService::Fit(model_store::Model& model) const {
  constexpr std::int64_t kSpareBytes = 64 << 10;  // key, batch
  constexpr auto kRoom = static_cast<std::size_t>(topics::kLargestMessageBytes - kSpareBytes);
  const std::size_t left_out = wire::FitInto(kRoom, model);
  if (left_out == 0) return;
  parts_.log(LogLevel::kWarning,
             "percentiles of " + base::Grouped(left_out) +
                 " links, those of the smallest loads, have no room in the model's message: "
                 "they are compared with those of all links together");
}

void TrainerService::Publish(const model_store::Model& model) {
  const model_store::Manifest& manifest = model.manifest;
  model_topic::Publisher publisher(*producer_, names_);
  const auto folder = parts_.folder.Save(model);
  publisher.Publish(model);
  if (manifest.decision.replaced) {
    publisher.PointAt(manifest.name, manifest.version);
    parts_.folder.PointAt(manifest.name, manifest.version);
    ++progress_.published;
    progress_.last_published_at = parts_.clock.Now();
    progress_.last = manifest;
  } else {
    ++progress_.lost;
  }
  DeleteSurplus();
  parts_.folder.DropCheckpoint(options_.model_name);
  parts_.log(LogLevel::kInfo,
             "model " + manifest.version + ": " + MetricsLine(manifest) + "; kept in " + folder.string());
  parts_.log(LogLevel::kInfo,
             (manifest.decision.replaced ? "it is in use now: "
                                         : "it is not used, " + manifest.decision.against + " stays: ") +
                 manifest.decision.reason);
}

void TrainerService::DeleteSurplus() {
  const auto listing = model_topic::List(parts_.bus, names_, options_.model_name);
  const auto surplus = model_topic::Surplus(listing, options_.keep_models);
  if (surplus.empty()) return;
  model_topic::Publisher(*producer_, names_).Delete(options_.model_name, surplus);
  progress_.deleted += surplus.size();
  parts_.log(LogLevel::kInfo, "deleted from " + names_.models + ": " + base::Join(surplus));
}

}  // namespace flowcast::services
