// Adapts forests to training::Learner and training::Predictor.
#include "libs/trees/learner.h"

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
    if (!examples.weights.empty()) rows.weights.push_back(examples.weights[i * shape.targets.size() + target]);
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
    if (value > kMostOfAnything) throw base::RuntimeError("the trees' shape is out of bounds; fit them again");
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

class ForestPredictor : public training::Predictor {
 public:
  explicit ForestPredictor(std::string_view body) {
    const auto numbers = TakeList<std::int64_t>(body);
    if (numbers.size() != 3) throw base::RuntimeError("the trees' shape is incomplete; fit them again");
    shape_.length = numbers[0];
    shape_.features = numbers[1];
    shape_.context = numbers[2];
    shape_.targets = TakeList<std::int64_t>(body);
    shape_.horizons = TakeList<int>(body);
    CheckShape(shape_);
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

Boosted FitOne(const Shape& shape, const Examples& training, const Examples& validation, std::size_t number,
               const BoostingOptions& options) {
  const std::size_t target = number / shape.horizons.size();
  const std::size_t horizon = number % shape.horizons.size();
  const Rows rows = MakeRows(shape, training, target, horizon);
  if (rows.targets.empty()) throw base::RuntimeError("there is no example to fit trees on");
  const Rows held = MakeRows(shape, validation, target, horizon);
  return Boost(rows.sample(ColumnsOf(shape)), held.sample(ColumnsOf(shape)), options);
}

void CheckFits(const Shape& shape, const Examples& examples) {
  const bool fits = examples.inputs.size() == examples.count * shape.input_size() &&
                    examples.context.size() == examples.count * shape.context_size() &&
                    examples.targets.size() == examples.count * shape.target_size() &&
                    (examples.weights.empty() || examples.weights.size() == examples.count * shape.targets.size());
  if (!fits) throw base::ConfigError("the examples do not have the shape that was asked for");
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
  std::vector<std::optional<Boosted>> fitted(shape.target_size());
  std::atomic<std::size_t> next = 0;
  const auto work = [&] {
    for (std::size_t i = next++; i < fitted.size(); i = next++) {
      fitted[i] = FitOne(shape, training, validation, i, options_);
    }
  };
  std::vector<std::future<void>> workers;
  for (int i = 1; i < threads_; ++i) workers.push_back(std::async(std::launch::async, work));
  work();
  for (std::future<void>& worker : workers) worker.get();
  training::TrainedNetwork trained;
  std::vector<Forest> forests;
  for (std::optional<Boosted>& boosted : fitted) {
    for (const Tree& tree : boosted->forest.trees()) {
      trained.parameters += static_cast<std::int64_t>(tree.size());
    }
    forests.push_back(std::move(boosted->forest));
    const int number = static_cast<int>(forests.size());
    trained.history.push_back({number, 0, boosted->validation_loss.empty() ? 0 : boosted->validation_loss.back()});
    if (hooks.listener) hooks.listener(trained.history.back());
  }
  trained.best_epoch = static_cast<int>(forests.size());
  trained.weights = Save(shape, forests);
  return trained;
}

std::unique_ptr<training::Predictor> LoadPredictor(const std::string& weights) {
  return std::make_unique<ForestPredictor>(CheckedBody(weights));
}

}  // namespace flowcast::trees
