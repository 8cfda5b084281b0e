// The ring of a link's last values.
#include "libs/forecast/history.h"

#include <algorithm>
#include <cmath>

namespace flowcast::forecast {

void History::Add(double value) {
  if (size_ > 0) {
    steps_ = std::min(steps_ + 1, kScaleMemory);
    scale_ += (std::abs(value - last_) - scale_) / steps_;
  }
  last_ = value;
  newest_ = static_cast<std::uint32_t>((newest_ + 1) % values_.size());
  values_[newest_] = static_cast<float>(value);
  scales_[newest_] = static_cast<float>(scale_);
  size_ = static_cast<std::uint32_t>(std::min(size() + 1, values_.size()));
}

void History::Clear() { size_ = 0; }

void History::Visit(StateVisitor& state) {
  state(values_);
  state.Raw(scales_);
  std::uint64_t newest = newest_, size = size_;
  state.Raw(newest);
  state.Raw(size);
  state(last_);
  state(scale_);
  state(steps_);
  newest_ = static_cast<std::uint32_t>(newest % values_.size());
  size_ = static_cast<std::uint32_t>(std::min<std::uint64_t>(size, values_.size()));
}

}  // namespace flowcast::forecast
