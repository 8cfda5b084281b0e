// flowcast windows: follows windows.v1.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <bit>
#include <cstdio>
#include <memory>

#include "libs/base/pattern.h"
#include "libs/wire/window_wire.h"
#include "tools/flowcast/commands.h"
#include "tools/flowcast/follow.h"
#include "tools/flowcast/window_printer.h"

namespace flowcast::tools {
namespace {

struct WindowsOptions {
  FollowOptions follow;
  WindowFormat format;
  std::string features;
  std::vector<std::string> links;  // patterns
};

// Takes records and prints the windows that are asked for.
class Windows {
 public:
  explicit Windows(const WindowsOptions& options)
      : links_(options.links), printer_(options.format, options.features) {}

  void Take(const bus::InRecord& record) {
    const auto window = wire::DecodeWindow(record.value);
    if (!window) {
      Skip(record, std::string(ToString(window.error())));
    } else if (IsWanted(window->link) && Learn(*window, record)) {
      printer_.Print(*window);
    }
  }
  void Flush() { printer_.Flush(); }

 private:
  bool IsWanted(const std::string& link) const {
    const auto matches = [&link](const std::string& pattern) { return base::MatchesPattern(pattern, link); };
    return links_.empty() || std::any_of(links_.begin(), links_.end(), matches);
  }

  /// Whether the window's features are known, which it tells itself.
  bool Learn(const feature::Window& window, const bus::InRecord& record) {
    if (schema_ == window.schema_hash && size_ == window.features.size()) return true;
    const auto schema = wire::DecodeWindowSchema(record.value);
    if (!schema) {
      Skip(record, "its features are unknown");
      return false;
    }
    printer_.Use(*schema);
    schema_ = schema->hash();
    size_ = schema->size();
    return true;
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
  std::uint64_t schema_ = 0;  // that the printer uses
  std::size_t size_ = 0;
  std::uint64_t skipped_ = 0;
};

int Follow(const app::CommonOptions& common, const WindowsOptions& options) {
  Windows windows(options);
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
  windows->add_option("--features", options->features,
                      "which to print, with commas between [all, in a table a few]");
  windows->add_option("--link", options->links,
                      "only links that match this pattern, such as 'demo/*'; may be repeated");
  AddFollowOptions(*windows, options->follow);
  windows->callback(
      [&chosen, options] { chosen = [options](const auto& common) { return Follow(common, *options); }; });
}

}  // namespace flowcast::tools
