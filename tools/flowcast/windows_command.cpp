// flowcast windows: follows windows.v1.
#include <fnmatch.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <bit>
#include <cstdio>
#include <memory>

#include "libs/wire/window_wire.h"
#include "tools/flowcast/commands.h"
#include "tools/flowcast/follow.h"
#include "tools/flowcast/window_printer.h"

namespace flowcast::tools {
namespace {

struct WindowsOptions {
  FollowOptions follow;
  WindowFormat format;
  std::vector<std::string> links;  // patterns
};

// Takes records and prints the windows that are asked for.
class Windows {
 public:
  explicit Windows(const WindowsOptions& options) : links_(options.links), printer_(options.format) {}

  void Take(const bus::InRecord& record) {
    const auto window = wire::DecodeWindow(record.value);
    if (!window) {
      Skip(record, std::string(ToString(window.error())));
    } else if (window->schema_hash != feature::SchemaHash()) {
      Skip(record, "its features are of another schema");
    } else if (IsWanted(window->link)) {
      printer_.Print(*window);
    }
  }
  void Flush() { printer_.Flush(); }

 private:
  bool IsWanted(const std::string& link) const {
    const auto matches = [&link](const std::string& pattern) {
      return fnmatch(pattern.c_str(), link.c_str(), 0) == 0;
    };
    return links_.empty() || std::any_of(links_.begin(), links_.end(), matches);
  }

  /// Told at the 1st, 2nd, 4th, 8th, ...
  void Skip(const bus::InRecord& record, const std::string& why) {
    if (!std::has_single_bit(++skipped_)) return;
    std::fprintf(stderr, "skipped a record of partition %d at offset %lld: %s; %llu so far\n",
                 record.from.partition, static_cast<long long>(record.offset), why.c_str(),
                 static_cast<unsigned long long>(skipped_));
  }

  std::vector<std::string> links_;
  WindowPrinter printer_;
  std::uint64_t skipped_ = 0;
};

int Follow(const app::CommonOptions& common, const WindowsOptions& options) {
  Windows windows(options);
  windows.Flush();
  return FollowTopic(common, options.follow,
                     {.name = "windows",
                      .topic = common.names().windows,
                      .take = [&windows](const auto& record) { windows.Take(record); },
                      .pause = [&windows] { windows.Flush(); }});
}

}  // namespace

void AddWindowsCommand(CLI::App& app, Command& chosen) {
  const auto options = std::make_shared<WindowsOptions>();
  CLI::App* windows = app.add_subcommand("windows", "follow the windows of the links as they are closed");
  AddFormatOptions(*windows, options->format);
  windows->add_option("--link", options->links,
                      "only links that match this pattern, such as 'demo/*'; may be repeated");
  AddFollowOptions(*windows, options->follow);
  windows->callback(
      [&chosen, options] { chosen = [options](const auto& common) { return Follow(common, *options); }; });
}

}  // namespace flowcast::tools
