// The seam to forecasters that learn: what they are asked, what they learn from, what they answer.
// Implemented by libs/lstm, libs/trees and fakes.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace flowcast::training {

/// What a network reads and answers. All values are in the sequence's own scale.
struct Shape {
  std::int64_t length = 0;               // steps of a sequence, oldest first
  std::int64_t features = 0;             // columns of a step
  std::int64_t context = 0;              // columns of what is known of the windows to come
  std::vector<std::int64_t> targets{0};  // the columns that are forecast
  std::vector<int> horizons{1};          // windows ahead, ascending
  std::vector<double> levels{0.5};       // probabilities of the quantiles, ascending, 0.5 among them

  std::size_t input_size() const { return static_cast<std::size_t>(length * features); }
  std::size_t context_size() const { return static_cast<std::size_t>(context); }
  std::size_t target_size() const { return targets.size() * horizons.size(); }
  std::size_t answer_size() const { return target_size() * levels.size(); }
  /// Position of the level 0.5; the number of levels when it is missing.
  std::size_t median() const;
  /// Position within a row of targets, and within a row of answers; by position in the lists above.
  std::size_t TargetAt(std::size_t target, std::size_t horizon) const {
    return target * horizons.size() + horizon;
  }
  std::size_t AnswerAt(std::size_t target, std::size_t horizon, std::size_t level) const {
    return TargetAt(target, horizon) * levels.size() + level;
  }
  /// Position of the median of a column so many windows ahead within a row of answers; nothing when it is
  /// not forecast.
  std::optional<std::size_t> AnswerOf(std::size_t column, int horizon) const;
  /// Whether a column is forecast.
  bool Answers(std::size_t column) const;
  bool operator==(const Shape&) const = default;
};

/// Throws base::ConfigError, naming what is wrong, for a shape that asks for nothing or contradicts itself.
void CheckShape(const Shape& shape);

/// Rows of a shape, one after the other, in order of time within a link.
struct Examples {
  std::vector<float> inputs;  // [count][length][features]
  /// [count][context], best as differences from the target's last value; 0 where unknown, and columns of 0
  /// and 1 that say what is known.
  std::vector<float> context;
  std::vector<float> targets;  // [count][targets][horizons]; NaN where the truth is absent
  /// [count][targets]: how much an error in the sequence's scale counts, such as that scale in raw units,
  /// which makes the loss one in raw units. Empty: all count the same.
  std::vector<float> weights;
  std::size_t count = 0;
};

/// Not thread-safe.
class Predictor {
 public:
  virtual ~Predictor() = default;
  virtual const Shape& shape() const = 0;
  /// [count][targets][horizons][levels]; quantiles never cross. `inputs` and `context` are rows of the shape.
  virtual std::vector<float> Predict(std::span<const float> inputs, std::span<const float> context) = 0;
};

/// Makes a predictor of a model's weights. Throws base::RuntimeError when they are not usable.
using PredictorLoader = std::function<std::unique_ptr<Predictor>(const std::string& weights)>;

/// By the expert that they are: "lstm", "xgboost".
using PredictorLoaders = std::map<std::string, PredictorLoader>;

struct EpochResult {
  int number = 0;  // 0 is untrained
  double training_loss = 0;
  double validation_loss = 0;
};

/// What a learner made; `parameters` of all its members.
struct TrainedNetwork {
  std::string weights;
  std::int64_t parameters = 0;
  int best_epoch = 0;
  int resumed_at = 0;  // the last epoch of the checkpoint that it went on from; 0 without one
  std::vector<EpochResult> history;
};

/// Called after each step from 1 on, an epoch or what the learner has instead; false ends the training.
using EpochListener = std::function<bool(const EpochResult&)>;

/// How the caller follows a training and survives it. Every member may be empty.
struct TrainingHooks {
  EpochListener listener;
  /// Takes the state after an epoch, before the listener hears of it. Bytes of the learner's own.
  std::function<void(const std::string&)> keep_checkpoint;
  /// Such bytes, to go on from. Those of another shape, options or examples, and damaged ones, are not used.
  std::string checkpoint;
};

/// A kind of forecaster with its settings.
class Learner {
 public:
  virtual ~Learner() = default;
  /// Throws base::ConfigError for examples that do not fit the shape.
  virtual TrainedNetwork Train(const Shape& shape, const Examples& training, const Examples& validation,
                               const TrainingHooks& hooks) = 0;
};

/// One of a model's forecasters: what learns it, and what reads what was learned.
struct Forecaster {
  std::string name;  // the expert that it is: "lstm", "xgboost"
  Learner& learner;
  PredictorLoader load;
  std::vector<double> levels{0.5};  // the quantiles that it is asked for
  int steps = 0;                    // calls of its listener at most
  std::string step = "epoch";       // what they are; epochs are those of the history
};

}  // namespace flowcast::training
