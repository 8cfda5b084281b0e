// Members of an ensemble, epoch by epoch.
#include "libs/lstm/internal/trainer.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <thread>

#include "libs/lstm/internal/checkpoint.h"

namespace flowcast::lstm {
namespace {

using training::EpochResult;
using training::Examples;

// How far the quantiles of what persistence gets wrong lie apart, [targets][horizons][levels]; a network
// begins with them.
std::vector<float> GapsOf(const NetworkShape& shape, const Examples& examples) {
  const std::size_t answers = shape.io.target_size();
  const std::size_t levels = shape.io.levels.size();
  std::vector<float> gaps(shape.io.answer_size());
  for (std::size_t answer = 0; answer < answers; ++answer) {
    const auto column = static_cast<std::size_t>(shape.io.targets[answer / shape.io.horizons.size()]) +
                        static_cast<std::size_t>((shape.io.length - 1) * shape.io.features);
    std::vector<float> errors;
    for (std::size_t i = 0; i < examples.count; ++i) {
      const float truth = examples.targets[i * answers + answer];
      if (!std::isnan(truth)) errors.push_back(truth - examples.inputs[i * shape.io.input_size() + column]);
    }
    std::sort(errors.begin(), errors.end());
    const auto quantile = [&](std::size_t level) {
      if (errors.empty()) return static_cast<float>(level);
      return errors[static_cast<std::size_t>(shape.io.levels[level] *
                                             static_cast<double>(errors.size() - 1))];
    };
    for (std::size_t level = 0; level < levels; ++level) {
      const std::size_t inner =
          level < shape.io.median() ? level + 1 : level - std::min<std::size_t>(level, 1);
      gaps[answer * levels + level] = std::abs(quantile(level) - quantile(inner));
    }
  }
  return gaps;
}

class Trainer {
 public:
  Trainer(const NetworkShape& shape, const LearnerOptions& options, const Examples& training,
          const Examples& validation)
      : shape_(shape), options_(options), examples_(Weigh(shape.io, training, validation)) {
    const std::vector<float> gaps = GapsOf(shape, training);
    for (int i = 0; i < options.members; ++i) {
      const std::uint64_t seed = options.training.seed + 0x632be59bd9b4e019ULL * static_cast<unsigned>(i);
      members_.push_back(std::make_unique<Member>(shape, options.training, seed,
                                                  DrawParameters(shape, seed, gaps), examples_.first,
                                                  examples_.second));
    }
  }

  void Begin() {
    ForEachMember([](Member& member) { member.Begin(); });
    history_ = {Result(0)};
  }

  bool Resume(const std::optional<Checkpoint>& checkpoint) {
    if (!checkpoint || checkpoint->members.size() != members_.size()) return false;
    for (std::size_t i = 0; i < members_.size(); ++i) members_[i]->Resume(checkpoint->members[i]);
    history_ = checkpoint->history;
    return true;
  }

  /// False when nothing is left to learn.
  bool Learn() {
    const int epoch = history_.back().number + 1;
    if (epoch > options_.training.epochs || AllFinished()) return false;
    ForEachMember([epoch](Member& member) {
      if (!member.finished()) member.Learn(epoch);
    });
    const EpochResult result = Result(epoch);
    if (!std::isfinite(result.training_loss) || !std::isfinite(result.validation_loss)) return false;
    history_.push_back(result);
    return true;
  }

  Checkpoint State() const {
    Checkpoint checkpoint{history_, {}};
    for (const auto& member : members_) checkpoint.members.push_back(member->state());
    return checkpoint;
  }

  training::TrainedNetwork Trained() const {
    Weights weights{shape_, {}};
    for (const auto& member : members_) weights.members.push_back(member->best());
    const auto best = std::min_element(
        history_.begin(), history_.end(),
        [](const EpochResult& a, const EpochResult& b) { return a.validation_loss < b.validation_loss; });
    return {.weights = EncodeWeights(weights),
            .parameters = options_.members * ParameterCount(shape_),
            .best_epoch = best->number,
            .history = history_};
  }

  const std::vector<EpochResult>& history() const { return history_; }

 private:
  bool AllFinished() const {
    return std::all_of(members_.begin(), members_.end(),
                       [](const auto& member) { return member->finished(); });
  }

  // Means over the members that have not diverged; those that stopped count with their last epoch.
  EpochResult Result(int epoch) const {
    EpochResult result{epoch, 0, 0};
    double count = 0;
    for (const auto& member : members_) {
      if (!std::isfinite(member->training_loss()) || !std::isfinite(member->validation_loss())) continue;
      result.training_loss += member->training_loss();
      result.validation_loss += member->validation_loss();
      ++count;
    }
    result.training_loss /= count;
    result.validation_loss /= count;
    return result;
  }

  template <typename Work>
  void ForEachMember(const Work& work) {
    const auto threads = std::min(static_cast<std::size_t>(options_.training.threads), members_.size());
    if (threads <= 1) {
      UseThreads(options_.training.threads);
      for (const auto& member : members_) work(*member);
      return;
    }
    std::vector<std::thread> running;
    for (std::size_t first = 0; first < threads; ++first) {
      running.emplace_back([this, first, threads, &work] {
        UseThreads(1);
        for (std::size_t i = first; i < members_.size(); i += threads) work(*members_[i]);
      });
    }
    for (std::thread& thread : running) thread.join();
  }

  NetworkShape shape_;
  LearnerOptions options_;
  std::pair<WeighedExamples, WeighedExamples> examples_;
  std::vector<std::unique_ptr<Member>> members_;
  std::vector<EpochResult> history_;
};

}  // namespace

training::TrainedNetwork TrainEnsemble(const NetworkShape& shape, const LearnerOptions& options,
                                       const Examples& training, const Examples& validation,
                                       const training::TrainingHooks& hooks) {
  Trainer trainer(shape, options, training, validation);
  const bool checkpoints = hooks.keep_checkpoint || !hooks.checkpoint.empty();
  const std::uint64_t fingerprint = checkpoints ? Fingerprint(shape, options, training, validation) : 0;
  int resumed_at = 0;
  if (trainer.Resume(DecodeCheckpoint(hooks.checkpoint, shape, fingerprint))) {
    resumed_at = trainer.history().back().number;
  } else {
    trainer.Begin();
  }
  while (trainer.Learn()) {
    if (hooks.keep_checkpoint) hooks.keep_checkpoint(EncodeCheckpoint(trainer.State(), fingerprint));
    if (hooks.listener && !hooks.listener(trainer.history().back())) break;
  }
  training::TrainedNetwork trained = trainer.Trained();
  trained.resumed_at = resumed_at;
  return trained;
}

}  // namespace flowcast::lstm
