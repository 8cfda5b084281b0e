// Numbers for people.
#pragma once

#include <cstdint>
#include <string>

namespace flowcast::base {

/// "1,234,567".
std::string Grouped(std::uint64_t value);

/// Three digits with k, M or G: "950", "1.23 k", "45.6 M".
std::string Short(double value);

}  // namespace flowcast::base
