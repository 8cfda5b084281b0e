// Tails of partitions, record by record.
#include "tools/flowcast/doctor/topic_tails.h"

#include <algorithm>
#include <utility>

#include "libs/wire/alert_wire.h"
#include "libs/wire/forecast_wire.h"
#include "libs/wire/model_wire.h"
#include "libs/wire/packet_wire.h"
#include "libs/wire/window_wire.h"

namespace flowcast::tools {
namespace {

using namespace std::chrono_literals;

constexpr std::chrono::milliseconds kPoll = 50ms;
constexpr std::size_t kPollRecords = 1'000;

base::EventTime ProducedAt(const bus::InRecord& record) { return base::EventTime(record.produced_at); }

}  // namespace

TopicTails::TopicTails(bus::Bus& bus, const topics::Names& names, const std::string& model,
                       base::Clock& clock, diagnosis::Observation& seen)
    : bus_(bus),
      names_(names),
      model_(model),
      clock_(clock),
      seen_(seen),
      // Batches of packets are large, and models are kept for ever.
      streams_{{names.packets, {5, &seen.packets, &TopicTails::TakePacket}},
               {names.windows, {100, &seen.windows, &TopicTails::TakeWindow}},
               {names.sequences, {100, &seen.sequences, &TopicTails::TakeSequence}},
               {names.forecasts, {200, &seen.forecasts, &TopicTails::TakeForecast}},
               {names.alerts, {20, &seen.alerts, &TopicTails::TakeAlert}},
               {names.models, {1'000, nullptr, &TopicTails::TakeModel}}} {
  for (const auto& [topic, stream] : streams_) {
    if (stream.seen != nullptr) stream.seen->topic = topic;
  }
  seen_.model.name = model;
}

void TopicTails::Assign(const std::set<std::string>& topics) {
  consumer_ = bus_.MakeConsumer({.fetch_wait = kPoll});
  const auto admin = bus_.MakeAdmin();
  std::vector<bus::Position> positions;
  for (const auto& [topic, stream] : streams_) {
    const std::int32_t partitions = topics.contains(topic) ? admin->PartitionCount(topic) : 0;
    for (std::int32_t p = 0; p < partitions; ++p) {
      const std::int64_t end = ends_[{topic, p}] = consumer_->EndOffset({topic, p});
      positions.push_back({{topic, p}, std::max<std::int64_t>(end - stream.tail, 0), ""});
    }
  }
  consumer_->Assign(positions);
}

bool TopicTails::IsAtEnds() const {
  return std::all_of(ends_.begin(), ends_.end(), [this](const auto& end) {
    return end.second == 0 || consumer_->NextOffset(end.first) >= end.second;
  });
}

void TopicTails::ReadEnds(const std::set<std::string>& topics, base::Duration most) {
  Assign(topics);
  const base::Duration deadline = clock_.Steady() + most;
  while (!IsAtEnds() && clock_.Steady() < deadline) {
    for (const bus::InRecord& record : consumer_->Poll(kPoll, kPollRecords)) Take(record, false);
  }
  for (auto& [name, source] : sources_) source.before = source.after;
  FinishModel();
}

void TopicTails::Watch(base::Duration time, const std::set<std::string>& with_broker_time) {
  const base::Duration deadline = clock_.Steady() + time;
  while (clock_.Steady() < deadline) {
    for (const bus::InRecord& record : consumer_->Poll(kPoll, kPollRecords)) {
      Take(record, true);
      NoteClock(record, with_broker_time);
    }
  }
  seen_.watched = time;
  for (const auto& [link, median] : medians_) seen_.highest_median = std::max(seen_.highest_median, median);
  // One that has just begun was nowhere before.
  for (const auto& [name, source] : sources_) seen_.sources.push_back(source);
}

std::int64_t TopicTails::RecordEnd(const bus::TopicPartition& partition) const {
  const auto found = record_ends_.find(partition);
  return found == record_ends_.end() ? 0 : found->second;
}

void TopicTails::Take(const bus::InRecord& record, bool came) {
  record_ends_[record.from] = record.offset + 1;
  const Stream& stream = streams_.at(record.from.topic);
  if (stream.seen != nullptr) {
    stream.seen->has_records = true;
    stream.seen->came += came ? 1 : 0;
    stream.seen->newest = std::max(stream.seen->newest.value_or(base::kBeginningOfTime), ProducedAt(record));
  }
  (this->*stream.take)(record);
}

/// The clocks differ by no more than the record that came quickest says.
void TopicTails::NoteClock(const bus::InRecord& record, const std::set<std::string>& with_broker_time) {
  if (!with_broker_time.contains(record.from.topic)) return;
  const base::Duration ahead = clock_.Now() - ProducedAt(record);
  seen_.clock.ahead = std::min(seen_.clock.ahead.value_or(ahead), ahead);
}

void TopicTails::TakePacket(const bus::InRecord& record) {
  const auto batch = wire::DecodePacketBatch(record.value);
  if (!batch) return;
  diagnosis::SourceSeen& source = sources_[batch->source];
  source.name = batch->source;
  if (batch->watermark < source.after) return;
  source.after = batch->watermark;
  source.ended = batch->final;
  source.produced_at = ProducedAt(record);
}

void TopicTails::TakeWindow(const bus::InRecord& record) {
  const auto window = wire::DecodeWindow(record.value);
  if (!window || (seen_.window && window->end() < seen_.window->end)) return;
  seen_.window = {window->link, window->end(), window->length};
}

void TopicTails::TakeSequence(const bus::InRecord& record) {
  const auto sequence = wire::DecodeSequence(record.value);
  if (!sequence || (seen_.sequence && sequence->end < seen_.sequence->end)) return;
  seen_.sequence = {sequence->link, sequence->end, sequence->window_length, sequence->length,
                    sequence->schema_hash};
}

void TopicTails::TakeForecast(const bus::InRecord& record) {
  const auto read = wire::DecodeForecast(record.value);
  if (!read) return;
  const forecast::Forecast& forecast = read->forecast;
  const double median = forecast.horizons.front().median();
  medians_[forecast.link + "\n" + forecast.target] = median;
  if (seen_.forecast && forecast.made_at < seen_.forecast->made_at) return;
  seen_.forecast = {forecast.link,
                    forecast.made_at,
                    forecast.target,
                    forecast.model_version,
                    std::string(ToString(forecast.quality)),
                    median};
}

void TopicTails::TakeAlert(const bus::InRecord& record) {
  const auto alert = wire::DecodeAlertJson(record.value);
  seen_.newest_alert = alert ? std::string(ToString(alert->state)) + ": " + alert->summary
                             : "a record that is no alert of ours";
}

void TopicTails::TakeModel(const bus::InRecord& record) {
  if (record.tombstone) {
    std::erase_if(versions_,
                  [&](const auto& one) { return record.key == wire::ModelKey(model_, one.first); });
    return;
  }
  if (record.key == wire::CurrentModelKey(model_)) {
    const auto version = wire::DecodeCurrentModel(record.value);
    if (version) seen_.model.current = *version;
    return;
  }
  const auto model = wire::DecodeModel(record.value);
  if (!model || model->manifest.name != model_) return;
  const model_store::Manifest& manifest = model->manifest;
  versions_[manifest.version] = {.name = model_,
                                 .current = manifest.version,
                                 .is_there = true,
                                 .schema_hash = manifest.schema_hash,
                                 .window_length = manifest.window_length,
                                 .sequence_length = manifest.sequence_length,
                                 .targets = manifest.targets(),
                                 .trained_until = manifest.trained_until,
                                 .refused = ""};
}

void TopicTails::FinishModel() {
  const auto found = versions_.find(seen_.model.current);
  if (found != versions_.end()) seen_.model = found->second;
}

}  // namespace flowcast::tools
