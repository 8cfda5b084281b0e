// Sequences of a series, and what models learn from them.
#pragma once

#include <cstddef>
#include <vector>

#include "libs/backtest/series.h"
#include "libs/feature/sequence_builder.h"
#include "libs/feature/window.h"
#include "libs/forecast/history.h"
#include "libs/training/learner.h"
#include "libs/training/sequence_view.h"

namespace flowcast::backtest {

struct SequenceOptions {
  std::size_t length = feature::kDefaultSequenceLength;  // values
  std::size_t season = 0;                                // steps; 0: none
  feature::Scaling scaling = feature::Scaling::kRobust;
  std::vector<int> horizons{1};
};

/// The sequences of one series, one for each step from `length` - 1 on, as the feature service makes them of
/// windows that have the series' features; the usual load is that of forecast::StepProfile, from earlier
/// steps only.
class Sequences {
 public:
  /// `series` must outlive this.
  Sequences(const Series& series, const SequenceOptions& options);

  /// Ends with values[at]; `at` is at least first().
  feature::Sequence At(std::size_t at) const;
  std::size_t first() const { return options_.length - 1; }
  /// What a forecaster with these horizons is told; valid while this lives.
  forecast::Season SeasonAt(std::size_t at) const;
  training::Shape ShapeFor(const std::vector<double>& levels) const;
  const training::Target& target() const { return target_; }

  /// Examples of the sequences that end in [from, until), of truths before `cut`; a sequence without any is
  /// left out. Errors weigh as in raw units.
  training::Examples Make(const training::Shape& shape, std::size_t from, std::size_t until,
                          std::size_t cut) const;
  /// Inputs and context of the sequences that end at these steps.
  training::Examples Ask(const training::Shape& shape, const std::vector<std::size_t>& steps) const;

 private:
  void LearnSeason();
  /// Normalizes a column of the sequence that ends at `at` into place.
  void AddColumn(std::size_t at, std::size_t column, feature::Sequence& sequence) const;
  void AddSeason(std::size_t at, feature::Sequence& sequence) const;
  double ValueOf(std::size_t at, std::size_t column) const {
    return series_.table ? series_.table->rows[at * columns_.size() + column] : series_.values[at];
  }

  const Series& series_;
  SequenceOptions options_;
  std::vector<feature::Column> columns_;
  training::Target target_;
  std::vector<double> usual_now_;    // by step
  std::vector<double> usual_ahead_;  // by step and horizon
};

}  // namespace flowcast::backtest
