// Seeded random content of packet batches.
#pragma once

#include <string>

#include "libs/base/random.h"
#include "libs/packet/packet.h"

namespace flowcast::support {

inline std::string AnyText(base::Random& random) {
  static const std::string kLetters[] = {"a", "/", "\"", "\\", "ü", "\n", "{", "0"};
  std::string text;
  for (std::uint64_t left = random.Below(12); left > 0; --left)
    text += kLetters[random.Below(std::size(kLetters))];
  return text;
}

inline base::EventTime AnyTime(base::Random& random) {
  return base::FromUnixNanoseconds(static_cast<std::int64_t>(random.Below(std::uint64_t{1} << 61)));
}

inline base::IpAddress AnyAddress(base::Random& random, std::uint8_t version) {
  base::IpAddress address{.version = version};
  const std::size_t length = version == 4 ? 4 : version == 6 ? 16 : 0;
  for (std::size_t i = 0; i < length; ++i) address.bytes[i] = static_cast<std::uint8_t>(random.Next());
  return address;
}

inline packet::PacketBatch AnyBatch(base::Random& random) {
  packet::PacketBatch batch{.source = AnyText(random),
                            .epoch = random.Next() | 1,
                            .content = random.Next(),
                            .sequence = random.Next() >> 3,
                            .started = AnyTime(random),
                            .watermark = AnyTime(random),
                            .final = random.Below(2) == 0,
                            .counters = {random.Next(), random.Next(), 3, 4, 5, 6, 7, random.Next()}};
  const std::size_t flows = random.Below(6);
  for (std::size_t i = 0; i < flows; ++i) {
    batch.links.push_back(AnyText(random));
    const std::uint8_t versions[] = {0, 4, 6};
    const std::uint8_t version = versions[random.Below(3)];
    batch.flows.push_back(
        {static_cast<std::uint32_t>(random.Below(i + 1)),
         {AnyAddress(random, version), AnyAddress(random, version), static_cast<std::uint16_t>(random.Next()),
          static_cast<std::uint16_t>(random.Next()), static_cast<std::uint16_t>(random.Next()),
          static_cast<std::uint8_t>(random.Next())},
         static_cast<packet::Direction>(random.Below(packet::kDirections)),
         static_cast<packet::Cast>(random.Below(packet::kCasts))});
  }
  // Encoded times have a unit of their own each.
  const std::int64_t units[] = {1, 1'000, 1'000'000};
  const std::int64_t unit = units[random.Below(3)];
  for (std::size_t i = flows == 0 ? 0 : random.Below(40); i > 0; --i) {
    batch.times.push_back(base::AlignDown(AnyTime(random), base::Duration(unit)));
    if (random.Below(8) == 0)
      batch.stragglers.push_back({static_cast<std::uint32_t>(batch.size() - 1), AnyTime(random)});
    batch.flow_indexes.push_back(static_cast<std::uint32_t>(random.Below(flows)));
    packet::BatchFlow& flow = batch.flows[batch.flow_indexes.back()];
    const bool first = flow.started == base::kBeginningOfTime;
    const bool begins = first && random.Below(2) == 0;
    if (first)
      flow.started = base::AlignDown(begins ? batch.times.back() : AnyTime(random), packet::kStartResolution);
    batch.marks.push_back(
        static_cast<std::uint8_t>((begins ? packet::kBegins : 0) | random.Below(2) * packet::kRepeats));
    batch.wire_lengths_bytes.push_back(static_cast<std::uint32_t>(random.Next()));
    batch.tcp_flags.push_back(static_cast<std::uint8_t>(random.Next()));
    batch.traffic_classes.push_back(static_cast<std::uint8_t>(random.Next()));
    batch.ttls.push_back(static_cast<std::uint8_t>(random.Next()));
  }
  return batch;
}

}  // namespace flowcast::support
