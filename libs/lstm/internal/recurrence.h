// The LSTM layers of one network for inference, by oneDNN: the only includer of dnnl.
#pragma once

#include <cstdint>
#include <memory>

#include "libs/lstm/internal/weights.h"

namespace flowcast::lstm {

/// Layers for batches of one size; what they cost to set up (some ms) is paid once. On one thread. Not
/// thread-safe.
class Recurrence {
 public:
  Recurrence(const NetworkShape& shape, const Parameters& parameters, std::int64_t rows);
  ~Recurrence();
  Recurrence(Recurrence&&) noexcept;
  Recurrence& operator=(Recurrence&&) noexcept;

  /// [length][rows][step columns] -> the last layer's [length][rows][hidden], valid until the next call.
  const float* Run(const float* steps);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// "oneDNN 2.6.3".
std::string RecurrenceVersion();

}  // namespace flowcast::lstm
