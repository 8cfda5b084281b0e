// Centre, scale and transform of sequences.
#include "libs/feature/sequence_builder.h"

#include <algorithm>
#include <cmath>
#include <vector>

namespace flowcast::feature {
namespace {

// Makes the mean absolute deviation of a normal distribution its standard deviation: sqrt(pi / 2).
constexpr double kDeviationFactor = 1.2533141373155003;
// exp beyond this is no load of any link; keeps hostile scales finite.
constexpr double kLargestExponent = 60;

double Forward(Transform transform, double raw) {
  return transform == Transform::kLog1p ? std::log1p(raw) : raw;
}

double Median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  if (values.size() % 2 == 1) return *middle;
  return (*middle + *std::max_element(values.begin(), middle)) / 2;
}

Normalization Fit(const Column& feature, const std::vector<double>& column) {
  if (feature.transform == Transform::kIdentity) return {};
  const double centre = Median(column);
  double deviation = 0;
  for (const double value : column) deviation += std::abs(value - centre);
  const double scale = kDeviationFactor * deviation / static_cast<double>(column.size());
  return {centre, std::max(scale, feature.scale_floor)};
}

}  // namespace

double Normalize(Index feature, double raw, Normalization normalization) {
  return (Forward(Catalogue()[feature].transform, raw) - normalization.centre) / normalization.scale;
}

double Denormalize(Index feature, double value, Normalization normalization) {
  const double transformed = normalization.centre + normalization.scale * value;
  if (Catalogue()[feature].transform != Transform::kLog1p) return transformed;
  return std::expm1(std::min(transformed, kLargestExponent));
}

std::optional<Sequence> SequenceBuilder::Add(const Window& window) {
  if (window.partial || (!history_.empty() && history_.back().end() != window.start)) history_.clear();
  if (window.partial) return std::nullopt;
  history_.push_back(window);
  if (history_.size() > length_) history_.pop_front();
  if (history_.size() < length_) return std::nullopt;
  return Build();
}

Sequence SequenceBuilder::Build() const {
  const Window& last = history_.back();
  const std::size_t columns = schema_->size();
  Sequence sequence{.link = last.link,
                    .end = last.end(),
                    .window_length = last.length,
                    .schema_hash = last.schema_hash,
                    .length = static_cast<std::uint32_t>(length_),
                    .centre = std::vector<double>(columns),
                    .scale = std::vector<double>(columns),
                    .values = std::vector<float>(length_ * columns),
                    .last = {last.features.begin(), last.features.end()}};
  std::vector<double> column(length_);
  for (std::size_t f = 0; f < columns; ++f) {
    const Column& feature = schema_->columns()[f];
    for (std::size_t i = 0; i < length_; ++i) column[i] = Forward(feature.transform, history_[i].features[f]);
    const Normalization fit = Fit(feature, column);
    sequence.centre[f] = fit.centre;
    sequence.scale[f] = fit.scale;
    for (std::size_t i = 0; i < length_; ++i) {
      sequence.values[i * columns + f] = static_cast<float>((column[i] - fit.centre) / fit.scale);
    }
  }
  return sequence;
}

}  // namespace flowcast::feature
