// Types, and words for those that are wrong.
#include "libs/toml_file/table_reader.h"

#include <algorithm>
#include <numeric>

#include "libs/base/error.h"
#include "libs/base/text.h"

namespace flowcast::toml_file {
namespace {

/// How many letters must be put in, taken away or replaced (Levenshtein).
std::size_t Distance(const std::string& a, const std::string& b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({replaced, row[j] + 1, row[j - 1] + 1});
    }
  }
  return row.back();
}

std::string Position(const std::string& file, std::uint32_t line, std::uint32_t column) {
  return file + ":" + std::to_string(line) + ":" + std::to_string(column) + ": ";
}

}  // namespace

std::string Nearest(const std::string& name, const std::vector<std::string>& names) {
  constexpr std::size_t kLongest = 64;
  std::string nearest;
  std::size_t least = std::max<std::size_t>(2, name.size() / 3) + 1;
  if (name.size() > kLongest) return "";
  for (const std::string& one : names) {
    const std::size_t distance = Distance(name, one);
    if (distance >= least) continue;
    least = distance;
    nearest = one;
  }
  return nearest;
}

const Value* TableReader::Find(const std::string& key) {
  known_.push_back(key);
  const auto found = members().find(key);
  return found == members().end() ? nullptr : &found->second;
}

void TableReader::RefuseUnknown() const {
  for (const auto& [key, value] : members()) {
    if (std::find(known_.begin(), known_.end(), key) != known_.end()) continue;
    const std::string nearest = Nearest(key, known_);
    throw base::ConfigError(Position(file_, value.key_line, value.key_column) + "unknown key '" + key + "'" +
                            (nearest.empty() ? "" : ", perhaps " + nearest + " is meant") +
                            "; known here: " + base::Join(known_));
  }
}

std::string TableReader::At(const Value& value) const { return Position(file_, value.line, value.column); }

void TableReader::Refuse(const Value& value, const std::string& what) const {
  throw base::ConfigError(At(value) + what);
}

std::int64_t TableReader::WholeOf(const Value& value, const std::string& key) const {
  if (const auto* whole = value.As<std::int64_t>()) return *whole;
  Refuse(value, key + " must be a whole number");
}

double TableReader::NumberOf(const Value& value, const std::string& key) const {
  if (const auto* whole = value.As<std::int64_t>()) return static_cast<double>(*whole);
  if (const auto* number = value.As<double>()) return *number;
  Refuse(value, key + " must be a number");
}

bool TableReader::FlagOf(const Value& value, const std::string& key) const {
  if (const auto* flag = value.As<bool>()) return *flag;
  Refuse(value, key + " must be true or false");
}

const std::string& TableReader::TextOf(const Value& value, const std::string& key,
                                       const std::string& like) const {
  if (const auto* text = value.As<std::string>()) return *text;
  Refuse(value, key + " must be " + like);
}

std::vector<std::string> TableReader::TextsOf(const Value& value, const std::string& key,
                                              const std::string& like) const {
  std::vector<std::string> texts;
  for (const Value& element : ArrayOf(value, key, like))
    texts.push_back(TextOf(element, key, "a list of " + like));
  return texts;
}

base::Duration TableReader::DurationOf(const Value& value, const std::string& key) const {
  const std::string& text = TextOf(value, key, "a duration in quotes, like \"90s\"");
  if (text == "0s") return base::Duration{0};
  try {
    return base::ParseDuration(text);
  } catch (const base::ConfigError& error) {
    Refuse(value, key + ": " + error.what());
  }
}

base::EventTime TableReader::TimeOf(const Value& value, const std::string& key) const {
  const auto* moment = value.As<Moment>();
  if (moment != nullptr && moment->has_zone) return moment->time;
  if (value.As<Other>() != nullptr)
    Refuse(value, key + " must be a time with its zone, in the years 1970 to 2199");
  Refuse(value, key + " must be a time with its zone, like 2026-11-02T00:00:00Z");
}

const Value::Array& TableReader::ArrayOf(const Value& value, const std::string& key,
                                         const std::string& like) const {
  if (const auto* array = value.As<Value::Array>()) return *array;
  Refuse(value, key + " must be a list of " + like);
}

void TableReader::RequireTable(const Value& value, const std::string& key) const {
  if (value.As<Value::Table>() == nullptr) Refuse(value, key + " must be a table");
}

const Value::Array& TableReader::TablesOf(const Value& value, const std::string& key) const {
  if (const auto* array = value.As<Value::Array>()) return *array;
  Refuse(value, key + " must be a list of tables; write [[" + key + "]]");
}

}  // namespace flowcast::toml_file
