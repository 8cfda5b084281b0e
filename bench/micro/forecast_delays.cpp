// How long after the end of a window its forecast, and the alert that came of it, could be read.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <limits>
#include <vector>

#include "libs/app/app.h"
#include "libs/base/clock.h"
#include "libs/base/error.h"
#include "libs/topics/topics.h"
#include "libs/wire/alert_wire.h"
#include "libs/wire/forecast_wire.h"

namespace {

using namespace flowcast;
using namespace std::chrono_literals;

/// Delays of one topic's records, in milliseconds.
struct Delays {
  std::vector<double> ms;
  std::size_t late = 0;  // readable only after the end of the window that they are about

  void Add(base::EventTime made_at, base::EventTime about_until, base::EventTime now) {
    ms.push_back(base::ToSeconds(now - made_at) * 1e3);
    late += now > about_until ? 1 : 0;
  }
  /// By nearest rank; NaN of none.
  double Quantile(double level) {
    if (ms.empty()) return std::numeric_limits<double>::quiet_NaN();
    const auto rank = static_cast<std::size_t>(level * static_cast<double>(ms.size() - 1) + 0.5);
    std::nth_element(ms.begin(), ms.begin() + static_cast<std::ptrdiff_t>(rank), ms.end());
    return ms[rank];
  }
};

std::vector<bus::Position> Ends(const std::string& topic, bus::Bus& bus, bus::Consumer& consumer) {
  std::vector<bus::Position> positions;
  for (std::int32_t number = 0; number < bus.MakeAdmin()->PartitionCount(topic); ++number) {
    const bus::TopicPartition at{topic, number};
    positions.push_back({at, consumer.EndOffset(at)});
  }
  return positions;
}

void Take(const bus::InRecord& record, base::EventTime now, const topics::Names& names, Delays& forecasts,
          Delays& alerts) {
  if (record.from.topic == names.forecasts) {
    const auto read = wire::DecodeForecast(record.value);
    if (!read) throw base::RuntimeError("a record of " + names.forecasts + " is no forecast");
    const forecast::HorizonForecast& nearest = read->forecast.horizons.front();
    forecasts.Add(read->forecast.made_at, nearest.target_start + read->forecast.window_length, now);
  } else if (const auto alert = wire::DecodeAlertJson(record.value)) {
    const bool firing = alert->state == alert::State::kFiring;
    alerts.Add(firing ? alert->started_at : alert->resolved_at, alert->target_start + alert->window_length,
               now);
  }
}

/// {"forecasts": N, "p50_ms": ..., ...} in a line of its own.
void Print(Delays& forecasts, Delays& alerts) {
  std::printf("{\"forecasts\": %zu, \"late\": %zu", forecasts.ms.size(), forecasts.late);
  if (!forecasts.ms.empty())
    std::printf(", \"p50_ms\": %.1f, \"p99_ms\": %.1f, \"max_ms\": %.1f", forecasts.Quantile(0.5),
                forecasts.Quantile(0.99), forecasts.Quantile(1));
  std::printf(", \"alerts\": %zu", alerts.ms.size());
  if (!alerts.ms.empty())
    std::printf(", \"alerts_p50_ms\": %.1f, \"alerts_p99_ms\": %.1f", alerts.Quantile(0.5),
                alerts.Quantile(0.99));
  std::printf("}\n");
  std::fflush(stdout);
}

/// Prints a line every `every` seconds, for `seconds`: of what came since the line before.
void Measure(const std::string& brokers, const std::string& prefix, double seconds, double every) {
  base::SystemClock clock;
  app::CommonOptions common;
  common.brokers = brokers;
  common.prefix = prefix;
  const topics::Names names = common.names();
  const auto bus = app::ConnectBus(common, "forecast-delays", [](base::LogLevel, const std::string&) {});
  const auto consumer = bus->MakeConsumer({});
  auto positions = Ends(names.forecasts, *bus, *consumer);
  for (const bus::Position& position : Ends(names.alerts, *bus, *consumer)) positions.push_back(position);
  consumer->Assign(positions);
  const auto of = [](double length) { return std::chrono::milliseconds(std::llround(length * 1e3)); };
  const base::Duration until = clock.Steady() + of(seconds);
  while (clock.Steady() < until) {
    Delays forecasts, alerts;
    const base::Duration told_at = std::min<base::Duration>(until, clock.Steady() + of(every));
    while (clock.Steady() < told_at) {
      const auto records = consumer->Poll(50ms, 10'000);
      const base::EventTime now = clock.Now();
      for (const bus::InRecord& record : records) Take(record, now, names, forecasts, alerts);
    }
    Print(forecasts, alerts);
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4 && argc != 5) {
    std::fprintf(stderr, "usage: forecast_delays BROKERS PREFIX SECONDS [EVERY_SECONDS]\n");
    return 2;
  }
  try {
    const double seconds = std::strtod(argv[3], nullptr);
    Measure(argv[1], argv[2], seconds, argc == 5 ? std::strtod(argv[4], nullptr) : seconds);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "error: %s\n", error.what());
    return 1;
  }
  return 0;
}
