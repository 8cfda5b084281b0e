// Numbers and lists for people.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace flowcast::base {

/// "1,234,567".
std::string Grouped(std::uint64_t value);

/// Three digits with k, M or G: "950", "1.23 k", "45.6 M".
std::string Short(double value);

/// "one, two, three".
std::string Join(const std::vector<std::string>& parts);

}  // namespace flowcast::base
