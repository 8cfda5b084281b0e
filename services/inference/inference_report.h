// The line a second that tells what the inference does.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "libs/base/log.h"
#include "libs/base/rate.h"
#include "libs/slice/slice_loop.h"
#include "libs/telemetry/metric.h"
#include "services/inference/inference_service.h"
#include "services/inference/rules_watcher.h"

namespace flowcast::services {

class InferenceReport {
 public:
  using Publish = std::function<void(std::vector<telemetry::Metric>)>;

  InferenceReport(const InferenceTask& task, const ModelWatcher& models, const RulesWatcher& rules,
                  const base::Clock& clock, base::Log log, Publish publish)
      : task_(task),
        models_(models),
        rules_(rules),
        rate_(clock),
        log_(std::move(log)),
        publish_(std::move(publish)) {}

  /// Publishes the metrics, and writes a line when something has happened since the last one. Says
  /// so when it begins without a model.
  void Write(const slice::SliceCounters& counters);

 private:
  void Begin();

  const InferenceTask& task_;
  const ModelWatcher& models_;
  const RulesWatcher& rules_;
  base::Rate rate_;
  base::Log log_;
  Publish publish_;
  bool begun_ = false;
  std::uint64_t last_sequences_ = 0;
};

}  // namespace flowcast::services
