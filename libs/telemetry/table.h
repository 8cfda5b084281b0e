// From a service's counters to metrics, row by row.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "libs/base/time.h"
#include "libs/telemetry/metric.h"

namespace flowcast::telemetry {

/// The metrics of a service whose state is a `Source`: built once, read about once a second. A
/// number that is not known at the time (std::nullopt) gives no sample.
template <typename Source>
class Table {
 public:
  using Number = std::function<std::optional<double>(const Source&)>;
  using Parts = std::vector<std::pair<std::string, Number>>;  // the label's value and its number
  using Texts = std::function<std::optional<std::vector<std::string>>(const Source&)>;

  Table& Counter(std::string name, std::string help, Number number) {
    return Add(Kind::kCounter, std::move(name), std::move(help), {}, {{"", std::move(number)}});
  }
  /// One counter told apart by a label.
  Table& Counter(std::string name, std::string help, std::string label, Parts parts) {
    return Add(Kind::kCounter, std::move(name), std::move(help), std::move(label), std::move(parts));
  }
  Table& Gauge(std::string name, std::string help, Number number) {
    return Add(Kind::kGauge, std::move(name), std::move(help), {}, {{"", std::move(number)}});
  }
  Table& Gauge(std::string name, std::string help, std::string label, Parts parts) {
    return Add(Kind::kGauge, std::move(name), std::move(help), std::move(label), std::move(parts));
  }
  /// What is text: the labels of a gauge that is always 1. `texts` gives one for each name.
  Table& Info(std::string name, std::string help, std::vector<std::string> labels, Texts texts) {
    rows_.push_back(
        {{std::move(name), std::move(help), Kind::kGauge, {}}, {}, {}, std::move(labels), std::move(texts)});
    return *this;
  }

  std::vector<Metric> Read(const Source& source) const {
    std::vector<Metric> metrics;
    for (const Row& row : rows_) {
      metrics.push_back(row.metric);
      for (const auto& [value, number] : row.parts) {
        if (const auto known = number(source))
          metrics.back().samples.push_back({LabelsOf(row, value), *known});
      }
      if (!row.texts) continue;
      if (const auto known = row.texts(source))
        metrics.back().samples.push_back({Zip(row.info_labels, *known), 1});
    }
    return metrics;
  }

  /// Without a source: every sample there may be, at 0, texts empty. For documentation.
  std::vector<Metric> Describe() const {
    std::vector<Metric> metrics;
    for (const Row& row : rows_) {
      metrics.push_back(row.metric);
      for (const auto& part : row.parts) metrics.back().samples.push_back({LabelsOf(row, part.first), 0});
      if (row.texts) metrics.back().samples.push_back({Zip(row.info_labels, {}), 0});
    }
    return metrics;
  }

 private:
  struct Row {
    Metric metric;  // without samples
    std::string label;
    Parts parts;
    std::vector<std::string> info_labels;
    Texts texts;
  };

  Table& Add(Kind kind, std::string name, std::string help, std::string label, Parts parts) {
    rows_.push_back(
        {{std::move(name), std::move(help), kind, {}}, std::move(label), std::move(parts), {}, {}});
    return *this;
  }
  static Labels LabelsOf(const Row& row, const std::string& value) {
    return row.label.empty() ? Labels{} : Labels{{row.label, value}};
  }
  static Labels Zip(const std::vector<std::string>& names, const std::vector<std::string>& texts) {
    Labels labels;
    for (std::size_t i = 0; i < names.size(); ++i)
      labels.emplace_back(names[i], i < texts.size() ? texts[i] : "");
    return labels;
  }

  std::vector<Row> rows_;
};

/// An event time as a metric: seconds since 1970; nothing for the beginning and the end of time.
inline std::optional<double> TimestampSeconds(base::EventTime time) {
  if (time == base::kBeginningOfTime || time == base::kEndOfTime) return std::nullopt;
  return base::ToUnixSeconds(time);
}

}  // namespace flowcast::telemetry
