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
#include "libs/training/sequence_view.h"

namespace flowcast::training {

struct DatasetOptions {
  std::vector<Target> targets{feature::kPackets};  // percentiles are of the first
  std::vector<int> horizons{1};                    // windows ahead, ascending
  std::vector<double> levels{0.5};
  base::EventTime newest = base::kEndOfTime;  // sequences that end later are left out
  double train_fraction = 1.0;                // of the event time; what follows is left for watching
  double validation_fraction = 0.2;           // of the learning part, its newest
};

/// Examples in order of link and time, split in time with a gap of a sequence's length between
/// the parts, so that no window is in an input of both, and no truth of the training part in the other.
/// A sequence is an example when the truth of one horizon is known. Errors weigh as in raw units within a
/// link; links weigh the same.
struct Dataset {
  Shape shape;
  Examples training;
  Examples validation;
  base::EventTime validation_from = base::kBeginningOfTime;  // the earliest end of a sequence in there
  base::EventTime from = base::kBeginningOfTime;             // end of the first sequence
  base::EventTime until = base::kBeginningOfTime;            // end of the newest window that was learned from
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
                                                                        std::size_t column) const;

  using Series = std::map<base::EventTime, feature::Sequence>;  // by end

  /// The sequences that end at `from` or later with those of their truths that are not after `until`.
  static void AddExamples(const Series& series, const DatasetOptions& options, base::EventTime from,
                          base::EventTime until, const Shape& shape, Examples& examples);

  std::size_t most_per_link_;
  std::map<std::string, Series> links_;
  feature::Sequence shape_;
  std::size_t size_ = 0;
  std::uint64_t left_out_ = 0;
};

}  // namespace flowcast::training
