// Series out of CSV and capture files.
#include "tools/flowcast_lab/backtest_input.h"

#include <CLI/CLI.hpp>
#include <array>
#include <filesystem>

#include "libs/archive/archive.h"
#include "libs/backtest/csv.h"
#include "libs/base/error.h"
#include "libs/base/time.h"
#include "libs/capfile/reader.h"
#include "tools/flowcast_lab/capture_windows.h"

namespace flowcast::tools {
namespace {

std::string BaseName(const std::string& path) { return std::filesystem::path(path).filename().string(); }

std::string ReadAll(const std::string& path) {
  const auto source = archive::Open(path);
  std::string text;
  std::array<std::byte, 65536> buffer{};
  while (const std::size_t count = source->Read(buffer)) {
    text.append(reinterpret_cast<const char*>(buffer.data()), count);
  }
  return text;
}

backtest::Series ReadCsv(const BacktestInput& input) {
  backtest::Series series = backtest::MakeSeries(BaseName(input.csv) + ":" + input.column,
                                                 backtest::ColumnOf(ReadAll(input.csv), input.column), 1);
  series.target = input.column;
  return series;
}

backtest::Series ReadCapture(const BacktestInput& input) {
  const base::Duration window = base::ParseDuration(input.window);
  const bool bytes = input.target == "bytes";
  backtest::Binning binning(
      window.count(), input.align == "epoch" ? backtest::Alignment::kEpoch : backtest::Alignment::kFirst);
  capfile::Reader reader(archive::Open(input.pcap), input.pcap);
  while (const auto frame = reader.Next()) {
    binning.Add(base::ToUnixNanoseconds(frame->time), bytes ? frame->wire_length_bytes : 1);
  }
  if (reader.damage())
    std::fprintf(stderr, "%s is damaged (%s); what is whole before that is used\n", input.pcap.c_str(),
                 reader.damage()->reason.c_str());
  backtest::Series series =
      backtest::MakeSeries(BaseName(input.pcap) + ":" + base::FormatDuration(window) + ":" + input.target,
                           binning.Values(), base::ToSeconds(window));
  series.target = input.target;
  return series;
}

}  // namespace

backtest::Series ReadSeries(const BacktestInput& input) {
  if (input.csv.empty() == input.pcap.empty())
    throw base::ConfigError("name one series: --csv FILE --column NAME, or --pcap FILE --window 5s");
  if (!input.csv.empty() && input.features != "target")
    throw base::ConfigError("--features is for --pcap; a CSV has one column that is forecast");
  if (!input.csv.empty()) return ReadCsv(input);
  return input.features == "target" ? ReadCapture(input) : ReadWindows(input);
}

void AddSeriesOptions(CLI::App& command, BacktestInput& input) {
  command.add_option("--column", input.column, "its column: name, or number from 0")->capture_default_str();
  command.add_option("--window", input.window, "length of its windows")->capture_default_str();
  command.add_option("--target", input.target, "what is counted in them: packets or bytes")
      ->capture_default_str()
      ->check(CLI::IsMember({"packets", "bytes"}));
  command
      .add_option("--align", input.align,
                  "where windows begin: first (packet) or epoch (as the service has it)")
      ->capture_default_str()
      ->check(CLI::IsMember({"first", "epoch"}));
  command
      .add_option("--features", input.features,
                  "what the models see of a capture's windows: target (it alone), default, or a list as "
                  "flowcast-features has it")
      ->capture_default_str();
}

}  // namespace flowcast::tools
