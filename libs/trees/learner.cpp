// Adapts forests to training::Learner and training::Predictor.
#include "libs/trees/learner.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <future>
#include <optional>

#include "libs/base/error.h"
#include "libs/base/hash.h"
#include "libs/trees/rows.h"

namespace flowcast::trees {
namespace {

using training::Examples;
using training::Shape;

constexpr std::string_view kMagic = "FCTREES1";
constexpr std::size_t kHashBytes = 16;  // in hexadecimal
constexpr std::uint32_t kMostOfAnything = 1U << 20U;

/// Rows with a truth for one target and horizon.
struct Rows {
  std::vector<float> values;
  std::vector<float> targets;
  std::vector<float> weights;

  Sample sample(std::size_t columns) const { return {columns, values, targets, weights}; }
};

Rows MakeRows(const Shape& shape, const Examples& examples, std::size_t target, std::size_t horizon) {
  Rows rows;
  for (std::size_t i = 0; i < examples.count; ++i) {
    const float truth = examples.targets[i * shape.target_size() + shape.TargetAt(target, horizon)];
    if (!std::isfinite(truth)) continue;
    const float last = AppendRow(
        shape, target, std::span(examples.inputs).subspan(i * shape.input_size(), shape.input_size()),
        std::span(examples.context).subspan(i * shape.context_size(), shape.context_size()), rows.values);
    rows.targets.push_back(truth - last);
    if (!examples.weights.empty())
      rows.weights.push_back(examples.weights[i * shape.targets.size() + target]);
  }
  return rows;
}

template <typename T>
void AppendList(const std::vector<T>& list, std::string& bytes) {
  AppendNumber(static_cast<std::uint32_t>(list.size()), bytes);
  for (const T value : list) AppendNumber(static_cast<std::uint32_t>(value), bytes);
}

template <typename T>
std::vector<T> TakeList(std::string_view& bytes) {
  std::vector<T> list;
  const std::uint32_t count = TakeNumber(bytes);
  for (std::uint32_t i = 0; i < count; ++i) {
    const std::uint32_t value = TakeNumber(bytes);
    if (value > kMostOfAnything)
      throw base::RuntimeError("the trees' shape is out of bounds; fit them again");
    list.push_back(static_cast<T>(value));
  }
  return list;
}

std::string Save(const Shape& shape, const std::vector<Forest>& forests) {
  std::string body;
  AppendList(std::vector<std::int64_t>{shape.length, shape.features, shape.context}, body);
  AppendList(shape.targets, body);
  AppendList(shape.horizons, body);
  for (const Forest& forest : forests) AppendForest(forest, body);
  return std::string(kMagic) + base::Hex(base::Fnv1a64(body)) + body;
}

std::string_view CheckedBody(std::string_view bytes) {
  const std::size_t head = kMagic.size() + kHashBytes;
  if (bytes.substr(0, kMagic.size()) != kMagic || bytes.size() < head)
    throw base::RuntimeError("these are no trees of flowcast; fit them again");
  const std::string_view body = bytes.substr(head);
  if (base::Hex(base::Fnv1a64(body)) != bytes.substr(kMagic.size(), kHashBytes))
    throw base::RuntimeError("the trees are damaged; fit them again");
  return body;
}

Shape TakeShape(std::string_view& bytes) {
  const auto numbers = TakeList<std::int64_t>(bytes);
  if (numbers.size() != 3) throw base::RuntimeError("the trees' shape is incomplete; fit them again");
  Shape shape{.length = numbers[0], .features = numbers[1], .context = numbers[2]};
  shape.targets = TakeList<std::int64_t>(bytes);
  shape.horizons = TakeList<int>(bytes);
  try {
    CheckShape(shape);
  } catch (const base::ConfigError& error) {
    throw base::RuntimeError("the trees' shape cannot be: " + std::string(error.what()) + "; fit them again");
  }
  return shape;
}

class ForestPredictor : public training::Predictor {
 public:
  explicit ForestPredictor(std::string_view body) : shape_(TakeShape(body)) {
    for (std::size_t i = 0; i < shape_.target_size(); ++i) {
      forests_.push_back(TakeForest(body));
      if (forests_.back().columns() != ColumnsOf(shape_))
        throw base::RuntimeError("the trees do not fit their shape; fit them again");
    }
    if (!body.empty()) throw base::RuntimeError("there is something behind the trees; fit them again");
  }

  const Shape& shape() const override { return shape_; }

  std::vector<float> Predict(std::span<const float> inputs, std::span<const float> context) override {
    std::vector<float> answers;
    const std::size_t count = inputs.size() / shape_.input_size();
    for (std::size_t i = 0; i < count; ++i) {
      for (std::size_t target = 0; target < shape_.targets.size(); ++target) {
        row_.clear();
        const float last =
            AppendRow(shape_, target, inputs.subspan(i * shape_.input_size(), shape_.input_size()),
                      context.subspan(i * shape_.context_size(), shape_.context_size()), row_);
        for (std::size_t horizon = 0; horizon < shape_.horizons.size(); ++horizon) {
          answers.push_back(last + forests_[shape_.TargetAt(target, horizon)].Predict(row_));
        }
      }
    }
    return answers;
  }

 private:
  Shape shape_;
  std::vector<Forest> forests_;
  std::vector<float> row_;
};

/// Nothing where no truth is known.
std::optional<Boosted> FitOne(const Shape& shape, const Examples& training, const Examples& validation,
                              std::size_t number, const BoostingOptions& options) {
  const std::size_t target = number / shape.horizons.size();
  const std::size_t horizon = number % shape.horizons.size();
  const Rows rows = MakeRows(shape, training, target, horizon);
  if (rows.targets.empty()) return std::nullopt;
  const Rows held = MakeRows(shape, validation, target, horizon);
  return Boost(rows.sample(ColumnsOf(shape)), held.sample(ColumnsOf(shape)), options);
}

void CheckFits(const Shape& shape, const Examples& examples) {
  const bool fits =
      examples.inputs.size() == examples.count * shape.input_size() &&
      examples.context.size() == examples.count * shape.context_size() &&
      examples.targets.size() == examples.count * shape.target_size() &&
      (examples.weights.empty() || examples.weights.size() == examples.count * shape.targets.size());
  if (!fits) throw base::ConfigError("the examples do not have the shape that was asked for");
}

double BestLoss(const std::vector<double>& losses) {
  return losses.empty() ? 0 : *std::min_element(losses.begin(), losses.end());
}

/// Fits the forests, on several threads; the calling one tells the listener, in order.
class Fitting {
 public:
  Fitting(const Shape& shape, const training::TrainingHooks& hooks)
      : fitted_(shape.target_size()), done_(shape.target_size()), hooks_(hooks) {}

  template <typename FitNumber>
  std::vector<std::optional<Boosted>> Run(const FitNumber& fit, int threads) {
    std::vector<std::future<void>> workers;
    for (int i = 1; i < threads; ++i) {
      workers.push_back(std::async(std::launch::async, [&] {
        while (FitNext(fit)) {
        }
      }));
    }
    while (FitNext(fit)) Tell();
    for (std::future<void>& worker : workers) worker.get();
    Tell();
    return std::move(fitted_);
  }

 private:
  template <typename FitNumber>
  bool FitNext(const FitNumber& fit) {
    const std::size_t number = next_++;
    if (number >= fitted_.size() || stopped_) return false;
    fitted_[number] = fit(number);
    done_[number] = true;
    return true;
  }

  void Tell() {
    for (; told_ < fitted_.size() && done_[told_] && !stopped_; ++told_) {
      training::EpochResult step{.number = static_cast<int>(told_) + 1};
      if (const auto& boosted = fitted_[told_]) {
        step.training_loss = BestLoss(boosted->training_loss);
        step.validation_loss = BestLoss(boosted->validation_loss);
      }
      if (hooks_.listener && !hooks_.listener(step)) stopped_ = true;
    }
  }

  std::vector<std::optional<Boosted>> fitted_;
  std::vector<std::atomic<bool>> done_;
  const training::TrainingHooks& hooks_;
  std::atomic<std::size_t> next_ = 0;
  std::atomic<bool> stopped_ = false;
  std::size_t told_ = 0;
};

/// A loss that has ended counts on with its best.
double LossAt(const std::vector<double>& losses, std::size_t round) {
  return round < losses.size() ? losses[round] : BestLoss(losses);
}

/// By round, from 1 on, in the mean over the forests.
std::vector<training::EpochResult> HistoryOf(const std::vector<std::optional<Boosted>>& fitted) {
  std::size_t rounds = 0;
  for (const auto& boosted : fitted) rounds = std::max(rounds, boosted ? boosted->training_loss.size() : 0);
  std::vector<training::EpochResult> history;
  for (std::size_t round = 0; round < rounds; ++round) {
    training::EpochResult mean{.number = static_cast<int>(round) + 1};
    for (const auto& boosted : fitted) {
      if (!boosted) continue;
      mean.training_loss += LossAt(boosted->training_loss, round) / static_cast<double>(fitted.size());
      mean.validation_loss += LossAt(boosted->validation_loss, round) / static_cast<double>(fitted.size());
    }
    history.push_back(mean);
  }
  return history;
}

int BestOf(const std::vector<training::EpochResult>& history) {
  const auto best = std::min_element(history.begin(), history.end(), [](const auto& a, const auto& b) {
    return a.validation_loss < b.validation_loss;
  });
  return best == history.end() ? 0 : best->number;
}

}  // namespace

training::TrainedNetwork TreeLearner::Train(const Shape& shape, const Examples& training,
                                            const Examples& validation,
                                            const training::TrainingHooks& hooks) {
  CheckShape(shape);
  CheckFits(shape, training);
  CheckFits(shape, validation);
  if (shape.levels != std::vector<double>{0.5})
    throw base::ConfigError("trees answer the median only; ask them for the level 0.5");
  const auto fit = [&](std::size_t number) { return FitOne(shape, training, validation, number, options_); };
  const auto fitted = Fitting(shape, hooks).Run(fit, threads_);
  training::TrainedNetwork trained{.history = HistoryOf(fitted)};
  trained.best_epoch = BestOf(trained.history);
  std::vector<Forest> forests;
  for (const std::optional<Boosted>& boosted : fitted) {
    forests.push_back(boosted ? boosted->forest : Forest(ColumnsOf(shape), {}));
    for (const Tree& tree : forests.back().trees()) {
      trained.parameters += static_cast<std::int64_t>(tree.size());
    }
  }
  trained.weights = Save(shape, forests);
  return trained;
}

std::unique_ptr<training::Predictor> LoadPredictor(const std::string& weights) {
  return std::make_unique<ForestPredictor>(CheckedBody(weights));
}

}  // namespace flowcast::trees
