// Over prometheus-cpp's serializer.
#include "libs/http/exposition.h"

#include <prometheus/text_serializer.h>

#include <algorithm>
#include <sstream>

namespace flowcast::http {
namespace {

prometheus::ClientMetric ToClientMetric(const telemetry::Sample& sample, telemetry::Kind kind) {
  prometheus::ClientMetric metric;
  for (const auto& [name, value] : sample.labels) metric.label.push_back({name, value});
  (kind == telemetry::Kind::kCounter ? metric.counter.value : metric.gauge.value) = sample.value;
  return metric;
}

prometheus::MetricFamily ToFamily(const telemetry::Metric& metric) {
  prometheus::MetricFamily family;
  family.name = metric.name;
  family.help = metric.help;
  family.type = metric.kind == telemetry::Kind::kCounter ? prometheus::MetricType::Counter
                                                         : prometheus::MetricType::Gauge;
  for (const telemetry::Sample& sample : metric.samples) {
    family.metric.push_back(ToClientMetric(sample, metric.kind));
  }
  return family;
}

}  // namespace

std::string Exposition(const std::vector<telemetry::Metric>& metrics) {
  std::vector<prometheus::MetricFamily> families(metrics.size());
  std::transform(metrics.begin(), metrics.end(), families.begin(), ToFamily);
  std::ostringstream text;
  prometheus::TextSerializer().Serialize(text, families);
  return text.str();
}

}  // namespace flowcast::http
