// Matching with one way back: to the last star.
#include "libs/base/pattern.h"

namespace flowcast::base {
namespace {

constexpr auto kNowhere = std::string_view::npos;

/// Where the set that begins at `open` ends; nowhere when it does not.
std::size_t EndOfSet(std::string_view pattern, std::size_t open) {
  std::size_t first = open + 1;
  if (first < pattern.size() && (pattern[first] == '!' || pattern[first] == '^')) ++first;
  return pattern.find(']', first + 1);  // a ] that comes first is one of the set
}

bool IsInSet(std::string_view set, char c) {
  const bool negated = set.front() == '!' || set.front() == '^';
  if (negated) set.remove_prefix(1);
  const auto byte = static_cast<unsigned char>(c);
  bool found = false;
  for (std::size_t i = 0; i < set.size(); ++i) {
    const auto from = static_cast<unsigned char>(set[i]);
    const bool is_range = i + 2 < set.size() && set[i + 1] == '-';
    const auto to = is_range ? static_cast<unsigned char>(set[i + 2]) : from;
    found = found || (from <= byte && byte <= to);
    i += is_range ? 2 : 0;
  }
  return found != negated;
}

/// The rest of the pattern's position when what stands at `at` (no star) is `c`; otherwise nowhere.
std::size_t Take(std::string_view pattern, std::size_t at, char c) {
  if (at >= pattern.size()) return kNowhere;
  if (pattern[at] == '?') return at + 1;
  const std::size_t end = pattern[at] == '[' ? EndOfSet(pattern, at) : kNowhere;
  if (end == kNowhere) return pattern[at] == c ? at + 1 : kNowhere;
  return IsInSet(pattern.substr(at + 1, end - at - 1), c) ? end + 1 : kNowhere;
}

}  // namespace

bool MatchesPattern(std::string_view pattern, std::string_view text) {
  std::size_t at = 0;
  std::size_t after_star = kNowhere;  // in the pattern
  std::size_t taken = 0;              // by that star, up to here in the text
  for (std::size_t i = 0; i < text.size();) {
    if (at < pattern.size() && pattern[at] == '*') {
      after_star = ++at;
      taken = i;
      continue;
    }
    const std::size_t next = Take(pattern, at, text[i]);
    if (next != kNowhere) {
      at = next;
      ++i;
    } else if (after_star != kNowhere) {
      at = after_star;
      i = ++taken;
    } else {
      return false;
    }
  }
  return pattern.find_first_not_of('*', at) == kNowhere;
}

bool IsPattern(std::string_view pattern) { return pattern.find_first_of("*?[") != kNowhere; }

}  // namespace flowcast::base
