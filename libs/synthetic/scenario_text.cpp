// Writes a scenario as TOML, key by key.
#include "libs/base/text.h"
#include "libs/synthetic/digits.h"
#include "libs/synthetic/scenario.h"
#include "libs/synthetic/scenario_fields.h"

namespace flowcast::synthetic {
namespace {

std::string Quote(const std::string& text) { return '"' + text + '"'; }  // names need no escapes

/// Goes through the fields; values first, then the tables, as TOML wants it.
class Writer {
 public:
  Writer(std::string& text, std::string path) : text_(text), path_(std::move(path)) {}

  template <class T>
  void Number(const char* key, const T& value, const Limit&) {
    Line(key, Digits(value));
  }
  template <class T>
  void Number(const char* key, const std::optional<T>& value, const Limit& limit) {
    if (value) Number(key, *value, limit);
  }
  void Duration(const char* key, base::Duration value, const Limit&) { Line(key, Spelled(value)); }
  void Durations(const char* key, const std::vector<base::Duration>& values, const Limit&) {
    std::vector<std::string> list;
    for (const base::Duration value : values) list.push_back(Spelled(value));
    if (!list.empty()) Line(key, List(list));
  }
  void Numbers(const char* key, const std::array<double, 7>& values, const Limit&) {
    std::vector<std::string> list;
    for (const double value : values) list.push_back(Digits(value));
    Line(key, List(list));
  }
  void SizesOf(const char* key, const Sizes& sizes, const Limit&) {
    const std::string list = List({Digits(sizes.least), Digits(sizes.most)});
    Line(key, sizes.least == sizes.most ? Digits(sizes.least) : list);
  }
  void Text(const char* key, const std::string& value) { Line(key, Quote(value)); }
  void Text(const char* key, const std::optional<std::string>& value) {
    if (value) Text(key, *value);
  }
  void Flag(const char* key, bool value) { Line(key, value ? "true" : "false"); }
  void Time(const char* key, base::EventTime time) { Line(key, base::FormatTime(time)); }
  void Protocol(const char* key, std::uint8_t protocol) { Line(key, Quote(ProtocolName(protocol))); }
  template <class T>
  void Table(const std::string& key, const T& table) {
    text_ += "\n[" + path_ + key + "]\n";
    Writer inner(text_, path_ + key + ".");
    VisitFields(inner, table);
  }
  template <class T>
  void Tables(const std::string& key, const std::vector<T>& tables) {
    for (const T& table : tables) {
      text_ += "\n[[" + path_ + key + "]]\n";
      Writer inner(text_, path_ + key + ".");
      VisitFields(inner, table);
    }
  }

 private:
  static std::string Spelled(base::Duration value) { return Quote(base::FormatDuration(value)); }
  static std::string List(const std::vector<std::string>& items) {
    return std::string("[").append(base::Join(items)).append("]");
  }
  void Line(const std::string& key, const std::string& value) { text_ += key + " = " + value + "\n"; }

  std::string& text_;
  std::string path_;
};

}  // namespace

std::string ToToml(const Scenario& scenario) {
  Scenario whole = scenario;
  bool default_named = false;
  for (const Mix& mix : whole.mixes) default_named |= mix.name == "default";
  if (!default_named) whole.mixes.push_back(MixOf(scenario, "default"));
  std::string text;
  Writer writer(text, "");
  VisitFields(writer, whole);
  return text;
}

}  // namespace flowcast::synthetic
