// Keeps sequences and makes training examples of them (rule 4 of the design).
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "libs/feature/sequence_builder.h"
#include "libs/training/learner.h"

namespace flowcast::training {

/// Inputs and targets are kept within this many scales around the centre: a burst out of a quiet
/// sequence should count, not drown the rest.
inline constexpr double kLargestValue = 10;
inline constexpr double kLargestRawValue =
    1e12;  // where sequences are not normalized (feature::Scaling::kNone)

/// A sequence as a network sees it: values within +-kLargestValue, appended to `inputs`.
void AppendInputs(const feature::Sequence& sequence, std::vector<float>& inputs);

/// A network's answer in raw units; never negative and never above four times what the sequence
/// has seen (or one scale above it), whatever the network says. Nothing for an answer that is not finite.
std::optional<double> ToRaw(const feature::Sequence& sequence, feature::Index target, float answer);

/// A sequence and the one whose last window is its target.
struct Pair {
  const feature::Sequence* sequence;
  const feature::Sequence* truth;
};

/// A forecast and its truth, raw units.
struct Scored {
  const Pair* pair;
  double actual = 0;
  double forecast = 0;  // the network's; persistence where it gave nothing finite
  double persistence = 0;
};

/// What a network says of each pair, in their order. Pairs must outlive the result.
std::vector<Scored> Forecast(Predictor& predictor, const std::vector<Pair>& pairs, feature::Index target);

struct DatasetOptions {
  feature::Index target = feature::kPackets;
  int horizon_windows = 1;
  double train_fraction = 1.0;       // of the event time; what follows is left for watching
  double validation_fraction = 0.2;  // of the learning part, its newest
};

/// Examples in order of link and time, split in time with a gap of a sequence's length between
/// the parts, so that no window is in an input of both.
struct Dataset {
  Examples training;
  Examples validation;
  std::vector<Pair> validation_pairs;              // of the store, valid until its next Add
  base::EventTime from = base::kBeginningOfTime;   // end of the first sequence
  base::EventTime until = base::kBeginningOfTime;  // end of the newest window that was learned from
  std::map<std::string, std::map<std::string, double>> percentiles;  // by link, "" for all: p50 ... p99
};

/// Sequences by link and time, of one schema, window length and sequence length: those of the
/// first one added. Others are counted and left out. Bounded: the oldest of a link go first.
class ExampleStore {
 public:
  explicit ExampleStore(std::size_t most_per_link) : most_per_link_(most_per_link) {}

  /// False when it was left out (another shape, or one that is there already).
  bool Add(feature::Sequence sequence);

  /// Throws base::RuntimeError when there is too little to learn from, saying how much there is
  /// and how much is needed.
  Dataset Build(const DatasetOptions& options) const;

  /// Every sequence that ends at `from` or later and whose truth, `horizon_windows` later, is known
  /// and not after `until`; in order of link and time. Pointers are valid until the next Add.
  std::vector<Pair> Pairs(base::EventTime from, base::EventTime until, int horizon_windows) const;

  std::size_t size() const { return size_; }
  std::size_t link_count() const { return links_.size(); }
  std::uint64_t left_out() const { return left_out_; }
  /// Of the first sequence; meaningless before.
  const feature::Sequence& shape() const { return shape_; }
  base::EventTime oldest() const;
  base::EventTime newest() const;

 private:
  std::map<std::string, std::map<std::string, double>> PercentilesUntil(base::EventTime until,
                                                                        feature::Index target) const;

  using Series = std::map<base::EventTime, feature::Sequence>;  // by end

  std::size_t most_per_link_;
  std::map<std::string, Series> links_;
  feature::Sequence shape_;
  std::size_t size_ = 0;
  std::uint64_t left_out_ = 0;
};

}  // namespace flowcast::training
