// flowcast topics show: the table of topics, without Kafka.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>

#include "libs/topics/contents.h"
#include "tools/flowcast/inspect_commands.h"

namespace flowcast::tools {
namespace {

constexpr const char* kMarkdownHead =
    "| topic | value | key | partitions | settings | written by | read by |\n|---|---|---|---|---|---|---|\n";
constexpr const char* kMarkdownRow = "| `%s` | %s | %s | %d | %s | %s | %s |\n";
constexpr const char* kParagraph =
    "%s\n  value       %s\n  key         %s\n  partitions  %d\n  settings    %s\n  written by  %s\n"
    "  read by     %s\n";

std::string SettingsOf(const bus::TopicSpec& spec, const char* between) {
  std::string text;
  for (const auto& [name, value] : spec.settings) text += (text.empty() ? "" : between) + name + "=" + value;
  return text;
}

int Show(const app::CommonOptions& common, bool markdown) {
  const topics::Names names = common.names();
  if (markdown) std::printf("%s", kMarkdownHead);
  for (const bus::TopicSpec& spec : topics::Specs(names, {})) {
    const topics::Content content = topics::ContentOf(names, spec.name);
    std::printf(markdown ? kMarkdownRow : kParagraph, spec.name.c_str(), content.value.c_str(),
                content.key.c_str(), spec.partitions, SettingsOf(spec, markdown ? "<br>" : ", ").c_str(),
                content.writers.c_str(), content.readers.c_str());
  }
  return app::kOk;
}

}  // namespace

void AddTopicsShowCommand(CLI::App& app, Command& chosen) {
  const auto markdown = std::make_shared<bool>(false);
  CLI::App* show = app.get_subcommand("topics")->add_subcommand(
      "show", "how they should be, who writes and who reads them; asks no Kafka");
  show->add_flag("--markdown", *markdown, "as a table for documents");
  show->callback(
      [&chosen, markdown] { chosen = [markdown](const auto& common) { return Show(common, *markdown); }; });
}

}  // namespace flowcast::tools
