// Columns and their widths.
#include "tools/flowcast/window_printer.h"

#include <CLI/CLI.hpp>
#include <algorithm>

#include "libs/base/text.h"

namespace flowcast::tools {
namespace {

// What every line of CSV begins with; features of the same names do not come again.
constexpr const char* kCsvHead =
    "link,start,start_ns,window_ns,partial,packets,bytes,late_packets,approximate";
constexpr const char* kInTable = "packets,bytes,packet_rate,bit_rate,size_mean,flows,tcp_share,syn_share";
constexpr std::size_t kTimeWidth = 24;
constexpr std::size_t kLinkWidth = 24;
constexpr std::size_t kLeastWidth = 9;

std::string Left(std::string text, std::size_t width) {
  text.resize(std::max(width, text.size()), ' ');
  return text;
}

std::string Right(const std::string& text, std::size_t width) {
  return std::string(width - std::min(width, text.size()), ' ') + text;
}

std::size_t WidthOf(const wire::NamedFeature& feature) { return std::max(kLeastWidth, feature.name.size()); }

std::string Notes(const feature::Window& window) {
  std::string notes;
  if (window.partial) notes += "  partial";
  if (window.late_packets > 0) notes += "  late " + base::Grouped(window.late_packets);
  return notes;
}

}  // namespace

void AddFormatOptions(CLI::App& app, WindowFormat& options) {
  auto* format = app.add_option("--format", options.format, "table, csv or json (one object a line)")
                     ->capture_default_str()
                     ->check(CLI::IsMember({"table", "csv", "json"}));
  auto* csv = app.add_flag("--csv", options.csv, "the same as --format csv")->excludes(format);
  app.add_flag("--json", options.json, "the same as --format json")->excludes(format)->excludes(csv);
  app.add_option("--features", options.features,
                 "which to print, with commas between [all, in a table a few]");
}

WindowPrinter::WindowPrinter(const WindowFormat& options)
    : kind_(KindOf(options)), features_(FeaturesOf(kind_, options.features)) {
  if (kind_ == Kind::kTable) {
    out_.Text(Left("START", kTimeWidth)).Text("  ").Text(Left("LINK", kLinkWidth));
    for (const auto& feature : features_) out_.Text("  ").Text(Right(feature.name, WidthOf(feature)));
    out_.EndLine();
  } else if (kind_ == Kind::kCsv) {
    out_.Text(kCsvHead);
    for (const auto& feature : features_) out_.Comma().Text(feature.name);
    out_.EndLine();
  }
}

WindowPrinter::Kind WindowPrinter::KindOf(const WindowFormat& options) {
  if (options.csv || options.format == "csv") return Kind::kCsv;
  return options.json || options.format == "json" ? Kind::kJson : Kind::kTable;
}

std::vector<wire::NamedFeature> WindowPrinter::FeaturesOf(Kind kind, const std::string& list) {
  std::vector<wire::NamedFeature> features;
  if (!list.empty()) {
    features = wire::ChooseFeatures(list);
  } else {
    features = kind == Kind::kTable ? wire::ChooseFeatures(kInTable) : wire::AllFeatures();
  }
  if (kind == Kind::kCsv)
    std::erase_if(features, [](const auto& one) { return one.name == "packets" || one.name == "bytes"; });
  return features;
}

void WindowPrinter::Print(const feature::Window& window) {
  switch (kind_) {
    case Kind::kTable:
      PrintTableRow(window);
      break;
    case Kind::kCsv:
      PrintCsvRow(window);
      break;
    case Kind::kJson:
      out_.Text(wire::EncodeJson(window, features_));
      break;
  }
  out_.EndLine();
}

void WindowPrinter::PrintTableRow(const feature::Window& window) {
  out_.Text(Left(base::FormatTime(window.start), kTimeWidth)).Text("  ").Text(Left(window.link, kLinkWidth));
  for (const auto& feature : features_) {
    out_.Text("  ").Text(Right(base::Short(window.features[feature.place]), WidthOf(feature)));
  }
  out_.Text(Notes(window));
}

void WindowPrinter::PrintCsvRow(const feature::Window& window) {
  out_.Text(Quoted(window.link)).Comma().Text(base::FormatTime(window.start)).Comma();
  out_.Number(base::ToUnixNanoseconds(window.start)).Comma().Number(window.length.count()).Comma();
  out_.Text(window.partial ? "true" : "false").Comma().Number(window.packets).Comma();
  out_.Number(window.bytes).Comma().Number(window.late_packets).Comma().Number(window.approximate);
  for (const auto& feature : features_) out_.Comma().Value(window.features[feature.place]);
}

}  // namespace flowcast::tools
