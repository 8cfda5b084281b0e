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

/// Where the part of the windows' ends that is `share` of them ends: at one of them, or on the way to the
/// next as if that were a window later.
EventTime PartOf(std::span<const EventTime> ends, double share, base::Duration window_length) {
  if (share >= 1) return ends.back();
  const double position = share * static_cast<double>(ends.size() - 1);
  const auto before = static_cast<std::size_t>(position);
  const double rest = position - static_cast<double>(before);
  return ends[before] +
         base::Duration(static_cast<std::int64_t>(rest * static_cast<double>(window_length.count())));
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

/// Mixes all bits into all (Steele, Lea and Flood 2014, "Fast splittable pseudorandom number generators").
std::uint64_t Mix(std::uint64_t hash) {
  hash = (hash ^ (hash >> 30U)) * 0xbf58476d1ce4e5b9ULL;
  hash = (hash ^ (hash >> 27U)) * 0x94d049bb133111ebULL;
  return hash ^ (hash >> 31U);
}

/// Small ranks stay in a sample; they have nothing to do with the order of time.
std::pair<std::uint64_t, EventTime> RankOf(const std::string& link, EventTime end) {
  return {Mix(base::Fnv1a64(link) + static_cast<std::uint64_t>(base::ToUnixNanoseconds(end))), end};
}

/// Likewise of links, from 0 to 1.
double RankOf(const std::string& link) {
  return std::ldexp(static_cast<double>(Mix(base::Fnv1a64(link))), -64);
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

bool ExampleStore::Fits(const Sequence& sequence) const {
  return sequence.schema_hash == shape_.schema_hash && sequence.length == shape_.length &&
         sequence.window_length == shape_.window_length;
}

bool ExampleStore::Add(Sequence sequence) {
  if (ends_.empty()) {
    shape_ = sequence;
    shape_.values.clear();
  }
  const std::string name = sequence.link;
  const EventTime end = sequence.end;
  const auto known = links_.find(name);
  const bool late = known != links_.end() && known->second.sampled && end <= known->second.newest;
  if (!Fits(sequence) || late || !NoteEnd(end)) return false;
  ForgetFormerLinks();
  if (!IsAllowed(name)) {
    ++sampled_out_;
    return true;
  }
  Link& link = links_[name];
  if (!link.series.emplace(end, std::move(sequence)).second) return false;
  link.newest = std::max(link.newest, end);
  link.sample.insert(RankOf(name, end));
  ++link.seen;
  ++size_;
  ForgetOldest(name, link);
  Thin(link);
  if (size_ * bytes_each() > limits_.bytes) Sample();
  return true;
}

bool ExampleStore::NoteEnd(EventTime end) {
  const auto position = std::lower_bound(ends_.begin(), ends_.end(), end);
  if (position != ends_.end() && *position == end) return true;
  if (position == ends_.begin() && ends_.size() >= limits_.per_link) return false;
  ends_.insert(position, end);
  if (ends_.size() <= limits_.per_link) return true;
  ends_.pop_front();
  ++gone_;
  return true;
}

void ExampleStore::ForgetOldest(const std::string& name, Link& link) {
  while (!link.series.empty() && link.series.begin()->first < oldest()) {
    const EventTime end = link.series.begin()->first;
    size_ -= link.sample.erase(RankOf(name, end));
    link.series.erase(link.series.begin());
    if (link.sampled) DropUnasked(link, end);
  }
  link.seen = link.sampled ? std::min(link.seen, limits_.per_link) : link.sample.size();
}

/// Going through all links is worth it once there may be something to gain. What is too old is not learned
/// from in the meantime.
void ExampleStore::ForgetFormerLinks() {
  constexpr std::size_t kTimes = 64;  // while everything there is now grows old
  if (gone_ <= limits_.per_link / kTimes) return;
  gone_ = 0;
  const std::size_t before = links_.size();
  for (auto link = links_.begin(); link != links_.end();) {
    ForgetOldest(link->first, link->second);
    link = link->second.sample.empty() ? links_.erase(link) : std::next(link);
  }
  if (links_.size() < before) share_ = 0;  // there is room for more of the others
}

bool ExampleStore::IsAllowed(const std::string& name) const {
  return share_ == 0 || share_ >= 1 || RankOf(name) < share_;
}

/// How many sequences there may be at most with this share.
double ExampleStore::KeptOf(double share) const {
  double sum = 0;
  for (const auto& [name, link] : links_) {
    if (share < 1) sum += RankOf(name) < share ? 1 : 0;
    if (share >= 1) sum += std::min(static_cast<double>(link.seen), std::floor(share));
  }
  return sum;
}

void ExampleStore::Sample() {
  constexpr double kStep = 0.95;
  const double most = std::max(1.0, static_cast<double>(limits_.bytes) / static_cast<double>(bytes_each()));
  if (share_ == 0) share_ = most;
  while (KeptOf(share_) > most) share_ = share_ > 1 ? std::max(1.0, share_ * kStep) : share_ * kStep;
  for (auto link = links_.begin(); link != links_.end();) {
    Thin(link->second);
    if (IsAllowed(link->first)) {
      ++link;
      continue;
    }
    sampled_out_ += link->second.sample.size();
    size_ -= link->second.sample.size();
    link = links_.erase(link);
  }
}

void ExampleStore::Thin(Link& link) {
  if (share_ == 0) return;
  const auto most = static_cast<std::size_t>(std::max(1.0, share_));
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

LinkPercentiles ExampleStore::PercentilesOf(EventTime from, EventTime until, std::size_t column) const {
  LinkPercentiles percentiles;
  std::vector<double> all;
  for (const auto& [name, link] : links_) {
    std::vector<double> values;
    for (const auto& [end, sequence] : link.series) {
      if (end >= from && end <= until) values.push_back(sequence.last[column]);
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
  const base::Duration step = shape_.window_length;
  Dataset dataset;
  const auto newest = std::upper_bound(ends_.begin(), ends_.end(), options.newest);
  std::vector<EventTime> ends(ends_.begin(), newest);
  if (ends.empty()) RequireEnough(dataset);
  dataset.from = ends.front();
  dataset.until = base::AlignDown(PartOf(ends, options.train_fraction, step), step);
  dataset.shape = ShapeOf(shape_, options.targets, options.horizons, options.levels);
  for (const Target& target : options.targets)
    dataset.percentiles.push_back(PercentilesOf(dataset.from, dataset.until, target.column));
  ends.erase(std::upper_bound(ends.begin() + 1, ends.end(), dataset.until), ends.end());
  const EventTime validate_from = PartOf(ends, 1 - options.validation_fraction, step);
  dataset.validation_from = validate_from + step * shape_.length;
  for (const auto& [name, link] : links_) {
    AddExamples(link.series, options, dataset.from, validate_from, dataset.shape, dataset.training);
    AddExamples(link.series, options, dataset.validation_from, dataset.until, dataset.shape,
                dataset.validation);
  }
  RequireEnough(dataset);
  return dataset;
}

}  // namespace flowcast::training
