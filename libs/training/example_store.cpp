// Examples, the split in time, percentiles.
#include "libs/training/example_store.h"

#include <algorithm>
#include <cmath>

#include "libs/base/error.h"

namespace flowcast::training {
namespace {

using base::EventTime;
using feature::Index;
using feature::Normalization;
using feature::Sequence;

constexpr std::size_t kFewestExamples = 10;

Normalization NormalizationOf(const Sequence& sequence, Index feature) {
  return {sequence.centre[feature], sequence.scale[feature]};
}

feature::Transform TransformOf(const Sequence& sequence, Index feature) {
  return feature::TransformFor(feature::Catalogue()[feature].transform, sequence.scaling);
}

float Clip(double value, feature::Scaling scaling) {
  const double largest = scaling == feature::Scaling::kNone ? kLargestRawValue : kLargestValue;
  return static_cast<float>(std::clamp(value, -largest, largest));
}

/// The part of [from, to] that ends at `share`, to the nanosecond.
EventTime PartOf(EventTime from, EventTime to, double share) {
  if (share >= 1) return to;
  return from + base::Duration(static_cast<std::int64_t>(static_cast<double>((to - from).count()) * share));
}

/// The value below which `share` of the sorted values lie (nearest rank).
double Percentile(const std::vector<double>& sorted, double share) {
  const auto rank = static_cast<std::size_t>(std::ceil(share * static_cast<double>(sorted.size())));
  return sorted[std::clamp<std::size_t>(rank, 1, sorted.size()) - 1];
}

std::map<std::string, double> Percentiles(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return {{"p50", Percentile(values, 0.50)},
          {"p90", Percentile(values, 0.90)},
          {"p95", Percentile(values, 0.95)},
          {"p99", Percentile(values, 0.99)}};
}

void AddExample(const Sequence& from, const Sequence& to, Index target, Examples& examples) {
  AppendInputs(from, examples.inputs);
  examples.targets.push_back(
      Clip(feature::Normalize(TransformOf(from, target), to.last[target], NormalizationOf(from, target)),
           from.scaling));
}

void RequireEnough(const Dataset& dataset) {
  if (std::min(dataset.training.count(), dataset.validation.count()) >= kFewestExamples) return;
  throw base::RuntimeError("too little to learn from: " + std::to_string(dataset.training.count()) +
                           " examples to train and " + std::to_string(dataset.validation.count()) +
                           " to validate, at least " + std::to_string(kFewestExamples) +
                           " of each are needed; wait for more windows, or make them shorter (--window)");
}

}  // namespace

void AppendInputs(const Sequence& sequence, std::vector<float>& inputs) {
  std::transform(sequence.values.begin(), sequence.values.end(), std::back_inserter(inputs),
                 [&sequence](float value) { return Clip(value, sequence.scaling); });
}

std::optional<double> ToRaw(const Sequence& sequence, Index target, float answer) {
  if (!std::isfinite(answer)) return std::nullopt;
  constexpr double kLargestGrowth = 4;
  const Normalization normalization = NormalizationOf(sequence, target);
  const feature::Transform transform = TransformOf(sequence, target);
  const double raw = feature::Denormalize(transform, Clip(answer, sequence.scaling), normalization);
  const double above = feature::Denormalize(transform, 1, normalization);
  const double most = kLargestGrowth * std::max({sequence.last[target], above, 1.0});
  return std::clamp(raw, 0.0, most);
}

std::vector<Scored> Forecast(Predictor& predictor, const std::vector<Pair>& pairs, Index target) {
  constexpr std::size_t kBatch = 1024;
  std::vector<Scored> scored;
  for (std::size_t begin = 0; begin < pairs.size(); begin += kBatch) {
    const std::size_t end = std::min(begin + kBatch, pairs.size());
    std::vector<float> inputs;
    for (std::size_t i = begin; i < end; ++i) AppendInputs(*pairs[i].sequence, inputs);
    const auto answers = predictor.Predict(inputs);
    for (std::size_t i = begin; i < end; ++i) {
      const double persistence = pairs[i].sequence->last[target];
      const auto value = ToRaw(*pairs[i].sequence, target, answers[i - begin]);
      scored.push_back({&pairs[i], pairs[i].truth->last[target], value.value_or(persistence), persistence});
    }
  }
  return scored;
}

bool ExampleStore::Add(Sequence sequence) {
  if (size_ == 0) {
    shape_ = sequence;
    shape_.values.clear();
  }
  const bool fits = sequence.schema_hash == shape_.schema_hash && sequence.length == shape_.length &&
                    sequence.window_length == shape_.window_length;
  if (!fits) {
    ++left_out_;
    return false;
  }
  Series& series = links_[sequence.link];
  const EventTime end = sequence.end;
  if (!series.emplace(end, std::move(sequence)).second) {
    ++left_out_;
    return false;
  }
  ++size_;
  if (series.size() > most_per_link_) {
    series.erase(series.begin());
    --size_;
  }
  return true;
}

EventTime ExampleStore::oldest() const {
  EventTime oldest = base::kEndOfTime;
  for (const auto& [link, series] : links_) oldest = std::min(oldest, series.begin()->first);
  return oldest;
}

EventTime ExampleStore::newest() const {
  EventTime newest = base::kBeginningOfTime;
  for (const auto& [link, series] : links_) newest = std::max(newest, series.rbegin()->first);
  return newest;
}

std::vector<Pair> ExampleStore::Pairs(EventTime from, EventTime until, int horizon_windows) const {
  std::vector<Pair> pairs;
  const base::Duration step = shape_.window_length * horizon_windows;
  for (const auto& [link, series] : links_) {
    for (auto position = series.lower_bound(from); position != series.end(); ++position) {
      const auto later = series.find(position->first + step);
      if (later != series.end() && later->first <= until)
        pairs.push_back({&position->second, &later->second});
    }
  }
  return pairs;
}

std::map<std::string, std::map<std::string, double>> ExampleStore::PercentilesUntil(EventTime until,
                                                                                    Index target) const {
  std::map<std::string, std::map<std::string, double>> percentiles;
  std::vector<double> all;
  for (const auto& [link, series] : links_) {
    std::vector<double> values;
    for (const auto& [end, sequence] : series) {
      if (end <= until) values.push_back(sequence.last[target]);
    }
    all.insert(all.end(), values.begin(), values.end());
    if (!values.empty()) percentiles[link] = Percentiles(std::move(values));
  }
  if (!all.empty()) percentiles[""] = Percentiles(std::move(all));
  return percentiles;
}

Dataset ExampleStore::Build(const DatasetOptions& options) const {
  if (size_ == 0)
    throw base::RuntimeError("there are no sequences to learn from; is flowcast-features running?");
  Dataset dataset;
  dataset.from = oldest();
  dataset.until =
      base::AlignDown(PartOf(dataset.from, newest(), options.train_fraction), shape_.window_length);
  dataset.percentiles = PercentilesUntil(dataset.until, options.target);
  const EventTime validate_from = PartOf(dataset.from, dataset.until, 1 - options.validation_fraction);
  const base::Duration gap = shape_.window_length * shape_.length;
  for (const Pair& pair : Pairs(dataset.from, dataset.until, options.horizon_windows)) {
    if (pair.truth->end <= validate_from) {
      AddExample(*pair.sequence, *pair.truth, options.target, dataset.training);
    } else if (pair.sequence->end - gap >= validate_from) {
      AddExample(*pair.sequence, *pair.truth, options.target, dataset.validation);
      dataset.validation_pairs.push_back(pair);
    }
  }
  RequireEnough(dataset);
  return dataset;
}

}  // namespace flowcast::training
