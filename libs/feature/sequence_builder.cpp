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
  std::vector<const double*> rows;
  rows.reserve(length_);
  for (const Window& window : history_) rows.push_back(window.features.data());
  std::vector<double> column(length_);
  for (std::size_t f = 0; f < columns; ++f) {
    const Column& feature = schema_->columns()[f];
    const Transform transform = TransformFor(feature.transform, schema_->scaling());
    for (std::size_t i = 0; i < length_; ++i) column[i] = Forward(transform, rows[i][f]);
    const Normalization fit = Fit(column, transform, schema_->scaling(), feature.scale_floor);
    sequence.centre[f] = fit.centre;
    sequence.scale[f] = fit.scale;
    for (std::size_t i = 0; i < length_; ++i) {
      sequence.values[i * columns + f] = static_cast<float>((column[i] - fit.centre) / fit.scale);
    }
  }
  return sequence;
}

}  // namespace flowcast::feature
