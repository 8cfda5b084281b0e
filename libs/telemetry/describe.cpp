// Rows of docs/metrics.md.
#include "libs/telemetry/describe.h"

#include <map>

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

}  // namespace

std::string MarkdownRows(const std::vector<Metric>& metrics) {
  std::string rows;
  for (const Metric& metric : metrics) {
    rows += "| `" + metric.name + "` | " + (metric.kind == Kind::kCounter ? "counter" : "gauge") + " | " +
            LabelsInWords(metric) + " | " + metric.help + " |\n";
  }
  return rows;
}

}  // namespace flowcast::telemetry
