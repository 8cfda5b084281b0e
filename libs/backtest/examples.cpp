// A series as sequences.
#include "libs/backtest/examples.h"

#include <algorithm>
#include <cmath>

#include "libs/feature/normalization.h"
#include "libs/forecast/seasonal.h"

namespace flowcast::backtest {
namespace {

/// The column of a series that has no table: a load like any.
feature::Column OnlyColumn() {
  const feature::Feature& packets = feature::Catalogue()[feature::kPackets];
  return {.name = "load", .unit = "", .transform = packets.transform, .scale_floor = packets.scale_floor};
}

}  // namespace

Sequences::Sequences(const Series& series, const SequenceOptions& options)
    : series_(series),
      options_(options),
      columns_(series.table ? series.table->schema.columns() : std::vector{OnlyColumn()}),
      target_(series.table ? series.table->target : feature::kPackets) {
  if (options_.season > 0) LearnSeason();
}

void Sequences::LearnSeason() {
  forecast::StepProfile profile(options_.season);
  for (std::size_t at = 0; at < series_.values.size(); ++at) {
    usual_now_.push_back(profile.At(at));
    profile.Learn(at, series_.values[at]);
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
                        .features = static_cast<std::int64_t>(columns_.size()),
                        .context = static_cast<std::int64_t>(context),
                        .targets = {static_cast<std::int64_t>(target_.column)},
                        .horizons = options_.horizons,
                        .levels = levels};
  CheckShape(shape);
  return shape;
}

void Sequences::AddColumn(std::size_t at, std::size_t column, feature::Sequence& sequence) const {
  const feature::Column& feature = columns_[column];
  const auto transform = feature::TransformFor(feature.transform, options_.scaling);
  std::vector<double> values(options_.length);
  for (std::size_t i = 0; i < values.size(); ++i) {
    values[i] = feature::Forward(transform, ValueOf(at + 1 + i - values.size(), column));
  }
  const auto fit = feature::Fit(values, transform, options_.scaling, feature.scale_floor);
  sequence.centre[column] = fit.centre;
  sequence.scale[column] = fit.scale;
  sequence.last[column] = ValueOf(at, column);
  for (std::size_t i = 0; i < values.size(); ++i) {
    sequence.values[i * columns_.size() + column] = static_cast<float>((values[i] - fit.centre) / fit.scale);
  }
}

void Sequences::AddSeason(std::size_t at, feature::Sequence& sequence) const {
  const forecast::Season season = SeasonAt(at);
  sequence.usual.resize(static_cast<std::size_t>(options_.horizons.back()) + 1);
  for (std::size_t h = 0; h < options_.horizons.size(); ++h) {
    if (std::isnan(season.ahead[h])) continue;
    sequence.usual[static_cast<std::size_t>(options_.horizons[h])] = {season.ahead[h], season.ahead[h], 1};
  }
}

feature::Sequence Sequences::At(std::size_t at) const {
  const std::size_t columns = columns_.size();
  feature::Sequence sequence{.scaling = options_.scaling,
                             .length = static_cast<std::uint32_t>(options_.length),
                             .centre = std::vector<double>(columns),
                             .scale = std::vector<double>(columns),
                             .values = std::vector<float>(options_.length * columns),
                             .last = std::vector<double>(columns)};
  for (std::size_t column = 0; column < columns; ++column) AddColumn(at, column, sequence);
  if (!usual_now_.empty()) AddSeason(at, sequence);
  return sequence;
}

training::Examples Sequences::Ask(const training::Shape& shape, const std::vector<std::size_t>& steps) const {
  training::Examples examples;
  for (const std::size_t at : steps) {
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
      examples.targets.push_back(target < cut
                                     ? training::ToOwnScale(sequence, target_, series_.values[target])
                                     : forecast::kUnknown);
    }
    examples.weights.push_back(static_cast<float>(training::RawUnit(sequence, target_)));
    sum += static_cast<double>(examples.weights.back());
    ++examples.count;
  }
  for (float& weight : examples.weights)
    weight *= static_cast<float>(static_cast<double>(examples.count) / sum);
  return examples;
}

}  // namespace flowcast::backtest
