// What is searched: parameters, their ranges, and candidates drawn from them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace flowcast::tune {

/// Values of one setting: a list, or all from low to high, drawn evenly in their logarithm.
struct Parameter {
  std::string name;
  std::vector<double> choices;  // empty: low to high
  double low = 0;
  double high = 0;
  bool whole = false;
};

/// "16,32,64", "16..64" or "48". Throws base::ConfigError that names the parameter for anything else, for
/// values outside [least, most], and for parts of a parameter that is `whole`.
Parameter ParseParameter(const std::string& name, const std::string& text, bool whole, double least,
                         double most);

/// One value a parameter, in their order.
using Candidate = std::vector<double>;

/// `count` candidates, the same for the same seed; fewer where the space has no more that differ.
std::vector<Candidate> Draw(const std::vector<Parameter>& space, std::size_t count, std::uint64_t seed);

}  // namespace flowcast::tune
