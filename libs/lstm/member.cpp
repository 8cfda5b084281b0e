// Epochs, batches, losses of one network.
#include "libs/lstm/internal/member.h"

#include <cmath>
#include <numeric>

#include "libs/lstm/internal/quantiles.h"

namespace flowcast::lstm {
namespace {

constexpr std::int64_t kLossBatch = 256;

// Fisher and Yates's shuffle.
std::vector<std::int64_t> Shuffled(std::size_t count, base::Random& random) {
  std::vector<std::int64_t> order(count);
  std::iota(order.begin(), order.end(), std::int64_t{0});
  for (std::size_t i = count; i > 1; --i) std::swap(order[i - 1], order[random.Below(i)]);
  return order;
}

double MeanWeight(const training::Shape& shape, const training::Examples& examples) {
  double sum = 0;
  double count = 0;
  for (std::size_t i = 0; i < examples.targets.size(); ++i) {
    if (std::isnan(examples.targets[i])) continue;
    sum += examples.weights[i / shape.horizons.size()];
    ++count;
  }
  return sum > 0 ? sum / count : 1;
}

WeighedExamples Divided(const training::Shape& shape, const training::Examples& examples, double mean) {
  WeighedExamples weighed{examples, examples.weights};
  if (weighed.weights.empty()) weighed.weights.assign(examples.count * shape.targets.size(), 1);
  for (float& weight : weighed.weights) weight = static_cast<float>(weight / mean);
  return weighed;
}

}  // namespace

std::pair<WeighedExamples, WeighedExamples> Weigh(const training::Shape& shape,
                                                  const training::Examples& training,
                                                  const training::Examples& validation) {
  const double mean = training.weights.empty() ? 1 : MeanWeight(shape, training);
  return {Divided(shape, training, mean), Divided(shape, validation, mean)};
}

Member::Member(const NetworkShape& shape, const TrainingOptions& options, std::uint64_t seed,
               const Parameters& parameters, const WeighedExamples& training,
               const WeighedExamples& validation)
    : shape_(shape),
      options_(options),
      seed_(seed),
      training_(training),
      validation_(validation),
      module_(shape, parameters),
      optimizer_(module_.parameters(), options),
      random_(seed) {}

void Member::Begin() {
  state_.training_loss = LossOver(training_);
  state_.validation_loss = LossOver(validation_);
  state_.best = module_.Copy();
  state_.best_loss = state_.validation_loss;
}

void Member::Learn(int epoch) {
  random_ = base::Random(seed_ + 0x9e3779b97f4a7c15ULL * static_cast<std::uint64_t>(epoch));
  const std::vector<std::int64_t> order = Shuffled(training_.examples.count, random_);
  double sum = 0;
  double answers = 0;
  for (std::size_t begin = 0; begin < order.size() && std::isfinite(sum);) {
    const std::size_t rows = std::min(static_cast<std::size_t>(options_.batch_size), order.size() - begin);
    sum += TrainBatch({&order[begin], rows});
    answers += answers_;
    begin += rows;
  }
  state_.training_loss = sum / answers;
  state_.validation_loss = LossOver(validation_);
  if (!std::isfinite(state_.training_loss) || !std::isfinite(state_.validation_loss)) {
    state_.finished = true;
    return;
  }
  if (state_.validation_loss < state_.best_loss) {
    state_.best_loss = state_.validation_loss;
    state_.best_epoch = epoch;
    state_.best = module_.Copy();
  }
  state_.finished = epoch - state_.best_epoch >= options_.patience;
}

MemberState Member::state() const {
  MemberState state = state_;
  state.current = module_.Copy();
  state.moments = optimizer_.moments();
  return state;
}

void Member::Resume(const MemberState& state) {
  state_ = state;
  module_.Assign(state.current);
  optimizer_.Assign(state.moments);
}

double Member::LossOver(const WeighedExamples& examples) {
  const torch::InferenceMode guard;
  std::vector<std::int64_t> rows;
  double sum = 0;
  double answers = 0;
  const auto count = static_cast<std::int64_t>(examples.examples.count);
  for (std::int64_t begin = 0; begin < count; begin += kLossBatch) {
    rows.resize(static_cast<std::size_t>(std::min(kLossBatch, count - begin)));
    std::iota(rows.begin(), rows.end(), begin);
    batch_.Fill(shape_, examples.examples.inputs, examples.examples.context, rows);
    sum += Loss(module_.Forward(batch_, nullptr), examples, rows, nullptr);
    answers += answers_;
  }
  return sum / answers;
}

double Member::TrainBatch(std::span<const std::int64_t> rows) {
  batch_.Fill(shape_, training_.examples.inputs, training_.examples.context, rows);
  const Outputs outputs = module_.Forward(batch_, [this](const torch::Tensor& like) { return Mask(like); });
  Outputs gradients{torch::zeros_like(outputs.raw), torch::zeros_like(outputs.centres)};
  const double loss = Loss(outputs, training_, rows, &gradients);
  if (answers_ == 0) return 0;
  torch::autograd::backward({outputs.raw, outputs.centres}, {gradients.raw, gradients.centres});
  optimizer_.Step();
  return loss;
}

double Member::Loss(const Outputs& outputs, const WeighedExamples& examples,
                    std::span<const std::int64_t> rows, Outputs* gradients) {
  const std::size_t answers = shape_.io.target_size();
  const std::size_t levels = shape_.io.levels.size();
  const std::size_t median = shape_.io.median();
  const std::size_t horizons = shape_.io.horizons.size();
  const torch::Tensor raw = outputs.raw.contiguous();
  const torch::Tensor centres = outputs.centres.contiguous();
  const auto truth_at = [&](std::size_t i) {
    return examples.examples.targets[static_cast<std::size_t>(rows[i / answers]) * answers + i % answers];
  };
  answers_ = 0;
  for (std::size_t i = 0; i < rows.size() * answers; ++i) answers_ += std::isnan(truth_at(i)) ? 0 : 1;
  std::vector<float> gradient(levels);
  double sum = 0;
  for (std::size_t i = 0; i < rows.size() * answers; ++i) {
    if (std::isnan(truth_at(i))) continue;
    const auto row = static_cast<std::size_t>(rows[i / answers]);
    const float weight = examples.weights[row * shape_.io.targets.size() + i % answers / horizons];
    sum += weight * PinballLoss({raw.data_ptr<float>() + i * levels, levels}, shape_.io.levels, median,
                                centres.data_ptr<float>()[i], truth_at(i), gradient.data());
    if (gradients == nullptr) continue;
    const float share = weight / static_cast<float>(answers_);
    float* const out = gradients->raw.data_ptr<float>() + i * levels;
    for (std::size_t level = 0; level < levels; ++level) out[level] = share * gradient[level];
    gradients->centres.data_ptr<float>()[i] = share * gradient[median];
  }
  return sum;
}

torch::Tensor Member::Mask(const torch::Tensor& like) {
  torch::Tensor mask = torch::empty_like(like);
  const auto limit = static_cast<std::uint64_t>(shape_.dropout * 65536);
  const auto kept = static_cast<float>(1 / (1 - shape_.dropout));
  float* const out = mask.data_ptr<float>();
  std::uint64_t bits = 0;
  for (std::int64_t i = 0; i < mask.numel(); ++i) {
    bits = i % 4 == 0 ? random_.Next() : bits >> 16;
    out[i] = (bits & 0xffff) < limit ? 0 : kept;
  }
  return mask;
}

}  // namespace flowcast::lstm
