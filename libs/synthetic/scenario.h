// What made-up traffic looks like: groups of alike links, their rates, patterns, bursts, overloads
// and conversations. docs/generate.md is the reference for every field.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "libs/base/time.h"

namespace flowcast::synthetic {

/// Wire lengths, uniform from `least` to `most`.
struct Sizes {
  std::uint32_t least = 64;
  std::uint32_t most = 64;
};

/// One kind of conversation; the client is on the link's side.
struct Conversation {
  std::uint8_t protocol = 6;  // IANA number
  std::uint16_t port = 443;   // the server's; without a meaning unless TCP, UDP or SCTP
  double share = 1;           // of the link's packets, relative to the mix's other shares
  Sizes up_bytes{66, 66};
  Sizes down_bytes{1514, 1514};
  double down_share = 0.5;   // of its packets
  double flow_packets = 50;  // mean packets of a flow, both directions
  int dscp = 0;
};

struct Mix {
  std::string name;
  std::vector<Conversation> conversations;
};

/// A sine from the scenario's start on.
struct Cycle {
  double amplitude = 0;  // as a share of the rate
  base::Duration period = std::chrono::hours(24);
  double apart = 0;  // links are out of step by up to this share of the period
};

/// A cosine over the day (UTC).
struct Daily {
  double amplitude = 0;  // as a share of the rate
  double peak_hour = 14;
  double apart_hours = 0;  // the links' peaks are spread over this much
};

/// Factors of the rate, second by second: 1 + fast N + slow A, at least 0; N white, A of the first order
/// autoregression whose correlation falls to 1/e within `memory`, both of variance 1.
struct Noise {
  double fast = 0.1;
  double slow = 0;
  base::Duration memory = std::chrono::seconds(60);
};

/// Short rises at random times.
struct Bursts {
  double per_hour = 0;                               // of each link
  double factor = 5;                                 // of the expected rate, at the top
  base::Duration length = std::chrono::seconds(20);  // mean; none is shorter than 4 s
  double rise = 0.25;                                // share of the length
};

/// Long rises at given or random times: `lead_in` up, `length` at the top, `fall` down.
struct Overload {
  std::string kind = "overload";
  std::vector<base::Duration> at;  // since the scenario's start
  base::Duration every{0};         // each of `at` again and again; 0: once
  double per_day = 0;              // of each link, at random times
  bool together = false;           // the links of the group at the same random times
  base::Duration lead_in{0};
  base::Duration length = std::chrono::minutes(10);
  base::Duration fall{0};
  std::optional<double> factor;  // of the expected rate at the top; this or
  std::optional<double> rate;    // packets/s
};

/// Links that are alike, each with a random stream of its own.
struct LinkGroup {
  std::string name = "link";
  std::optional<int> count;  // names NAME0, NAME1, ...; without: one link called NAME
  double rate = 100;         // packets/s of a link, on average outside bursts and overloads
  double rate_spread = 0;    // standard deviation of the logarithm of the links' rates; the mean stays
  int hosts = 200;           // clients of each link
  int servers = 20;
  int flows = 64;  // that a link has at a time
  double ipv6_share = 0;
  std::string mix = "default";
  std::optional<std::string> network;                   // IPv4 /24 of the first link, the next one's follows
  std::array<double, 7> weekdays{1, 1, 1, 1, 1, 1, 1};  // factors of the rate, Monday first (UTC)
  Cycle cycle;
  Daily daily;
  Noise noise;
  Bursts bursts;
  std::vector<Overload> overloads;
};

struct Scenario {
  base::EventTime start = base::FromUnixNanoseconds(1'700'000'000'000'000'000);
  base::Duration duration = std::chrono::minutes(30);
  std::uint64_t seed = 1;
  std::vector<LinkGroup> groups;
  std::vector<Mix> mixes;  // "default" is there without being named
};

/// What `flowcast generate` makes when told nothing: two links with a daily cycle and bursts.
Scenario DefaultScenario();

/// What a number may be; the ends belong to it, `least` unless `above`.
struct Limit {
  double least;
  double most;
  std::string_view unit;
  bool above = false;
};

/// Throws base::ConfigError "WHAT must be from 1 to 5 UNIT, not 7".
void RequireWithin(const std::string& what, double value, const Limit& limit);

/// Throws base::ConfigError for what makes no sense, naming the field and the remedy.
void Validate(const Scenario& scenario);
void Validate(const LinkGroup& group);
void Validate(const Mix& mix);

int LinksOf(const LinkGroup& group);
std::string LinkName(const LinkGroup& group, int index);
/// The mix of that name; "default" also when the scenario does not define it.
const Mix& MixOf(const Scenario& scenario, const std::string& name);
/// The link's /24, as the number its second and third byte form (10.N.N.0).
int NetworkOf(const Scenario& scenario, std::size_t group, int index);

/// IANA number of "tcp", "udp", "icmp", "sctp", or of the number itself; empty for anything else.
std::optional<std::uint8_t> ProtocolOf(std::string_view text);
std::string ProtocolName(std::uint8_t protocol);

/// The whole scenario as TOML, every default written out; read again it is the same scenario.
std::string ToToml(const Scenario& scenario);

}  // namespace flowcast::synthetic
