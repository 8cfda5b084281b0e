// Ranges out of texts, candidates out of ranges.
#include "libs/tune/space.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <set>

#include "libs/base/error.h"
#include "libs/base/random.h"

namespace flowcast::tune {
namespace {

class Parser {
 public:
  Parser(const std::string& name, const std::string& text, bool whole, double least, double most)
      : name_(name), text_(text), whole_(whole), least_(least), most_(most) {}

  double Number(const std::string& part) const {
    double value = 0;
    const char* end = part.data() + part.size();
    const auto [stopped, error] = std::from_chars(part.data(), end, value);
    if (error != std::errc() || stopped != end || !(value >= least_) || !(value <= most_) ||
        (whole_ && value != std::floor(value)))
      Refuse();
    return value;
  }

  [[noreturn]] void Refuse() const {
    throw base::ConfigError("--" + name_ + " " + text_ + ": give " + (whole_ ? "whole numbers" : "numbers") +
                            " from " + Text(least_) + " to " + Text(most_) +
                            ", as a list (a,b,c), a range (a..b) or one");
  }

 private:
  static std::string Text(double value) {
    char text[32];
    const auto [end, error] = std::to_chars(text, text + sizeof text, value);
    return {text, end};
  }

  const std::string& name_;
  const std::string& text_;
  bool whole_;
  double least_;
  double most_;
};

double DrawOne(const Parameter& parameter, base::Random& random) {
  if (!parameter.choices.empty()) return parameter.choices[random.Below(parameter.choices.size())];
  // A range of whole numbers from 0 on has no logarithm there.
  const double shift = parameter.low > 0 ? 0 : 1;
  const double from = std::log(parameter.low + shift);
  const double to = std::log(parameter.high + shift);
  const double value = std::exp(from + (to - from) * random.Uniform()) - shift;
  return std::clamp(parameter.whole ? std::round(value) : value, parameter.low, parameter.high);
}

}  // namespace

Parameter ParseParameter(const std::string& name, const std::string& text, bool whole, double least,
                         double most) {
  const Parser parser(name, text, whole, least, most);
  Parameter parameter{.name = name, .choices = {}, .whole = whole};
  if (const auto dots = text.find(".."); dots != std::string::npos) {
    parameter.low = parser.Number(text.substr(0, dots));
    parameter.high = parser.Number(text.substr(dots + 2));
    if (parameter.low > parameter.high) parser.Refuse();
    return parameter;
  }
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find(',', begin), text.size());
    parameter.choices.push_back(parser.Number(text.substr(begin, end - begin)));
    begin = end + 1;
  }
  return parameter;
}

std::vector<Candidate> Draw(const std::vector<Parameter>& space, std::size_t count, std::uint64_t seed) {
  constexpr std::size_t kTries = 100;  // for each, to find one that is new
  base::Random random(seed);
  std::vector<Candidate> drawn;
  std::set<Candidate> known;
  for (std::size_t tries = 0; drawn.size() < count && tries < count * kTries; ++tries) {
    Candidate candidate;
    for (const Parameter& parameter : space) candidate.push_back(DrawOne(parameter, random));
    if (known.insert(candidate).second) drawn.push_back(std::move(candidate));
  }
  return drawn;
}

}  // namespace flowcast::tune
