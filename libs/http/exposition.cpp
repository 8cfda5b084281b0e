// Over prometheus-cpp's serializer.
#include "libs/http/exposition.h"

#include <prometheus/text_serializer.h>

#include <algorithm>
#include <limits>
#include <sstream>

namespace flowcast::http {
namespace {

/// Prometheus counts what is not above a bound, those below other bounds included.
prometheus::ClientMetric::Histogram ToHistogram(const telemetry::Distribution& distribution) {
  prometheus::ClientMetric::Histogram histogram;
  for (std::size_t i = 0; i < distribution.counts().size(); ++i) {
    histogram.sample_count += distribution.counts()[i];
    const bool is_last = i == distribution.bounds().size();
    histogram.bucket.push_back({histogram.sample_count, is_last ? std::numeric_limits<double>::infinity()
                                                                : distribution.bounds()[i]});
  }
  histogram.sample_sum = distribution.sum();
  return histogram;
}

prometheus::MetricType ToType(telemetry::Kind kind) {
  switch (kind) {
    case telemetry::Kind::kCounter:
      return prometheus::MetricType::Counter;
    case telemetry::Kind::kGauge:
      return prometheus::MetricType::Gauge;
    case telemetry::Kind::kHistogram:
      return prometheus::MetricType::Histogram;
  }
  return prometheus::MetricType::Untyped;
}

prometheus::ClientMetric ToClientMetric(const telemetry::Sample& sample, telemetry::Kind kind) {
  prometheus::ClientMetric metric;
  for (const auto& [name, value] : sample.labels) metric.label.push_back({name, value});
  switch (kind) {
    case telemetry::Kind::kCounter:
      metric.counter.value = sample.value;
      break;
    case telemetry::Kind::kGauge:
      metric.gauge.value = sample.value;
      break;
    case telemetry::Kind::kHistogram:
      metric.histogram = ToHistogram(sample.distribution);
      break;
  }
  return metric;
}

prometheus::MetricFamily ToFamily(const telemetry::Metric& metric) {
  prometheus::MetricFamily family;
  family.name = metric.name;
  family.help = metric.help;
  family.type = ToType(metric.kind);
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
