// Four ways to a centre and a scale.
#include "libs/feature/normalization.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <numeric>
#include <vector>

#include "libs/base/error.h"

namespace flowcast::feature {
namespace {

// Makes the mean absolute deviation of a normal distribution its standard deviation: sqrt(pi / 2).
constexpr double kDeviationFactor = 1.2533141373155003;
// exp beyond this is no load of any link; keeps hostile scales finite.
constexpr double kLargestExponent = 60;
constexpr std::array<std::string_view, 4> kNames{"robust", "z-score", "min-max", "none"};

/// Reorders the values.
double MedianOf(std::span<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  if (values.size() % 2 == 1) return *middle;
  return (*middle + *std::max_element(values.begin(), middle)) / 2;
}

/// Without an allocation for a sequence of the usual length: there is one of these a column and window.
double Median(std::span<const double> values) {
  std::array<double, 64> few;
  if (values.size() <= few.size()) {
    std::copy(values.begin(), values.end(), few.begin());
    return MedianOf(std::span(few).first(values.size()));
  }
  std::vector<double> many(values.begin(), values.end());
  return MedianOf(many);
}

/// The smaller ones to `low`, column by column; without a branch, so that the compiler takes several at once.
void Exchange(std::span<double> low, std::span<double> high) {
  for (std::size_t i = 0; i < low.size(); ++i) {
    const double one = low[i];
    const double other = high[i];
    low[i] = std::min(one, other);
    high[i] = std::max(one, other);
  }
}

/// Sorts each column by Batcher's merge exchange, whose comparisons do not depend on the values (D. E. Knuth,
/// The Art of Computer Programming 3, 5.2.2, algorithm M).
void SortColumns(std::span<double> matrix, std::size_t columns) {
  const std::size_t rows = matrix.size() / columns;
  const auto row = [&](std::size_t i) { return matrix.subspan(i * columns, columns); };
  const std::size_t top = std::bit_ceil(rows) / 2;
  for (std::size_t p = top; p > 0; p /= 2) {
    std::size_t phase = 0;
    std::size_t distance = p;
    for (std::size_t q = top;; q /= 2) {
      for (std::size_t i = 0; i + distance < rows; ++i) {
        if ((i & p) == phase) Exchange(row(i), row(i + distance));
      }
      if (q == p) break;
      distance = q - p;
      phase = p;
    }
  }
}

Normalization Robust(double centre, std::span<const double> values, double scale_floor) {
  double deviation = 0;
  for (const double value : values) deviation += std::abs(value - centre);
  const double scale = kDeviationFactor * deviation / static_cast<double>(values.size());
  return {centre, std::max(scale, scale_floor)};
}

Normalization ZScore(std::span<const double> values) {
  // The mean of equal values may be another one by its last digit, and that must not be their deviation.
  const auto [least, most] = std::minmax_element(values.begin(), values.end());
  if (*least == *most) return {*least, 1};
  const auto count = static_cast<double>(values.size());
  const double mean = std::accumulate(values.begin(), values.end(), 0.0) / count;
  double squares = 0;
  for (const double value : values) squares += (value - mean) * (value - mean);
  const double deviation = std::sqrt(squares / count);
  return {mean, deviation > 0 ? deviation : 1};
}

Normalization MinMax(std::span<const double> values) {
  const auto [least, most] = std::minmax_element(values.begin(), values.end());
  return {*least, *most > *least ? *most - *least : 1};
}

}  // namespace

Scaling ParseScaling(std::string_view text) {
  const auto found = std::find(kNames.begin(), kNames.end(), text);
  if (found != kNames.end()) return static_cast<Scaling>(found - kNames.begin());
  throw base::ConfigError("there is no normalization '" + std::string(text) +
                          "'; --normalization is robust, z-score, min-max or none");
}

std::string_view Name(Scaling scaling) { return kNames.at(static_cast<std::size_t>(scaling)); }

Transform TransformFor(Transform transform, Scaling scaling) {
  return transform == Transform::kIdentity || scaling == Scaling::kRobust ? transform : Transform::kLinear;
}

double Forward(Transform transform, double raw) {
  return transform == Transform::kLog1p ? std::log1p(raw) : raw;
}

Normalization Fit(std::span<const double> values, Transform transform, Scaling scaling, double scale_floor) {
  if (transform == Transform::kIdentity) return {};
  switch (scaling) {
    case Scaling::kRobust:
      return Robust(Median(values), values, scale_floor);
    case Scaling::kZScore:
      return ZScore(values);
    case Scaling::kMinMax:
      return MinMax(values);
    case Scaling::kNone:
      break;
  }
  return {};
}

Normalization FitAround(double median, std::span<const double> values, Transform transform,
                        double scale_floor) {
  return transform == Transform::kIdentity ? Normalization{} : Robust(median, values, scale_floor);
}

std::vector<double> ColumnMedians(std::vector<double> matrix, std::size_t columns) {
  SortColumns(matrix, columns);
  const std::size_t rows = matrix.size() / columns;
  const double* const above = &matrix[rows / 2 * columns];
  std::vector<double> medians(above, above + columns);
  if (rows % 2 == 0) {
    const double* const below = above - columns;
    for (std::size_t i = 0; i < columns; ++i) medians[i] = (medians[i] + below[i]) / 2;
  }
  return medians;
}

double Normalize(Transform transform, double raw, Normalization normalization) {
  return (Forward(transform, raw) - normalization.centre) / normalization.scale;
}

double Denormalize(Transform transform, double value, Normalization normalization) {
  const double transformed = normalization.centre + normalization.scale * value;
  if (transform != Transform::kLog1p) return transformed;
  return std::expm1(std::min(transformed, kLargestExponent));
}

}  // namespace flowcast::feature
