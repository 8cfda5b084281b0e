// Examples, the split in time, percentiles.
#include "libs/training/example_store.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "libs/base/error.h"
#include "libs/base/hash.h"

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

/// Else it is the truth of others only.
bool CanBeLearnedFrom(const Sequence& sequence) { return !sequence.values.empty(); }

/// Small ranks stay in a sample; they have nothing to do with the order of time. The last step mixes all bits
/// into all (Steele, Lea and Flood 2014, "Fast splittable pseudorandom number generators").
std::pair<std::uint64_t, EventTime> RankOf(const std::string& link, EventTime end) {
  std::uint64_t hash = base::Fnv1a64(link) + static_cast<std::uint64_t>(base::ToUnixNanoseconds(end));
  hash = (hash ^ (hash >> 30U)) * 0xbf58476d1ce4e5b9ULL;
  hash = (hash ^ (hash >> 27U)) * 0x94d049bb133111ebULL;
  return {hash ^ (hash >> 31U), end};
}

void RequireEnough(const Dataset& dataset) {
  if (std::min(dataset.training.count, dataset.validation.count) >= kFewestExamples) return;
  throw base::RuntimeError("too little to learn from: " + std::to_string(dataset.training.count) +
                           " examples to train and " + std::to_string(dataset.validation.count) +
                           " to validate, at least " + std::to_string(kFewestExamples) +
                           " of each are needed; wait for more windows, or make them shorter (--window)");
}

}  // namespace

std::size_t ExampleStore::bytes_each() const {
  // What maps and allocations cost beside the numbers, as measured.
  constexpr std::size_t kNode = 160;
  constexpr std::size_t kSequence = sizeof(Sequence) + kNode;
  const std::size_t columns = shape_.last.size();
  const std::size_t truth = kSequence + columns * sizeof(double);
  const std::size_t inputs = shape_.length * columns * sizeof(float);
  const std::size_t usual = static_cast<std::size_t>(limits_.horizons.back() + 1) * sizeof(feature::Usual);
  return kSequence + kNode + 3 * columns * sizeof(double) + usual + 2 * inputs +
         limits_.horizons.size() * truth;
}

bool ExampleStore::Add(Sequence sequence) {
  if (links_.empty()) {
    shape_ = sequence;
    shape_.values.clear();
  }
  const std::string name = sequence.link;
  const EventTime end = sequence.end;
  const bool fits = sequence.schema_hash == shape_.schema_hash && sequence.length == shape_.length &&
                    sequence.window_length == shape_.window_length;
  const auto known = links_.find(name);
  const bool late = known != links_.end() && known->second.sampled && end <= known->second.newest;
  if (!fits || late || !links_[name].series.emplace(end, std::move(sequence)).second) {
    ++left_out_;
    return false;
  }
  Link& link = links_[name];
  link.newest = std::max(link.newest, end);
  link.sample.insert(RankOf(name, end));
  ++link.seen;
  ++size_;
  ForgetOldest(name, link);
  Thin(link);
  if (size_ * bytes_each() > limits_.bytes) Sample();
  return true;
}

bool ExampleStore::IsTooOld(const Link& link, EventTime end) const {
  if (!link.sampled) return link.series.size() > limits_.per_link;
  return (link.newest - end) / shape_.window_length >= static_cast<std::int64_t>(limits_.per_link);
}

void ExampleStore::ForgetOldest(const std::string& name, Link& link) {
  link.seen = std::min(link.seen, limits_.per_link);
  while (link.sample.size() > 1 && IsTooOld(link, link.series.begin()->first)) {
    const EventTime end = link.series.begin()->first;
    size_ -= link.sample.erase(RankOf(name, end));
    link.series.erase(link.series.begin());
    if (link.sampled) DropUnasked(link, end);
  }
}

void ExampleStore::Sample() {
  constexpr double kStep = 0.95;
  const double most = static_cast<double>(limits_.bytes) / static_cast<double>(bytes_each());
  const auto kept = [this](double share) {
    double sum = 0;
    for (const auto& [name, link] : links_)
      sum += std::min(static_cast<double>(link.seen), std::floor(share));
    return sum;
  };
  if (share_ == 0) share_ = std::max(1.0, most);
  while (share_ > 1 && kept(share_) > most) share_ = std::max(1.0, share_ * kStep);
  for (auto& [name, link] : links_) Thin(link);
}

void ExampleStore::Thin(Link& link) {
  const auto most = static_cast<std::size_t>(share_);
  if (most == 0) return;
  while (link.sample.size() > most) {
    const EventTime end = link.sample.rbegin()->second;
    link.sample.erase(std::prev(link.sample.end()));
    link.sampled = true;
    Sequence& sequence = link.series.at(end);
    sequence =
        Sequence{.end = end, .window_length = sequence.window_length, .last = std::move(sequence.last)};
    --size_;
    ++sampled_out_;
    DropUnasked(link, end);
  }
}

bool ExampleStore::IsAsked(const Link& link, EventTime end) const {
  return std::any_of(limits_.horizons.begin(), limits_.horizons.end(), [&](int horizon) {
    const auto asking = link.series.find(end - shape_.window_length * horizon);
    return asking != link.series.end() && CanBeLearnedFrom(asking->second);
  });
}

void ExampleStore::DropUnasked(Link& link, EventTime end) const {
  const auto drop = [&](EventTime at) {
    const auto found = link.series.find(at);
    if (found != link.series.end() && !CanBeLearnedFrom(found->second) && !IsAsked(link, at))
      link.series.erase(found);
  };
  drop(end);
  for (const int horizon : limits_.horizons) drop(end + shape_.window_length * horizon);
}

EventTime ExampleStore::oldest() const {
  EventTime oldest = base::kEndOfTime;
  for (const auto& [name, link] : links_) oldest = std::min(oldest, link.series.begin()->first);
  return oldest;
}

EventTime ExampleStore::newest() const {
  EventTime newest = base::kBeginningOfTime;
  for (const auto& [name, link] : links_) newest = std::max(newest, link.newest);
  return newest;
}

std::vector<Pair> ExampleStore::Pairs(EventTime from, EventTime until, int horizon_windows) const {
  std::vector<Pair> pairs;
  const base::Duration step = shape_.window_length * horizon_windows;
  for (const auto& [name, link] : links_) {
    const Series& series = link.series;
    for (auto position = series.lower_bound(from); position != series.end(); ++position) {
      if (!CanBeLearnedFrom(position->second)) continue;
      const auto later = series.find(position->first + step);
      if (later != series.end() && later->first <= until)
        pairs.push_back({&position->second, &later->second});
    }
  }
  return pairs;
}

LinkPercentiles ExampleStore::PercentilesUntil(EventTime until, std::size_t column) const {
  LinkPercentiles percentiles;
  std::vector<double> all;
  for (const auto& [name, link] : links_) {
    std::vector<double> values;
    for (const auto& [end, sequence] : link.series) {
      if (end <= until) values.push_back(sequence.last[column]);
    }
    all.insert(all.end(), values.begin(), values.end());
    if (!values.empty()) percentiles[name] = Percentiles(std::move(values));
  }
  if (!all.empty()) percentiles[""] = Percentiles(std::move(all));
  return percentiles;
}

void ExampleStore::AddExamples(const Series& series, const DatasetOptions& options, EventTime from,
                               EventTime until, const Shape& shape, Examples& examples) {
  const std::size_t first = examples.count;
  for (auto position = series.lower_bound(from); position != series.end(); ++position) {
    if (!CanBeLearnedFrom(position->second)) continue;
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
  for (const Target& target : options.targets)
    dataset.percentiles.push_back(PercentilesUntil(dataset.until, target.column));
  const EventTime validate_from = PartOf(dataset.from, dataset.until, 1 - options.validation_fraction);
  const base::Duration gap = shape_.window_length * shape_.length;
  dataset.validation_from = validate_from + gap;
  for (const auto& [name, link] : links_) {
    AddExamples(link.series, options, base::kBeginningOfTime, validate_from, dataset.shape, dataset.training);
    AddExamples(link.series, options, dataset.validation_from, dataset.until, dataset.shape,
                dataset.validation);
  }
  RequireEnough(dataset);
  return dataset;
}

}  // namespace flowcast::training
