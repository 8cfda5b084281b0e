// flowcast trace: follows one window through the topics.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>
#include <optional>
#include <regex>

#include "libs/base/error.h"
#include "libs/base/hash.h"
#include "libs/base/text.h"
#include "libs/bus/read_to_end.h"
#include "libs/trace/trace.h"
#include "libs/wire/alert_wire.h"
#include "libs/wire/forecast_wire.h"
#include "libs/wire/packet_wire.h"
#include "libs/wire/window_wire.h"
#include "tools/flowcast/inspect_commands.h"

namespace flowcast::tools {
namespace {

constexpr std::chrono::milliseconds kFetchWait{50};

/// The window that an id turned out to be of.
struct Found {
  std::string link;
  base::EventTime start;
  base::Duration length;
};

class Tracer {
 public:
  Tracer(bus::Bus& bus, const topics::Names& names, std::string id)
      : bus_(bus), names_(names), id_(std::move(id)) {}

  /// False when there is nothing of it.
  bool Trace() {
    Read(names_.windows, [this](const auto& record) { TakeWindow(record); });
    Read(names_.sequences, [this](const auto& record) { TakeSequence(record); });
    Read(names_.forecasts, [this](const auto& record) { TakeForecast(record); });
    Read(names_.alerts, [this](const auto& record) { TakeAlert(record); });
    if (!found_) return false;
    std::printf("%s of %s, %s to %s\n", id_.c_str(), found_->link.c_str(),
                base::FormatTime(found_->start).c_str(),
                base::FormatTime(found_->start + found_->length).c_str());
    ReadBatches();
    for (const std::string& line : lines_) std::printf("%s\n", line.c_str());
    return true;
  }

 private:
  void Read(const std::string& topic, const std::function<void(const bus::InRecord&)>& take) {
    const std::int32_t partitions = bus_.MakeAdmin()->PartitionCount(topic);
    if (partitions == 0) return;
    ReadFrom(bus::FromStart(topic, partitions), take);
  }

  void ReadFrom(const std::vector<bus::Position>& positions,
                const std::function<void(const bus::InRecord&)>& take) {
    const auto consumer = bus_.MakeConsumer({.fetch_wait = kFetchWait});
    bus::ReadToEnd(*consumer, positions, take, app::StopRequested);
  }

  /// Only the link's partition can have them.
  void ReadBatches() {
    const std::int32_t partitions = bus_.MakeAdmin()->PartitionCount(names_.packets);
    if (partitions == 0) return;
    ReadFrom({{{names_.packets, base::PartitionOf(found_->link, partitions)}, bus::kNoOffset, ""}},
             [this](const auto& record) { PrintBatch(record); });
  }

  void PrintBatch(const bus::InRecord& record) const {
    const auto batch = wire::DecodePacketBatch(record.value);
    if (!batch) return;
    std::uint64_t packets = 0;
    for (std::size_t i = 0; i < batch->size(); ++i) {
      const base::EventTime time = batch->times[i];
      const bool within = time >= found_->start && time < found_->start + found_->length;
      packets += within && batch->links[batch->flows[batch->flow_indexes[i]].link] == found_->link ? 1 : 0;
    }
    if (packets == 0) return;
    const std::string name =
        trace::BatchName(batch->source, batch->epoch, record.from.partition, batch->sequence);
    std::printf(
        "%s\n",
        Line("batch", record, name + ", " + base::Grouped(packets) + " packets of the window").c_str());
  }

  static std::string Line(const char* what, const bus::InRecord& record, const std::string& text) {
    const auto at = base::FormatTime(base::EventTime(record.produced_at));
    return std::string(what) + std::string(10 - std::string_view(what).size(), ' ') + record.from.topic +
           "[" + std::to_string(record.from.partition) + "]@" + std::to_string(record.offset) + "  " + at +
           "  " + text;
  }

  /// True where it is of the window that is looked for.
  bool Matches(const std::string& link, base::EventTime start, base::Duration length) {
    if (found_) return found_->link == link && found_->start == start && found_->length == length;
    if (trace::IdOf(link, start, length) != id_) return false;
    found_ = {link, start, length};
    return true;
  }

  void TakeWindow(const bus::InRecord& record) {
    const auto window = wire::DecodeWindow(record.value);
    if (!window || !Matches(window->link, window->start, window->length)) return;
    lines_.push_back(Line("window", record,
                          base::Grouped(window->packets) + " packets, " + base::Grouped(window->bytes) +
                              " bytes" + (window->partial ? ", partial" : "")));
  }

  void TakeSequence(const bus::InRecord& record) {
    const auto sequence = wire::DecodeSequence(record.value);
    if (!sequence || !Matches(sequence->link, sequence->last_start(), sequence->window_length)) return;
    lines_.push_back(
        Line("sequence", record, "its last of " + std::to_string(sequence->length) + " windows"));
  }

  void TakeForecast(const bus::InRecord& record) {
    const auto read = wire::DecodeForecast(record.value);
    if (!read) return;
    const forecast::Forecast& forecast = read->forecast;
    if (!Matches(forecast.link, forecast.made_at - forecast.window_length, forecast.window_length)) return;
    const std::vector<double>& quantiles = forecast.horizons.front().quantiles;
    lines_.push_back(Line("forecast", record,
                          base::Short(quantiles[forecast::kMedian]) + " " + forecast.target + " (" +
                              base::Short(quantiles.front()) + " to " + base::Short(quantiles.back()) +
                              "), " + std::string(ToString(forecast.quality))));
  }

  void TakeAlert(const bus::InRecord& record) {
    const auto alert = wire::DecodeAlertJson(record.value);
    if (!alert || !Matches(alert->link, alert->made_at - alert->window_length, alert->window_length)) return;
    lines_.push_back(Line("alert", record, std::string(ToString(alert->state)) + ": " + alert->summary));
  }

  bus::Bus& bus_;
  const topics::Names names_;
  std::string id_;
  std::optional<Found> found_;
  std::vector<std::string> lines_;
};

/// An id, or a traceparent that holds one.
std::string IdIn(const std::string& text) {
  static const std::regex kForm("(?:00-)?([0-9a-f]{32})(?:-[0-9a-f]{16}-[0-9a-f]{2})?");
  std::smatch match;
  if (std::regex_match(text, match, kForm)) return match[1];
  throw base::ConfigError("'" + text +
                          "' is no trace id; it has 32 hexadecimal digits, as trace_id of an alert or behind "
                          "'trace' in a log");
}

int Trace(const app::CommonOptions& common, const std::string& text) {
  const std::string id = IdIn(text);
  const base::Log log = app::MakeLog("trace", common);
  base::SystemClock clock;
  const auto bus = app::ConnectBus(common, "flowcast-trace", log);
  const topics::Names names = common.names();
  if (!app::WaitForTopics(*bus, {names.windows}, common, clock, log)) return app::kOk;
  if (Tracer(*bus, names, id).Trace()) return app::kOk;
  std::fprintf(stderr, "nothing on the topics %s* has the trace id %s; it may be past their retention\n",
               common.prefix.c_str(), id.c_str());
  return app::kFailed;
}

}  // namespace

void AddTraceCommand(CLI::App& app, Command& chosen) {
  const auto id = std::make_shared<std::string>();
  CLI::App* trace = app.add_subcommand(
      "trace",
      "follow one window through the topics: its batches, the window, sequence, forecasts and alerts");
  trace->add_option("ID", *id, "trace_id of an alert, window or forecast, or a traceparent")->required();
  trace->callback([&chosen, id] { chosen = [id](const auto& common) { return Trace(common, *id); }; });
}

}  // namespace flowcast::tools
