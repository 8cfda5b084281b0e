// Feeds a ModelWatcher from models.v1, without a group: every instance reads every model.
#pragma once

#include <memory>
#include <string>

#include "libs/bus/bus.h"
#include "services/inference/model_watcher.h"

namespace flowcast::services {

class ModelReader {
 public:
  /// `bus` must outlive the watcher, too, which reads older models again by it. Inert until ReadToEnd.
  ModelReader(bus::Bus& bus, const std::string& topic, ModelWatcher& watcher);

  /// Reads what is there now. Throws bus::BusError.
  void ReadToEnd();
  /// Takes what has come since, without waiting.
  void Poll();

 private:
  std::string topic_;
  std::unique_ptr<bus::Consumer> consumer_;
  ModelWatcher& watcher_;
};

}  // namespace flowcast::services
