// The features of a window: names, units and how they are normalized. docs/features.md is the specification.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace flowcast::feature {

/// Positions in a feature vector; published, never renumbered within a schema.
enum Index : std::size_t {
  kPackets,
  kBytes,
  kSizeMean,
  kSizeStd,
  kGapMean,
  kJitter,
  kPacketRate,
  kBitRate,
  kBurstShare,
  kTcpShare,
  kUdpShare,
  kIcmpShare,
  kOtherShare,
  kDominantProtocol,
  kSourcePortEntropy,
  kDestinationPortEntropy,
  kFlows,
  kSources,
  kDestinations,
  kSynShare,
  kUplinkDownlinkRatio,
  kHourSin,
  kHourCos,
  kWeekdaySin,
  kWeekdayCos,
  kFeatureCount
};

enum class Transform {
  kLog1p,     // z = log(1 + x): heavy-tailed, not negative
  kLinear,    // z = x
  kIdentity,  // passed through: centre 0, scale 1
};

struct Feature {
  std::string_view name;
  std::string_view unit;
  Transform transform;
  double scale_floor;  // smallest scale, in units of z
};

using FeatureVector = std::array<double, kFeatureCount>;

/// In the order of Index.
const std::array<Feature, kFeatureCount>& Schema();

/// FNV-1a of the schema's text form; travels with windows, sequences and models.
std::uint64_t SchemaHash();

std::optional<Index> FindFeature(std::string_view name);

}  // namespace flowcast::feature
