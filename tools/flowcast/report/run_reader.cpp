// Topic by topic.
#include "tools/flowcast/report/run_reader.h"

#include <algorithm>
#include <functional>
#include <set>
#include <utility>

#include "libs/base/error.h"
#include "libs/base/text.h"
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

/// Where a window has the feature that is shown; the schemas tell, of which there are few.
class Column {
 public:
  explicit Column(const std::string& target) : target_(target) {}

  std::optional<std::size_t> In(const feature::Window& window, const bus::InRecord& record) {
    const auto [known, is_new] = places_.try_emplace({window.schema_hash, window.features.size()});
    if (is_new) known->second = Find(record);
    return known->second;
  }
  /// Throws base::ConfigError when there were windows and none had it.
  void Check() const {
    const auto has_it = [](const auto& place) { return place.second.has_value(); };
    if (places_.empty() || std::any_of(places_.begin(), places_.end(), has_it)) return;
    throw base::ConfigError("the windows have no feature '" + target_ + "'; they have " +
                            base::Join({names_.begin(), names_.end()}));
  }

 private:
  std::optional<std::size_t> Find(const bus::InRecord& record) {
    const auto schema = wire::DecodeWindowSchema(record.value);
    if (!schema) return std::nullopt;
    std::optional<std::size_t> place;
    for (std::size_t i = 0; i < schema->size(); ++i) {
      const std::string& name = schema->columns()[i].name;
      names_.insert(name);
      if (name == target_) place = i;
    }
    return place;
  }

  const std::string& target_;
  std::map<std::pair<std::uint64_t, std::size_t>, std::optional<std::size_t>> places_;
  std::set<std::string> names_;
};

void ReadWindows(bus::Bus& bus, const std::string& topic, const std::string& target, Run& run) {
  Column column(target);
  ReadTopic(bus, topic, [&run, &column](const bus::InRecord& record) {
    const auto window = wire::DecodeWindow(record.value);
    if (!window) return;
    ++run.windows;
    run.packets += window->packets;
    run.window_length = window->length;
    const auto place = column.In(*window, record);
    if (!window->partial && place)
      run.links[window->link].actual.push_back({window->start, window->features[*place]});
  });
  column.Check();
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
  ReadWindows(bus, names.windows, target, run);
  ReadTopic(bus, names.sequences, [&run](const bus::InRecord&) { ++run.sequences; });
  if (const auto model = model_topic::FindCurrent(bus, names, model_name)) run.model = model->manifest;
  ReadTopic(bus, names.forecasts, [&run, &target](const bus::InRecord& record) {
    const auto forecast = wire::DecodeForecast(record.value);
    if (forecast && forecast->forecast.target == target) TakeForecast(*forecast, run);
  });
  ReadTopic(bus, names.alerts, [&run, &target](const bus::InRecord& record) {
    const auto alert = wire::DecodeAlertJson(record.value);
    if (alert && alert->target == target) run.links[alert->link].alerts.push_back(*alert);
  });
  for (auto& [name, link] : run.links) {
    SortByStart(link.actual);
    SortByStart(link.predictions);
  }
  return run;
}

}  // namespace flowcast::report
