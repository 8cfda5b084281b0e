// Defaults, names, and what makes sense.
#include "libs/synthetic/scenario.h"

#include <algorithm>
#include <charconv>
#include <set>

#include "libs/base/error.h"
#include "libs/base/ip_address.h"
#include "libs/synthetic/digits.h"
#include "libs/synthetic/scenario_fields.h"

namespace flowcast::synthetic {
namespace {

constexpr std::size_t kMostConversations = 64;
constexpr double kMostFlows = 4e6;  // over all links, some 400 MB
constexpr int kNetworks = 65'536;   // /24 in 10.0.0.0/8
constexpr int kNetworksBetweenGroups = 4'096;
constexpr std::array<std::pair<std::string_view, std::uint8_t>, 4> kProtocols{
    {{"icmp", 1}, {"tcp", 6}, {"udp", 17}, {"sctp", 132}}};

[[noreturn]] void Refuse(const std::string& what) { throw base::ConfigError(what); }

/// Goes through the fields and checks the limits.
class Checker {
 public:
  explicit Checker(std::string where) : where_(std::move(where)) {}

  template <class T>
  void Number(const char* key, const T& value, const Limit& limit) {
    RequireWithin(where_ + key, static_cast<double>(value), limit);
  }
  template <class T>
  void Number(const char* key, const std::optional<T>& value, const Limit& limit) {
    if (value) Number(key, *value, limit);
  }
  void Duration(const char* key, base::Duration value, const Limit& limit) {
    RequireWithin(where_ + key, base::ToSeconds(value), limit);
  }
  void Durations(const char* key, const std::vector<base::Duration>& values, const Limit& limit) {
    for (const base::Duration value : values) Duration(key, value, limit);
  }
  void Numbers(const char* key, const std::array<double, 7>& values, const Limit& limit) {
    for (const double value : values) Number(key, value, limit);
  }
  void SizesOf(const char* key, const Sizes& sizes, const Limit& limit) {
    Number(key, sizes.least, limit);
    Number(key, sizes.most, limit);
    if (sizes.least > sizes.most) Refuse(where_ + key + " must name the smaller size first");
  }
  void Text(const char*, const std::optional<std::string>&) {}
  void Flag(const char*, bool) {}
  void Time(const char* key, base::EventTime time) {
    constexpr double kYear2200 = 7'258'118'400;
    RequireWithin(where_ + key, base::ToUnixSeconds(time), {0, kYear2200, "s since 1970"});
  }
  void Protocol(const char*, std::uint8_t) {}
  template <class T>
  void Table(const std::string& key, const T& table) {
    Checker inner(where_ + key + ".");
    VisitFields(inner, table);
  }
  template <class T>
  void Tables(const std::string& key, const std::vector<T>& tables) {
    for (const T& table : tables) Table(key, table);
  }
  /// These are checked one by one, under their names.
  void Tables(const std::string&, const std::vector<LinkGroup>&) {}
  void Tables(const std::string&, const std::vector<Mix>&) {}

 private:
  std::string where_;
};

void RequireName(const std::string& what, const std::string& name) {
  constexpr std::string_view kAllowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
  if (name.empty() || name.size() > 100 || name.find_first_not_of(kAllowed) != std::string::npos)
    Refuse(what + " '" + name + "' must be 1 to 100 letters, digits, '.', '_' or '-'");
}

void Check(const std::string& where, const Overload& overload) {
  RequireName(where + "kind", overload.kind);
  if (overload.factor.has_value() == overload.rate.has_value())
    Refuse(where + "height: give either factor or rate");
  if (overload.at.empty() == (overload.per_day == 0)) Refuse(where + "times: give either at or per_day");
  const base::Duration whole = overload.lead_in + overload.length + overload.fall;
  if (whole < std::chrono::seconds(1))
    Refuse(where + "length: lead_in, length and fall must be 1 s together");
  if (overload.every > base::Duration::zero() && overload.every < whole)
    Refuse(where + "every must be at least lead_in, length and fall together");
  if (overload.per_day * base::ToSeconds(whole) > 0.9 * kSecondsOfDay)
    Refuse(where + "per_day: so many of this length do not fit into a day; lower it");
}

std::string Quoted(const std::string& name) { return "'" + name + "'"; }

int AskedNetwork(const LinkGroup& group) {
  const base::IpAddress address = base::ParseIpAddress(*group.network);
  if (address.version != 4 || address.bytes[0] != 10 || address.bytes[3] != 0)
    Refuse("links " + Quoted(group.name) + ": network '" + *group.network +
           "' must be a /24 of 10.0.0.0/8, like 10.4.0.0");
  return address.bytes[1] * 256 + address.bytes[2];
}

std::string NetworkText(int network) {
  return "10." + std::to_string(network / 256) + "." + std::to_string(network % 256) + ".0";
}

void CheckNetworks(const Scenario& scenario) {
  int free = 0;
  for (std::size_t i = 0; i < scenario.groups.size(); ++i)
    free = std::max(free, NetworkOf(scenario, i, LinksOf(scenario.groups[i])));
  for (std::size_t i = 0; i < scenario.groups.size(); ++i) {
    const int from = NetworkOf(scenario, i, 0);
    const int to = NetworkOf(scenario, i, LinksOf(scenario.groups[i]));
    const std::string group = "links " + Quoted(scenario.groups[i].name);
    if (to > kNetworks) Refuse(group + ": network leaves 10.0.0.0/8 before the last link; begin lower");
    for (std::size_t other = 0; other < i; ++other) {
      if (NetworkOf(scenario, other, 0) >= to ||
          from >= NetworkOf(scenario, other, LinksOf(scenario.groups[other])))
        continue;
      Refuse(group + ": their networks overlap those of " + Quoted(scenario.groups[other].name) +
             "; set network, for instance to " + NetworkText(free % kNetworks));
    }
  }
}

void CheckNames(const Scenario& scenario) {
  double links = 0;
  double flows = 0;
  for (const LinkGroup& group : scenario.groups) {
    links += LinksOf(group);
    flows += static_cast<double>(LinksOf(group)) * group.flows;
  }
  RequireWithin("the number of all links", links, kLinkCount);
  if (flows > kMostFlows)
    Refuse("the links have " + Digits(flows) + " flows at a time, at most " + Digits(kMostFlows) +
           " are possible; lower flows or count");
  std::set<std::string> names;
  for (const LinkGroup& group : scenario.groups) {
    for (int i = 0; i < LinksOf(group); ++i) {
      if (!names.insert(LinkName(group, i)).second)
        Refuse("two links are called " + Quoted(LinkName(group, i)) + "; give one group another name");
    }
  }
  std::set<std::string> mixes;
  for (const Mix& mix : scenario.mixes) {
    if (!mixes.insert(mix.name).second) Refuse("two mixes are called " + Quoted(mix.name) + "; rename one");
  }
}

const Mix& DefaultMix() {
  static const Mix mix{"default",
                       {{6, 443, 0.5, {66, 66}, {1514, 1514}, 0.7, 200},
                        {17, 443, 0.2, {80, 80}, {1292, 1292}, 0.8, 200},
                        {17, 53, 0.08, {70, 94}, {90, 270}, 0.5, 2},
                        {6, 22, 0.05, {66, 190}, {66, 190}, 0.5, 500},
                        {1, 0, 0.02, {98, 98}, {98, 98}, 0.5, 20},
                        {17, 5004, 0.15, {214, 214}, {214, 214}, 0.5, 3000, 46}}};
  return mix;
}

}  // namespace

Scenario DefaultScenario() {
  LinkGroup links;
  links.count = 2;
  links.noise.fast = 0.2;
  links.cycle = {.amplitude = 0.5, .apart = 1};
  links.bursts.per_hour = 6;
  Scenario scenario;
  scenario.groups.push_back(links);
  return scenario;
}

void RequireWithin(const std::string& what, double value, const Limit& limit) {
  if ((limit.above ? value > limit.least : value >= limit.least) && value <= limit.most) return;
  std::string text = what + " must be " + (limit.above ? "above " : "from ") + Digits(limit.least) +
                     (limit.above ? " and at most " : " to ") + Digits(limit.most);
  if (!limit.unit.empty()) text.append(" ").append(limit.unit);
  Refuse(text + ", not " + Digits(value));
}

void Validate(const LinkGroup& group) {
  const std::string where = "links " + Quoted(group.name) + ": ";
  RequireName("links: name", group.name);
  Checker checker(where);
  VisitFields(checker, group);
  if (group.network) AskedNetwork(group);
  if (group.bursts.per_hour * std::max(4.0, base::ToSeconds(group.bursts.length)) > 0.9 * 3600)
    Refuse(where + "bursts: so many of this length do not fit into an hour; lower per_hour or length");
  for (const Overload& overload : group.overloads) Check(where + "overload.", overload);
}

void Validate(const Mix& mix) {
  RequireName("mix: name", mix.name);
  Checker checker("mix " + Quoted(mix.name) + ": ");
  VisitFields(checker, mix);
  if (mix.conversations.empty() || mix.conversations.size() > kMostConversations)
    Refuse("mix " + Quoted(mix.name) + " must have from 1 to " + std::to_string(kMostConversations) +
           " conversations");
}

void Validate(const Scenario& scenario) {
  Checker checker("");
  VisitFields(checker, scenario);
  if (scenario.groups.empty()) Refuse("there are no links; add a [[links]] table");
  for (const Mix& mix : scenario.mixes) Validate(mix);
  for (const LinkGroup& group : scenario.groups) {
    Validate(group);
    MixOf(scenario, group.mix);
  }
  CheckNames(scenario);
  CheckNetworks(scenario);
}

int LinksOf(const LinkGroup& group) { return group.count.value_or(1); }

std::string LinkName(const LinkGroup& group, int index) {
  return group.count ? group.name + std::to_string(index) : group.name;
}

const Mix& MixOf(const Scenario& scenario, const std::string& name) {
  std::string known = "default";
  for (const Mix& mix : scenario.mixes) {
    if (mix.name == name) return mix;
    if (mix.name != "default") known += ", " + mix.name;
  }
  if (name != "default") Refuse("there is no mix '" + name + "'; there are: " + known);
  return DefaultMix();
}

int NetworkOf(const Scenario& scenario, std::size_t group, int index) {
  const LinkGroup& links = scenario.groups.at(group);
  const int first =
      links.network ? AskedNetwork(links) : static_cast<int>(group) * kNetworksBetweenGroups % kNetworks;
  return first + index;
}

std::optional<std::uint8_t> ProtocolOf(std::string_view text) {
  for (const auto& [name, number] : kProtocols) {
    if (text == name) return number;
  }
  std::uint8_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

std::string ProtocolName(std::uint8_t protocol) {
  for (const auto& [name, number] : kProtocols) {
    if (protocol == number) return std::string(name);
  }
  return std::to_string(protocol);
}

}  // namespace flowcast::synthetic
