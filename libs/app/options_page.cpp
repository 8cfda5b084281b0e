// Over CLI11's objects, so that no option can be missing.
#include "libs/app/options_page.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <string>
#include <vector>

namespace flowcast::app {
namespace {

std::string Cell(const std::string& text) {
  std::string cell;
  for (const char c : text) {
    if (c == '|') cell += '\\';
    cell += c == '\n' ? ' ' : c;
  }
  return cell;
}

std::string Code(const std::string& text) { return text.empty() ? "" : "`" + Cell(text) + "`"; }

std::string NamesOf(const CLI::Option& option) {
  if (option.get_positional()) return Code(option.get_name());
  std::string names;
  for (const std::string& name : option.get_snames()) names += (names.empty() ? "" : ", ") + Code("-" + name);
  for (const std::string& name : option.get_lnames())
    names += (names.empty() ? "" : ", ") + Code("--" + name);
  // The other half of --a,!--no-a.
  for (const std::string& name : option.get_fnames()) {
    if (names.find("--" + name) == std::string::npos) names += ", " + Code("--" + name);
  }
  return names;
}

/// "" where any text will do.
std::string KindOf(const CLI::Option& option) {
  if (option.get_type_size() == 0) return "";
  std::string kind = option.get_type_name();
  if (kind.starts_with("TEXT:")) kind.erase(0, 5);
  return kind == "TEXT" ? "" : Code(kind);
}

std::string MeaningOf(const CLI::Option& option) {
  const std::string kind = KindOf(option);
  std::string meaning = Cell(option.get_description());
  if (!kind.empty()) meaning += (meaning.empty() ? "" : "; ") + kind;
  return option.get_required() ? meaning + "; required" : meaning;
}

void PrintGroup(const CLI::App& app, const std::string& group) {
  const auto options =
      app.get_options([&group](const CLI::Option* option) { return option->get_group() == group; });
  if (options.empty()) return;
  std::printf("%s:\n\n| option | environment | default | meaning |\n|---|---|---|---|\n", group.c_str());
  for (const CLI::Option* option : options) {
    std::printf("| %s | %s | %s | %s |\n", NamesOf(*option).c_str(), Code(option->get_envname()).c_str(),
                Code(option->get_default_str()).c_str(), MeaningOf(*option).c_str());
  }
  std::printf("\n");
}

std::vector<std::string> GroupsOf(const CLI::App& app) {
  std::vector<std::string> groups = app.get_groups();
  std::stable_partition(groups.begin(), groups.end(),
                        [](const std::string& one) { return one != kCommonGroup; });
  return groups;
}

void PrintCommand(const CLI::App& app, const std::string& name) {
  const std::vector<const CLI::App*> commands = app.get_subcommands([](const CLI::App*) { return true; });
  std::printf("### %s\n\n%s\n\n", name.c_str(), app.get_description().c_str());
  for (const std::string& group : GroupsOf(app)) PrintGroup(app, group);
  for (const CLI::App* command : commands) PrintCommand(*command, name + " " + command->get_name());
}

}  // namespace

void PrintOptions(const CLI::App& app) {
  const std::string& name = app.get_name();
  PrintCommand(app, name.substr(name.rfind('/') + 1));
}

}  // namespace flowcast::app
