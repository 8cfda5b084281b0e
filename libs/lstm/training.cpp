// Training with early stopping.
#include <cmath>
#include <numeric>

#include "libs/base/error.h"
#include "libs/base/random.h"
#include "libs/lstm/internal/module.h"
#include "libs/lstm/internal/optimizer.h"

namespace flowcast::lstm {
namespace {

void Require(bool condition, const std::string& text) {
  if (!condition) throw base::ConfigError(text);
}

void CheckOptions(const TrainingOptions& options) {
  const auto positive = [](double value) { return std::isfinite(value) && value > 0; };
  Require(options.epochs >= 0, "the number of epochs must not be negative");
  Require(options.patience >= 1, "the patience must be at least one epoch");
  Require(options.batch_size >= 1, "the batch size must be at least 1");
  Require(options.threads >= 1, "the number of threads must be at least 1");
  Require(positive(options.learning_rate), "the learning rate must be positive");
  Require(positive(options.gradient_clip), "the gradient clip must be positive");
  Require(positive(options.huber_delta), "Huber's delta must be positive");
}

void CheckExamples(const std::string& name, const Examples& examples, const NetworkShape& shape) {
  const auto finite = [](float value) { return std::isfinite(value); };
  const auto row = static_cast<std::size_t>(shape.length * shape.features);
  Require(examples.count() > 0, "there are no " + name + " examples");
  Require(examples.inputs.size() == examples.count() * row,
          name + " inputs: " + std::to_string(examples.count()) + " x " + std::to_string(row) +
              " values needed, " + std::to_string(examples.inputs.size()) + " given");
  Require(std::all_of(examples.inputs.begin(), examples.inputs.end(), finite) &&
              std::all_of(examples.targets.begin(), examples.targets.end(), finite),
          name + " examples hold a value that is not finite");
}

struct Tensors {
  Tensors(const Examples& examples, const NetworkShape& shape)
      : inputs(ViewOf(examples.inputs, shape)),
        targets(torch::from_blob(const_cast<float*>(examples.targets.data()),
                                 {static_cast<std::int64_t>(examples.count())})) {}
  torch::Tensor inputs;
  torch::Tensor targets;
};

torch::Tensor Loss(const torch::Tensor& outputs, const torch::Tensor& targets, double delta) {
  return torch::huber_loss(outputs, targets, at::Reduction::Mean, delta);
}

class Trainer {
 public:
  Trainer(Network::Impl& network, const Examples& training, const Examples& validation,
          const TrainingOptions& options)
      : network_(network),
        training_(training, network.shape),
        validation_(validation, network.shape),
        options_(options),
        optimizer_(network.parameters, options),
        random_(options.seed),
        order_(training.count()) {
    std::iota(order_.begin(), order_.end(), std::int64_t{0});
  }

  std::vector<Epoch> Run(const EpochListener& listener) {
    std::vector<Epoch> history{{0, LossOver(training_), LossOver(validation_)}};
    Weights best = network_.Copy();
    std::size_t best_epoch = 0;
    for (int number = 1; number <= options_.epochs; ++number) {
      const double training_loss = TrainOnce();
      const Epoch epoch{number, training_loss, LossOver(validation_)};
      if (!std::isfinite(epoch.training_loss) || !std::isfinite(epoch.validation_loss)) break;
      history.push_back(epoch);
      if (epoch.validation_loss < history[best_epoch].validation_loss) {
        best_epoch = history.size() - 1;
        best = network_.Copy();
      }
      if (listener && !listener(epoch)) break;
      if (number - history[best_epoch].number >= options_.patience) break;
    }
    network_.Assign(best);
    return history;
  }

 private:
  double LossOver(const Tensors& examples) const {
    const torch::InferenceMode guard;
    const torch::Tensor outputs = network_.ForwardAll(examples.inputs);
    return Loss(outputs.to(torch::kDouble), examples.targets.to(torch::kDouble), options_.huber_delta)
        .item<double>();
  }

  // Fisher and Yates's shuffle.
  void Shuffle() {
    for (std::size_t i = order_.size(); i > 1; --i) std::swap(order_[i - 1], order_[random_.Below(i)]);
  }

  double TrainOnce() {
    Shuffle();
    const auto count = static_cast<std::int64_t>(order_.size());
    double sum = 0;
    for (std::int64_t begin = 0; begin < count; begin += options_.batch_size) {
      const std::int64_t rows = std::min(options_.batch_size, count - begin);
      sum += static_cast<double>(rows) *
             TrainBatch(torch::from_blob(&order_[static_cast<std::size_t>(begin)], {rows}, torch::kLong));
      if (!std::isfinite(sum)) break;
    }
    return sum / static_cast<double>(count);
  }

  double TrainBatch(const torch::Tensor& rows) {
    const torch::Tensor outputs = network_.Forward(training_.inputs.index_select(0, rows), /*training=*/true);
    const torch::Tensor loss = Loss(outputs, training_.targets.index_select(0, rows), options_.huber_delta);
    loss.backward();
    optimizer_.Step();
    return loss.item<double>();
  }

  Network::Impl& network_;
  Tensors training_;
  Tensors validation_;
  TrainingOptions options_;
  GradientDescent optimizer_;
  base::Random random_;
  std::vector<std::int64_t> order_;
};

}  // namespace

std::vector<Epoch> Train(Network& network, const Examples& training, const Examples& validation,
                         const TrainingOptions& options, const EpochListener& listener) {
  CheckOptions(options);
  CheckExamples("training", training, network.shape());
  CheckExamples("validation", validation, network.shape());
  UseThreads(options.threads);
  torch::manual_seed(options.seed);  // draws the dropout
  return Trainer(*network.impl_, training, validation, options).Run(listener);
}

}  // namespace flowcast::lstm
