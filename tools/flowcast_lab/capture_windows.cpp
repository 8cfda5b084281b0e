// Runs the fold of the feature service over a capture file.
#include "tools/flowcast_lab/capture_windows.h"

#include <cstdio>
#include <filesystem>

#include "libs/archive/archive.h"
#include "libs/base/error.h"
#include "libs/capture/file_source.h"
#include "libs/offline/offline_fold.h"

namespace flowcast::tools {
namespace {

constexpr std::size_t kMostValues = 200'000'000;  // 1.6 GB

/// All packets of a capture as those of one interface; aligned ones are dated back so that the first one
/// begins a window, since windows are aligned to the epoch.
class WholeCapture : public capture::PacketSource {
 public:
  WholeCapture(capture::PacketSource& source, base::Duration window, bool aligned)
      : source_(source), window_(window), known_(!aligned) {}

  capture::PollState Poll(std::size_t limit, std::vector<packet::Packet>& packets) override {
    const std::size_t before = packets.size();
    const capture::PollState state = source_.Poll(limit, packets);
    if (!known_ && packets.size() > before) {
      known_ = true;
      shift_ = packets[before].time - base::AlignDown(packets[before].time, window_);
    }
    for (std::size_t i = before; i < packets.size(); ++i) {
      packets[i].time -= shift_;
      packets[i].interface = 0;
    }
    return state;
  }
  const std::vector<std::string>& interfaces() const override { return source_.interfaces(); }
  base::EventTime LowerBound() const override { return source_.LowerBound() - shift_; }
  capture::SourceStatistics statistics() const override { return source_.statistics(); }
  std::string Complaint() const override { return source_.Complaint(); }
  bool Failed() const override { return source_.Failed(); }

 private:
  capture::PacketSource& source_;
  base::Duration window_;
  base::Duration shift_{0};
  bool known_;
};

offline::OfflineOptions OptionsOf(const BacktestInput& input, const base::Duration window) {
  offline::OfflineOptions options;
  options.batches.source = "capture";
  options.fold.window_length = window;
  options.fold.link_expiry = std::chrono::hours(24 * 365);  // a pause is windows without packets
  options.fold.sequence_length = 2;
  options.fold.schema = std::make_shared<feature::Schema>(feature::Schema::Parse(input.features));
  return options;
}

/// Windows that are whole, one after the other, as rows.
class Rows {
 public:
  Rows(const BacktestInput& input, const feature::Schema& schema)
      : input_(input), table_(std::make_shared<backtest::FeatureTable>()) {
    table_->schema = schema;
    table_->target = input.target == "bytes" ? feature::kBytes : feature::kPackets;
  }

  void Add(const feature::Window& window) {
    table_->rows.insert(table_->rows.end(), window.features.begin(), window.features.end());
    values_.push_back(window.features[table_->target]);
    if (table_->rows.size() > kMostValues)
      throw base::ConfigError(input_.pcap + " has too many windows; choose longer ones with --window");
  }

  /// The last window is not whole, nor the first one where it began before the first packet.
  backtest::Series Finish(const std::string& name, double step_s) {
    const std::size_t columns = table_->schema.size();
    const bool first = input_.align == "epoch";
    if (values_.size() < (first ? 4U : 3U))
      throw base::ConfigError(input_.pcap + " has " + std::to_string(values_.size()) +
                              " windows; choose shorter ones with --window");
    values_.pop_back();
    table_->rows.resize(table_->rows.size() - columns);
    if (first) {
      values_.erase(values_.begin());
      table_->rows.erase(table_->rows.begin(), table_->rows.begin() + static_cast<std::ptrdiff_t>(columns));
    }
    backtest::Series series = backtest::MakeSeries(name, std::move(values_), step_s);
    series.target = input_.target;
    series.table = std::move(table_);
    return series;
  }

 private:
  const BacktestInput& input_;
  std::shared_ptr<backtest::FeatureTable> table_;
  std::vector<double> values_;
};

}  // namespace

backtest::Series ReadWindows(const BacktestInput& input) {
  const base::Duration window = base::ParseDuration(input.window);
  if (window < std::chrono::milliseconds(1)) throw base::ConfigError("--window must be at least 1ms");
  const offline::OfflineOptions options = OptionsOf(input, window);
  capture::FileSource file(std::make_unique<capfile::Reader>(archive::Open(input.pcap), input.pcap), {});
  WholeCapture source(file, window, input.align == "first");
  offline::OfflineFold fold(source, options);
  Rows rows(input, *options.fold.schema);
  std::vector<window::ClosedWindow> closed;
  for (bool more = true; more;) {
    closed.clear();
    more = fold.Step(closed);
    for (const window::ClosedWindow& one : closed) rows.Add(one.window);
  }
  if (const std::string complaint = source.Complaint(); !complaint.empty())
    std::fprintf(stderr, "%s\n", complaint.c_str());
  if (fold.counters().late_packets > 0)
    std::fprintf(stderr, "%llu packets came too late for their windows\n",
                 static_cast<unsigned long long>(fold.counters().late_packets));
  return rows.Finish(std::filesystem::path(input.pcap).filename().string() + ":" +
                         base::FormatDuration(window) + ":" + input.target,
                     base::ToSeconds(window));
}

}  // namespace flowcast::tools
