// The keys of a scenario and their limits, once for all who go through them: the check, the writer, the
// reader.
#pragma once

#include <concepts>
#include <type_traits>

#include "libs/synthetic/scenario.h"

namespace flowcast::synthetic {

template <class T, class Struct>
concept MaybeConst = std::same_as<std::remove_const_t<T>, Struct>;

inline constexpr double kSecondsOfDay = 86'400;
inline constexpr Limit kLinkCount{1, 65'535, "links"};
inline constexpr Limit kRate{0, 1e7, "packets/s", true};
inline constexpr Limit kNoise{0, 2};
inline constexpr Limit kAmplitude{0, 1};
inline constexpr Limit kPeriod{0, 3650 * kSecondsOfDay, "s", true};
inline constexpr Limit kBurstsPerHour{0, 900};
inline constexpr Limit kFactor{1, 1e4};
inline constexpr Limit kShare{0, 1};
inline constexpr Limit kDuration{0, 3650 * kSecondsOfDay, "s", true};
inline constexpr Limit kPause{0, 3650 * kSecondsOfDay, "s"};
inline constexpr Limit kSeed{0, 9223372036854775807.0};

// A visitor has Number, Text, Flag, Time, Duration, Durations, Numbers, SizesOf, Protocol, Table and
// Tables, each called with the key, the field and, for numbers and durations, the limit (in seconds).
// Number and Text take optional fields too.

template <class Visitor>
void VisitFields(Visitor& visitor, MaybeConst<Conversation> auto& it) {
  visitor.Protocol("protocol", it.protocol);
  visitor.Number("port", it.port, Limit{0, 65'535});
  visitor.Number("share", it.share, Limit{0, 1e9, "", true});
  visitor.SizesOf("up_bytes", it.up_bytes, Limit{20, 65'535, "bytes"});
  visitor.SizesOf("down_bytes", it.down_bytes, Limit{20, 65'535, "bytes"});
  visitor.Number("down_share", it.down_share, kShare);
  visitor.Number("flow_packets", it.flow_packets, Limit{1, 1e9, "packets"});
  visitor.Number("dscp", it.dscp, Limit{0, 63});
}

template <class Visitor>
void VisitFields(Visitor& visitor, MaybeConst<Mix> auto& it) {
  visitor.Text("name", it.name);
  visitor.Tables("conversation", it.conversations);
}

template <class Visitor>
void VisitFields(Visitor& visitor, MaybeConst<Cycle> auto& it) {
  visitor.Number("amplitude", it.amplitude, kAmplitude);
  visitor.Duration("period", it.period, kPeriod);
  visitor.Number("apart", it.apart, kShare);
}

template <class Visitor>
void VisitFields(Visitor& visitor, MaybeConst<Daily> auto& it) {
  visitor.Number("amplitude", it.amplitude, kAmplitude);
  visitor.Number("peak_hour", it.peak_hour, Limit{0, 24, "h"});
  visitor.Number("apart_hours", it.apart_hours, Limit{0, 24, "h"});
}

template <class Visitor>
void VisitFields(Visitor& visitor, MaybeConst<Noise> auto& it) {
  visitor.Number("fast", it.fast, kNoise);
  visitor.Number("slow", it.slow, kNoise);
  visitor.Duration("memory", it.memory, Limit{1, kSecondsOfDay, "s"});
}

template <class Visitor>
void VisitFields(Visitor& visitor, MaybeConst<Bursts> auto& it) {
  visitor.Number("per_hour", it.per_hour, kBurstsPerHour);
  visitor.Number("factor", it.factor, kFactor);
  visitor.Duration("length", it.length, kDuration);
  visitor.Number("rise", it.rise, kShare);
}

template <class Visitor>
void VisitFields(Visitor& visitor, MaybeConst<Overload> auto& it) {
  visitor.Text("kind", it.kind);
  visitor.Durations("at", it.at, kPause);
  visitor.Duration("every", it.every, kPause);
  visitor.Number("per_day", it.per_day, Limit{0, 1440});
  visitor.Flag("together", it.together);
  visitor.Duration("lead_in", it.lead_in, kPause);
  visitor.Duration("length", it.length, kPause);
  visitor.Duration("fall", it.fall, kPause);
  visitor.Number("factor", it.factor, kFactor);
  visitor.Number("rate", it.rate, kRate);
}

template <class Visitor>
void VisitFields(Visitor& visitor, MaybeConst<LinkGroup> auto& it) {
  visitor.Text("name", it.name);
  visitor.Number("count", it.count, kLinkCount);
  visitor.Number("rate", it.rate, kRate);
  visitor.Number("rate_spread", it.rate_spread, Limit{0, 3});
  visitor.Number("hosts", it.hosts, Limit{1, 254});
  visitor.Number("servers", it.servers, Limit{1, 65'000});
  visitor.Number("flows", it.flows, Limit{1, 65'536});
  visitor.Number("ipv6_share", it.ipv6_share, kShare);
  visitor.Text("mix", it.mix);
  visitor.Text("network", it.network);
  visitor.Numbers("weekdays", it.weekdays, Limit{0, 100});
  visitor.Table("cycle", it.cycle);
  visitor.Table("daily", it.daily);
  visitor.Table("noise", it.noise);
  visitor.Table("bursts", it.bursts);
  visitor.Tables("overload", it.overloads);
}

template <class Visitor>
void VisitFields(Visitor& visitor, MaybeConst<Scenario> auto& it) {
  visitor.Time("start", it.start);
  visitor.Duration("duration", it.duration, kDuration);
  visitor.Number("seed", it.seed, kSeed);
  visitor.Tables("links", it.groups);
  visitor.Tables("mix", it.mixes);
}

}  // namespace flowcast::synthetic
