// Metrics in tests: their values, and whether they keep Prometheus' conventions.
#pragma once

#include <algorithm>
#include <limits>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "libs/telemetry/metric.h"

namespace flowcast::support {

/// Units that Prometheus has others for, and base units that stand before the name's end.
inline bool KeepsUnits(const telemetry::Metric& metric) {
  static const std::set<std::string> foreign{
      "ms",   "us",   "ns",   "milliseconds", "microseconds", "nanoseconds", "minutes",   "hours",
      "days", "kb",   "mb",   "gb",           "kib",          "mib",         "kilobytes", "megabytes",
      "bits", "kbps", "mbps", "bps",          "percent",      "percentage",  "permille"};
  static const std::set<std::string> base{"seconds", "bytes", "ratio", "info"};
  std::string name = metric.name;
  if (name.ends_with("_total")) name.resize(name.size() - 6);
  std::vector<std::string> words;
  std::istringstream text(name);
  for (std::string word; std::getline(text, word, '_');) words.push_back(word);
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (foreign.contains(words[i])) return false;
    if (base.contains(words[i]) && i + 1 < words.size()) return false;
  }
  return metric.kind != telemetry::Kind::kHistogram || base.contains(words.back());
}

/// What breaks the conventions (libs/telemetry/README.md), a line each.
inline std::vector<std::string> Problems(const std::vector<telemetry::Metric>& metrics,
                                         const std::string& prefix) {
  const std::regex name_form("[a-z][a-z0-9]*(_[a-z0-9]+)*");
  std::vector<std::string> problems;
  std::set<std::string> names;
  for (const telemetry::Metric& metric : metrics) {
    const std::string& name = metric.name;
    const auto check = [&](bool good, const std::string& what) {
      if (!good) problems.push_back(name + ": " + what);
    };
    check(std::regex_match(name, name_form), "is not lower case with underscores");
    check(name.starts_with(prefix), "does not begin with " + prefix);
    check(names.insert(name).second, "is there twice");
    check(KeepsUnits(metric), "a unit that is none of Prometheus' base units, or not at the name's end");
    check(name.ends_with("_total") == (metric.kind == telemetry::Kind::kCounter),
          "counters alone end in _total");
    check(!metric.help.empty() && metric.help.back() == '.', "its help is no sentence");
    check(metric.help.find_first_of("|\n") == std::string::npos, "its help breaks the table");
    std::set<telemetry::Labels> labels;
    for (const telemetry::Sample& sample : metric.samples) {
      check(labels.insert(sample.labels).second, "has the same labels twice");
      for (const auto& label : sample.labels)
        check(std::regex_match(label.first, name_form), "label " + label.first);
    }
  }
  return problems;
}

/// The sum over the samples that have this label value; all of them without. NaN when there is no sample.
inline double ValueOf(const std::vector<telemetry::Metric>& metrics, const std::string& name,
                      const std::string& label_value = "") {
  double sum = 0;
  bool found = false;
  for (const telemetry::Metric& metric : metrics) {
    if (metric.name != name) continue;
    for (const telemetry::Sample& sample : metric.samples) {
      const bool fits =
          label_value.empty() || std::any_of(sample.labels.begin(), sample.labels.end(),
                                             [&](const auto& label) { return label.second == label_value; });
      if (!fits) continue;
      found = true;
      sum += sample.value;
    }
  }
  return found ? sum : std::numeric_limits<double>::quiet_NaN();
}

}  // namespace flowcast::support
