// Goes through the keys of a rules file.
#include "libs/rules_file/rules_file.h"

#include <cstdio>

#include "libs/base/error.h"
#include "libs/forecast/link_forecaster.h"
#include "libs/toml_file/table_reader.h"

namespace flowcast::rules_file {
namespace {

using toml_file::TableReader;
using toml_file::Value;

/// Runs what may throw without knowing where it is.
template <typename Make>
auto At(const TableReader& reader, const Value& value, const std::string& key, Make make) {
  try {
    return make();
  } catch (const base::ConfigError& error) {
    reader.Refuse(value, key + ": " + error.what());
  }
}

std::string TakeText(TableReader& reader, const std::string& key, const std::string& otherwise) {
  const Value* value = reader.Find(key);
  return value == nullptr ? otherwise : reader.TextOf(*value, key, "text in quotes");
}

/// In quotes ("80%", "2MB", "p95") or a bare number.
alert::Threshold ThresholdOf(const TableReader& reader, const Value& value, const std::string& key) {
  if (value.As<std::string>() != nullptr) {
    const std::string& text = reader.TextOf(value, key, "");
    return At(reader, value, key, [&] { return alert::Threshold::Parse(text); });
  }
  const double number = reader.NumberOf(value, key);
  if (!(number >= 0 && number <= forecast::kLargestValue)) reader.Refuse(value, key + " must be 0 or more");
  return {alert::Threshold::Kind::kNumber, number, ""};
}

alert::Kind KindOf(TableReader& reader) {
  const Value* value = reader.Find("kind");
  if (value == nullptr) return alert::Kind::kLoad;
  const std::string& text = reader.TextOf(*value, "kind", "\"load\", \"degraded\" or \"quiet\"");
  for (const auto kind : {alert::Kind::kLoad, alert::Kind::kDegraded, alert::Kind::kQuiet}) {
    if (text == alert::ToString(kind)) return kind;
  }
  reader.Refuse(*value, "kind must be \"load\", \"degraded\" or \"quiet\", not \"" + text + "\"");
}

void TakeLinks(TableReader& reader, alert::Rule& rule) {
  const auto take = [&reader](const std::string& key, std::vector<std::string>& patterns) {
    if (const Value* value = reader.Find(key)) {
      patterns = value->As<std::string>() != nullptr
                     ? std::vector{reader.TextOf(*value, key, "")}
                     : reader.TextsOf(*value, key, "patterns in quotes, like [\"lab/*\"]");
    }
  };
  take("links", rule.links);
  take("except", rule.except);
}

void TakeTarget(TableReader& reader, alert::Rule& rule) {
  const bool in_bytes = !rule.threshold.Fits("packets");
  rule.target = in_bytes ? "bytes" : "packets";
  if (const Value* value = reader.Find("target")) {
    rule.target = reader.TextOf(*value, "target", "a feature in quotes, like \"bytes\"");
    if (rule.target.empty()) reader.Refuse(*value, "target is empty; name a feature, like bytes");
  }
}

void TakeThreshold(TableReader& reader, alert::Rule& rule) {
  const Value* threshold = reader.Find("threshold");
  if (rule.kind == alert::Kind::kQuiet) {
    rule.threshold = {alert::Threshold::Kind::kNumber, 0, ""};
  } else if (rule.kind == alert::Kind::kLoad) {
    rule.threshold = alert::Threshold::Parse("80%");
  } else if (threshold != nullptr) {
    reader.Refuse(*threshold, "threshold goes with kind = \"load\" and \"quiet\" only");
  }
  if (threshold == nullptr) return;
  rule.threshold = ThresholdOf(reader, *threshold, "threshold");
  if (rule.kind == alert::Kind::kLoad && !(rule.threshold.value > 0) && rule.threshold.percentile.empty())
    reader.Refuse(*threshold, "threshold must be above 0");
}

void TakeHorizon(TableReader& reader, alert::Rule& rule) {
  const Value* value = reader.Find("horizon");
  if (value == nullptr) return;
  const auto* text = value->As<std::string>();
  if (text != nullptr && *text == "any") {
    rule.horizon = alert::Rule::kAny;
    return;
  }
  if (value->As<std::int64_t>() == nullptr || reader.WholeOf(*value, "horizon") < 1 ||
      reader.WholeOf(*value, "horizon") > forecast::kFurthestHorizon)
    reader.Refuse(*value, "horizon must be a number of windows, 1 or more, or \"any\"");
  rule.horizon = static_cast<int>(reader.WholeOf(*value, "horizon"));
}

void TakeMeasure(TableReader& reader, alert::Rule& rule) {
  const Value* value = reader.Find("on");
  if (value == nullptr) return;
  if (rule.kind != alert::Kind::kLoad) reader.Refuse(*value, "on goes with kind = \"load\" only");
  const std::string& text = reader.TextOf(*value, "on", "text in quotes, like \"quantile 0.9\"");
  rule.on = At(reader, *value, "on", [&] { return alert::Measure::Parse(text); });
}

/// A number above 0 and at most 1.
double ShareOf(const TableReader& reader, const Value& value, const std::string& key) {
  const double share = reader.NumberOf(value, key);
  if (!(share > 0 && share <= 1)) reader.Refuse(value, key + " must be above 0 and at most 1");
  return share;
}

void TakeClear(TableReader& reader, alert::Rule& rule) {
  const Value* clear = reader.Find("clear");
  const Value* ratio = reader.Find("clear_ratio");
  const Value* probability = reader.Find("clear_probability");
  for (const Value* second : {ratio, probability}) {
    if (second == nullptr) continue;
    if (rule.kind != alert::Kind::kLoad)
      reader.Refuse(*second, "clear_ratio and clear_probability go with kind = \"load\" only");
    if (clear != nullptr || (ratio != nullptr && probability != nullptr))
      reader.Refuse(*second, "give one of clear, clear_ratio and clear_probability");
  }
  if (clear != nullptr && rule.kind == alert::Kind::kDegraded)
    reader.Refuse(*clear, "clear goes with kind = \"load\" and \"quiet\" only");
  if (clear != nullptr) rule.clear.absolute = ThresholdOf(reader, *clear, "clear");
  if (ratio != nullptr) rule.clear.ratio = ShareOf(reader, *ratio, "clear_ratio");
  if (probability != nullptr) rule.clear.probability = ShareOf(reader, *probability, "clear_probability");
}

void TakeTerms(TableReader& reader, alert::Rule& rule) {
  if (const Value* value = reader.Find("for")) {
    const std::string& text = reader.TextOf(*value, "for", "windows in quotes, like \"3 of 5\"");
    int used = 0;
    alert::Terms& terms = rule.terms;
    const int read = std::sscanf(text.c_str(), "%3d of %3d%n", &terms.needed, &terms.of, &used);
    const bool sound = read == 2 && static_cast<std::size_t>(used) == text.size() && terms.needed >= 1 &&
                       terms.of >= terms.needed && terms.of <= alert::Terms::kMost;
    if (!sound) {
      reader.Refuse(*value, "for must be like \"3 of 5\", of at most " + std::to_string(alert::Terms::kMost) +
                                " windows, not \"" + text + "\"");
    }
  }
  if (const Value* value = reader.Find("keep_firing_for"))
    rule.terms.keep_firing_for = reader.DurationOf(*value, "keep_firing_for");
}

alert::Silence SilenceOf(const Value& value, const std::string& file) {
  TableReader reader(value, file);
  const Value* from = reader.Find("from");
  const Value* to = reader.Find("to");
  const Value* daily = reader.Find("daily");
  const Value* weekdays = reader.Find("weekdays");
  reader.RefuseUnknown();
  alert::Silence silence;
  if ((daily != nullptr) == (from != nullptr && to != nullptr) ||
      (daily != nullptr && (from != nullptr || to != nullptr)))
    reader.Refuse(value, "a silence has either from and to, or daily = \"22:00-06:00\"");
  if (daily == nullptr) {
    if (weekdays != nullptr) reader.Refuse(*weekdays, "weekdays goes with daily only");
    silence.span = {reader.TimeOf(*from, "from"), reader.TimeOf(*to, "to")};
    if (silence.span->from >= silence.span->to) reader.Refuse(*to, "to must be after from");
    return silence;
  }
  const std::string& text = reader.TextOf(*daily, "daily", "text in quotes, like \"22:00-06:00\"");
  silence.daily = At(reader, *daily, "daily", [&] { return alert::ParseDaily(text); });
  if (weekdays != nullptr) {
    const auto names = reader.TextsOf(*weekdays, "weekdays", "days in quotes, like [\"sat\", \"sun\"]");
    silence.daily->weekdays = At(reader, *weekdays, "weekdays", [&] { return alert::ParseWeekdays(names); });
  }
  return silence;
}

void TakeSilences(TableReader& reader, alert::Rule& rule) {
  const Value* value = reader.Find("silences");
  if (value == nullptr) return;
  for (const Value& one : reader.ArrayOf(*value, "silences", "tables, like [{daily = \"22:00-06:00\"}]")) {
    reader.RequireTable(one, "a silence");
    rule.silences.push_back(SilenceOf(one, reader.file()));
  }
}

void TakeLabels(TableReader& reader, alert::Rule& rule) {
  const Value* value = reader.Find("labels");
  if (value == nullptr) return;
  reader.RequireTable(*value, "labels");
  for (const auto& [name, text] : *value->As<Value::Table>())
    rule.labels[name] = reader.TextOf(text, name, "text in quotes");
}

alert::Rule RuleOf(const Value& value, const std::string& file) {
  TableReader reader(value, file);
  alert::Rule rule;
  rule.place = file + ":" + std::to_string(value.line) + ":" + std::to_string(value.column);
  const Value* name = reader.Find("name");
  if (name == nullptr) reader.Refuse(value, "a rule has no name; write name = \"...\"");
  rule.name = reader.TextOf(*name, "name", "text in quotes");
  rule.kind = KindOf(reader);
  TakeLinks(reader, rule);
  TakeThreshold(reader, rule);
  TakeTarget(reader, rule);
  TakeHorizon(reader, rule);
  TakeMeasure(reader, rule);
  TakeClear(reader, rule);
  TakeTerms(reader, rule);
  rule.severity = TakeText(reader, "severity", rule.severity);
  TakeLabels(reader, rule);
  rule.runbook = TakeText(reader, "runbook", "");
  TakeSilences(reader, rule);
  reader.RefuseUnknown();
  alert::Validate(rule);
  return rule;
}

}  // namespace

alert::Rulebook Parse(std::string_view text, const std::string& name) {
  const Value file = toml_file::Parse(text, name);
  TableReader reader(file, name);
  alert::Rulebook book;
  if (const Value* capacities = reader.Find("capacities")) {
    reader.RequireTable(*capacities, "capacities");
    for (const auto& [link, value] : *capacities->As<Value::Table>()) {
      const std::string& rate = reader.TextOf(value, link, "bits a second in quotes, like \"1G\"");
      book.capacities.Set(link, At(reader, value, link, [&] { return alert::ParseBitRate(rate); }));
    }
  }
  if (const Value* rules = reader.Find("rules")) {
    for (const Value& rule : reader.TablesOf(*rules, "rules")) {
      reader.RequireTable(rule, "a rule");
      book.rules.push_back(RuleOf(rule, name));
    }
  }
  reader.RefuseUnknown();
  if (book.rules.empty()) throw base::ConfigError(name + ":1:1: there is no rule in it; write [[rules]]");
  const alert::RuleSet together(book.rules, book.capacities);  // refuses names that come twice
  return book;
}

alert::Rulebook Read(const std::string& path) {
  try {
    return Parse(toml_file::ReadText(path), path);
  } catch (const toml_file::UnreadableFile& error) {
    throw base::ConfigError(std::string(error.what()) + "; name a TOML file of rules, see docs/alerts.md");
  }
}

}  // namespace flowcast::rules_file
