// The line a second that tells what the inference does.
#pragma once

#include <cstdint>

#include "libs/base/log.h"
#include "libs/base/rate.h"
#include "libs/slice/slice_loop.h"
#include "services/inference/inference_service.h"

namespace flowcast::services {

class InferenceReport {
 public:
  InferenceReport(const InferenceTask& task, const ModelWatcher& models, const base::Clock& clock,
                  base::Log log)
      : task_(task), models_(models), rate_(clock), log_(std::move(log)) {}

  /// Says so when it starts without a model.
  void Begin();
  /// Writes a line when something has happened since the last one.
  void Write(const slice::SliceCounters& counters);

 private:
  const InferenceTask& task_;
  const ModelWatcher& models_;
  base::Rate rate_;
  base::Log log_;
  std::uint64_t last_sequences_ = 0;
};

}  // namespace flowcast::services
