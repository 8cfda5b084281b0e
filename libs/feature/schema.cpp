// The schema's table and its hash.
#include "libs/feature/schema.h"

#include <string>

#include "libs/base/hash.h"

namespace flowcast::feature {

const std::array<Feature, kFeatureCount>& Schema() {
  static constexpr std::array<Feature, kFeatureCount> kSchema{{
      {"packets", "packets", Transform::kLog1p, 0.05},
      {"bytes", "bytes", Transform::kLog1p, 0.05},
      {"size_mean", "bytes", Transform::kLog1p, 0.05},
      {"size_std", "bytes", Transform::kLog1p, 0.05},
      {"gap_mean", "s", Transform::kLinear, 0.001},
      {"jitter", "s", Transform::kLinear, 0.001},
      {"packet_rate", "packets/s", Transform::kLog1p, 0.05},
      {"bit_rate", "bit/s", Transform::kLog1p, 0.05},
      {"burst_share", "share", Transform::kLinear, 0.05},
      {"tcp_share", "share", Transform::kLinear, 0.05},
      {"udp_share", "share", Transform::kLinear, 0.05},
      {"icmp_share", "share", Transform::kLinear, 0.05},
      {"other_share", "share", Transform::kLinear, 0.05},
      {"dominant_protocol", "code", Transform::kLinear, 1.0},
      {"source_port_entropy", "bit", Transform::kLinear, 0.05},
      {"destination_port_entropy", "bit", Transform::kLinear, 0.05},
      {"flows", "flows", Transform::kLog1p, 0.05},
      {"sources", "addresses", Transform::kLog1p, 0.05},
      {"destinations", "addresses", Transform::kLog1p, 0.05},
      {"syn_share", "share", Transform::kLinear, 0.05},
      {"uplink_downlink_ratio", "ratio", Transform::kLog1p, 0.05},
      {"hour_sin", "", Transform::kIdentity, 1.0},
      {"hour_cos", "", Transform::kIdentity, 1.0},
      {"weekday_sin", "", Transform::kIdentity, 1.0},
      {"weekday_cos", "", Transform::kIdentity, 1.0},
  }};
  return kSchema;
}

std::uint64_t SchemaHash() {
  static const std::uint64_t hash = [] {
    std::string text = "flowcast features 1\n";
    for (const Feature& feature : Schema()) {
      text.append(feature.name).append(" ").append(feature.unit).append(" ");
      text += std::to_string(static_cast<int>(feature.transform)) + " " +
              std::to_string(feature.scale_floor) + "\n";
    }
    return base::Fnv1a64(text);
  }();
  return hash;
}

std::optional<Index> FindFeature(std::string_view name) {
  for (std::size_t i = 0; i < kFeatureCount; ++i) {
    if (Schema()[i].name == name) return static_cast<Index>(i);
  }
  return std::nullopt;
}

}  // namespace flowcast::feature
