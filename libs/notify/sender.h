// Hands alerts to one receiver.
#pragma once

#include <span>

#include "libs/alert/alert.h"
#include "libs/notify/outcome.h"

namespace flowcast::notify {

/// Send is called from one thread; it may take as long as its time-outs.
class Sender {
 public:
  virtual ~Sender() = default;
  /// All of them or none.
  virtual Outcome Send(std::span<const alert::Alert> alerts) = 0;
  /// From any thread: a Send that is under way ends soon, and later ones at once.
  virtual void Interrupt() {}
};

}  // namespace flowcast::notify
