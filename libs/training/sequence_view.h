// A sequence as a forecaster sees it, and a forecaster's answers in raw units.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "libs/feature/window.h"
#include "libs/training/learner.h"

namespace flowcast::training {

/// Inputs and targets are kept within this many scales around the centre: a burst out of a quiet
/// sequence should count, not drown the rest.
inline constexpr double kLargestValue = 10;
inline constexpr double kLargestRawValue =
    1e12;  // where sequences are not normalized (feature::Scaling::kNone)

/// A column of the sequences that is forecast.
struct Target {
  /// One that is at its own position in every schema: packets or bytes.
  Target(feature::Index index);  // NOLINT(google-explicit-constructor): an index says it all
  /// A column of `schema`. Throws base::ConfigError that lists those there are.
  Target(const feature::Schema& schema, std::string_view name);

  std::size_t column;
  feature::Transform transform;
};

/// Columns of `schema` by name. Throws base::ConfigError as Target does, for none, and for one that is named
/// twice.
std::vector<Target> TargetsOf(const feature::Schema& schema, const std::vector<std::string>& names);

/// What the network is asked of sequences like `like`: `targets` so many windows ahead, at these levels,
/// with the link's seasonal profile as context (two columns a target and horizon, see AppendContext).
Shape ShapeOf(const feature::Sequence& like, const std::vector<Target>& targets,
              const std::vector<int>& horizons, const std::vector<double>& levels);

/// Values within +-kLargestValue.
void AppendInputs(const feature::Sequence& sequence, std::vector<float>& inputs);

/// For each target and horizon: how far the usual value of that window lies above the sequence's last one, in
/// the sequence's own scale, and 1; or 0 and 0 where it is not known. Usual values there are of packets and
/// bytes. Nothing for a shape without context.
void AppendContext(const feature::Sequence& sequence, const Shape& shape, std::vector<float>& context);

/// The usual load of the window `windows` after the last one, raw; nothing where it is not known.
std::optional<double> UsualOf(const feature::Sequence& sequence, std::size_t column, int windows);

/// In the sequence's own scale, within +-kLargestValue.
float ToOwnScale(const feature::Sequence& sequence, const Target& target, double raw);

/// A network's answers in raw units; never negative and never above four times what the sequence
/// has seen (or one scale above it), whatever the network says. Nothing for an answer that is not finite.
class ToRaw {
 public:
  ToRaw(const feature::Sequence& sequence, const Target& target);
  std::optional<double> operator()(float answer) const;

 private:
  feature::Transform transform_;
  feature::Normalization normalization_;
  feature::Scaling scaling_;
  double most_;
};

/// Raw units in one unit of the sequence's own scale, around the mean of its values; positive.
double RawUnit(const feature::Sequence& sequence, const Target& target);

/// A sequence and the one whose last window is its target.
struct Pair {
  const feature::Sequence* sequence;
  const feature::Sequence* truth;
};

/// A forecast and its truth, raw units.
struct Scored {
  const Pair* pair;
  double actual = 0;
  double forecast = 0;  // the network's median; persistence where it gave nothing finite
  double persistence = 0;
};

/// What a network says of each pair, in their order; `horizon` windows lie between its two. Pairs must
/// outlive the result. Throws base::RuntimeError when the network does not forecast this.
std::vector<Scored> Forecast(Predictor& predictor, const std::vector<Pair>& pairs, const Target& target,
                             int horizon);

}  // namespace flowcast::training
