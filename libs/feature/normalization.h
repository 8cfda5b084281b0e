// How a column of a sequence is normalized, and the way back.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "libs/feature/catalogue.h"

namespace flowcast::feature {

/// How centre and scale are found, within a sequence. All but kIdentity features, which pass through.
enum class Scaling {
  kRobust,  // of the transformed values: median, and mean absolute deviation times sqrt(pi / 2), with a floor
  kZScore,  // of raw values: mean and standard deviation
  kMinMax,  // of raw values: smallest, and largest less smallest
  kNone,    // raw values
};

/// "robust", "z-score", "min-max", "none"; throws base::ConfigError for anything else.
Scaling ParseScaling(std::string_view text);
std::string_view Name(Scaling scaling);

/// What a column of a sequence was moved and divided by; `scale` is positive.
struct Normalization {
  double centre = 0;
  double scale = 1;
};

/// What `transform` comes to under `scaling`: only kRobust takes logarithms.
Transform TransformFor(Transform transform, Scaling scaling);

double Forward(Transform transform, double raw);
/// Of transformed values, at least one. A column that does not vary has scale 1 or, for kRobust, the floor.
Normalization Fit(std::span<const double> values, Transform transform, Scaling scaling, double scale_floor);
/// The same for kRobust when the values' median is known.
Normalization FitAround(double median, std::span<const double> values, Transform transform,
                        double scale_floor);
/// Of each column of a row-major matrix with a row at least: all columns at once, which for few rows is
/// several times as fast as one after the other.
std::vector<double> ColumnMedians(std::vector<double> matrix, std::size_t columns);

/// Raw to normalized and back. Inverse is exact up to rounding; Denormalize of a huge value saturates instead
/// of overflowing.
double Normalize(Transform transform, double raw, Normalization normalization);
double Denormalize(Transform transform, double value, Normalization normalization);

}  // namespace flowcast::feature
