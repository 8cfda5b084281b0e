// The table of contents.
#include "libs/topics/contents.h"

#include <map>

namespace flowcast::topics {

Content ContentOf(const Names& names, const std::string& topic) {
  const std::map<std::string, Content> contents{
      {names.packets, {"PacketBatch", "none", "capture, flowcast generate", "features"}},
      {names.windows,
       {"Window", "link", "features", "features (at a start), flowcast windows, flowcast report"}},
      {names.windows_json, {"JSON", "link", "features with --json-mirror", "programs without protobuf"}},
      {names.sequences, {"Sequence", "link", "features", "trainer, inference"}},
      {names.models,
       {"Model, CurrentModel", "NAME/VERSION, NAME/current", "trainer, flowcast models",
        "inference, trainer"}},
      {names.forecasts, {"Forecast", "link", "inference", "trainer, dashboards, shaping"}},
      {names.forecasts_json, {"JSON", "link", "inference with --json-mirror", "programs without protobuf"}},
      {names.alerts, {"JSON (CloudEvents)", "fingerprint", "inference", "notifier, subscribers"}},
      {names.state,
       {"snapshots and progress", "service and link", "features, inference", "the same, at a start"}},
  };
  return contents.at(topic);
}

}  // namespace flowcast::topics
