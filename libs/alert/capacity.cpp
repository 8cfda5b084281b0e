// Looking up and parsing capacities.
#include "libs/alert/capacity.h"

#include <utility>

#include "libs/alert/quantity.h"
#include "libs/base/error.h"
#include "libs/base/hash.h"
#include "libs/base/pattern.h"

namespace flowcast::alert {
namespace {

constexpr Factors kBitUnits{{{"", 1}, {"k", 1e3}, {"M", 1e6}, {"G", 1e9}, {"T", 1e12}}};

std::optional<double> TryBitRate(const std::string& text) {
  std::string unit;
  const auto number = TakeNumber(text, unit);
  const auto factor = FactorOf(kBitUnits, unit);
  return number && factor && *number > 0 ? std::optional(*number * *factor) : std::nullopt;
}

}  // namespace

void Capacities::Set(const std::string& pattern, double bits_per_second) {
  if (base::IsPattern(pattern)) {
    by_pattern_[{pattern.size(), pattern}] = bits_per_second;
  } else {
    by_name_[pattern] = bits_per_second;
  }
}

std::optional<double> Capacities::Of(const std::string& link) const {
  const auto named = by_name_.find(link);
  if (named != by_name_.end()) return named->second;
  for (auto it = by_pattern_.rbegin(); it != by_pattern_.rend(); ++it) {
    if (base::MatchesPattern(it->first.second, link)) return it->second;
  }
  return std::nullopt;
}

std::vector<std::string> Capacities::links() const {
  std::vector<std::string> found;
  for (const auto& [name, value] : by_name_) found.push_back(name);
  for (const auto& [pattern, value] : by_pattern_) found.push_back(pattern.second);
  return found;
}

std::uint64_t Capacities::hash() const {
  std::string text;
  for (const auto& [name, value] : by_name_) text += name + '=' + std::to_string(value) + '\n';
  for (const auto& [pattern, value] : by_pattern_)
    text += pattern.second + '=' + std::to_string(value) + '\n';
  return base::Fnv1a64(text);
}

double ParseBitRate(const std::string& text) {
  if (const auto rate = TryBitRate(text)) return *rate;
  throw base::ConfigError("'" + text + "' is no capacity; write bits a second like 1G or 100M");
}

void AddCapacity(const std::string& text, Capacities& capacities) {
  const auto equals = text.rfind('=');
  const std::string links = equals == std::string::npos ? "*" : text.substr(0, equals);
  const auto rate = TryBitRate(equals == std::string::npos ? text : text.substr(equals + 1));
  if (links.empty() || !rate) {
    throw base::ConfigError("'" + text +
                            "' is no capacity; write bits a second like 1G or 100M, or LINK=1G for one link");
  }
  capacities.Set(links, *rate);
}

}  // namespace flowcast::alert
