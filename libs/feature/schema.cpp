// Schemas out of configuration, their hash and their explanation.
#include "libs/feature/schema.h"

#include <algorithm>
#include <cctype>
#include <numeric>

#include "libs/base/error.h"
#include "libs/base/hash.h"

namespace flowcast::feature {
namespace {

struct Group {
  std::string_view name;
  std::vector<Index> features;
};

std::vector<Index> Range(std::size_t from, std::size_t to) {
  std::vector<Index> features;
  for (std::size_t i = from; i < to; ++i) features.push_back(static_cast<Index>(i));
  return features;
}

const std::vector<Group>& AllGroups() {
  static const std::vector<Group> groups{
      {"default", Range(0, kFeatureCount)},
      {"all", Range(0, kCatalogueCount)},
      {"sizes", {kSizeMean, kSizeStd, kSizeMin, kSizeMax, kSizeP50, kSizeP95}},
      {"gaps", {kGapMean, kJitter, kBurstShare, kGapP50, kGapP95}},
      {"protocols", {kTcpShare, kUdpShare, kIcmpShare, kOtherShare, kDominantProtocol, kIpv6Share}},
      {"flows",
       {kFlows, kNewFlows, kFlowDurationMean, kFlowPacketsMean, kSources, kDestinations, kTopTalkerShare,
        kSourcePortEntropy, kDestinationPortEntropy}},
      {"tcp", {kSynShare, kSyn, kSynAck, kRst, kFin, kRetransmissionShare, kTcpRtt}},
      {"dscp", Range(kDscpBestEffortShare, kDscpOtherShare + 1)},
      {"casts", {kBroadcastShare, kMulticastShare}},
      {"directions", {kUplinkPackets, kUplinkBytes, kDownlinkPackets, kDownlinkBytes, kUplinkDownlinkRatio}},
      {"calendar", Range(kHourSin, kWeekdayCos + 1)},
  };
  return groups;
}

const Group* FindGroup(std::string_view name) {
  const auto found = std::find_if(AllGroups().begin(), AllGroups().end(),
                                  [name](const Group& group) { return group.name == name; });
  return found == AllGroups().end() ? nullptr : &*found;
}

Column ColumnOf(Index feature) {
  const Feature& known = Catalogue()[feature];
  return {std::string(known.name), std::string(known.unit), known.transform, known.scale_floor, feature};
}

bool IsName(std::string_view text) {
  const auto fits = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'; };
  return !text.empty() && text.size() <= 64 && text[0] >= 'a' && std::all_of(text.begin(), text.end(), fits);
}

Index Operand(std::string_view name, std::string_view item) {
  const auto found = FindFeature(name);
  if (found) return *found;
  throw base::ConfigError("--features: there is no feature '" + std::string(name) + "' to compute '" +
                          std::string(item) + "' of; --explain lists them");
}

double LinearFloor(const Feature& feature) {
  if (feature.transform != Transform::kLog1p) return feature.scale_floor;
  return feature.unit == "ratio" ? 0.05 : 1.0;
}

/// NAME=LEFT/RIGHT or NAME=LEFT-RIGHT.
Column Derived(std::string_view item) {
  const std::size_t equals = item.find('='), op = item.find_first_of("/-", equals);
  const std::string_view name = item.substr(0, equals);
  if (!IsName(name) || FindFeature(name) || FindGroup(name) != nullptr) {
    throw base::ConfigError("--features: '" + std::string(name) +
                            "' is no name for a derived feature; take one of its own out of a-z, 0-9 and _");
  }
  if (op == std::string_view::npos)
    throw base::ConfigError("--features: '" + std::string(item) + "' is neither NAME=A/B nor NAME=A-B");
  const Index left = Operand(item.substr(equals + 1, op - equals - 1), item);
  const Index right = Operand(item.substr(op + 1), item);
  const Feature &a = Catalogue()[left], &b = Catalogue()[right];
  Column column{
      std::string(name), std::string(a.unit), Transform::kLinear, LinearFloor(a), left, item[op], right};
  if (column.op == '-' && a.unit != b.unit) {
    throw base::ConfigError("--features: '" + std::string(item) + "' takes " + std::string(b.unit) +
                            " from " + std::string(a.unit) + "; only the same units have a difference");
  }
  if (column.op == '/') {
    const bool signs = a.transform == Transform::kIdentity || b.transform == Transform::kIdentity;
    column.transform = signs ? Transform::kLinear : Transform::kLog1p;
    column.scale_floor = 0.05;
    column.unit = a.unit == b.unit ? "ratio" : std::string(a.unit) + " per " + std::string(b.unit);
  }
  return column;
}

void Append(const Column& column, std::vector<Column>& columns) {
  const auto same = [&column](const Column& there) { return there.name == column.name; };
  const auto found = std::find_if(columns.begin(), columns.end(), same);
  if (found == columns.end()) {
    columns.push_back(column);
  } else if (!(*found == column)) {
    throw base::ConfigError("--features: '" + column.name +
                            "' has two formulas; give one of them another name");
  }
}

std::string FormulaOf(const Column& column) {
  return std::string(Catalogue()[column.left].name) + column.op + std::string(Catalogue()[column.right].name);
}

std::uint64_t HashOf(const std::vector<Column>& columns) {
  std::string text = "flowcast features 1\n";
  for (const Column& column : columns) {
    text.append(column.name).append(" ").append(column.unit).append(" ");
    text += std::to_string(static_cast<int>(column.transform)) + " " + std::to_string(column.scale_floor);
    if (column.op != 0) text.append(" ").append(FormulaOf(column));
    text += '\n';
  }
  return base::Fnv1a64(text);
}

}  // namespace

double Column::Of(const FeatureValues& values) const {
  if (op == 0) return values[left];
  if (op == '-') return values[left] - values[right];
  return values[right] == 0 ? 0 : values[left] / values[right];
}

Schema::Schema(std::vector<Column> columns, Scaling scaling)
    : columns_(std::move(columns)), hash_(HashOf(columns_)), scaling_(scaling) {}

std::uint64_t Schema::sequence_hash() const {
  return scaling_ == Scaling::kRobust ? hash_ : base::Fnv1a64(Name(scaling_), hash_);
}

const Schema& Schema::Default() {
  static const Schema schema = [] {
    std::vector<Column> columns;
    for (const Index feature : Range(0, kFeatureCount)) columns.push_back(ColumnOf(feature));
    return Schema(std::move(columns));
  }();
  return schema;
}

Schema Schema::Parse(std::string_view text, Scaling scaling) {
  std::vector<Column> columns{ColumnOf(kPackets), ColumnOf(kBytes)};
  while (!text.empty()) {
    const std::string_view item = text.substr(0, text.find(','));
    text.remove_prefix(std::min(item.size() + 1, text.size()));
    if (item.find('=') != std::string_view::npos) {
      Append(Derived(item), columns);
    } else if (const Group* group = FindGroup(item)) {
      for (const Index feature : group->features) Append(ColumnOf(feature), columns);
    } else if (const auto feature = FindFeature(item)) {
      Append(ColumnOf(*feature), columns);
    } else {
      throw base::ConfigError("--features: there is no feature or group '" + std::string(item) +
                              "'; --explain lists the features, and the groups are " + Groups());
    }
  }
  return Schema(std::move(columns), scaling);
}

std::string Schema::Groups() {
  std::string text;
  for (const Group& group : AllGroups()) text.append(text.empty() ? "" : ", ").append(group.name);
  return text;
}

std::string Schema::Text() const {
  if (is_default()) return "";
  std::string text;
  for (const Column& column : columns_) {
    text.append(text.empty() ? "" : ",").append(column.name);
    if (column.op != 0) text.append("=").append(FormulaOf(column));
  }
  return text;
}

FeatureVector Schema::Select(const FeatureValues& values) const {
  FeatureVector selected(columns_.size());
  std::transform(columns_.begin(), columns_.end(), selected.begin(),
                 [&values](const Column& column) { return column.Of(values); });
  return selected;
}

std::string Explain(const Schema& schema) {
  std::string text =
      "| # | name | unit | formula | range | empty window | source |\n|---|---|---|---|---|---|---|\n";
  for (std::size_t i = 0; i < schema.size(); ++i) {
    const Column& column = schema.columns()[i];
    const Feature& feature = Catalogue()[column.left];
    text.append("| ").append(std::to_string(i)).append(" | `").append(column.name).append("` | ");
    text.append(column.unit).append(" | ");
    if (column.op == 0) {
      text.append(feature.formula).append(" | ").append(feature.range).append(" | ").append(feature.empty);
      text.append(" | ").append(feature.source);
    } else {
      text.append(FormulaOf(column)).append(column.op == '/' ? "; 0 where that divides by 0" : "");
      text.append(" | any | that of the formula | configuration");
    }
    text += " |\n";
  }
  return text;
}

}  // namespace flowcast::feature
