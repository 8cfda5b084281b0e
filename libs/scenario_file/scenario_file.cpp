// Goes through the keys of a scenario and takes them from a TOML table.
#include "libs/scenario_file/scenario_file.h"

#include <array>
#include <type_traits>

#include "libs/base/error.h"
#include "libs/synthetic/scenario_fields.h"
#include "libs/toml_file/table_reader.h"

namespace flowcast::scenario_file {
namespace {

using synthetic::Limit;
using toml_file::Value;

/// A visitor of fields that fills them from one table; what the table does not have stays as it is.
class FieldReader : public toml_file::TableReader {
 public:
  using TableReader::TableReader;

  template <class T>
  void Number(const char* key, T& value, const Limit& limit) {
    if (const Value* found = Find(key)) value = LimitedOf<T>(*found, key, limit);
  }
  template <class T>
  void Number(const char* key, std::optional<T>& value, const Limit& limit) {
    if (const Value* found = Find(key)) value = LimitedOf<T>(*found, key, limit);
  }
  void Duration(const char* key, base::Duration& value, const Limit& limit) {
    if (const Value* found = Find(key)) value = LimitedDurationOf(*found, key, limit);
  }
  void Durations(const char* key, std::vector<base::Duration>& values, const Limit& limit) {
    const Value* found = Find(key);
    if (found == nullptr) return;
    values.clear();
    for (const Value& element : ArrayOf(*found, key, "durations, like [\"90m\", \"1d\"]"))
      values.push_back(LimitedDurationOf(element, key, limit));
  }
  void Numbers(const char* key, std::array<double, 7>& values, const Limit& limit) {
    const Value* found = Find(key);
    if (found == nullptr) return;
    const Value::Array& array = ArrayOf(*found, key, "7 numbers, Monday first");
    if (array.size() != values.size())
      Refuse(*found, std::string(key) + " must have 7 numbers, Monday first");
    for (std::size_t i = 0; i < values.size(); ++i) values[i] = LimitedOf<double>(array[i], key, limit);
  }
  void SizesOf(const char* key, synthetic::Sizes& sizes, const Limit& limit) {
    const Value* found = Find(key);
    if (found == nullptr) return;
    const auto* array = found->As<Value::Array>();
    if (array == nullptr) {
      sizes.least = sizes.most = LimitedOf<std::uint32_t>(*found, key, limit);
      return;
    }
    if (array->size() != 2)
      Refuse(*found, std::string(key) + " must be a number of bytes or two, [least, most]");
    sizes.least = LimitedOf<std::uint32_t>((*array)[0], key, limit);
    sizes.most = LimitedOf<std::uint32_t>((*array)[1], key, limit);
  }
  void Text(const char* key, std::string& value) {
    if (const Value* found = Find(key)) value = TextOf(*found, key, "text in quotes");
  }
  void Text(const char* key, std::optional<std::string>& value) {
    if (const Value* found = Find(key)) value = TextOf(*found, key, "text in quotes");
  }
  void Flag(const char* key, bool& value) {
    if (const Value* found = Find(key)) value = FlagOf(*found, key);
  }
  void Time(const char* key, base::EventTime& time) {
    if (const Value* found = Find(key)) time = TimeOf(*found, key);
  }
  void Protocol(const char* key, std::uint8_t& protocol) {
    const Value* found = Find(key);
    if (found == nullptr) return;
    const auto* number = found->As<std::int64_t>();
    const auto* name = found->As<std::string>();
    const auto known = synthetic::ProtocolOf(number != nullptr ? std::to_string(*number)
                                             : name != nullptr ? *name
                                                               : std::string());
    if (!known)
      Refuse(*found,
             std::string(key) + " must be \"tcp\", \"udp\", \"icmp\", \"sctp\" or a number from 0 to 255");
    protocol = *known;
  }
  template <class T>
  void Table(const char* key, T& value) {
    if (const Value* found = Find(key)) Fill(*found, key, value);
  }
  template <class T>
  void Tables(const char* key, std::vector<T>& values) {
    const Value* found = Find(key);
    if (found == nullptr) return;
    values.clear();
    for (const Value& element : TablesOf(*found, key)) {
      Fill(element, key, values.emplace_back());
      Check(element, values.back());
    }
  }

 private:
  template <class T>
  T LimitedOf(const Value& value, const std::string& key, const Limit& limit) const {
    if constexpr (std::is_integral_v<T>) {
      const std::int64_t whole = WholeOf(value, key);
      synthetic::RequireWithin(At(value) + key, static_cast<double>(whole), limit);
      return static_cast<T>(whole);
    } else {
      const double number = NumberOf(value, key);
      synthetic::RequireWithin(At(value) + key, number, limit);
      return static_cast<T>(number);
    }
  }
  base::Duration LimitedDurationOf(const Value& value, const std::string& key, const Limit& limit) const {
    const base::Duration duration = DurationOf(value, key);
    synthetic::RequireWithin(At(value) + key, base::ToSeconds(duration), limit);
    return duration;
  }
  template <class T>
  void Fill(const Value& value, const std::string& key, T& filled) const {
    RequireTable(value, key);
    FieldReader reader(value, file());
    synthetic::VisitFields(reader, filled);
    reader.RefuseUnknown();
  }
  /// What the fields of a table mean together.
  template <class T>
  void Check(const Value& value, const T& checked) const {
    if constexpr (requires { synthetic::Validate(checked); }) {
      try {
        synthetic::Validate(checked);
      } catch (const base::ConfigError& error) {
        Refuse(value, error.what());
      }
    }
  }
};

}  // namespace

synthetic::Scenario ParseScenario(std::string_view text, const std::string& name) {
  const Value table = toml_file::Parse(text, name);
  synthetic::Scenario scenario;
  FieldReader reader(table, name);
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
  try {
    return ParseScenario(toml_file::ReadText(path), path);
  } catch (const toml_file::UnreadableFile&) {
    throw base::ConfigError("cannot read the scenario " + path +
                            "; give --scenario a TOML file, see docs/generate.md");
  }
}

}  // namespace flowcast::scenario_file
