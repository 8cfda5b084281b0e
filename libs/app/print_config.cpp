// Option after option.
#include "libs/app/print_config.h"

#include <CLI/CLI.hpp>
#include <cstdio>

namespace flowcast::app {
namespace {

std::string Quoted(const std::string& text) {
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') quoted += '\\';
    if (static_cast<unsigned char>(c) >= 0x20) {
      quoted += c;
      continue;
    }
    char escape[8];
    std::snprintf(escape, sizeof escape, "\\u%04x", static_cast<unsigned>(c));
    quoted += escape;
  }
  return quoted + "\"";
}

std::string List(const std::vector<std::string>& values) {
  std::string list;
  for (const std::string& value : values) list += (list.empty() ? "[" : ", ") + Quoted(value);
  return list + "]";
}

/// Empty where the option has no value.
std::string ValueOf(const CLI::Option& option, const std::function<std::string(const std::string&)>& shown) {
  const bool is_flag = option.get_expected_max() == 0;
  if (option.count() == 0) return option.get_default_str().empty() ? "" : Quoted(option.get_default_str());
  std::vector<std::string> values = option.results();
  if (is_flag) return values.back() == "false" ? "false" : "true";
  if (shown) {
    for (std::string& value : values) value = shown(value);
  }
  return option.get_expected_max() > 1 ? List(values) : Quoted(values.back());
}

}  // namespace

std::string ConfigText(const CLI::App& app, const ShownAs& shown) {
  std::string text;
  for (const CLI::Option* option : app.get_options()) {
    if (!option->get_configurable() || option->get_lnames().empty()) continue;
    const std::string& name = option->get_lnames().front();
    const auto how = shown.find(name);
    const std::string value =
        ValueOf(*option, how == shown.end() ? std::function<std::string(const std::string&)>() : how->second);
    if (!value.empty()) text.append(name).append(" = ").append(value).append("\n");
  }
  return text;
}

}  // namespace flowcast::app
