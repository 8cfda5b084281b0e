// The weights of a network as bytes; docs/formats.md, "Model weights", is the specification.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "libs/lstm/network.h"

namespace flowcast::lstm {

struct ParameterLayout {
  std::string name;
  std::vector<std::int64_t> dimensions;
  std::int64_t count() const;
};

struct Weights {
  NetworkShape shape;
  std::vector<std::vector<float>> values;  // in the order of LayoutOf(shape), row-major
};

/// Throws base::ConfigError for a shape that cannot be or is beyond the format's limits.
void CheckShape(const NetworkShape& shape);

/// The parameters of a network, in the order of the format. Gates are in the order input, forget,
/// cell, output.
std::vector<ParameterLayout> LayoutOf(const NetworkShape& shape);

std::string EncodeWeights(const Weights& weights);

/// Throws base::RuntimeError with the reason. Allocates no more than a small multiple of the bytes
/// given, whatever they claim.
Weights DecodeWeights(std::string_view bytes);

}  // namespace flowcast::lstm
