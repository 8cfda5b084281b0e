// Goes through the keys of a scenario and takes them from a TOML table.
#include "libs/scenario_file/scenario_file.h"

#define TOML_HEADER_ONLY 1
#include <toml++/toml.h>

#include <algorithm>
#include <fstream>
#include <iterator>

#include "libs/base/error.h"
#include "libs/base/text.h"
#include "libs/synthetic/scenario_fields.h"

namespace flowcast::scenario_file {
namespace {

using synthetic::Limit;

/// Where an error is: "FILE:LINE: ".
struct Place {
  std::string file;

  std::string At(const toml::source_region& region) const {
    return file + ":" + std::to_string(region.begin.line) + ": ";
  }
  [[noreturn]] void Refuse(const toml::node& node, const std::string& what) const {
    throw base::ConfigError(At(node.source()) + what);
  }
};

base::EventTime TimeOf(const toml::date_time& value) {
  using namespace std::chrono;
  const sys_days day{year(value.date.year) / value.date.month / value.date.day};
  return base::EventTime(day.time_since_epoch() + hours(value.time.hour) + minutes(value.time.minute) +
                         seconds(value.time.second) + nanoseconds(value.time.nanosecond) -
                         minutes(value.offset ? value.offset->minutes : 0));
}

/// A visitor of fields that fills them from one table; what the table does not have stays as it is.
class TableReader {
 public:
  TableReader(const toml::table& table, const Place& place) : table_(table), place_(place) {}

  template <class T>
  void Number(const char* key, T& value, const Limit& limit) {
    if (const toml::node* node = Find(key)) value = NumberOf<T>(*node, key, limit);
  }
  template <class T>
  void Number(const char* key, std::optional<T>& value, const Limit& limit) {
    if (const toml::node* node = Find(key)) value = NumberOf<T>(*node, key, limit);
  }
  void Duration(const char* key, base::Duration& value, const Limit& limit) {
    if (const toml::node* node = Find(key)) value = DurationOf(*node, key, limit);
  }
  void Durations(const char* key, std::vector<base::Duration>& values, const Limit& limit) {
    const toml::node* node = Find(key);
    if (node == nullptr) return;
    values.clear();
    for (const toml::node& element : ArrayOf(*node, key, "durations, like [\"90m\", \"1d\"]"))
      values.push_back(DurationOf(element, key, limit));
  }
  void Numbers(const char* key, std::array<double, 7>& values, const Limit& limit) {
    const toml::node* node = Find(key);
    if (node == nullptr) return;
    const toml::array& array = ArrayOf(*node, key, "7 numbers, Monday first");
    if (array.size() != values.size())
      place_.Refuse(*node, std::string(key) + " must have 7 numbers, Monday first");
    for (std::size_t i = 0; i < values.size(); ++i) values[i] = NumberOf<double>(array[i], key, limit);
  }
  void SizesOf(const char* key, synthetic::Sizes& sizes, const Limit& limit) {
    const toml::node* node = Find(key);
    if (node == nullptr) return;
    if (!node->is_array()) {
      sizes.least = sizes.most = NumberOf<std::uint32_t>(*node, key, limit);
      return;
    }
    const toml::array& array = *node->as_array();
    if (array.size() != 2)
      place_.Refuse(*node, std::string(key) + " must be a number of bytes or two, [least, most]");
    sizes.least = NumberOf<std::uint32_t>(array[0], key, limit);
    sizes.most = NumberOf<std::uint32_t>(array[1], key, limit);
  }
  void Text(const char* key, std::string& value) {
    if (const toml::node* node = Find(key)) value = TextOf(*node, key, "text in quotes");
  }
  void Text(const char* key, std::optional<std::string>& value) {
    if (const toml::node* node = Find(key)) value = TextOf(*node, key, "text in quotes");
  }
  void Flag(const char* key, bool& value) {
    const toml::node* node = Find(key);
    if (node == nullptr) return;
    if (!node->is_boolean()) place_.Refuse(*node, std::string(key) + " must be true or false");
    value = node->as_boolean()->get();
  }
  void Time(const char* key, base::EventTime& time) {
    const toml::node* node = Find(key);
    if (node == nullptr) return;
    const auto* value = node->as_date_time();
    if (value == nullptr || !value->get().offset)
      place_.Refuse(*node, std::string(key) + " must be a time with its zone, like 2026-11-02T00:00:00Z");
    if (value->get().date.year < 1970 || value->get().date.year > 2199)
      place_.Refuse(*node, std::string(key) + " must be in the years 1970 to 2199");
    time = TimeOf(value->get());
  }
  void Protocol(const char* key, std::uint8_t& protocol) {
    const toml::node* node = Find(key);
    if (node == nullptr) return;
    const auto number = node->value<std::int64_t>();
    const std::string text = number ? std::to_string(*number) : node->value_or(std::string());
    const auto known = synthetic::ProtocolOf(text);
    if (!known)
      place_.Refuse(*node, std::string(key) +
                               " must be \"tcp\", \"udp\", \"icmp\", \"sctp\" or a number from 0 to 255");
    protocol = *known;
  }
  template <class T>
  void Table(const char* key, T& value) {
    if (const toml::node* node = Find(key)) Fill(*node, key, value);
  }
  template <class T>
  void Tables(const char* key, std::vector<T>& values) {
    const toml::node* node = Find(key);
    if (node == nullptr) return;
    if (!node->is_array()) place_.Refuse(*node, Tablish(key));
    values.clear();
    for (const toml::node& element : *node->as_array()) {
      Fill(element, key, values.emplace_back());
      Check(element, values.back());
    }
  }

  /// Once every field was visited: what else is there nobody knows.
  void RefuseUnknown() const {
    for (const auto& [key, node] : table_) {
      const std::string name(key.str());
      if (std::find(known_.begin(), known_.end(), name) != known_.end()) continue;
      throw base::ConfigError(place_.At(key.source()) + "unknown key '" + name +
                              "'; known here: " + base::Join(known_));
    }
  }

 private:
  const toml::node* Find(const char* key) {
    known_.emplace_back(key);
    return table_.get(key);
  }

  template <class T>
  T NumberOf(const toml::node& node, const std::string& key, const Limit& limit) const {
    if (std::is_integral_v<T> ? !node.is_integer() : !node.is_number())
      place_.Refuse(node, key + (std::is_integral_v<T> ? " must be a whole number" : " must be a number"));
    const std::int64_t whole = node.is_integer() ? node.as_integer()->get() : 0;
    const double number = node.is_integer() ? static_cast<double>(whole) : node.as_floating_point()->get();
    synthetic::RequireWithin(place_.At(node.source()) + key, number, limit);
    return std::is_integral_v<T> ? static_cast<T>(whole) : static_cast<T>(number);
  }
  std::string TextOf(const toml::node& node, const std::string& key, const std::string& like) const {
    if (!node.is_string()) place_.Refuse(node, key + " must be " + like);
    return node.as_string()->get();
  }
  base::Duration DurationOf(const toml::node& node, const std::string& key, const Limit& limit) const {
    const std::string text = TextOf(node, key, "a duration in quotes, like \"90s\"");
    base::Duration duration{0};
    try {
      if (text != "0s") duration = base::ParseDuration(text);
    } catch (const base::ConfigError& error) {
      place_.Refuse(node, key + ": " + error.what());
    }
    synthetic::RequireWithin(place_.At(node.source()) + key, base::ToSeconds(duration), limit);
    return duration;
  }
  const toml::array& ArrayOf(const toml::node& node, const std::string& key, const std::string& like) const {
    if (!node.is_array()) place_.Refuse(node, key + " must be a list of " + like);
    return *node.as_array();
  }
  static std::string Tablish(const std::string& key) {
    return key + " must be a list of tables; write [[" + key + "]]";
  }
  template <class T>
  void Fill(const toml::node& node, const std::string& key, T& value) const {
    if (!node.is_table()) place_.Refuse(node, key + " must be a table");
    TableReader reader(*node.as_table(), place_);
    synthetic::VisitFields(reader, value);
    reader.RefuseUnknown();
  }
  /// What the fields of a table mean together.
  template <class T>
  void Check(const toml::node& node, const T& value) const {
    if constexpr (requires { synthetic::Validate(value); }) {
      try {
        synthetic::Validate(value);
      } catch (const base::ConfigError& error) {
        place_.Refuse(node, error.what());
      }
    }
  }

  const toml::table& table_;
  const Place& place_;
  std::vector<std::string> known_;
};

/// toml++ 3.3 runs into undefined behaviour on most other characters between its tokens.
void RequireAscii(std::string_view text, const std::string& name) {
  const auto found = std::find_if(text.begin(), text.end(), [](char c) { return (c & 0x80) != 0; });
  if (found == text.end()) return;
  const auto line = 1 + std::count(text.begin(), found, '\n');
  throw base::ConfigError(name + ":" + std::to_string(line) +
                          ": only ASCII is read; write other characters in strings as \\u00E9");
}

}  // namespace

synthetic::Scenario ParseScenario(std::string_view text, const std::string& name) {
  RequireAscii(text, name);
  const Place place{name};
  toml::table table;
  try {
    table = toml::parse(text, name);
  } catch (const toml::parse_error& error) {
    throw base::ConfigError(place.At(error.source()) + "is no TOML: " + std::string(error.description()));
  }
  synthetic::Scenario scenario;
  TableReader reader(table, place);
  synthetic::VisitFields(reader, scenario);
  reader.RefuseUnknown();
  try {
    synthetic::Validate(scenario);
  } catch (const base::ConfigError& error) {
    throw base::ConfigError(name + ": " + error.what());
  }
  return scenario;
}

synthetic::Scenario ReadScenario(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  if (!file.is_open() || file.bad())
    throw base::ConfigError("cannot read the scenario " + path +
                            "; give --scenario a TOML file, see docs/generate.md");
  return ParseScenario(text, path);
}

}  // namespace flowcast::scenario_file
