// Forecast to and from protobuf.
#include "libs/wire/forecast_wire.h"

#include <array>
#include <iterator>

#include "flowcast/v1/forecasts.pb.h"
#include "libs/wire/message.h"

namespace flowcast::wire {
namespace {

using forecast::Quality;

void EncodeRecord(const forecast::LiveRecord& record, v1::LiveRecord& message) {
  message.set_settled(record.settled);
  message.set_mae(record.mae);
  message.set_mae_persistence(record.mae_persistence);
  message.set_coverage_90(record.coverage_90);
}

forecast::LiveRecord DecodeRecord(const v1::LiveRecord& message) {
  return {message.settled(), message.mae(), message.mae_persistence(), message.coverage_90()};
}

void EncodeHorizon(const forecast::HorizonForecast& horizon, v1::Horizon& message) {
  message.set_windows(static_cast<std::uint32_t>(horizon.horizon_windows));
  message.set_target_start_ns(base::ToUnixNanoseconds(horizon.target_start));
  message.mutable_levels()->Add(std::begin(forecast::kQuantileLevels), std::end(forecast::kQuantileLevels));
  message.mutable_quantiles()->Add(horizon.quantiles.begin(), horizon.quantiles.end());
  for (const forecast::ExpertOpinion& opinion : horizon.experts) {
    v1::Opinion& out = *message.add_experts();
    out.set_name(opinion.name);
    out.set_value(opinion.value);
    out.set_weight(opinion.weight);
  }
  EncodeRecord(horizon.record, *message.mutable_record());
}

forecast::HorizonForecast DecodeHorizon(const v1::Horizon& message) {
  forecast::HorizonForecast horizon;
  horizon.horizon_windows = static_cast<int>(message.windows());
  horizon.target_start = base::FromUnixNanoseconds(message.target_start_ns());
  horizon.quantiles.assign(message.quantiles().begin(), message.quantiles().end());
  for (const v1::Opinion& opinion : message.experts()) {
    horizon.experts.push_back({opinion.name(), opinion.value(), opinion.weight()});
  }
  horizon.record = DecodeRecord(message.record());
  return horizon;
}

void EncodeSettled(const forecast::Settled& settled, v1::SettledForecast& message) {
  message.set_windows(static_cast<std::uint32_t>(settled.horizon_windows));
  message.set_target_start_ns(base::ToUnixNanoseconds(settled.target_start));
  message.set_actual(settled.actual);
  message.set_median(settled.median);
  message.set_low(settled.low);
  message.set_high(settled.high);
  message.set_persistence(settled.persistence);
  message.set_had_model(settled.had_model);
}

forecast::Settled DecodeSettled(const v1::SettledForecast& message) {
  return {.target_start = base::FromUnixNanoseconds(message.target_start_ns()),
          .actual = message.actual(),
          .median = message.median(),
          .low = message.low(),
          .high = message.high(),
          .persistence = message.persistence(),
          .had_model = message.had_model(),
          .horizon_windows = static_cast<int>(message.windows())};
}

Quality DecodeQuality(const std::string& text) {
  for (const Quality quality : {Quality::kNaive, Quality::kGood, Quality::kDegraded}) {
    if (text == ToString(quality)) return quality;
  }
  return Quality::kWarmingUp;
}

bool IsConsistent(const v1::Forecast& message) {
  for (const v1::Horizon& horizon : message.horizons()) {
    if (horizon.quantiles_size() != static_cast<int>(forecast::kQuantileCount)) return false;
    if (!IsSaneTime(horizon.target_start_ns())) return false;
  }
  return message.horizons_size() > 0 && IsSaneTime(message.made_at_ns()) && message.window_ns() > 0;
}

}  // namespace

std::string Encode(const ForecastRecord& record) {
  const forecast::Forecast& forecast = record.forecast;
  auto& message = EmptyMessage<v1::Forecast>();
  message.set_version(1);
  message.set_link(forecast.link);
  message.set_made_at_ns(base::ToUnixNanoseconds(forecast.made_at));
  message.set_window_ns(forecast.window_length.count());
  message.set_target(forecast.target);
  message.set_last_actual(forecast.last_actual);
  for (const auto& horizon : forecast.horizons) EncodeHorizon(horizon, *message.add_horizons());
  EncodeRecord(forecast.record, *message.mutable_record());
  message.set_quality(std::string(ToString(forecast.quality)));
  message.set_model_version(forecast.model_version);
  for (const forecast::Settled& settled : record.settled) EncodeSettled(settled, *message.add_settled());
  return message.SerializeAsString();
}

tl::expected<ForecastRecord, WireError> DecodeForecast(std::string_view bytes) {
  const auto message = Parse<v1::Forecast>(bytes);
  if (!message) return tl::unexpected(message.error());
  if (!IsConsistent(*message)) return tl::unexpected(WireError::kInconsistent);
  ForecastRecord record;
  forecast::Forecast& forecast = record.forecast;
  forecast.link = message->link();
  forecast.made_at = base::FromUnixNanoseconds(message->made_at_ns());
  forecast.window_length = base::Duration(message->window_ns());
  forecast.target = message->target();
  forecast.last_actual = message->last_actual();
  for (const v1::Horizon& horizon : message->horizons()) forecast.horizons.push_back(DecodeHorizon(horizon));
  forecast.record = DecodeRecord(message->record());
  forecast.quality = DecodeQuality(message->quality());
  forecast.model_version = message->model_version();
  for (const v1::SettledForecast& settled : message->settled())
    record.settled.push_back(DecodeSettled(settled));
  return record;
}

}  // namespace flowcast::wire
