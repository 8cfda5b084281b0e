// Sequences to inputs, context and targets, and answers back.
#include "libs/training/sequence_view.h"

#include <algorithm>
#include <cmath>

#include "libs/base/error.h"

namespace flowcast::training {
namespace {

using feature::Normalization;
using feature::Sequence;

Normalization NormalizationOf(const Sequence& sequence, std::size_t column) {
  return {sequence.centre[column], sequence.scale[column]};
}

feature::Transform TransformOf(const Sequence& sequence, const Target& target) {
  return feature::TransformFor(target.transform, sequence.scaling);
}

double LargestOf(feature::Scaling scaling) {
  return scaling == feature::Scaling::kNone ? kLargestRawValue : kLargestValue;
}

float Clip(double value, feature::Scaling scaling) {
  const double largest = LargestOf(scaling);
  return static_cast<float>(std::clamp(value, -largest, largest));
}

const feature::Column& ColumnNamed(const feature::Schema& schema, std::string_view name) {
  std::string names;
  for (const feature::Column& column : schema.columns()) {
    if (column.name == name) return column;
    names += (names.empty() ? "" : ", ") + column.name;
  }
  throw base::ConfigError("there is no feature '" + std::string(name) + "' to forecast; there are: " + names +
                          " (--features adds others)");
}

/// How far `raw` lies above the last value, in the sequence's own scale.
float AboveLast(const Sequence& sequence, const Target& target, double raw) {
  return ToOwnScale(sequence, target, raw) - ToOwnScale(sequence, target, sequence.last[target.column]);
}

}  // namespace

std::optional<double> UsualOf(const Sequence& sequence, std::size_t column, int windows) {
  const auto position = static_cast<std::size_t>(windows);
  if (position >= sequence.usual.size() || sequence.usual[position].days == 0) return std::nullopt;
  if (column == feature::kPackets) return sequence.usual[position].packets;
  if (column == feature::kBytes) return sequence.usual[position].bytes;
  return std::nullopt;
}

Target::Target(feature::Index index) : column(index), transform(feature::Catalogue()[index].transform) {}

Target::Target(const feature::Schema& schema, std::string_view name)
    : column(static_cast<std::size_t>(&ColumnNamed(schema, name) - schema.columns().data())),
      transform(schema.columns()[column].transform) {}

std::vector<Target> TargetsOf(const feature::Schema& schema, const std::vector<std::string>& names) {
  if (names.empty()) throw base::ConfigError("there is nothing to forecast; name a feature, like packets");
  std::vector<Target> targets;
  for (const std::string& name : names) {
    if (std::count(names.begin(), names.end(), name) > 1)
      throw base::ConfigError("'" + name + "' is to be forecast twice; name it once");
    targets.emplace_back(schema, name);
  }
  return targets;
}

Shape ShapeOf(const Sequence& like, const std::vector<Target>& targets, const std::vector<int>& horizons,
              const std::vector<double>& levels) {
  Shape shape{.length = like.length,
              .features = static_cast<std::int64_t>(like.last.size()),
              .context = static_cast<std::int64_t>(2 * targets.size() * horizons.size()),
              .targets = {},
              .horizons = horizons,
              .levels = levels};
  for (const Target& target : targets) shape.targets.push_back(static_cast<std::int64_t>(target.column));
  CheckShape(shape);
  return shape;
}

void AppendInputs(const Sequence& sequence, std::vector<float>& inputs) {
  const std::size_t before = inputs.size();
  inputs.resize(before + sequence.values.size());
  std::transform(sequence.values.begin(), sequence.values.end(),
                 inputs.begin() + static_cast<std::ptrdiff_t>(before),
                 [largest = static_cast<float>(LargestOf(sequence.scaling))](float value) {
                   return std::clamp(value, -largest, largest);
                 });
}

void AppendContext(const Sequence& sequence, const Shape& shape, std::vector<float>& context) {
  if (shape.context == 0) return;
  for (const std::int64_t column : shape.targets) {
    for (const int horizon : shape.horizons) {
      const auto usual = UsualOf(sequence, static_cast<std::size_t>(column), horizon);
      context.push_back(usual ? AboveLast(sequence, static_cast<feature::Index>(column), *usual) : 0);
      context.push_back(usual ? 1 : 0);
    }
  }
}

float ToOwnScale(const Sequence& sequence, const Target& target, double raw) {
  return Clip(
      feature::Normalize(TransformOf(sequence, target), raw, NormalizationOf(sequence, target.column)),
      sequence.scaling);
}

ToRaw::ToRaw(const Sequence& sequence, const Target& target)
    : transform_(TransformOf(sequence, target)),
      normalization_(NormalizationOf(sequence, target.column)),
      scaling_(sequence.scaling) {
  constexpr double kLargestGrowth = 4;
  const double above = feature::Denormalize(transform_, 1, normalization_);
  most_ = kLargestGrowth * std::max({sequence.last[target.column], above, 1.0});
}

std::optional<double> ToRaw::operator()(float answer) const {
  if (!std::isfinite(answer)) return std::nullopt;
  return std::clamp(feature::Denormalize(transform_, Clip(answer, scaling_), normalization_), 0.0, most_);
}

double RawUnit(const Sequence& sequence, const Target& target) {
  const Normalization normalization = NormalizationOf(sequence, target.column);
  const feature::Transform transform = TransformOf(sequence, target);
  const std::size_t columns = sequence.last.size();
  double sum = 0;
  for (std::size_t at = target.column; at < sequence.values.size(); at += columns) {
    sum += feature::Denormalize(transform, Clip(sequence.values[at], sequence.scaling), normalization);
  }
  const double mean = feature::Normalize(transform, sum / std::max(1U, sequence.length), normalization);
  constexpr double kStep = 1e-3;
  const double unit = (feature::Denormalize(transform, mean + kStep, normalization) -
                       feature::Denormalize(transform, mean - kStep, normalization)) /
                      (2 * kStep);
  return std::isfinite(unit) && unit > 0 ? unit : 1;
}

std::vector<Scored> Forecast(Predictor& predictor, const std::vector<Pair>& pairs, const Target& target,
                             int horizon) {
  constexpr std::size_t kBatch = 1024;
  const Shape& shape = predictor.shape();
  const auto at = shape.AnswerOf(target.column, horizon);
  if (!at) {
    throw base::RuntimeError("the model does not forecast column " + std::to_string(target.column) + " " +
                             std::to_string(horizon) + " windows ahead; train one that does");
  }
  std::vector<Scored> scored;
  for (std::size_t begin = 0; begin < pairs.size(); begin += kBatch) {
    const std::size_t end = std::min(begin + kBatch, pairs.size());
    std::vector<float> inputs;
    std::vector<float> context;
    for (std::size_t i = begin; i < end; ++i) {
      AppendInputs(*pairs[i].sequence, inputs);
      AppendContext(*pairs[i].sequence, shape, context);
    }
    const auto answers = predictor.Predict(inputs, context);
    for (std::size_t i = begin; i < end; ++i) {
      const double persistence = pairs[i].sequence->last[target.column];
      const auto value = ToRaw(*pairs[i].sequence, target)(answers[(i - begin) * shape.answer_size() + *at]);
      scored.push_back(
          {&pairs[i], pairs[i].truth->last[target.column], value.value_or(persistence), persistence});
    }
  }
  return scored;
}

}  // namespace flowcast::training
