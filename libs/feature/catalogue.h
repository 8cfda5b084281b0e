// Every feature that a window can have, and what it means.
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <string_view>

namespace flowcast::feature {

/// Positions in the catalogue; appended to, never renumbered.
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
  kFeatureCount,  // of the default; those that follow can be asked for

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
  double scale_floor;        // smallest scale, in units of z
  std::string_view formula;  // this and what follows are Markdown for docs/features.md
  std::string_view range;
  std::string_view empty;  // value of a window without packets
  std::string_view source;
};

/// One value a feature there is, in the order of Index.
using FeatureValues = std::array<double, kCatalogueCount>;

/// In the order of Index.
const std::array<Feature, kCatalogueCount>& Catalogue();

std::optional<Index> FindFeature(std::string_view name);

}  // namespace flowcast::feature
