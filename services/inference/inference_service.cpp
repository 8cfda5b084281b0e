// Batches through the network, then link by link.
#include "services/inference/inference_service.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "libs/base/hash.h"
#include "libs/base/text.h"
#include "libs/slice/skipped.h"
#include "libs/state/progress.h"
#include "libs/trace/trace.h"
#include "libs/training/model_opinion.h"
#include "libs/wire/commit_note.h"
#include "libs/wire/forecast_json.h"
#include "libs/wire/window_wire.h"
#include "services/inference/in_force.h"

namespace flowcast::services {
namespace {

constexpr std::size_t kLargestBatch = 256;
/// Offsets are needed by blocks, so that a list of those needed is short.
constexpr std::int64_t kBlock = 256;
/// A link that has not moved for so many records of its partition is snapshotted, so that others may go on.
constexpr std::int64_t kMostBehind = 50'000;
constexpr base::Duration kTidyEvery = std::chrono::seconds(10);
constexpr base::Duration kFar = std::chrono::hours(24);

/// Seconds; a forecast is there within tenths of one, or something is wrong.
std::vector<double> DelayBounds() { return {0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60, 300, 3600}; }

bool IsFar(base::EventTime one, base::EventTime other) { return one - other > kFar || other - one > kFar; }

}  // namespace

InferenceTask::InferenceTask(const InferenceOptions& options, const topics::Names& names,
                             ModelWatcher& models, const base::Clock& clock, base::Log log)
    : options_(options),
      targets_(training::TargetsOf(options.schema, options.targets)),
      names_(names),
      models_(models),
      clock_(clock),
      log_(std::move(log)),
      alerting_(options.rules, names, log_),
      board_(options.shown),
      delays_(DelayBounds()) {
  forecast::CheckHorizons(options_.horizons);
}

void InferenceTask::OnAssigned(const std::vector<bus::Position>& partitions) {
  waiting_.clear();
  for (const bus::Position& position : partitions) {
    Partition partition;
    Restore(position, partition);
    partitions_.insert_or_assign(position.at.partition, std::move(partition));
  }
}

void InferenceTask::Restore(const bus::Position& position, Partition& partition) {
  InferenceState state = store_->Load(position);
  partition.next_offset = partition.live_from = state.next_offset;
  partition.floor = partition.read_to = std::max<std::int64_t>(position.offset, 0);
  partition.models = std::move(state.models);
  partition.rules = std::move(state.rules);
  partition.produced_at = state.produced_at;
  partition.leftover = std::move(state.leftover);
  std::size_t anew = 0;
  for (const auto& [name, kept] : state.links) {
    LinkForecasters forecasters(OptionsFor(kept.window_length));
    const std::size_t restored = forecasters.Restore(kept.forecasters);
    anew += restored < targets_.size() ? 1 : 0;
    if (restored == 0 && kept.alerts.empty()) {
      partition.leftover.push_back(name);
      continue;
    }
    partition.links.emplace(name, Link{.forecasters = std::move(forecasters),
                                       .alerts = alert::LinkAlerts(kept.alerts),
                                       .last_end = kept.last_end,
                                       .astray = kept.astray,
                                       .offset = kept.offset,
                                       .heard = clock_.Steady()});
  }
  if (anew > 0)
    state::Warn(
        log_, position.at,
        std::to_string(anew) + " links' forecasts begin anew where --target or --horizons are others");
}

void InferenceTask::OnRevoked(const std::vector<bus::TopicPartition>& partitions) {
  waiting_.clear();
  for (const bus::TopicPartition& at : partitions) {
    partitions_.erase(at.partition);
    board_.ForgetPartition(at.partition);
  }
}

bool InferenceTask::OnRecord(const bus::InRecord& record, slice::Outbox& outbox) {
  ++counters_.sequences;
  Partition& partition = partitions_.at(record.from.partition);
  const bool silent = record.offset < partition.live_from;
  partition.read_to = record.offset + 1;
  if (silent) {
    ++counters_.refolded;
  } else {
    partition.next_offset = record.offset + 1;
    partition.produced_at = record.produced_at;
    partition.moved = partition.new_to_say = true;
  }
  auto sequence = wire::DecodeSequence(record.value);
  if (!sequence) {
    if (!silent) Refuse(record, sequence.error());
  } else if (sequence->schema_hash != options_.schema.sequence_hash() ||
             sequence->last.size() != options_.schema.size()) {
    if (!silent)
      Refuse(record, "another feature schema or normalization (--features, --normalization)",
             counters_.refused.schema);
  } else {
    waiting_.push_back({record.from.partition, record.offset, std::move(*sequence)});
  }
  if (waiting_.size() >= kLargestBatch) ForecastBatch(outbox);
  return true;
}

void InferenceTask::Refuse(const bus::InRecord& record, wire::WireError error) {
  RefusedSequences& refused = counters_.refused;
  const std::string reason(ToString(error));
  switch (error) {
    case wire::WireError::kNotOurs:
      return Refuse(record, reason, refused.not_ours);
    case wire::WireError::kUnknownVersion:
      return Refuse(record, reason, refused.version);
    case wire::WireError::kInconsistent:
      return Refuse(record, reason, refused.inconsistent);
  }
}

void InferenceTask::Refuse(const bus::InRecord& record, const std::string& reason, std::uint64_t& count) {
  ++count;
  slice::LogSkipped(log_, record, reason, counters_.refused.sum());
}

bool InferenceTask::ModelKnows(const LiveModel* model, const feature::Sequence& sequence) {
  if (model == nullptr) return false;
  const model_store::Manifest& manifest = model->manifest;
  return manifest.window_length == sequence.window_length &&
         manifest.sequence_length == static_cast<std::int64_t>(sequence.length) &&
         sequence.end >= manifest.trained_until;
}

/// The current one, and that it was taken over here is written down; or the one that was written down.
const LiveModel* InferenceTask::ModelFor(const Waiting& waiting, Partition& partition) {
  std::vector<wire::TakeOver>& known = partition.models;
  if (IsSilent(waiting, partition)) {
    const wire::TakeOver* then = InForceAt(waiting.offset, known);
    return then == nullptr || then->model_version.empty() ? nullptr : models_.Find(then->model_version);
  }
  const LiveModel* model = models_.current();
  static const std::string kNone;
  const std::string& version = model == nullptr ? kNone : model->manifest.version;
  if (known.empty() || known.back().model_version != version) known.push_back({waiting.offset, version});
  return model;
}

std::vector<InferenceTask::Opinions> InferenceTask::AskModels() const {
  std::vector<Opinions> opinions(waiting_.size() * targets_.size());
  std::map<const LiveModel*, std::vector<std::size_t>> asked;
  for (std::size_t i = 0; i < waiting_.size(); ++i) {
    if (ModelKnows(waiting_[i].model, waiting_[i].sequence)) asked[waiting_[i].model].push_back(i);
  }
  for (const auto& [model, rows] : asked) {
    for (const LiveNetwork& network : model->networks) AskNetwork(network, rows, opinions);
  }
  return opinions;
}

void InferenceTask::AskNetwork(const LiveNetwork& network, const std::vector<std::size_t>& asked,
                               std::vector<Opinions>& opinions) const {
  const training::Shape& shape = network.predictor->shape();
  std::vector<float> inputs;
  std::vector<float> context;
  for (const std::size_t i : asked) {
    training::AppendInputs(waiting_[i].sequence, inputs);
    training::AppendContext(waiting_[i].sequence, shape, context);
  }
  const std::vector<float> answers = network.predictor->Predict(inputs, context);
  std::span<const float> rows = answers;
  for (const std::size_t i : asked) {
    const auto row = rows.first(shape.answer_size());
    for (std::size_t target = 0; target < targets_.size(); ++target) {
      if (!shape.Answers(targets_[target].column)) continue;
      opinions[i * targets_.size() + target].push_back(training::OpinionOf(
          network.name, waiting_[i].sequence, targets_[target], options_.horizons, shape, row));
    }
    rows = rows.subspan(shape.answer_size());
  }
}

void InferenceTask::ForecastBatch(slice::Outbox& outbox) {
  if (std::exchange(rules_changed_, false)) SnapshotAlerts(outbox);
  for (Waiting& waiting : waiting_) {
    Partition& partition = partitions_.at(waiting.partition);
    waiting.model = ModelFor(waiting, partition);
    if (!IsSilent(waiting, partition)) alerting_.Note(waiting.offset, partition.rules);
  }
  const auto opinions = AskModels();
  now_ = clock_.Now();
  std::span<const Opinions> rows = opinions;
  for (const Waiting& waiting : waiting_) {
    Forecast(waiting, rows.first(targets_.size()), outbox);
    rows = rows.subspan(targets_.size());
  }
  waiting_.clear();
}

const LinkForecasters::Options& InferenceTask::OptionsFor(base::Duration window_length) {
  LinkForecasters::Options& options = forecaster_options_[window_length];
  if (!options.empty()) return options;
  for (const std::string& target : options_.targets) {
    options.push_back(std::make_shared<forecast::ForecasterOptions>(forecast::ForecasterOptions{
        .target = target, .window_length = window_length, .horizons = options_.horizons}));
  }
  return options;
}

InferenceTask::Link& InferenceTask::LinkOf(const Waiting& waiting, Partition& partition) {
  const feature::Sequence& sequence = waiting.sequence;
  const auto found = partition.links.find(sequence.link);
  if (found != partition.links.end()) return found->second;
  // The first snapshots of links that begin together are spread.
  Link link{.forecasters = LinkForecasters(OptionsFor(sequence.window_length)),
            .alerts = {},
            .since_snapshot = base::Fnv1a64(sequence.link) % options_.snapshot_every};
  return partition.links.emplace(sequence.link, std::move(link)).first->second;
}

bool InferenceTask::GoesAstray(base::EventTime end, Link& link) {
  if (link.last_end == base::kBeginningOfTime || !IsFar(end, link.last_end)) return false;
  const bool is_second =
      link.astray != base::kBeginningOfTime && end > link.astray && !IsFar(end, link.astray);
  if (!is_second) link.astray = end;
  return !is_second;
}

void InferenceTask::BeginAnew(base::Duration window_length, bool silent, Link& link, slice::Outbox& outbox) {
  if (!silent) alerting_.Forget(link.last_end, link.alerts, outbox);
  link.alerts = {};
  link.forecasters = LinkForecasters(OptionsFor(window_length));
  link.last_end = base::kBeginningOfTime;
}

void InferenceTask::Forecast(const Waiting& waiting, std::span<const Opinions> opinions,
                             slice::Outbox& outbox) {
  const feature::Sequence& sequence = waiting.sequence;
  Partition& partition = partitions_.at(waiting.partition);
  const bool silent = IsSilent(waiting, partition);
  Link& link = LinkOf(waiting, partition);
  if (silent && waiting.offset <= link.offset) return;  // it is in the snapshot
  const bool other_windows = link.forecasters.window_length() != sequence.window_length;
  if (!other_windows && GoesAstray(sequence.end, link)) {
    counters_.astray += silent ? 0 : 1;
    return Remember(waiting, partition, link, false, outbox);
  }
  bool told = other_windows || (IsFar(sequence.end, link.last_end) && sequence.end < link.last_end);
  if (told) BeginAnew(sequence.window_length, silent, link, outbox);
  if (sequence.end <= link.last_end) {
    counters_.stale += silent ? 0 : 1;
    return;
  }
  link.last_end = sequence.end;
  link.astray = base::kBeginningOfTime;
  if (!silent) {
    ++counters_.forecast;
    delays_.Add(std::chrono::duration<double>(now_ - sequence.end).count());
    newest_end_ = std::max(newest_end_, sequence.end);
  }
  for (std::size_t target = 0; target < targets_.size(); ++target) {
    const forecast::LinkForecaster& forecaster = link.forecasters[target];
    const std::uint64_t ignored = forecaster.ignored(), clipped = forecaster.clipped();
    const wire::ForecastRecord record = ForecastOf(target, waiting, opinions[target], link);
    if (!silent) {
      counters_.ignored_values += forecaster.ignored() - ignored;
      counters_.clipped_values += forecaster.clipped() - clipped;
      Count(record, target == 0);
      board_.Show(record.forecast, waiting.partition, target == 0, clock_.Steady());
      Publish(record, waiting.partition, outbox);
    }
    told = Alert(record.forecast, waiting, partition, link, outbox) || told;
  }
  Remember(waiting, partition, link, told, outbox);
}

wire::ForecastRecord InferenceTask::ForecastOf(std::size_t target, const Waiting& waiting,
                                               const Opinions& opinions, Link& link) const {
  const feature::Sequence& sequence = waiting.sequence;
  forecast::LinkForecaster& forecaster = link.forecasters[target];
  wire::ForecastRecord record;
  record.settled = forecaster.Observe(sequence.last_start(), sequence.last[targets_[target].column]);
  const training::SeasonOf season(sequence, targets_[target], options_.horizons);
  static const std::string kNoModel;
  const std::string& version = opinions.empty() ? kNoModel : waiting.model->manifest.version;
  record.forecast = forecaster.Predict({opinions, version, season.season()});
  record.forecast.link = sequence.link;
  return record;
}

void InferenceTask::Publish(const wire::ForecastRecord& record, std::int32_t partition,
                            slice::Outbox& outbox) {
  const std::string& link = record.forecast.link;
  if (options_.trace) Trace(record.forecast);
  outbox.push_back({.to = {names_.forecasts, partition}, .key = link, .value = wire::Encode(record)});
  if (!options_.json_mirror) return;
  ++counters_.json_records;
  outbox.push_back(
      {.to = {names_.forecasts_json, partition}, .key = link, .value = wire::EncodeJson(record)});
}

void InferenceTask::Trace(const forecast::Forecast& forecast) const {
  const std::vector<double>& quantiles = forecast.horizons.front().quantiles;
  log_(base::LogLevel::kDebug,
       "forecast " + trace::IdOfEnd(forecast.link, forecast.made_at, forecast.window_length) + ": " +
           forecast.link + " after " + base::FormatTime(forecast.made_at) + ", " +
           base::Short(quantiles[forecast::kMedian]) + " " + forecast.target + " (" +
           base::Short(quantiles.front()) + " to " + base::Short(quantiles.back()) + "), " +
           std::string(ToString(forecast.quality)));
}

void InferenceTask::Count(const wire::ForecastRecord& record, bool first_target) {
  ++counters_.forecasts;
  counters_.with_model += record.forecast.model_version.empty() ? 0 : 1;
  counters_.settled += record.settled.size();
  for (const forecast::Settled& one : record.settled) {
    scores_[record.forecast.target].Add(one);
    if (one.horizon_windows != options_.horizons.front()) continue;
    ++intervals_;
    covered_ += one.low <= one.actual && one.actual <= one.high ? 1 : 0;
    if (!one.had_model || !first_target) continue;
    ++scored_;
    absolute_error_ += std::abs(one.actual - one.median);
    absolute_error_persistence_ += std::abs(one.actual - one.persistence);
  }
}

bool InferenceTask::Alert(const forecast::Forecast& forecast, const Waiting& waiting, Partition& partition,
                          Link& link, slice::Outbox& outbox) {
  static const alert::PercentilesByLink kNoPercentiles;
  const LiveModel* model = waiting.model;
  if (model != nullptr && waiting.sequence.end < model->manifest.trained_until) return false;
  const auto* const known = model == nullptr ? nullptr : model->manifest.percentiles_of(forecast.target);
  const auto& percentiles = known == nullptr ? kNoPercentiles : *known;
  if (!IsSilent(waiting, partition)) return alerting_.Evaluate(forecast, percentiles, link.alerts, outbox);
  alerting_.EvaluateAgain(forecast, percentiles, waiting.offset, partition.rules, link.alerts);
  return false;
}

void InferenceTask::UseRules(Alerting::Rules rules) {
  if (rules == nullptr) return;
  alerting_.Use(std::move(rules));
  rules_changed_ = true;
}

/// What the rules before have led to need not be folded again with those that are in force now.
void InferenceTask::SnapshotAlerts(slice::Outbox& outbox) {
  for (auto& [number, partition] : partitions_) {
    if (partition.next_offset <= partition.live_from) continue;
    for (auto& [name, link] : partition.links) {
      if (link.alerts.active().empty() || link.since_snapshot == 0) continue;
      Snapshot(number, name, link, outbox);
      partition.moved = true;
    }
  }
}

void InferenceTask::Remember(const Waiting& waiting, Partition& partition, Link& link, bool surely,
                             slice::Outbox& outbox) {
  const bool is_first = link.offset < 0 || link.since_snapshot == 0;
  link.offset = waiting.offset;
  link.heard = clock_.Steady();
  if (is_first) {
    const std::int64_t block = waiting.offset / kBlock * kBlock;
    link.first_since = partition.needed.Need(std::max(block, partition.floor));
  }
  const bool is_due = ++link.since_snapshot >= options_.snapshot_every;
  if ((is_due || surely) && !IsSilent(waiting, partition))
    Snapshot(waiting.partition, waiting.sequence.link, link, outbox);
}

void InferenceTask::Snapshot(std::int32_t partition, const std::string& name, Link& link,
                             slice::Outbox& outbox) {
  const wire::InferenceLink kept{.offset = link.offset,
                                 .last_end = link.last_end,
                                 .astray = link.astray,
                                 .window_length = link.forecasters.window_length(),
                                 .forecasters = link.forecasters.Save(),
                                 .alerts = {link.alerts.active().begin(), link.alerts.active().end()}};
  outbox.push_back({.to = {names_.state, partition},
                    .key = state::LinkKey(kInferenceState, name),
                    .value = wire::Encode(kept)});
  ++counters_.state_records;
  link.since_snapshot = 0;
  link.first_since = {};
}

void InferenceTask::ForgetLink(std::int32_t partition, const std::string& name, slice::Outbox& outbox) {
  outbox.push_back(
      {.to = {names_.state, partition}, .key = state::LinkKey(kInferenceState, name), .tombstone = true});
  ++counters_.state_records;
}

void InferenceTask::OnIdle(slice::Outbox& outbox) {
  ForecastBatch(outbox);
  if (clock_.Steady() < tidy_at_) return;
  tidy_at_ = clock_.Steady() + kTidyEvery;
  models_.ForgetOthers();
  board_.ForgetSilent(clock_.Steady());
  active_alerts_ = {};
  for (auto& [number, partition] : partitions_) {
    if (IsWhole(partition)) Tidy(number, partition, outbox);
  }
}

/// Links that stand still hold nobody up, and those that are silent for long are forgotten.
void InferenceTask::Tidy(std::int32_t number, Partition& partition, slice::Outbox& outbox) {
  bool moved = false;
  for (auto link = partition.links.begin(); link != partition.links.end();) {
    if (clock_.Steady() - link->second.heard > options_.link_expiry) {
      alerting_.Forget(link->second.last_end, link->second.alerts, outbox);
      ForgetLink(number, link->first, outbox);
      moved = true;
      link = partition.links.erase(link);
      continue;
    }
    if (TidyLink(partition, link->second, outbox)) {
      Snapshot(number, link->first, link->second, outbox);
      moved = true;
    }
    CountActive(link->second);
    ++link;
  }
  partition.moved = partition.moved || moved;
  partition.new_to_say = partition.new_to_say || moved;
}

bool InferenceTask::TidyLink(const Partition& partition, Link& link, slice::Outbox& outbox) {
  constexpr int kWindows = 3;  // so many may be missed, however long they are
  const base::Duration expiry = std::max(options_.alert_expiry, kWindows * link.forecasters.window_length());
  if (clock_.Steady() - link.heard > expiry && alerting_.FallSilent(link.last_end, link.alerts, outbox))
    return true;
  return link.since_snapshot > 0 && partition.next_offset - link.offset > kMostBehind;
}

void InferenceTask::CountActive(const Link& link) {
  for (const alert::ActiveAlert& active : link.alerts.active()) {
    (active.life.phase == alert::Phase::kFiring ? active_alerts_.firing : active_alerts_.pending) += 1;
  }
}

void InferenceTask::OnCommit(slice::Outbox& outbox) {
  for (auto& [number, partition] : partitions_) {
    if (!std::exchange(partition.moved, false)) continue;
    for (const std::string& name : std::exchange(partition.leftover, {})) {
      if (!partition.links.contains(name)) ForgetLink(number, name, outbox);
    }
    ForgetBefore(PositionOf(partition), partition.models);
    ForgetBefore(PositionOf(partition), partition.rules);
    outbox.push_back({.to = {names_.state, number},
                      .key = state::ProgressKey(kInferenceState),
                      .value = wire::Encode(wire::InferenceProgress{partition.next_offset, partition.models,
                                                                    partition.rules})});
    ++counters_.state_records;
  }
}

std::int64_t InferenceTask::PositionOf(const Partition& partition) {
  return std::min(partition.needed.Oldest().value_or(partition.next_offset), partition.next_offset);
}

std::vector<bus::Position> InferenceTask::Positions() const {
  std::vector<bus::Position> positions;
  for (const auto& [number, partition] : partitions_) {
    // One that is not where it was has nothing new to say; of one without a record there is no state.
    if (partition.next_offset == 0 || !partition.new_to_say) continue;
    positions.push_back({{names_.sequences, number},
                         PositionOf(partition),
                         wire::Encode(wire::CommitNote{partition.next_offset, partition.produced_at})});
  }
  return positions;
}

std::size_t InferenceTask::link_count() const {
  std::size_t count = 0;
  for (const auto& [number, partition] : partitions_) count += partition.links.size();
  return count;
}

}  // namespace flowcast::services
