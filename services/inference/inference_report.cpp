// Progress in words.
#include "services/inference/inference_report.h"

#include <cstdio>

#include "libs/base/text.h"
#include "services/inference/inference_metrics.h"

namespace flowcast::services {

void InferenceReport::Begin() {
  begun_ = true;
  if (models_.current() != nullptr) return;
  log_(
      base::LogLevel::kWarning,
      "there is no model yet: forecasting by persistence and smoothing until flowcast-trainer publishes one");
}

void InferenceReport::Write(const slice::SliceCounters& slices) {
  if (!begun_) Begin();
  publish_(InferenceMetrics().Read({slices, task_, models_, rules_}));
  const InferenceCounters& counters = task_.counters();
  if (counters.sequences == last_sequences_) return;
  last_sequences_ = counters.sequences;
  std::string error = "no forecast of the model scored yet";
  if (task_.scored() > 0) {
    const auto scored = static_cast<double>(task_.scored());
    char text[100];
    std::snprintf(text, sizeof text, "MAE %.4g, persistence %.4g over %s", task_.absolute_error() / scored,
                  task_.absolute_error_persistence() / scored, base::Grouped(task_.scored()).c_str());
    error = text;
  }
  log_(base::LogLevel::kInfo, base::Grouped(counters.sequences) + " sequences (" +
                                  base::Short(rate_.Of(counters.sequences)) + "/s) -> " +
                                  base::Grouped(counters.forecasts) + " forecasts (" +
                                  base::Grouped(counters.with_model) + " with the model), " +
                                  base::Grouped(task_.alert_counters().fired) + " alerts fired, " +
                                  base::Grouped(task_.alert_counters().resolved) + " resolved; " + error);
}

}  // namespace flowcast::services
