// What a network consists of, and its weights as bytes; docs/formats.md, "Model weights", is the
// specification.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "libs/lstm/options.h"
#include "libs/training/learner.h"

namespace flowcast::lstm {

/// Of what is never negative, for vectors.
constexpr std::size_t Size(std::int64_t value) { return static_cast<std::size_t>(value); }

/// For each target and horizon, with `last` the target's last value:
///   median = last + skip . flat + head(state, flat)[median],   quantiles around it by internal/quantiles.h
/// `flat` are the target's values less `last`, and the context. `state` is what the LSTM says after the last
/// step, with attention also the mean over the steps weighted by softmax(state A step / sqrt(hidden)). The
/// LSTM reads each step's features, targets less `last`, and how much the targets changed since the step
/// before. `skip` and `head` begin at zero, so the untrained network's median is persistence.
struct NetworkShape {
  training::Shape io;
  std::int64_t hidden = 64;
  std::int64_t layers = 2;
  std::int64_t head_size = 0;
  bool attention = false;
  double dropout = 0.1;

  std::int64_t targets() const { return static_cast<std::int64_t>(io.targets.size()); }
  std::int64_t step_columns() const { return io.features + targets(); }
  std::int64_t flat_columns() const { return io.length * targets() + io.context; }
  std::int64_t state_columns() const { return attention ? 2 * hidden : hidden; }
  bool operator==(const NetworkShape&) const = default;
};

NetworkShape ShapeOf(const training::Shape& io, const LearnerOptions& options);

struct ParameterLayout {
  std::string name;
  std::vector<std::int64_t> dimensions;
  std::int64_t count() const;
};

/// Where a network's parameters are in the list.
struct Positions {
  explicit Positions(const NetworkShape& shape);
  std::size_t attention;    // the only one of its kind
  std::size_t skip;         // weight; its bias follows
  std::size_t head_hidden;  // weight; its bias follows
  std::size_t head;         // the same
};

/// One network's, in the order of LayoutOf, each row-major.
using Parameters = std::vector<std::vector<float>>;

/// Networks of one shape, whose answers are averaged.
struct Weights {
  NetworkShape shape;
  std::vector<Parameters> members;
};

/// Throws base::ConfigError for a shape that cannot be or is beyond the format's limits.
void CheckShape(const NetworkShape& shape);

/// The parameters of a network, in the order of the format. Gates are in the order input, forget,
/// cell, output.
std::vector<ParameterLayout> LayoutOf(const NetworkShape& shape);
std::int64_t ParameterCount(const NetworkShape& shape);

/// Torch's own defaults: uniform within 1 / sqrt(hidden) for the LSTM, within 1 / sqrt(inputs) for the head's
/// hidden layer; the rest zero. The head's biases put quantiles `gaps` [targets][horizons][levels] apart, see
/// internal/quantiles.h; the median's is not looked at.
Parameters DrawParameters(const NetworkShape& shape, std::uint64_t seed, const std::vector<float>& gaps);

std::string EncodeWeights(const Weights& weights);

/// Throws base::RuntimeError with the reason. Allocates no more than a small multiple of the bytes
/// given, whatever they claim.
Weights DecodeWeights(std::string_view bytes);

/// Values only, for formats that know the shape. The latter throws BadBytes.
void PutParameters(std::string& out, const Parameters& parameters);
class Cursor;
Parameters GetParameters(Cursor& cursor, const NetworkShape& shape);

}  // namespace flowcast::lstm
