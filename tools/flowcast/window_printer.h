// Windows on standard output: a table for people, CSV, or JSON lines.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "libs/app/app.h"
#include "libs/feature/window.h"
#include "libs/wire/window_json.h"
#include "tools/flowcast/csv.h"

namespace flowcast::tools {

struct WindowFormat {
  std::string format = "table";
  bool csv = false;
  bool json = false;
};

/// Adds --format, --csv and --json.
void AddFormatOptions(CLI::App& app, WindowFormat& options);

/// Columns as docs/formats.md has them ("Windows as CSV" and "Windows as JSON"). Those of a table and of CSV
/// are the first schema's; what a window of another schema lacks of them stays empty. Not thread-safe.
class WindowPrinter {
 public:
  /// `features`: names with commas between; empty: all, of the default schema in a table a few.
  WindowPrinter(const WindowFormat& options, const std::string& features);

  /// `schema` is that of the windows that follow. The first one's columns are printed. Throws
  /// base::ConfigError for a feature that was asked for and that the first one has not.
  void Use(const feature::Schema& schema);
  /// After Use.
  void Print(const feature::Window& window);
  /// As app::FlushOutput.
  void Flush() { out_.Write(); }

 private:
  enum class Kind { kTable, kCsv, kJson };

  static Kind KindOf(const WindowFormat& options);
  void Begin(const feature::Schema& schema);
  void PrintNames();
  void PrintTableRow(const feature::Window& window);
  void PrintCsvRow(const feature::Window& window);

  Kind kind_;
  std::vector<std::string> asked_;
  bool begun_ = false;
  std::vector<std::string> columns_;
  // In the present schema:
  std::vector<std::optional<std::size_t>> places_;  // of the columns
  std::vector<wire::NamedFeature> features_;        // of the JSON
  Csv out_;
};

}  // namespace flowcast::tools
