// The last values of a link, and what of its season is known: what experts forecast from.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include "libs/forecast/brief.h"
#include "libs/forecast/state_bytes.h"

namespace flowcast::forecast {

/// Stands for a value that is not known.
inline constexpr float kUnknown = std::numeric_limits<float>::quiet_NaN();

/// A ring of the last `capacity` values, each with the link's scale when it was the newest: the mean absolute
/// step, over all steps while they are few, then forgotten with a memory of kScaleMemory. Values are kept as
/// float (relative precision 6e-8), scales as Brief: 6 bytes a value.
class History {
 public:
  explicit History(std::size_t capacity) : values_(capacity), scales_(capacity) {}

  void Add(double value);
  /// A hole: what comes next does not follow what was.
  void Clear();
  void Visit(StateVisitor& state);

  /// How many there are since the last hole, at most the capacity.
  std::size_t size() const { return size_; }
  /// `back` values before the newest; less than size().
  float Value(std::size_t back) const { return values_[Position(back)]; }
  float Scale(std::size_t back) const { return scales_[Position(back)]; }

  static constexpr double kScaleMemory = 200;

 private:
  std::size_t Position(std::size_t back) const { return (newest_ + values_.size() - back) % values_.size(); }

  std::vector<float> values_;
  std::vector<Brief> scales_;
  std::uint32_t newest_ = 0;
  std::uint32_t size_ = 0;
  double last_ = 0;
  double scale_ = 0;
  double steps_ = 0;
};

/// The usual load by the link's seasonal profile, learned from earlier seasons only. Unknown where NaN.
struct Season {
  double now = std::numeric_limits<double>::quiet_NaN();  // of the newest window
  std::span<const double> ahead;  // of the window that each horizon is about; or empty
};

}  // namespace flowcast::forecast
