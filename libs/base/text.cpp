// Formatting numbers.
#include "libs/base/text.h"

#include <array>
#include <cmath>
#include <cstdio>

namespace flowcast::base {

std::string Grouped(std::uint64_t value) {
  std::string text = std::to_string(value);
  for (int position = static_cast<int>(text.size()) - 3; position > 0; position -= 3) {
    text.insert(static_cast<std::size_t>(position), 1, ',');
  }
  return text;
}

std::string Short(double value) {
  constexpr std::array<const char*, 4> kUnits{"", " k", " M", " G"};
  std::size_t unit = 0;
  while (std::abs(value) >= 999.5 && unit + 1 < kUnits.size()) {
    value /= 1000;
    ++unit;
  }
  const double size = std::abs(value);
  const int digits = size >= 99.95 || (unit == 0 && size == std::floor(size)) ? 0 : size >= 9.995 ? 1 : 2;
  char text[32];
  std::snprintf(text, sizeof text, "%.*f%s", digits, value, kUnits[unit]);
  return text;
}

std::string Join(const std::vector<std::string>& parts) {
  std::string joined;
  for (const std::string& part : parts) joined.append(joined.empty() ? "" : ", ").append(part);
  return joined;
}

}  // namespace flowcast::base
