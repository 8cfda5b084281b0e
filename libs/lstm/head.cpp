// State and flat values to quantiles.
#include "libs/lstm/internal/head.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "libs/lstm/internal/clones.h"
#include "libs/lstm/internal/quantiles.h"

namespace flowcast::lstm {
namespace {

FLOWCAST_CLONES
void AddScaled(const float* __restrict column, float factor, std::size_t count, float* __restrict sum) {
  for (std::size_t i = 0; i < count; ++i) sum[i] += factor * column[i];
}

// Columns of `count` values, each times its x.
FLOWCAST_CLONES
void AddColumns(const float* __restrict columns, const float* __restrict x, std::size_t inputs,
                std::size_t count, float* __restrict sum) {
  for (std::size_t i = 0; i < inputs; ++i) {
    for (std::size_t j = 0; j < count; ++j) sum[j] += x[i] * columns[i * count + j];
  }
}

}  // namespace

Head::Affine::Affine(const std::vector<float>& weight, const std::vector<float>& given_bias)
    : inputs(weight.size() / given_bias.size()), columns(weight.size()), bias(given_bias) {
  for (std::size_t i = 0; i < weight.size(); ++i) columns[i % inputs * bias.size() + i / inputs] = weight[i];
}

void Head::Affine::Apply(const float* x, float* y) const {
  std::copy(bias.begin(), bias.end(), y);
  AddColumns(columns.data(), x, inputs, bias.size(), y);
}

Head::Head(const NetworkShape& shape, const Parameters& parameters)
    : shape_(shape),
      features_(Size(shape.state_columns() + shape.flat_columns())),
      query_(Size(shape.hidden)),
      scores_(Size(shape.io.length)),
      activated_(Size(shape.head_size)),
      centres_(shape.io.target_size()),
      raw_(shape.io.answer_size()),
      quantiles_(shape.io.levels.size()) {
  const Positions at(shape);
  if (shape.attention) {
    attention_ = Affine(parameters[at.attention], std::vector<float>(Size(shape.hidden)));
  }
  skip_ = Affine(parameters[at.skip], parameters[at.skip + 1]);
  if (shape.head_size > 0) hidden_ = Affine(parameters[at.head_hidden], parameters[at.head_hidden + 1]);
  head_ = Affine(parameters[at.head], parameters[at.head + 1]);
}

void Head::Attend(const float* hidden, std::int64_t batch_rows, std::int64_t row) {
  const auto step = [&](std::size_t t) {
    return hidden + (Size(batch_rows) * t + Size(row)) * query_.size();
  };
  attention_.Apply(features_.data(), query_.data());
  const float scale = 1 / std::sqrt(static_cast<float>(shape_.hidden));
  for (std::size_t t = 0; t < scores_.size(); ++t) {
    scores_[t] = scale * std::inner_product(query_.begin(), query_.end(), step(t), 0.0F);
  }
  const float largest = *std::max_element(scores_.begin(), scores_.end());
  float sum = 0;
  for (float& score : scores_) sum += score = std::exp(score - largest);
  float* const mean = features_.data() + query_.size();
  std::fill(mean, mean + query_.size(), 0.0F);
  for (std::size_t t = 0; t < scores_.size(); ++t) AddScaled(step(t), scores_[t] / sum, query_.size(), mean);
}

void Head::Add(const Batch& batch, const float* hidden, float* answers) {
  const float* const last_step = hidden + (shape_.io.length - 1) * batch.rows * shape_.hidden;
  const std::int64_t flat_columns = shape_.flat_columns();
  for (std::int64_t row = 0; row < batch.rows; ++row) {
    const float* const state = last_step + row * shape_.hidden;
    const float* const flat = batch.flat.data() + row * flat_columns;
    std::copy(state, state + shape_.hidden, features_.begin());
    if (shape_.attention) Attend(hidden, batch.rows, row);
    std::copy(flat, flat + flat_columns, features_.begin() + shape_.state_columns());
    const float* inputs = features_.data();
    if (shape_.head_size > 0) {
      hidden_.Apply(inputs, activated_.data());
      for (float& value : activated_) value = std::max(value, 0.0F);
      inputs = activated_.data();
    }
    head_.Apply(inputs, raw_.data());
    skip_.Apply(flat, centres_.data());
    AddAnswers(batch.last.data() + row * shape_.targets(),
               answers + row * static_cast<std::int64_t>(raw_.size()));
  }
}

void Head::AddAnswers(const float* last, float* answers) {
  const std::size_t levels = quantiles_.size();
  for (std::size_t i = 0; i < centres_.size(); ++i) {
    const float persistence = last[i / shape_.io.horizons.size()];
    Spread({&raw_[i * levels], levels}, shape_.io.median(), persistence + centres_[i], quantiles_.data());
    const bool finite =
        std::all_of(quantiles_.begin(), quantiles_.end(), [](float x) { return std::isfinite(x); });
    if (!finite) std::fill(quantiles_.begin(), quantiles_.end(), persistence);
    for (std::size_t level = 0; level < levels; ++level) answers[i * levels + level] += quantiles_[level];
  }
}

}  // namespace flowcast::lstm
