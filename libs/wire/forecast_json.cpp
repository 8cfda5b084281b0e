// Field by field, in the order of docs/formats.md.
#include "libs/wire/forecast_json.h"

#include <nlohmann/json.hpp>

#include "libs/trace/trace.h"

namespace flowcast::wire {
namespace {

using Json = nlohmann::ordered_json;

Json RecordJson(const forecast::LiveRecord& record) {
  const auto skill = record.skill();
  return {{"settled", record.settled},
          {"mae", record.mae},
          {"mae_persistence", record.mae_persistence},
          {"skill", skill ? Json(*skill) : Json()},
          {"coverage_90", record.coverage_90}};
}

Json HorizonJson(const forecast::HorizonForecast& horizon) {
  Json experts = Json::array();
  for (const forecast::ExpertOpinion& opinion : horizon.experts)
    experts.push_back({{"name", opinion.name}, {"value", opinion.value}, {"weight", opinion.weight}});
  return {{"windows", horizon.horizon_windows},
          {"target_start", base::FormatTime(horizon.target_start)},
          {"target_start_ns", base::ToUnixNanoseconds(horizon.target_start)},
          {"levels", forecast::kQuantileLevels},
          {"quantiles", horizon.quantiles},
          {"experts", std::move(experts)},
          {"record", RecordJson(horizon.record)}};
}

Json SettledJson(const forecast::Settled& settled) {
  return {{"windows", settled.horizon_windows},
          {"target_start", base::FormatTime(settled.target_start)},
          {"target_start_ns", base::ToUnixNanoseconds(settled.target_start)},
          {"actual", settled.actual},
          {"median", settled.median},
          {"low", settled.low},
          {"high", settled.high},
          {"persistence", settled.persistence},
          {"had_model", settled.had_model}};
}

}  // namespace

std::string EncodeJson(const ForecastRecord& record) {
  const forecast::Forecast& forecast = record.forecast;
  Json json{{"version", 1},
            {"link", forecast.link},
            {"made_at", base::FormatTime(forecast.made_at)},
            {"made_at_ns", base::ToUnixNanoseconds(forecast.made_at)},
            {"window_ns", forecast.window_length.count()},
            {"target", forecast.target},
            {"last_actual", forecast.last_actual},
            {"horizons", Json::array()},
            {"record", RecordJson(forecast.record)},
            {"quality", ToString(forecast.quality)},
            {"model_version", forecast.model_version},
            {"trace_id", trace::IdOfEnd(forecast.link, forecast.made_at, forecast.window_length)},
            {"settled", Json::array()}};
  for (const auto& horizon : forecast.horizons) json["horizons"].push_back(HorizonJson(horizon));
  for (const auto& settled : record.settled) json["settled"].push_back(SettledJson(settled));
  // A link is named after what a capture file says; what is no UTF-8 in it is replaced.
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace flowcast::wire
