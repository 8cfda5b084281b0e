// The LSTM network: training and prediction; the only includer of torch.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "libs/training/learner.h"

namespace flowcast::lstm {

/// A stack of LSTM layers over the steps of a sequence, and a linear head on the last step:
///   y = x[last][skip_feature] + head(lstm(x)[last])
/// The head starts at zero, so the untrained network is the persistence forecast.
struct NetworkShape {
  std::int64_t features = 0;
  std::int64_t length = 0;  // steps of a sequence
  std::int64_t hidden = 64;
  std::int64_t layers = 2;
  double dropout = 0.1;           // between layers, while training
  std::int64_t skip_feature = 0;  // which input the target continues

  bool operator==(const NetworkShape&) const = default;
};

enum class Optimizer { kAdam, kAdamW, kSgd };

struct TrainingOptions {
  int epochs = 60;
  int patience = 8;  // epochs without a better validation loss before it stops
  double learning_rate = 1e-3;
  Optimizer optimizer = Optimizer::kAdam;
  std::int64_t batch_size = 32;
  double gradient_clip = 1.0;  // norm
  double huber_delta = 1.0;    // in the scale of the targets
  std::uint64_t seed = 1;
  int threads = 1;
};

/// Row-major: inputs [count][length][features], targets [count], in the sequences' own scale.
struct Examples {
  std::vector<float> inputs;
  std::vector<float> targets;
  std::size_t count() const { return targets.size(); }
};

struct Epoch {
  int number = 0;  // from 1
  double training_loss = 0;
  double validation_loss = 0;
  // time is measured by the listener, which has a clock
};

/// Called after every epoch; returning false ends the training early (a stop was asked for).
using EpochListener = std::function<bool(const Epoch&)>;

class Network {
 public:
  /// A fresh network with weights drawn from `seed`. Throws base::ConfigError for a shape that cannot be.
  Network(const NetworkShape& shape, std::uint64_t seed);
  ~Network();
  Network(Network&&) noexcept;
  Network& operator=(Network&&) noexcept;

  /// Weights as bytes of a portable format of ours: a header with the shape, then each parameter
  /// as name, dimensions and little-endian float32 (docs/formats.md).
  std::string Save() const;
  /// Throws base::RuntimeError when the bytes are no network of ours, are damaged, or hold a value
  /// that is not finite.
  static Network Load(std::string_view bytes);

  /// One forecast a sequence; `inputs` is [count][length][features]. Runs in batches of 256 rows; the
  /// last bits of a forecast depend on the size of the batch that its row is in. Throws
  /// base::ConfigError for a part of a sequence. Not thread-safe.
  std::vector<float> Predict(std::span<const float> inputs) const;

  const NetworkShape& shape() const;
  std::int64_t parameter_count() const;

  struct Impl;

 private:
  explicit Network(std::unique_ptr<Impl> impl);
  friend std::vector<Epoch> Train(Network&, const Examples&, const Examples&, const TrainingOptions&,
                                  const EpochListener&);
  std::unique_ptr<Impl> impl_;
};

/// Trains in place with Huber loss, gradient clipping and early stopping; at the end the network
/// has the weights of its best epoch by validation loss. Epoch 0 (untrained: persistence) counts
/// as a candidate, so training never ends worse than it began; history starts with it (number 0).
/// An epoch whose loss is not finite ends the training and is not in the history; the listener hears
/// of epochs from 1 on. A network starts on one thread; training sets options.threads for the process.
/// The same seed, options and examples give the same weights on the same machine. Throws
/// base::ConfigError for options that cannot be and for examples that do not fit the shape, are empty
/// or hold a value that is not finite.
std::vector<Epoch> Train(Network& network, const Examples& training, const Examples& validation,
                         const TrainingOptions& options, const EpochListener& listener);

/// "libtorch 1.13.1, OpenBLAS"; says so when the slow reference BLAS is in use.
std::string LibraryVersion();
bool UsesSlowBlas();

}  // namespace flowcast::lstm
