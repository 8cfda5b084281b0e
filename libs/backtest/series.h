// A load as a series of equal steps, and what makes one of raw values.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "libs/feature/schema.h"

namespace flowcast::backtest {

/// Every feature of every step, raw units; one of them is the series.
struct FeatureTable {
  feature::Schema schema = feature::Schema::Default();
  feature::Index target = feature::kPackets;  // packets and bytes are at their own positions in every schema
  std::vector<double> rows;                   // [steps][columns]
};

struct Series {
  std::string name;
  std::vector<double> values;   // finite, not negative
  double step_s = 1;            // seconds a step; 1 where it is not known
  std::size_t filled = 0;       // of them interpolated
  std::string target = "load";  // what the values are: the name of the only feature without a table
  std::shared_ptr<const FeatureTable> table;  // what models see; null: the values alone
};

/// The features that models see, by their position.
std::vector<std::string> FeaturesOf(const Series& series);

/// Interpolates what is missing (not finite): linearly between its neighbours, the last value onwards;
/// leading ones are left out. Throws base::ConfigError, naming the place, for a negative value, one above
/// forecast::kLargestValue, and when more than half is missing.
Series MakeSeries(std::string name, std::vector<double> values, double step_s);

enum class Alignment {
  kFirst,  // windows begin at the first packet
  kEpoch,  // at multiples of their length since 1970, as the service has them; the first is left out, too
};

/// Packets binned into windows; the last window, which is not whole, is left out.
class Binning {
 public:
  Binning(std::int64_t window_ns, Alignment alignment) : window_ns_(window_ns), alignment_(alignment) {}

  void Add(std::int64_t time_ns, double amount);
  /// Throws base::ConfigError for a capture of fewer than two windows, or more than kMostWindows.
  std::vector<double> Values() const;

  static constexpr std::int64_t kMostWindows = 50'000'000;

 private:
  struct Amount {
    std::int64_t time_ns;
    double amount;
  };
  std::int64_t window_ns_;
  Alignment alignment_;
  std::vector<Amount> amounts_;
};

}  // namespace flowcast::backtest
