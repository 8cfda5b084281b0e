// Examples for networks out of a plain series, each sequence in a scale of its own.
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "libs/training/learner.h"

namespace flowcast::support {

/// From each value on: the last `shape.length` values less the last one, divided by their deviation; truths
/// likewise, NaN past the end. For one feature, one target and no context.
inline training::Examples ExamplesOf(const training::Shape& shape, const std::vector<double>& series) {
  training::Examples examples;
  const auto length = static_cast<std::size_t>(shape.length);
  for (std::size_t end = length; end < series.size(); ++end) {
    const double last = series[end - 1];
    double mean = 0;
    double square = 0;
    for (std::size_t i = end - length; i < end; ++i) mean += series[i] / static_cast<double>(length);
    for (std::size_t i = end - length; i < end; ++i) square += (series[i] - mean) * (series[i] - mean);
    const double scale = std::sqrt(square / static_cast<double>(length)) + 1e-6;
    const auto own = [&](double value) { return static_cast<float>((value - last) / scale); };
    for (std::size_t i = end - length; i < end; ++i) examples.inputs.push_back(own(series[i]));
    for (const int horizon : shape.horizons) {
      const std::size_t at = end - 1 + static_cast<std::size_t>(horizon);
      examples.targets.push_back(at < series.size() ? own(series[at])
                                                    : std::numeric_limits<float>::quiet_NaN());
    }
    examples.weights.push_back(static_cast<float>(scale));
    ++examples.count;
  }
  return examples;
}

}  // namespace flowcast::support
