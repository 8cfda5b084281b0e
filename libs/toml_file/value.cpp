// From toml++ to values of ours.
#include "libs/toml_file/value.h"

#define TOML_HEADER_ONLY 1
#include <toml++/toml.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>

namespace flowcast::toml_file {
namespace {

constexpr std::uintmax_t kLargestFile = std::uintmax_t{64} << 20;

std::string At(const std::string& name, std::ptrdiff_t line, std::ptrdiff_t column) {
  return name + ":" + std::to_string(line) + ":" + std::to_string(column) + ": ";
}

/// toml++ 3.3 runs into undefined behaviour on most other characters between its tokens.
void RequireAscii(std::string_view text, const std::string& name) {
  const auto found = std::find_if(text.begin(), text.end(), [](char c) { return (c & 0x80) != 0; });
  if (found == text.end()) return;
  const auto line = 1 + std::count(text.begin(), found, '\n');
  const auto begin = std::find(std::make_reverse_iterator(found), text.rend(), '\n').base();
  throw base::ConfigError(At(name, line, found - begin + 1) +
                          "only ASCII is read; write other characters in strings as \\u00E9");
}

std::variant<Other, Moment> TimeOf(const toml::date_time& value) {
  using namespace std::chrono;
  constexpr int kFirst = 1970, kLast = 2199;
  if (value.date.year < kFirst || value.date.year > kLast) return Other{};
  const sys_days day{year(value.date.year) / value.date.month / value.date.day};
  return Moment{base::EventTime(day.time_since_epoch() + hours(value.time.hour) + minutes(value.time.minute) +
                                seconds(value.time.second) + nanoseconds(value.time.nanosecond) -
                                minutes(value.offset ? value.offset->minutes : 0)),
                value.offset.has_value()};
}

Value Convert(const toml::node& node);

void ConvertTable(const toml::table& table, Value& value) {
  auto& members = value.content.emplace<Value::Table>();
  for (const auto& [key, node] : table) {
    Value& member = members[std::string(key.str())] = Convert(node);
    member.key_line = key.source().begin.line;
    member.key_column = key.source().begin.column;
  }
}

Value Convert(const toml::node& node) {
  Value value{.line = node.source().begin.line, .column = node.source().begin.column};
  if (const auto* flag = node.as_boolean()) value.content = flag->get();
  if (const auto* whole = node.as_integer()) value.content = whole->get();
  if (const auto* number = node.as_floating_point()) value.content = number->get();
  if (const auto* text = node.as_string()) value.content = text->get();
  if (const auto* time = node.as_date_time())
    std::visit([&value](const auto& one) { value.content = one; }, TimeOf(time->get()));
  if (const auto* array = node.as_array()) {
    auto& elements = value.content.emplace<Value::Array>();
    for (const toml::node& element : *array) elements.push_back(Convert(element));
  }
  if (const auto* table = node.as_table()) ConvertTable(*table, value);
  return value;
}

}  // namespace

Value Parse(std::string_view text, const std::string& name) {
  RequireAscii(text, name);
  try {
    const toml::table table = toml::parse(text, name);
    return Convert(table);
  } catch (const toml::parse_error& error) {
    throw base::ConfigError(At(name, error.source().begin.line, error.source().begin.column) +
                            "is no TOML: " + std::string(error.description()));
  }
}

std::string ReadText(const std::string& path) {
  std::error_code no_size;
  const bool is_large = std::filesystem::file_size(path, no_size) > kLargestFile && !no_size;
  std::ifstream file(path, std::ios::binary);
  std::string text{std::istreambuf_iterator<char>(file), {}};
  if (is_large || !file.is_open() || file.bad())
    throw UnreadableFile("cannot read " + path + (is_large ? ": it is too large" : ""));
  return text;
}

}  // namespace flowcast::toml_file
