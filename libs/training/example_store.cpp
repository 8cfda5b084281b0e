// Examples, the split in time, percentiles.
#include "libs/training/example_store.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "libs/base/error.h"

namespace flowcast::training {
namespace {

using base::EventTime;
using feature::Sequence;

constexpr std::size_t kFewestExamples = 10;

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

using Truths = std::vector<const Sequence*>;  // by horizon

void AddExample(const Sequence& sequence, const Truths& truths, const std::vector<Target>& targets,
                const Shape& shape, Examples& examples) {
  AppendInputs(sequence, examples.inputs);
  AppendContext(sequence, shape, examples.context);
  for (const Target& target : targets) {
    for (const Sequence* truth : truths) {
      examples.targets.push_back(truth == nullptr ? std::numeric_limits<float>::quiet_NaN()
                                                  : ToOwnScale(sequence, target, truth->last[target.column]));
    }
    examples.weights.push_back(static_cast<float>(RawUnit(sequence, target)));
  }
  ++examples.count;
}

/// The examples from `first` on are of one link: their weights become 1 in the mean, at most kLargestWeight.
void LevelWeights(Examples& examples, std::size_t first, std::size_t targets) {
  constexpr float kLargestWeight = 20;
  for (std::size_t target = 0; target < targets; ++target) {
    double sum = 0;
    for (std::size_t i = first; i < examples.count; ++i) sum += examples.weights[i * targets + target];
    const double mean = sum / static_cast<double>(examples.count - first);
    for (std::size_t i = first; i < examples.count; ++i) {
      float& weight = examples.weights[i * targets + target];
      weight = std::min(static_cast<float>(weight / mean), kLargestWeight);
    }
  }
}

void RequireEnough(const Dataset& dataset) {
  if (std::min(dataset.training.count, dataset.validation.count) >= kFewestExamples) return;
  throw base::RuntimeError("too little to learn from: " + std::to_string(dataset.training.count) +
                           " examples to train and " + std::to_string(dataset.validation.count) +
                           " to validate, at least " + std::to_string(kFewestExamples) +
                           " of each are needed; wait for more windows, or make them shorter (--window)");
}

}  // namespace

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

std::map<std::string, std::map<std::string, double>> ExampleStore::PercentilesUntil(
    EventTime until, std::size_t column) const {
  std::map<std::string, std::map<std::string, double>> percentiles;
  std::vector<double> all;
  for (const auto& [link, series] : links_) {
    std::vector<double> values;
    for (const auto& [end, sequence] : series) {
      if (end <= until) values.push_back(sequence.last[column]);
    }
    all.insert(all.end(), values.begin(), values.end());
    if (!values.empty()) percentiles[link] = Percentiles(std::move(values));
  }
  if (!all.empty()) percentiles[""] = Percentiles(std::move(all));
  return percentiles;
}

void ExampleStore::AddExamples(const Series& series, const DatasetOptions& options, EventTime from,
                               EventTime until, const Shape& shape, Examples& examples) {
  const std::size_t first = examples.count;
  for (auto position = series.lower_bound(from); position != series.end(); ++position) {
    Truths truths;
    for (const int horizon : options.horizons) {
      const auto truth = series.find(position->first + position->second.window_length * horizon);
      truths.push_back(truth == series.end() || truth->first > until ? nullptr : &truth->second);
    }
    if (std::any_of(truths.begin(), truths.end(), [](const Sequence* truth) { return truth != nullptr; })) {
      AddExample(position->second, truths, options.targets, shape, examples);
    }
  }
  if (examples.count > first) LevelWeights(examples, first, options.targets.size());
}

Dataset ExampleStore::Build(const DatasetOptions& options) const {
  if (size_ == 0)
    throw base::RuntimeError("there are no sequences to learn from; is flowcast-features running?");
  Dataset dataset;
  dataset.from = oldest();
  dataset.until = base::AlignDown(
      PartOf(dataset.from, std::min(newest(), options.newest), options.train_fraction), shape_.window_length);
  dataset.shape = ShapeOf(shape_, options.targets, options.horizons, options.levels);
  dataset.percentiles = PercentilesUntil(dataset.until, options.targets.front().column);
  const EventTime validate_from = PartOf(dataset.from, dataset.until, 1 - options.validation_fraction);
  const base::Duration gap = shape_.window_length * shape_.length;
  dataset.validation_from = validate_from + gap;
  for (const auto& [link, series] : links_) {
    AddExamples(series, options, base::kBeginningOfTime, validate_from, dataset.shape, dataset.training);
    AddExamples(series, options, dataset.validation_from, dataset.until, dataset.shape, dataset.validation);
  }
  RequireEnough(dataset);
  return dataset;
}

}  // namespace flowcast::training
