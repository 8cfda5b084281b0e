// Batches through the network, then link by link.
#include "services/inference/inference_service.h"

#include <bit>
#include <cmath>
#include <utility>

#include "libs/training/sequence_view.h"
#include "libs/wire/alert_wire.h"
#include "libs/wire/forecast_wire.h"
#include "libs/wire/window_wire.h"

namespace flowcast::services {
namespace {
constexpr std::size_t kLargestBatch = 1024;
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

std::vector<std::optional<double>> InferenceTask::AskModel() const {
  std::vector<std::optional<double>> values(waiting_.size());
  std::vector<std::size_t> asked;
  std::vector<float> inputs;
  std::vector<float> context;
  for (std::size_t i = 0; i < waiting_.size(); ++i) {
    if (!ModelKnows(waiting_[i].sequence)) continue;
    asked.push_back(i);
    training::AppendInputs(waiting_[i].sequence, inputs);
    training::AppendContext(waiting_[i].sequence, models_.current()->predictor->shape(), context);
  }
  if (asked.empty()) return values;
  const training::Shape& shape = models_.current()->predictor->shape();
  const auto answers = models_.current()->predictor->Predict(inputs, context);
  const std::size_t at =
      shape.AnswerOf(options_.target, options_.horizon_windows).value();  // the watcher saw it
  for (std::size_t i = 0; i < asked.size(); ++i) {
    values[asked[i]] =
        training::ToRaw(waiting_[asked[i]].sequence, options_.target, answers[i * shape.answer_size() + at]);
  }
  return values;
}

void InferenceTask::ForecastBatch(slice::Outbox& outbox) {
  const auto values = AskModel();
  for (std::size_t i = 0; i < waiting_.size(); ++i) Forecast(waiting_[i], values[i], outbox);
  waiting_.clear();
}

InferenceTask::Link& InferenceTask::LinkOf(const Waiting& waiting) {
  Partition& partition = partitions_[waiting.partition];
  const std::string& name = waiting.sequence.link;
  const auto found = partition.find(name);
  if (found != partition.end() && found->second.window_length == waiting.sequence.window_length) {
    return found->second;
  }
  const forecast::ForecasterOptions options{.target = std::string(feature::Catalogue()[options_.target].name),
                                            .window_length = waiting.sequence.window_length,
                                            .horizons = {options_.horizon_windows}};
  Link link{forecast::LinkForecaster(name, options), alert::LoadAlert(options_.rule),
            waiting.sequence.window_length};
  return partition.insert_or_assign(name, std::move(link)).first->second;
}

void InferenceTask::Forecast(const Waiting& waiting, std::optional<double> model_value,
                             slice::Outbox& outbox) {
  const feature::Sequence& sequence = waiting.sequence;
  Link& link = LinkOf(waiting);
  if (sequence.end <= link.last_end) {
    ++counters_.stale;
    return;
  }
  link.last_end = sequence.end;
  wire::ForecastRecord record;
  const auto settled = link.forecaster.Observe(sequence.last_start(), sequence.last[options_.target]);
  if (!settled.empty()) record.settled = settled.front();
  Count(record.settled);
  const std::string version = model_value ? models_.current()->manifest.version : "";
  std::vector<forecast::ModelOpinion> opinions;
  if (model_value) opinions.push_back({"lstm", {*model_value}, {}});
  record.forecast = link.forecaster.Predict({opinions, version, {}});
  ++counters_.forecasts;
  counters_.with_model += model_value ? 1 : 0;
  outbox.push_back(
      {.to = {names_.forecasts, waiting.partition}, .key = sequence.link, .value = wire::Encode(record)});
  const LiveModel* model = models_.current();
  if (model == nullptr || sequence.end >= model->manifest.trained_until) Alert(record.forecast, link, outbox);
}

void InferenceTask::Count(const std::optional<forecast::Settled>& settled) {
  if (!settled) return;
  ++counters_.settled;
  if (!settled->had_model) return;
  ++scored_;
  absolute_error_ += std::abs(settled->actual - settled->median);
  absolute_error_persistence_ += std::abs(settled->actual - settled->persistence);
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
