// Fits models and asks them.
#include "libs/backtest/answers.h"

#include <algorithm>
#include <limits>
#include <numeric>

#include "libs/training/model_opinion.h"

namespace flowcast::backtest {
namespace {

constexpr std::size_t kBatch = 1024;
constexpr double kNothing = std::numeric_limits<double>::quiet_NaN();

/// What is learned from, and what is held back for validation.
std::pair<training::Examples, training::Examples> Split(const Model& model, const training::Shape& shape,
                                                        const Sequences& sequences, std::size_t cut) {
  const std::size_t first = sequences.first();
  if (!model.wants_validation) return {sequences.Make(shape, first, cut, cut), {}};
  const auto held = static_cast<std::size_t>(kHeldShare * static_cast<double>(cut - std::min(cut, first)));
  const std::size_t gap = static_cast<std::size_t>(shape.length + shape.horizons.back());
  const std::size_t begin = cut - held;
  const std::size_t end = begin > gap + first ? begin - std::min(gap, held) : begin;
  return {sequences.Make(shape, first, end, begin), sequences.Make(shape, begin, cut, cut)};
}

/// Every `stride`-th number from `offset` on.
void CopyColumn(const std::vector<float>& from, std::vector<float>& to, std::size_t offset,
                std::size_t stride) {
  for (std::size_t i = offset; i < to.size(); i += stride) to[i] = from[i];
}

}  // namespace

std::optional<FittedModel> FittedModel::Fit(const Model& model, const Sequences& sequences, std::size_t cut,
                                            const training::TrainingHooks& hooks) {
  const training::Shape shape = sequences.ShapeFor(model.levels);
  const auto [training, validation] = Split(model, shape, sequences, cut);
  if (training.count < kFewestExamples) return std::nullopt;
  const std::string weights = model.learner.Train(shape, training, validation, hooks).weights;
  return FittedModel(model.name, model.load(weights));
}

training::Examples FittedModel::Questions(const Sequences& sequences, const std::vector<std::size_t>& steps,
                                          const Shuffle* shuffle) const {
  const training::Shape& shape = predictor_->shape();
  training::Examples asked = sequences.Ask(shape, steps);
  if (shuffle == nullptr) return asked;
  std::vector<std::size_t> others(steps);
  for (std::size_t& step : others) {
    if (step >= shuffle->from) step = shuffle->steps[step - shuffle->from];
  }
  const training::Examples other = sequences.Ask(shape, others);
  if (shuffle->column) {
    CopyColumn(other.inputs, asked.inputs, *shuffle->column, static_cast<std::size_t>(shape.features));
  } else {
    asked.context = other.context;
  }
  return asked;
}

Answers FittedModel::Ask(const Sequences& sequences, std::size_t from, std::size_t until, std::size_t cut,
                         const Shuffle* shuffle) {
  Answers answers{.from = std::max(from, sequences.first()), .opinions = {}};
  const std::size_t size = predictor_->shape().answer_size();
  for (std::size_t begin = answers.from; begin < until; begin += kBatch) {
    std::vector<std::size_t> steps(std::min(kBatch, until - begin));
    std::iota(steps.begin(), steps.end(), begin);
    const training::Examples asked = Questions(sequences, steps, shuffle);
    const std::vector<float> said = predictor_->Predict(asked.inputs, asked.context);
    for (std::size_t i = 0; i < steps.size(); ++i) {
      answers.opinions.push_back(
          OpinionOf(sequences, steps[i], std::span(said).subspan(i * size, size), cut));
    }
  }
  return answers;
}

forecast::ModelOpinion FittedModel::OpinionOf(const Sequences& sequences, std::size_t at,
                                              std::span<const float> said, std::size_t cut) const {
  const training::Shape& shape = predictor_->shape();
  forecast::ModelOpinion opinion =
      training::OpinionOf(name_, sequences.At(at), sequences.target(), shape.horizons, shape, said);
  for (std::size_t h = 0; h < shape.horizons.size(); ++h) {
    if (at + static_cast<std::size_t>(shape.horizons[h]) < cut) opinion.medians[h] = kNothing;
  }
  return opinion;
}

}  // namespace flowcast::backtest
