// Looks at a broker, its topics, groups and status pages, within a few seconds, and writes nothing.
#pragma once

#include <string>
#include <vector>

#include "libs/app/app.h"
#include "libs/diagnosis/observation.h"

namespace flowcast::tools {

struct DoctorOptions {
  std::string model = "default";
  std::string watch = "3s";
  std::vector<std::string>
      status;  // ADDRESS:PORT of status pages; empty: those that services have by default
  std::string features_group = "flowcast-features";
  std::string inference_group = "flowcast-inference";
  std::string notifier_group = "flowcast-notifier";
  bool json = false;
};

/// Ends also when the broker hangs: no step waits for longer than a few seconds, and what it did not come to
/// is told in the observation. Throws base::ConfigError.
diagnosis::Observation Observe(const app::CommonOptions& common, const DoctorOptions& options,
                               base::Clock& clock);

}  // namespace flowcast::tools
