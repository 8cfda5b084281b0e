// Random packets of links that differ, as logs of batches: what property tests feed to a fold.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "libs/base/random.h"
#include "tests/support/stream.h"

namespace flowcast::support {

struct Sighting {
  std::string link;
  base::EventTime time;
  int flow = 0;
};

/// A busy, a slow and a mostly silent link over `seconds`, in order of time.
inline std::vector<Sighting> MakeSightings(base::Random& random, double seconds) {
  std::vector<Sighting> sightings;
  const auto add = [&](const std::string& link, double mean_gap) {
    double at = random.Exponential(mean_gap);
    for (; at < seconds; at += random.Exponential(mean_gap)) {
      sightings.push_back({link, At(at), static_cast<int>(random.Below(5))});
    }
  };
  add("busy", 0.1);
  add("slow", 3);
  add("silent", 40);
  std::sort(sightings.begin(), sightings.end(), [](const auto& a, const auto& b) { return a.time < b.time; });
  return sightings;
}

struct BatchLimits {
  std::size_t most_packets = 40;
  base::Duration tolerance{};  // how far the watermark stays behind
  double disorder_s = 0;       // how far packets move from their place
  bool ends = true;            // with a final mark
};

/// The sightings as the batches of one source, of random sizes.
inline std::vector<packet::PacketBatch> MakeBatches(base::Random& random, const std::string& source,
                                                    std::vector<Sighting> sightings,
                                                    const BatchLimits& limits) {
  Stream stream(source);
  std::vector<packet::PacketBatch> batches;
  base::EventTime newest = sightings.front().time;
  std::size_t size = 1 + random.Below(limits.most_packets);
  for (const Sighting& sighting : sightings) {
    const auto back = base::Duration(std::llround(random.Uniform() * limits.disorder_s * 1e9));
    newest = std::max(newest, sighting.time);
    stream.Add(sighting.link, sighting.time - back, 60 + static_cast<std::uint32_t>(sighting.flow),
               Flow(sighting.flow));
    if (stream.waiting() < size) continue;
    batches.push_back(stream.Next(newest - limits.tolerance));
    size = 1 + random.Below(limits.most_packets);
  }
  batches.push_back(stream.Next(newest, limits.ends));
  return batches;
}

/// Names that MakeDisorderedPackets' interfaces point into.
inline const std::vector<std::string>& SightingLinks() {
  static const std::vector<std::string> names{"busy", "slow", "silent"};
  return names;
}

/// The sightings as packets whose time stamps go back by up to 15 s now and then.
inline std::vector<packet::Packet> MakeDisorderedPackets(base::Random& random, double seconds) {
  std::vector<packet::Packet> packets;
  for (const Sighting& sighting : MakeSightings(random, seconds)) {
    const double back = random.Below(5) == 0 ? 15 * random.Uniform() : 0;
    packet::Packet packet{.time = sighting.time - base::Duration(std::llround(back * 1e9))};
    packet.wire_length_bytes = 60 + static_cast<std::uint32_t>(sighting.flow);
    const auto& links = SightingLinks();
    packet.interface = static_cast<std::uint16_t>(std::ranges::find(links, sighting.link) - links.begin());
    packet.flow = Flow(sighting.flow);
    packets.push_back(packet);
  }
  return packets;
}

/// Two sources' batches in one partition, in order of watermark.
inline std::vector<packet::PacketBatch> Merge(std::vector<packet::PacketBatch> left,
                                              const std::vector<packet::PacketBatch>& right) {
  left.insert(left.end(), right.begin(), right.end());
  std::stable_sort(left.begin(), left.end(),
                   [](const auto& a, const auto& b) { return a.watermark < b.watermark; });
  return left;
}

/// Now and then a stretch of the log comes again.
inline std::vector<packet::PacketBatch> WithResends(base::Random& random,
                                                    const std::vector<packet::PacketBatch>& log) {
  std::vector<packet::PacketBatch> resent;
  for (std::size_t i = 0; i < log.size(); ++i) {
    resent.push_back(log[i]);
    if (random.Below(10) != 0) continue;
    const std::size_t back = random.Below(std::min<std::size_t>(i + 1, 30));
    for (std::size_t j = i - back; j <= i; ++j) {
      if (random.Below(3) != 0) resent.push_back(log[j]);
    }
  }
  return resent;
}

}  // namespace flowcast::support
