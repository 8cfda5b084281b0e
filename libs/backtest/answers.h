// Models that are fitted to the first part of a series, and what they say of the rest.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "libs/backtest/examples.h"
#include "libs/forecast/forecast.h"
#include "libs/training/learner.h"

namespace flowcast::backtest {

/// A model that is fitted on the first part of the series. References and functions must outlive the run.
struct Model {
  std::string name;  // of forecast::kExpertNames
  training::Learner& learner;
  training::PredictorLoader load;
  std::vector<double> levels;     // {0.5}, or forecast::kQuantileLevels
  bool wants_validation = false;  // the newest kHeldShare of the examples, with a gap before it
};

inline constexpr double kHeldShare = 0.15;
inline constexpr std::size_t kFewestExamples = 50;

/// What a model said, by the step it was asked at.
struct Answers {
  std::size_t from = 0;
  std::vector<forecast::ModelOpinion> opinions;
  /// Null where the model was not asked.
  const forecast::ModelOpinion* At(std::size_t at) const {
    return at < from || at - from >= opinions.size() ? nullptr : &opinions[at - from];
  }
};

/// Which part of a model's inputs is taken from another step's sequence, to see what it is worth.
struct Shuffle {
  std::optional<std::size_t> column;  // of the features; nothing: the season
  std::size_t from = 0;
  std::vector<std::size_t> steps;  // by step from `from` on: the one it is taken from
};

/// Not thread-safe.
class FittedModel {
 public:
  /// Fits to the truths before `cut`. Nothing when there are fewer than kFewestExamples.
  static std::optional<FittedModel> Fit(const Model& model, const Sequences& sequences, std::size_t cut,
                                        const training::TrainingHooks& hooks = {});

  const std::string& name() const { return name_; }
  /// At each step of [from, until) that has a sequence. Of truths before `cut` it says nothing.
  Answers Ask(const Sequences& sequences, std::size_t from, std::size_t until, std::size_t cut,
              const Shuffle* shuffle = nullptr);

 private:
  FittedModel(std::string name, std::unique_ptr<training::Predictor> predictor)
      : name_(std::move(name)), predictor_(std::move(predictor)) {}
  training::Examples Questions(const Sequences& sequences, const std::vector<std::size_t>& steps,
                               const Shuffle* shuffle) const;
  forecast::ModelOpinion OpinionOf(const Sequences& sequences, std::size_t at, std::span<const float> said,
                                   std::size_t cut) const;

  std::string name_;
  std::unique_ptr<training::Predictor> predictor_;
};

}  // namespace flowcast::backtest
