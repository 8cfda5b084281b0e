// A series as sequences.
#include "libs/backtest/examples.h"

#include <algorithm>
#include <cmath>

#include "libs/feature/normalization.h"
#include "libs/forecast/seasonal.h"
#include "libs/training/sequence_view.h"

namespace flowcast::backtest {
namespace {

constexpr feature::Index kTarget = feature::kPackets;

}  // namespace

Sequences::Sequences(const std::vector<double>& values, const SequenceOptions& options)
    : values_(values), options_(options) {
  if (options_.season > 0) LearnSeason();
}

void Sequences::LearnSeason() {
  forecast::StepProfile profile(options_.season);
  for (std::size_t at = 0; at < values_.size(); ++at) {
    usual_now_.push_back(profile.At(at));
    profile.Learn(at, values_[at]);
    for (const int horizon : options_.horizons) {
      usual_ahead_.push_back(profile.At(at + static_cast<std::size_t>(horizon)));
    }
  }
}

forecast::Season Sequences::SeasonAt(std::size_t at) const {
  if (usual_now_.empty()) return {};
  const std::size_t count = options_.horizons.size();
  return {usual_now_[at], std::span(usual_ahead_).subspan(at * count, count)};
}

training::Shape Sequences::ShapeFor(const std::vector<double>& levels) const {
  const auto context = options_.season > 0 ? 2 * options_.horizons.size() : 0;
  training::Shape shape{.length = static_cast<std::int64_t>(options_.length),
                        .features = 1,
                        .context = static_cast<std::int64_t>(context),
                        .targets = {0},
                        .horizons = options_.horizons,
                        .levels = levels};
  CheckShape(shape);
  return shape;
}

feature::Sequence Sequences::At(std::size_t at) const {
  const auto transform = feature::TransformFor(feature::Catalogue()[kTarget].transform, options_.scaling);
  std::vector<double> column(options_.length);
  for (std::size_t i = 0; i < column.size(); ++i) {
    column[i] = feature::Forward(transform, values_[at + 1 + i - column.size()]);
  }
  const auto fit =
      feature::Fit(column, transform, options_.scaling, feature::Catalogue()[kTarget].scale_floor);
  feature::Sequence sequence{.scaling = options_.scaling,
                             .length = static_cast<std::uint32_t>(column.size()),
                             .centre = {fit.centre},
                             .scale = {fit.scale},
                             .values = std::vector<float>(column.size()),
                             .last = {values_[at]}};
  std::transform(column.begin(), column.end(), sequence.values.begin(),
                 [&fit](double value) { return static_cast<float>((value - fit.centre) / fit.scale); });
  if (usual_now_.empty()) return sequence;
  const forecast::Season season = SeasonAt(at);
  sequence.usual.resize(static_cast<std::size_t>(options_.horizons.back()) + 1);
  for (std::size_t h = 0; h < options_.horizons.size(); ++h) {
    if (std::isnan(season.ahead[h])) continue;
    sequence.usual[static_cast<std::size_t>(options_.horizons[h])] = {season.ahead[h], season.ahead[h], 1};
  }
  return sequence;
}

training::Examples Sequences::Ask(const training::Shape& shape, std::size_t from, std::size_t until) const {
  training::Examples examples;
  for (std::size_t at = from; at < until; ++at) {
    const feature::Sequence sequence = At(at);
    training::AppendInputs(sequence, examples.inputs);
    training::AppendContext(sequence, shape, examples.context);
    ++examples.count;
  }
  return examples;
}

training::Examples Sequences::Make(const training::Shape& shape, std::size_t from, std::size_t until,
                                   std::size_t cut) const {
  training::Examples examples;
  double sum = 0;
  for (std::size_t at = from; at < until; ++at) {
    if (at + static_cast<std::size_t>(shape.horizons.front()) >= cut) break;
    const feature::Sequence sequence = At(at);
    training::AppendInputs(sequence, examples.inputs);
    training::AppendContext(sequence, shape, examples.context);
    for (const int horizon : shape.horizons) {
      const std::size_t target = at + static_cast<std::size_t>(horizon);
      examples.targets.push_back(target < cut ? training::ToOwnScale(sequence, kTarget, values_[target])
                                              : forecast::kUnknown);
    }
    examples.weights.push_back(static_cast<float>(training::RawUnit(sequence, kTarget)));
    sum += static_cast<double>(examples.weights.back());
    ++examples.count;
  }
  for (float& weight : examples.weights)
    weight *= static_cast<float>(static_cast<double>(examples.count) / sum);
  return examples;
}

}  // namespace flowcast::backtest
