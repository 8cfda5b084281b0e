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
  kFeatureCount,  // of the features in sequences; those that follow can be asked for

  kSizeMin = kFeatureCount,
  kSizeMax,
  kSizeP50,
  kSizeP95,
  kGapP50,
  kGapP95,
  kNewFlows,
  kFlowDurationMean,
  kFlowPacketsMean,
  kTopTalkerShare,
  kSyn,
  kSynAck,
  kRst,
  kFin,
  kRetransmissionShare,
  kTcpRtt,
  kDscpBestEffortShare,
  kDscpAssuredShare,
  kDscpExpeditedShare,
  kDscpClassSelectorShare,
  kDscpOtherShare,
  kIpv6Share,
  kBroadcastShare,
  kMulticastShare,
  kUplinkPackets,
  kUplinkBytes,
  kDownlinkPackets,
  kDownlinkBytes,
  kCatalogueCount
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
/// One value a feature there is, in the order of Index.
using FeatureValues = std::array<double, kCatalogueCount>;

/// In the order of Index.
const std::array<Feature, kFeatureCount>& Schema();

/// FNV-1a of the schema's text form; travels with windows, sequences and models.
std::uint64_t SchemaHash();

std::optional<Index> FindFeature(std::string_view name);

}  // namespace flowcast::feature
