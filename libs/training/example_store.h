// Keeps sequences and makes training examples of them (rule 4 of the design).
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "libs/feature/sequence_builder.h"
#include "libs/training/learner.h"
#include "libs/training/sequence_view.h"

namespace flowcast::training {

/// By link, "" for all together: "p50", "p90", "p95", "p99".
using LinkPercentiles = std::map<std::string, std::map<std::string, double>>;

struct DatasetOptions {
  std::vector<Target> targets{feature::kPackets};
  std::vector<int> horizons{1};  // windows ahead, ascending
  std::vector<double> levels{0.5};
  base::EventTime newest = base::kEndOfTime;  // sequences that end later are left out
  double train_fraction = 1.0;                // of the windows' ends; what follows is left for watching
  double validation_fraction = 0.2;           // of the learning part, its newest
};

/// Examples in order of link and time, split in time with a gap of a sequence's length between
/// the parts, so that no window is in an input of both, and no truth of the training part in the other. Where
/// the split is goes by number: the windows' different ends, of all links, are what fractions are of. A time
/// without windows has no say in it, however long: a link that ended long ago, or one whose clock was wrong,
/// moves the split no further than its windows are many.
/// A sequence is an example when the truth of one horizon is known. Errors weigh as in raw units within a
/// link; links weigh the same.
struct Dataset {
  Shape shape;
  Examples training;
  Examples validation;
  base::EventTime validation_from = base::kBeginningOfTime;  // the earliest end of a sequence in there
  base::EventTime from = base::kBeginningOfTime;             // end of the first sequence
  base::EventTime until = base::kBeginningOfTime;            // end of the newest window that was learned from
  std::vector<LinkPercentiles> percentiles;                  // by position of the targets
};

/// What is kept at most.
struct StoreLimits {
  std::size_t per_link = 50'000;              // the newest so many different ends of windows, of all links
  std::size_t bytes = std::size_t{1} << 40U;  // of all links together, with the examples made of them; about
  std::vector<int> horizons{1};               // whose truths are kept with a sample
};

/// Sequences by link and time, of one schema, window length and sequence length: those of the
/// first one added. Others are left out. Bounded: the oldest go first, and a link with nothing newer is
/// forgotten; when all together are too many, those links that have the most keep an even sample, and of
/// links that are too many for one sequence each a sample keeps one. Samples go by hashes of link and time,
/// so until a link is forgotten the same sequences give the same one, however the links' sequences came
/// interleaved. Of what is not in it, the raw features of the windows that are the truth of one in it are
/// kept.
class ExampleStore {
 public:
  explicit ExampleStore(const StoreLimits& limits) : limits_(limits) {}
  explicit ExampleStore(std::size_t per_link) : limits_{.per_link = per_link} {}

  /// False when it was left out (another shape, one that is there already, or too old; of a sampled link also
  /// one that is not newer than the newest).
  bool Add(feature::Sequence sequence);

  /// Throws base::RuntimeError when there is too little to learn from, saying how much there is
  /// and how much is needed.
  Dataset Build(const DatasetOptions& options) const;

  /// Every sequence that ends at `from` or later and whose truth, `horizon_windows` later, is known
  /// and not after `until`; in order of link and time. Pointers are valid until the next Add.
  std::vector<Pair> Pairs(base::EventTime from, base::EventTime until, int horizon_windows) const;

  /// Sequences that can be learned from, and those of them that a sample left out so far.
  std::size_t size() const { return size_; }
  std::uint64_t sampled_out() const { return sampled_out_; }
  /// What one sequence counts in StoreLimits::bytes: itself, its example, and its truths. 0 before the first.
  std::size_t bytes_each() const;
  std::size_t link_count() const { return links_.size(); }
  /// Of the first sequence; meaningless before.
  const feature::Sequence& shape() const { return shape_; }
  /// Of what is not too old; kEndOfTime and kBeginningOfTime without any.
  base::EventTime oldest() const { return ends_.empty() ? base::kEndOfTime : ends_.front(); }
  base::EventTime newest() const { return ends_.empty() ? base::kBeginningOfTime : ends_.back(); }

 private:
  LinkPercentiles PercentilesOf(base::EventTime from, base::EventTime until, std::size_t column) const;

  using Series = std::map<base::EventTime, feature::Sequence>;  // by end; without values: a truth only
  using Rank = std::pair<std::uint64_t, base::EventTime>;       // a hash decides, and the time where it ties
  struct Link {
    Series series;
    std::set<Rank> sample;  // of those with values
    std::size_t seen = 0;   // that are not too old
    bool sampled = false;   // not all that was seen is in there
    base::EventTime newest = base::kBeginningOfTime;
  };

  bool Fits(const feature::Sequence& sequence) const;
  /// False when it is too old.
  bool NoteEnd(base::EventTime end);
  void ForgetOldest(const std::string& name, Link& link);
  /// Links that nothing is added to any more, now and then.
  void ForgetFormerLinks();
  bool IsAsked(const Link& link, base::EventTime end) const;
  /// What is no member of the sample at `end`, or a truth of that, and no truth of another, goes.
  void DropUnasked(Link& link, base::EventTime end) const;
  /// Lowers what a link may have until all links together are within the bound.
  void Sample();
  bool IsAllowed(const std::string& name) const;
  double KeptOf(double share) const;
  void Thin(Link& link);

  /// The sequences that end at `from` or later with those of their truths that are not after `until`.
  static void AddExamples(const Series& series, const DatasetOptions& options, base::EventTime from,
                          base::EventTime until, const Shape& shape, Examples& examples);

  StoreLimits limits_;
  std::map<std::string, Link> links_;
  feature::Sequence shape_;
  std::deque<base::EventTime> ends_;  // of all links' windows: each once, in order; the newest
  std::size_t gone_ = 0;              // ends that went since former links were looked for
  double share_ = 0;  // the largest sample of a link; below 1: of so many of the links; 0: not limited
  std::size_t size_ = 0;
  std::uint64_t sampled_out_ = 0;
};

}  // namespace flowcast::training
