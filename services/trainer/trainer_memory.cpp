// Line by line: a word, and what belongs to it.
#include "services/trainer/trainer_memory.h"

#include <cmath>
#include <iomanip>
#include <limits>
#include <sstream>

namespace flowcast::services {
namespace {

using Measure = training::DriftWatch::Measure;

constexpr const char* kTitle = "flowcast trainer 1";
constexpr const char* kUnknown = "-";

template <typename Number>
std::string TextOr(const std::optional<Number>& number) {
  std::ostringstream text;
  text << std::setprecision(std::numeric_limits<double>::max_digits10);
  number ? text << *number : text << kUnknown;
  return text.str();
}

bool IsSound(double number) { return std::isfinite(number) && number >= 0; }

/// Others may be added and taken away.
bool IsNear(std::int64_t number) {
  constexpr std::int64_t kFarthest = std::int64_t{1} << 62U;
  return number <= kFarthest && number >= -kFarthest;
}

/// A number, or what stands for none; false for anything else.
template <typename Number>
bool ReadOr(std::istream& line, std::optional<Number>& number) {
  std::string word;
  if (!(line >> word)) return false;
  if (word == kUnknown) return true;
  std::istringstream text(word);
  return static_cast<bool>(text >> number.emplace()) && text.eof();
}

/// A time that others may be taken from; what stands for none leaves it as it is.
bool ReadTime(std::istream& line, base::EventTime& time) {
  std::optional<std::int64_t> ns;
  if (!ReadOr(line, ns) || !IsNear(ns.value_or(0))) return false;
  if (ns) time = base::FromUnixNanoseconds(*ns);
  return true;
}

std::string TimeText(base::EventTime time) {
  return time == base::kBeginningOfTime ? kUnknown : std::to_string(base::ToUnixNanoseconds(time));
}

bool ReadMeasure(std::istream& line, TrainerMemory& memory, Measure*& last) {
  std::string target;
  Measure measure;
  const bool read = line >> target >> measure.version && ReadTime(line, measure.newest) &&
                    ReadOr(line, measure.first) && ReadOr(line, measure.at_first);
  if (!read || !IsSound(measure.at_first.value_or(0)) || !IsNear(measure.first.value_or(0))) return false;
  if (measure.version == kUnknown) measure.version.clear();
  last = &(memory.drift[target] = std::move(measure));
  return true;
}

bool ReadBlock(std::istream& line, Measure* measure) {
  std::int64_t number = 0;
  training::DriftWatch::Sums sums;
  if (measure == nullptr || !(line >> number >> sums.error >> sums.error_persistence >> sums.count))
    return false;
  measure->blocks[number] = sums;
  return IsNear(number) && IsSound(sums.error) && IsSound(sums.error_persistence);
}

bool IsKnown(const TrainerMemory& memory) {
  return memory.trained_at != base::kBeginningOfTime && memory.learned_to != base::kBeginningOfTime;
}

void Write(const std::string& target, const Measure& measure, std::ostream& text) {
  text << "drift " << target << ' ' << (measure.version.empty() ? kUnknown : measure.version) << ' '
       << TimeText(measure.newest) << ' ' << TextOr(measure.first) << ' ' << TextOr(measure.at_first) << '\n';
  for (const auto& [number, sums] : measure.blocks)
    text << "block " << number << ' ' << sums.error << ' ' << sums.error_persistence << ' ' << sums.count
         << '\n';
}

}  // namespace

std::string ToText(const TrainerMemory& memory) {
  std::ostringstream text;
  text << std::setprecision(std::numeric_limits<double>::max_digits10) << kTitle << '\n'
       << "settings " << memory.settings << '\n'
       << "trained_at_ns " << TimeText(memory.trained_at) << '\n'
       << "learned_to_ns " << TimeText(memory.learned_to) << '\n';
  for (const auto& [target, measure] : memory.drift) Write(target, measure, text);
  text << "end\n";
  return text.str();
}

std::optional<TrainerMemory> MemoryFrom(const std::string& text) {
  std::istringstream lines(text);
  std::string whole;
  if (!std::getline(lines, whole) || whole != kTitle) return std::nullopt;
  TrainerMemory memory;
  Measure* last = nullptr;
  while (std::getline(lines, whole)) {
    std::istringstream line(whole);
    std::string word;
    line >> word;
    if (word == "end") return IsKnown(memory) ? std::optional(memory) : std::nullopt;
    const bool read = word == "settings"        ? bool(std::getline(line >> std::ws, memory.settings))
                      : word == "trained_at_ns" ? ReadTime(line, memory.trained_at)
                      : word == "learned_to_ns" ? ReadTime(line, memory.learned_to)
                      : word == "drift"         ? ReadMeasure(line, memory, last)
                      : word == "block"         ? ReadBlock(line, last)
                                                : false;
    if (!read) return std::nullopt;
  }
  return std::nullopt;
}

}  // namespace flowcast::services
