// Feeds the decoder any bytes as a frame of each link type; the first byte chooses.
#include <cstdlib>
#include <vector>

#include "libs/packet/decoder.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using flowcast::packet::LinkType;
  static const std::vector<LinkType> kLinkTypes = {
      LinkType::kNull,           LinkType::kEthernet, LinkType::kPpp,  LinkType::kRaw,  LinkType::kIeee80211,
      LinkType::kLinuxSll,       LinkType::kRadiotap, LinkType::kIpv4, LinkType::kIpv6, LinkType::kLinuxSll2,
      static_cast<LinkType>(147)};
  if (size == 0) return 0;
  const std::vector<std::byte> frame(reinterpret_cast<const std::byte*>(data) + 1,
                                     reinterpret_cast<const std::byte*>(data) + size);
  flowcast::packet::Packet packet;
  const auto result = flowcast::packet::Decode(kLinkTypes[data[0] % kLinkTypes.size()], frame, packet);
  const bool ports = packet.flow.source_port != 0 || packet.flow.destination_port != 0;
  if (!result && packet.flow != flowcast::packet::FlowKey()) std::abort();
  if (ports && packet.flow.source.version == 0) std::abort();
  if (packet.vlan > 4095) std::abort();
  return 0;
}
