// Reads any text as alert rules: what is taken makes sense, has a line for people, and judges forecasts.
#include <cstdlib>

#include "libs/alert/link_alerts.h"
#include "libs/base/error.h"
#include "libs/rules_file/rules_file.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace flowcast;
  alert::Rulebook book;
  try {
    book = rules_file::Parse({reinterpret_cast<const char*>(data), size}, "fuzz");
  } catch (const base::ConfigError&) {
    return 0;
  }
  const alert::RuleSet rules(book.rules, book.capacities);
  alert::LinkAlerts alerts;
  std::vector<alert::Alert> changes;
  for (int window = 0; window < 4; ++window) {
    for (const alert::Rule& rule : rules.rules()) {
      if (rule.Text().empty() || rules.Find(rule.hash()) == nullptr) std::abort();
      forecast::Forecast forecast{.link = "lab/eth0",
                                  .made_at = base::FromUnixNanoseconds(window * 1'000'000'000LL),
                                  .window_length = std::chrono::seconds(1),
                                  .target = rule.target,
                                  .last_actual = window * 1e5};
      forecast.horizons.push_back({.quantiles = std::vector<double>(forecast::kQuantileCount, 1e6 * window)});
      alerts.Evaluate(forecast, rules, {}, changes);
    }
  }
  return 0;
}
