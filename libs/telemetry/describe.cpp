// Rows of docs/metrics.md.
#include "libs/telemetry/describe.h"

#include <map>
#include <string_view>

namespace flowcast::telemetry {
namespace {

/// "`reason`: kernel, queue"; a label whose values are not known beforehand by its name alone.
std::string LabelsInWords(const Metric& metric) {
  std::vector<std::string> names;
  std::map<std::string, std::string> values;
  for (const Sample& sample : metric.samples) {
    for (const auto& [name, value] : sample.labels) {
      if (!values.contains(name)) names.push_back(name);
      std::string& known = values[name];
      known += (known.empty() || value.empty() ? "" : ", ") + value;
    }
  }
  std::string text;
  for (const std::string& name : names) {
    text += (text.empty() ? "`" : "; `") + name + "`" + (values[name].empty() ? "" : ": " + values[name]);
  }
  return text;
}

std::string_view NameOf(Kind kind) {
  switch (kind) {
    case Kind::kCounter:
      return "counter";
    case Kind::kGauge:
      return "gauge";
    case Kind::kHistogram:
      return "histogram";
  }
  return "";
}

}  // namespace

std::string MarkdownRows(const std::vector<Metric>& metrics) {
  std::string rows;
  for (const Metric& metric : metrics) {
    rows += "| `" + metric.name + "` | " + std::string(NameOf(metric.kind)) + " | " + LabelsInWords(metric) +
            " | " + metric.help + " |\n";
  }
  return rows;
}

}  // namespace flowcast::telemetry
