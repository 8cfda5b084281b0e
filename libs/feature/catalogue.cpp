// The table of the features.
#include "libs/feature/catalogue.h"

#include <algorithm>

namespace flowcast::feature {

namespace {

constexpr Transform kLog1p = Transform::kLog1p, kLinear = Transform::kLinear,
                    kIdentity = Transform::kIdentity;
constexpr std::array<Feature, kCatalogueCount> kCatalogue{{
    {"packets", "packets", kLog1p, 0.05, "n", "0 ...", "0", "RFC 7011, 7012 (packetDeltaCount)"},
    {"bytes", "bytes", kLog1p, 0.05, "sum of l(i)", "0 ...", "0",
     "RFC 7012 (octetDeltaCount), link-layer header included"},
    {"size_mean", "bytes", kLog1p, 0.05, "bytes / n", "0 ...", "0", "CICFlowMeter"},
    {"size_std", "bytes", kLog1p, 0.05, "standard deviation of l(i)", "0 ...", "0", "CICFlowMeter"},
    {"gap_mean", "s", kLinear, 0.001, "mean of the gaps, the mean inter-arrival time; w where n < 2",
     "0 ... w", "w", "CICFlowMeter (IAT)"},
    {"jitter", "s", kLinear, 0.001, "standard deviation of the gaps; 0 where n < 3", "0 ... w", "0",
     "CICFlowMeter (IAT); not RFC 3550's"},
    {"packet_rate", "packets/s", kLog1p, 0.05, "n / w (some call it burst rate)", "0 ...", "0",
     "CICFlowMeter"},
    {"bit_rate", "bit/s", kLog1p, 0.05, "8 bytes / w", "0 ...", "0", "RFC 5136"},
    {"burst_share", "share", kLinear, 0.05,
     "packets with a gap before them shorter than `--burst-gap` (default 1 ms), divided by n", "0 ... 1", "0",
     "ours"},
    {"tcp_share", "share", kLinear, 0.05, "packets of IP protocol 6 / n", "0 ... 1", "0",
     "IANA protocol numbers"},
    {"udp_share", "share", kLinear, 0.05, "packets of IP protocol 17 / n", "0 ... 1", "0",
     "IANA protocol numbers"},
    {"icmp_share", "share", kLinear, 0.05, "packets of IP protocol 1 or 58 / n", "0 ... 1", "0",
     "IANA protocol numbers"},
    {"other_share", "share", kLinear, 0.05, "all other packets / n, those without IP included", "0 ... 1",
     "0", "IANA protocol numbers"},
    {"dominant_protocol", "code", kLinear, 1.0,
     "which of TCP (1), UDP (2), ICMP (3), other (4) has most packets; the lowest code of equals", "0 ... 4",
     "0", "ours"},
    {"source_port_entropy", "bit", kLinear, 0.05,
     "Shannon entropy H = - sum p log2 p of the source ports of TCP, UDP and SCTP packets; a later "
     "fragment has port 0",
     "0 ... 16", "0", "Lakhina et al., 2005"},
    {"destination_port_entropy", "bit", kLinear, 0.05, "the same of the destination ports", "0 ... 16", "0",
     "Lakhina et al., 2005"},
    {"flows", "flows", kLog1p, 0.05,
     "distinct (source, destination, protocol, source port, destination port) of IP packets; the two "
     "directions of a conversation are two",
     "0 ... n", "0", "RFC 7011"},
    {"sources", "addresses", kLog1p, 0.05, "distinct IP source addresses", "0 ... n", "0",
     "Lakhina et al., 2005"},
    {"destinations", "addresses", kLog1p, 0.05, "distinct IP destination addresses", "0 ... n", "0",
     "Lakhina et al., 2005"},
    {"syn_share", "share", kLinear, 0.05, "`syn` / TCP packets; 0 without TCP", "0 ... 1", "0",
     "RFC 4987 (SYN floods)"},
    {"uplink_downlink_ratio", "ratio", kLog1p, 0.05,
     "(u + 1) / (d + 1) of `uplink_bytes` u and `downlink_bytes` d; the 1 keeps it defined", "above 0", "1",
     "ours"},
    {"hour_sin", "", kIdentity, 1.0,
     "sin(2 pi s / 86400), s seconds of the window's start since midnight UTC", "-1 ... 1", "the same",
     "ours"},
    {"hour_cos", "", kIdentity, 1.0, "cos(2 pi s / 86400)", "-1 ... 1", "the same", "ours"},
    {"weekday_sin", "", kIdentity, 1.0,
     "sin(2 pi d / 7), d = 0 on Monday ... 6 on Sunday, of the window's start, UTC", "-1 ... 1", "the same",
     "ours"},
    {"weekday_cos", "", kIdentity, 1.0, "cos(2 pi d / 7)", "-1 ... 1", "the same", "ours"},
    {"size_min", "bytes", kLog1p, 0.05, "smallest l(i)", "0 ...", "0", "CICFlowMeter"},
    {"size_max", "bytes", kLog1p, 0.05, "largest l(i)", "0 ...", "0", "CICFlowMeter"},
    {"size_p50", "bytes", kLog1p, 0.05, "50th [percentile](#percentiles) of l(i)", "0 ...", "0",
     "nearest rank"},
    {"size_p95", "bytes", kLog1p, 0.05, "95th percentile of l(i)", "0 ...", "0", "nearest rank"},
    {"gap_p50", "s", kLinear, 0.001, "50th percentile of the gaps; w where n < 2", "0 ... w", "w",
     "nearest rank"},
    {"gap_p95", "s", kLinear, 0.001, "95th percentile of the gaps; w where n < 2", "0 ... w", "w",
     "nearest rank"},
    {"new_flows", "flows", kLog1p, 0.05,
     "IP packets of the window that [begin a flow](#flows-and-what-was-sent-before)", "0 ... n", "0",
     "RFC 7011"},
    {"flow_duration_mean", "s", kLog1p, 0.05,
     "mean over the distinct flows of max(last - start, 0): the time of the flow's last packet in the "
     "window, and when it [began](#flows-and-what-was-sent-before), maybe before the window; 0 without IP",
     "0 ...", "0", "RFC 7012 (flowDurationMilliseconds)"},
    {"flow_packets_mean", "packets", kLog1p, 0.05, "IP packets / `flows`; 0 without IP", "0 ... n", "0",
     "RFC 7011"},
    {"top_talker_share", "share", kLinear, 0.05, "most bytes of one IP source address / bytes", "0 ... 1",
     "0", "ntop, sFlow (top talkers)"},
    {"syn", "packets", kLog1p, 0.05, "TCP packets with SYN and without ACK", "0 ... n", "0", "RFC 9293"},
    {"syn_ack", "packets", kLog1p, 0.05, "TCP packets with SYN and ACK", "0 ... n", "0", "RFC 9293"},
    {"rst", "packets", kLog1p, 0.05, "TCP packets with RST", "0 ... n", "0", "RFC 9293"},
    {"fin", "packets", kLog1p, 0.05, "TCP packets with FIN", "0 ... n", "0", "RFC 9293"},
    {"retransmission_share", "share", kLinear, 0.05,
     "TCP segments that [begin with data sent before](#flows-and-what-was-sent-before) / TCP packets; 0 "
     "without TCP",
     "0 ... 1", "0", "as tcpRetransSegs / tcpOutSegs of RFC 4022"},
    {"tcp_rtt", "s", kLinear, 0.001,
     "mean [time of the handshakes](#flows-and-what-was-sent-before) in the window; 0 without any", "0 ... w",
     "0", "RFC 9293, Karn and Partridge, 1987"},
    {"dscp_best_effort_share", "share", kLinear, 0.05, "IP packets with DSCP 0 / IP packets; 0 without IP",
     "0 ... 1", "0", "RFC 2474"},
    {"dscp_assured_share", "share", kLinear, 0.05,
     "the same of AF11 to AF43 (10, 12, 14, 18, 20, 22, 26, 28, 30, 34, 36, 38)", "0 ... 1", "0", "RFC 2597"},
    {"dscp_expedited_share", "share", kLinear, 0.05, "the same of EF (46)", "0 ... 1", "0", "RFC 3246"},
    {"dscp_class_selector_share", "share", kLinear, 0.05,
     "the same of CS1 to CS7 (8, 16, 24, 32, 40, 48, 56)", "0 ... 1", "0", "RFC 2474"},
    {"dscp_other_share", "share", kLinear, 0.05, "the same of every other value", "0 ... 1", "0", "RFC 2474"},
    {"ipv6_share", "share", kLinear, 0.05, "IPv6 packets / n", "0 ... 1", "0", "RFC 8200"},
    {"broadcast_share", "share", kLinear, 0.05, "[broadcast](#what-is-decoded) packets / n", "0 ... 1", "0",
     "RMON (RFC 2819)"},
    {"multicast_share", "share", kLinear, 0.05,
     "[multicast](#what-is-decoded) packets / n, broadcast not among them", "0 ... 1", "0",
     "RMON (RFC 2819)"},
    {"uplink_packets", "packets", kLog1p, 0.05, "packets from an address of the home net to one outside",
     "0 ... n", "0", "RFC 5102 (flowDirection)"},
    {"uplink_bytes", "bytes", kLog1p, 0.05, "bytes of these", "0 ...", "0", "RFC 5102 (flowDirection)"},
    {"downlink_packets", "packets", kLog1p, 0.05, "packets from outside to an address of the home net",
     "0 ... n", "0", "RFC 5102 (flowDirection)"},
    {"downlink_bytes", "bytes", kLog1p, 0.05, "bytes of these", "0 ...", "0", "RFC 5102 (flowDirection)"},
}};

}  // namespace

const std::array<Feature, kCatalogueCount>& Catalogue() { return kCatalogue; }

std::optional<Index> FindFeature(std::string_view name) {
  const auto found = std::find_if(Catalogue().begin(), Catalogue().end(),
                                  [name](const Feature& feature) { return feature.name == name; });
  if (found == Catalogue().end()) return std::nullopt;
  return static_cast<Index>(found - Catalogue().begin());
}

}  // namespace flowcast::feature
