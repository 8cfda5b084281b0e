// Windows on standard output: a table for people, CSV, or JSON lines.
#pragma once

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
  std::string features;  // a list with commas between; empty: all, in a table a few
};

/// Adds --format, --csv, --json and --features.
void AddFormatOptions(CLI::App& app, WindowFormat& options);

/// Columns as docs/formats.md has them ("Windows as CSV" and "Windows as JSON"). Not thread-safe.
class WindowPrinter {
 public:
  /// Prints the names of the columns. Throws base::ConfigError for a feature that there is not.
  explicit WindowPrinter(const WindowFormat& options);
  void Print(const feature::Window& window);
  /// As app::FlushOutput.
  void Flush() { out_.Write(); }

 private:
  enum class Kind { kTable, kCsv, kJson };

  static Kind KindOf(const WindowFormat& options);
  static std::vector<wire::NamedFeature> FeaturesOf(Kind kind, const std::string& list);
  void PrintTableRow(const feature::Window& window);
  void PrintCsvRow(const feature::Window& window);

  Kind kind_;
  std::vector<wire::NamedFeature> features_;
  Csv out_;
};

}  // namespace flowcast::tools
