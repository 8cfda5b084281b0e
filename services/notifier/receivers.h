// The receivers that the options name, with what reaches them.
#pragma once

#include <memory>
#include <vector>

#include "libs/base/clock.h"
#include "libs/base/log.h"
#include "libs/notify/destination.h"
#include "services/notifier/notifier_config.h"

namespace flowcast::services {

class Receivers {
 public:
  /// Talks to nobody yet. Throws base::ConfigError.
  Receivers(const NotifierConfig& config, const base::Clock& clock, const base::Log& log);
  ~Receivers();

  std::vector<notify::Destination*> destinations() const;

 private:
  struct Receiver;
  class Builder;
  std::vector<std::unique_ptr<Receiver>> receivers_;
};

}  // namespace flowcast::services
