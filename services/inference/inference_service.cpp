// Batches through the network, then link by link.
#include "services/inference/inference_service.h"

#include <bit>
#include <cmath>
#include <utility>

#include "libs/training/model_opinion.h"
#include "libs/wire/alert_wire.h"
#include "libs/wire/forecast_wire.h"
#include "libs/wire/window_wire.h"

namespace flowcast::services {
namespace {
constexpr std::size_t kLargestBatch = 1024;
}

InferenceTask::InferenceTask(const InferenceOptions& options, const topics::Names& names,
                             const ModelWatcher& models, base::Log log)
    : options_(options),
      target_(options.schema, options.target),
      names_(names),
      models_(models),
      log_(std::move(log)) {
  forecast::CheckHorizons(options_.horizons);
}

void InferenceTask::OnAssigned(const std::vector<bus::Position>& partitions) {
  waiting_.clear();
  for (const bus::Position& position : partitions) {
    partitions_[position.at.partition].clear();
    next_offsets_[position.at.partition] = position.offset;
  }
}

void InferenceTask::OnRevoked(const std::vector<bus::TopicPartition>& partitions) {
  waiting_.clear();
  for (const bus::TopicPartition& at : partitions) {
    partitions_.erase(at.partition);
    next_offsets_.erase(at.partition);
  }
}

bool InferenceTask::OnRecord(const bus::InRecord& record, slice::Outbox& outbox) {
  ++counters_.sequences;
  next_offsets_[record.from.partition] = record.offset + 1;
  auto sequence = wire::DecodeSequence(record.value);
  if (!sequence) {
    Refuse(record, std::string(ToString(sequence.error())));
  } else if (sequence->schema_hash != options_.schema.sequence_hash() ||
             sequence->last.size() != options_.schema.size()) {
    Refuse(record, "another feature schema or normalization (--features, --normalization)");
  } else {
    waiting_.push_back({record.from.partition, std::move(*sequence)});
  }
  if (waiting_.size() >= kLargestBatch) ForecastBatch(outbox);
  return true;
}

void InferenceTask::Refuse(const bus::InRecord& record, const std::string& reason) {
  if (!std::has_single_bit(++counters_.refused)) return;  // logged at 1, 2, 4, 8, ... of them
  log_(base::LogLevel::kWarning, "skipped a record of " + record.from.topic + " (partition " +
                                     std::to_string(record.from.partition) + ", offset " +
                                     std::to_string(record.offset) + "): " + reason + "; " +
                                     std::to_string(counters_.refused) + " so far");
}

bool InferenceTask::ModelKnows(const feature::Sequence& sequence) const {
  const LiveModel* model = models_.current();
  if (model == nullptr) return false;
  const model_store::Manifest& manifest = model->manifest;
  return manifest.window_length == sequence.window_length &&
         manifest.sequence_length == static_cast<std::int64_t>(sequence.length) &&
         sequence.end >= manifest.trained_until;
}

std::vector<InferenceTask::Opinions> InferenceTask::AskModels() const {
  std::vector<Opinions> opinions(waiting_.size());
  std::vector<std::size_t> asked;
  for (std::size_t i = 0; i < waiting_.size(); ++i) {
    if (ModelKnows(waiting_[i].sequence)) asked.push_back(i);
  }
  if (asked.empty()) return opinions;
  for (const LiveNetwork& network : models_.current()->networks) AskNetwork(network, asked, opinions);
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
    opinions[i].push_back(training::OpinionOf(network.name, waiting_[i].sequence, target_, options_.horizons,
                                              shape, rows.first(shape.answer_size())));
    rows = rows.subspan(shape.answer_size());
  }
}

void InferenceTask::ForecastBatch(slice::Outbox& outbox) {
  const auto opinions = AskModels();
  for (std::size_t i = 0; i < waiting_.size(); ++i) Forecast(waiting_[i], opinions[i], outbox);
  waiting_.clear();
}

InferenceTask::Link& InferenceTask::LinkOf(const Waiting& waiting) {
  Partition& partition = partitions_[waiting.partition];
  const std::string& name = waiting.sequence.link;
  const auto found = partition.find(name);
  if (found != partition.end() && found->second.window_length == waiting.sequence.window_length) {
    return found->second;
  }
  ForecasterOptions& options = forecaster_options_[waiting.sequence.window_length];
  if (!options) {
    options = std::make_shared<forecast::ForecasterOptions>(
        forecast::ForecasterOptions{.target = options_.target,
                                    .window_length = waiting.sequence.window_length,
                                    .horizons = options_.horizons});
  }
  Link link{forecast::LinkForecaster(options), alert::LoadAlert(options_.rule),
            waiting.sequence.window_length};
  return partition.insert_or_assign(name, std::move(link)).first->second;
}

void InferenceTask::Forecast(const Waiting& waiting, const Opinions& opinions, slice::Outbox& outbox) {
  const feature::Sequence& sequence = waiting.sequence;
  Link& link = LinkOf(waiting);
  if (sequence.end <= link.last_end) {
    ++counters_.stale;
    return;
  }
  link.last_end = sequence.end;
  wire::ForecastRecord record;
  record.settled = link.forecaster.Observe(sequence.last_start(), sequence.last[target_.column]);
  Count(record.settled);
  const training::SeasonOf season(sequence, target_, options_.horizons);
  const std::string version = opinions.empty() ? "" : models_.current()->manifest.version;
  record.forecast = link.forecaster.Predict({opinions, version, season.season()});
  record.forecast.link = sequence.link;
  ++counters_.forecasts;
  counters_.with_model += record.forecast.model_version.empty() ? 0 : 1;
  outbox.push_back(
      {.to = {names_.forecasts, waiting.partition}, .key = sequence.link, .value = wire::Encode(record)});
  const LiveModel* model = models_.current();
  if (model == nullptr || sequence.end >= model->manifest.trained_until) Alert(record.forecast, link, outbox);
}

void InferenceTask::Count(const std::vector<forecast::Settled>& settled) {
  counters_.settled += settled.size();
  for (const forecast::Settled& one : settled) {
    if (one.horizon_windows != options_.horizons.front()) continue;
    ++intervals_;
    covered_ += one.low <= one.actual && one.actual <= one.high ? 1 : 0;
    if (!one.had_model) continue;
    ++scored_;
    absolute_error_ += std::abs(one.actual - one.median);
    absolute_error_persistence_ += std::abs(one.actual - one.persistence);
  }
}

void InferenceTask::Alert(const forecast::Forecast& forecast, Link& link, slice::Outbox& outbox) {
  static const alert::PercentilesByLink kNoPercentiles;
  const LiveModel* model = models_.current();
  const auto& percentiles = model == nullptr ? kNoPercentiles : model->manifest.percentiles;
  const auto threshold = alert::Resolve(options_.threshold, forecast.link, forecast.window_length,
                                        options_.capacities, percentiles);
  if (!threshold) return;
  const auto change = link.load_alert.Evaluate(forecast, *threshold);
  if (!change) return;
  const bool firing = change->state == alert::State::kFiring;
  ++(firing ? counters_.fired : counters_.resolved);
  log_(base::LogLevel::kInfo, std::string(firing ? "alert fired: " : "alert resolved: ") + change->summary);
  outbox.push_back({.to = {names_.alerts, 0},
                    .key = change->fingerprint,
                    .value = wire::EncodeJson(*change),
                    .headers = wire::CloudEventHeaders(*change)});
}

std::vector<bus::Position> InferenceTask::Positions() const {
  std::vector<bus::Position> positions;
  for (const auto& [partition, offset] : next_offsets_)
    positions.push_back({{names_.sequences, partition}, offset, ""});
  return positions;
}

}  // namespace flowcast::services
