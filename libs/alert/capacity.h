// What links can carry.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace flowcast::alert {

/// Bits a second by link, or by pattern (base::MatchesPattern). Of a link's name and patterns the name
/// counts, of several patterns the longest (of equally long ones the last in the alphabet).
class Capacities {
 public:
  /// Takes the place of what the same name or pattern had.
  void Set(const std::string& pattern, double bits_per_second);
  std::optional<double> Of(const std::string& link) const;
  /// What has one, names and patterns.
  std::vector<std::string> links() const;
  bool empty() const { return by_name_.empty() && by_pattern_.empty(); }
  /// Of names, patterns and values.
  std::uint64_t hash() const;

 private:
  using Pattern = std::pair<std::size_t, std::string>;  // with its length, so that the longest is last

  std::map<std::string, double> by_name_;
  std::map<Pattern, double> by_pattern_;
};

/// "1G", "100M", "2.5k", "9600": bits a second. Throws base::ConfigError.
double ParseBitRate(const std::string& text);

/// "1G" for every link, "LINK=1G" or "PATTERN=1G". Throws base::ConfigError.
void AddCapacity(const std::string& text, Capacities& capacities);

}  // namespace flowcast::alert
