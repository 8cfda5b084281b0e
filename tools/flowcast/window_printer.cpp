// Columns and their widths.
#include "tools/flowcast/window_printer.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <sstream>
#include <utility>

#include "libs/base/error.h"
#include "libs/base/printable.h"
#include "libs/base/text.h"

namespace flowcast::tools {
namespace {

// What every line of CSV begins with; features of the same names do not come again.
constexpr const char* kCsvHead =
    "link,start,start_ns,window_ns,partial,packets,bytes,late_packets,approximate";
constexpr std::array<const char*, 8> kInTable{"packets",   "bytes", "packet_rate", "bit_rate",
                                              "size_mean", "flows", "tcp_share",   "syn_share"};
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

std::size_t WidthOf(const std::string& column) { return std::max(kLeastWidth, column.size()); }

std::optional<std::size_t> PlaceOf(const std::string& name, const std::vector<wire::NamedFeature>& features) {
  for (const wire::NamedFeature& feature : features) {
    if (feature.name == name) return feature.place;
  }
  return {};
}

std::vector<std::string> NamesOf(const std::vector<wire::NamedFeature>& features) {
  std::vector<std::string> names;
  for (const wire::NamedFeature& feature : features) names.push_back(feature.name);
  return names;
}

std::string Joined(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : ", ") + name;
  return text;
}

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
}

WindowPrinter::WindowPrinter(const WindowFormat& options, const std::string& features)
    : kind_(KindOf(options)) {
  std::istringstream list(features);
  for (std::string name; std::getline(list, name, ',');) asked_.push_back(name);
}

WindowPrinter::Kind WindowPrinter::KindOf(const WindowFormat& options) {
  if (options.csv || options.format == "csv") return Kind::kCsv;
  return options.json || options.format == "json" ? Kind::kJson : Kind::kTable;
}

void WindowPrinter::Use(const feature::Schema& schema) {
  if (!std::exchange(begun_, true)) Begin(schema);
  const std::vector<wire::NamedFeature> all = wire::AllFeatures(schema);
  places_.clear();
  for (const std::string& column : columns_) places_.push_back(PlaceOf(column, all));
  features_ = asked_.empty() ? all : std::vector<wire::NamedFeature>();
  for (const std::string& name : asked_) {
    if (const auto place = PlaceOf(name, all)) features_.push_back({name, *place});
  }
}

void WindowPrinter::Begin(const feature::Schema& schema) {
  const std::vector<wire::NamedFeature> all = wire::AllFeatures(schema);
  for (const std::string& name : asked_) {
    if (PlaceOf(name, all)) continue;
    throw base::ConfigError("the windows have no feature '" + name + "'; they have " + Joined(NamesOf(all)));
  }
  columns_ = asked_.empty() ? NamesOf(all) : asked_;
  if (asked_.empty() && schema.is_default() && kind_ == Kind::kTable)
    columns_.assign(kInTable.begin(), kInTable.end());
  if (kind_ == Kind::kCsv)
    std::erase_if(columns_, [](const std::string& name) { return name == "packets" || name == "bytes"; });
  PrintNames();
}

void WindowPrinter::PrintNames() {
  if (kind_ == Kind::kTable) {
    out_.Text(Left("START", kTimeWidth)).Text("  ").Text(Left("LINK", kLinkWidth));
    for (const std::string& column : columns_) out_.Text("  ").Text(Right(column, WidthOf(column)));
    out_.EndLine();
  } else if (kind_ == Kind::kCsv) {
    out_.Text(kCsvHead);
    for (const std::string& column : columns_) out_.Comma().Text(column);
    out_.EndLine();
  }
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
      out_.Text(base::PrintableJson(wire::EncodeJson(window, features_)));
      break;
  }
  out_.EndLine();
}

void WindowPrinter::PrintTableRow(const feature::Window& window) {
  out_.Text(Left(base::FormatTime(window.start), kTimeWidth))
      .Text("  ")
      .Text(Left(base::Printable(window.link), kLinkWidth));
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    const std::string text = places_[i] ? base::Short(window.features[*places_[i]]) : "-";
    out_.Text("  ").Text(Right(text, WidthOf(columns_[i])));
  }
  out_.Text(Notes(window));
}

void WindowPrinter::PrintCsvRow(const feature::Window& window) {
  out_.Text(Quoted(base::Printable(window.link))).Comma().Text(base::FormatTime(window.start)).Comma();
  out_.Number(base::ToUnixNanoseconds(window.start)).Comma().Number(window.length.count()).Comma();
  out_.Text(window.partial ? "true" : "false").Comma().Number(window.packets).Comma();
  out_.Number(window.bytes).Comma().Number(window.late_packets).Comma().Number(window.approximate);
  for (const auto& place : places_) {
    out_.Comma();
    if (place) out_.Value(window.features[*place]);
  }
}

}  // namespace flowcast::tools
