// Centre, scale and transform of sequences.
#include "libs/feature/sequence_builder.h"

#include <utility>
#include <vector>

namespace flowcast::feature {
std::optional<Sequence> SequenceBuilder::Add(Window window) {
  if (window.partial || (!history_.empty() && history_.back().end() != window.start)) history_.clear();
  if (window.partial) return std::nullopt;
  history_.push_back(std::move(window));
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
                    .schema_hash = schema_->sequence_hash(),
                    .scaling = schema_->scaling(),
                    .length = static_cast<std::uint32_t>(length_),
                    .centre = std::vector<double>(columns),
                    .scale = std::vector<double>(columns),
                    .values = std::vector<float>(length_ * columns),
                    .last = {last.features.begin(), last.features.end()}};
  std::vector<double> forward;
  forward.reserve(length_ * columns);
  std::vector<Transform> transforms;
  for (const Column& column : schema_->columns())
    transforms.push_back(TransformFor(column.transform, schema_->scaling()));
  for (const Window& window : history_) {
    for (std::size_t f = 0; f < columns; ++f) forward.push_back(Forward(transforms[f], window.features[f]));
  }
  const bool robust = schema_->scaling() == Scaling::kRobust;
  const std::vector<double> medians = robust ? ColumnMedians(forward, columns) : std::vector<double>();
  std::vector<double> column(length_);
  for (std::size_t f = 0; f < columns; ++f) {
    for (std::size_t i = 0; i < length_; ++i) column[i] = forward[i * columns + f];
    const double floor = schema_->columns()[f].scale_floor;
    const Normalization fit = robust ? FitAround(medians[f], column, transforms[f], floor)
                                     : Fit(column, transforms[f], schema_->scaling(), floor);
    sequence.centre[f] = fit.centre;
    sequence.scale[f] = fit.scale;
    for (std::size_t i = 0; i < length_; ++i) {
      sequence.values[i * columns + f] = static_cast<float>((column[i] - fit.centre) / fit.scale);
    }
  }
  return sequence;
}

}  // namespace flowcast::feature
