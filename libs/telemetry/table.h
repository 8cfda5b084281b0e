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
  using DistributionOf = std::function<Distribution(const Source&)>;
  using Parts = std::vector<std::pair<std::string, Number>>;  // the label's value and its number
  using Texts = std::function<std::optional<std::vector<std::string>>(const Source&)>;
  /// The labels' values, in their order, and the number that belongs to them.
  using Rows = std::vector<std::pair<std::vector<std::string>, double>>;
  using RowsOf = std::function<Rows(const Source&)>;

  Table& Counter(std::string name, std::string help, Number number) {
    return Add(Kind::kCounter, std::move(name), std::move(help), {}, {{"", std::move(number)}});
  }
  /// One counter told apart by a label.
  Table& Counter(std::string name, std::string help, const std::string& label, Parts parts) {
    return Add(Kind::kCounter, std::move(name), std::move(help), label, std::move(parts));
  }
  Table& Gauge(std::string name, std::string help, Number number) {
    return Add(Kind::kGauge, std::move(name), std::move(help), {}, {{"", std::move(number)}});
  }
  Table& Gauge(std::string name, std::string help, const std::string& label, Parts parts) {
    return Add(Kind::kGauge, std::move(name), std::move(help), label, std::move(parts));
  }
  /// Told apart by labels whose values only the source knows.
  Table& Counter(std::string name, std::string help, const std::vector<std::string>& labels, RowsOf rows) {
    return Add(Kind::kCounter, std::move(name), std::move(help), labels, std::move(rows));
  }
  Table& Gauge(std::string name, std::string help, const std::vector<std::string>& labels, RowsOf rows) {
    return Add(Kind::kGauge, std::move(name), std::move(help), labels, std::move(rows));
  }
  Table& Histogram(std::string name, std::string help, DistributionOf distribution) {
    Row row;
    row.metric = {std::move(name), std::move(help), Kind::kHistogram, {}};
    row.distribution = std::move(distribution);
    rows_.push_back(std::move(row));
    return *this;
  }
  /// What is text: the labels of a gauge that is always 1. `texts` gives one for each name.
  Table& Info(std::string name, std::string help, const std::vector<std::string>& labels, Texts texts) {
    Row row;
    row.metric = {std::move(name), std::move(help), Kind::kGauge, {}};
    row.labels = labels;
    row.texts = std::move(texts);
    rows_.push_back(std::move(row));
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
      if (row.rows_of) {
        for (const auto& [values, number] : row.rows_of(source))
          metrics.back().samples.push_back({Zip(row.labels, values), number});
      }
      if (row.distribution) metrics.back().samples.push_back({{}, 0, row.distribution(source)});
      if (!row.texts) continue;
      if (const auto known = row.texts(source))
        metrics.back().samples.push_back({Zip(row.labels, *known), 1});
    }
    return metrics;
  }

  /// Without a source: every sample there may be, at 0, texts empty. For documentation.
  std::vector<Metric> Describe() const {
    std::vector<Metric> metrics;
    for (const Row& row : rows_) {
      metrics.push_back(row.metric);
      for (const auto& part : row.parts) metrics.back().samples.push_back({LabelsOf(row, part.first), 0});
      if (row.texts || row.rows_of) metrics.back().samples.push_back({Zip(row.labels, {}), 0});
    }
    return metrics;
  }

 private:
  struct Row {
    Metric metric;        // without samples
    std::string label{};  // of parts
    Parts parts{};
    std::vector<std::string> labels{};  // of texts and rows_of
    Texts texts{};
    RowsOf rows_of{};
    DistributionOf distribution{};
  };

  Table& Add(Kind kind, std::string name, std::string help, const std::string& label, Parts parts) {
    Row row;
    row.metric = {std::move(name), std::move(help), kind, {}};
    row.label = label;
    row.parts = std::move(parts);
    rows_.push_back(std::move(row));
    return *this;
  }
  Table& Add(Kind kind, std::string name, std::string help, const std::vector<std::string>& labels,
             RowsOf rows) {
    Row row;
    row.metric = {std::move(name), std::move(help), kind, {}};
    row.labels = labels;
    row.rows_of = std::move(rows);
    rows_.push_back(std::move(row));
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
