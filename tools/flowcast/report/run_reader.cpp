// Topic by topic.
#include "tools/flowcast/report/run_reader.h"

#include <algorithm>
#include <functional>

#include "libs/bus/read_to_end.h"
#include "libs/feature/schema.h"
#include "libs/model_topic/model_topic.h"
#include "libs/wire/alert_wire.h"
#include "libs/wire/window_wire.h"

namespace flowcast::report {
namespace {

void ReadTopic(bus::Bus& bus, const std::string& topic,
               const std::function<void(const bus::InRecord&)>& take) {
  const auto consumer = bus.MakeConsumer({});
  bus::ReadToEnd(*consumer, bus::FromStart(topic, bus.MakeAdmin()->PartitionCount(topic)), take);
}

void ReadWindows(bus::Bus& bus, const std::string& topic, feature::Index target, Run& run) {
  ReadTopic(bus, topic, [&run, target](const bus::InRecord& record) {
    const auto window = wire::DecodeWindow(record.value);
    if (!window) return;
    ++run.windows;
    run.packets += window->packets;
    run.window_length = window->length;
    if (!window->partial) run.links[window->link].actual.push_back({window->start, window->features[target]});
  });
}

void TakeForecast(const wire::ForecastRecord& record, Run& run) {
  LinkRun& link = run.links[record.forecast.link];
  const auto& horizon = record.forecast.horizons.front();
  run.horizon_windows = horizon.horizon_windows;
  link.opinions = horizon.experts;
  for (const forecast::Settled& settled : record.settled) {
    if (!settled.had_model || settled.horizon_windows != run.horizon_windows) continue;
    link.predictions.push_back({settled.target_start, settled.actual, settled.median, settled.low,
                                settled.high, settled.persistence});
  }
}

template <typename Entry>
void SortByStart(std::vector<Entry>& entries) {
  std::stable_sort(entries.begin(), entries.end(),
                   [](const Entry& a, const Entry& b) { return a.start < b.start; });
}

}  // namespace

model_store::ForecasterRecord ShownForecaster(const model_store::Manifest& model) {
  if (const auto* lstm = model.forecaster("lstm")) return *lstm;
  return model.forecasters.empty() ? model_store::ForecasterRecord{} : model.forecasters.front();
}

Run ReadRun(bus::Bus& bus, const topics::Names& names, const std::string& model_name,
            const std::string& target) {
  Run run;
  ReadWindows(bus, names.windows, feature::FindFeature(target).value_or(feature::kPackets), run);
  ReadTopic(bus, names.sequences, [&run](const bus::InRecord&) { ++run.sequences; });
  if (const auto model = model_topic::FindCurrent(bus, names, model_name)) run.model = model->manifest;
  ReadTopic(bus, names.forecasts, [&run, &target](const bus::InRecord& record) {
    const auto forecast = wire::DecodeForecast(record.value);
    if (forecast && forecast->forecast.target == target) TakeForecast(*forecast, run);
  });
  ReadTopic(bus, names.alerts, [&run](const bus::InRecord& record) {
    if (const auto alert = wire::DecodeAlertJson(record.value))
      run.links[alert->link].alerts.push_back(*alert);
  });
  for (auto& [name, link] : run.links) {
    SortByStart(link.actual);
    SortByStart(link.predictions);
  }
  return run;
}

}  // namespace flowcast::report
