// Feeds the decoder any bytes as a frame of each link type; the first byte chooses, tunnels too.
#include <cstdlib>
#include <vector>

#include "tests/fuzz/link_types.h"

namespace {

using namespace flowcast;

void Expect(bool condition) {
  if (!condition) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const auto* const bytes = reinterpret_cast<const std::byte*>(data);
  const std::vector<std::byte> frame(bytes + 1, bytes + size);  // its own allocation
  const packet::LinkType link_type = fuzz::kLinkTypes[(data[0] & 0x7fU) % fuzz::kLinkTypes.size()];
  packet::Packet packet;
  const bool decoded = packet::Decode(link_type, frame, packet).has_value();
  const packet::FlowKey& flow = packet.flow;
  Expect(decoded || flow == packet::FlowKey());
  Expect(flow.source.version != 0 || (flow.source_port == 0 && flow.destination_port == 0));
  Expect(flow.source.version == flow.destination.version);
  Expect(packet.vlan <= 4095);
  if ((data[0] & fuzz::kOpenTunnels) == 0) return 0;
  packet::Packet opened;
  Expect(packet::Decode(link_type, frame, opened, packet::Tunnels::All()).has_value() == decoded);
  Expect(opened.vlan == packet.vlan);
  Expect(opened.flow == flow || (flow.source.version != 0 && opened.flow.source.version != 0));
  return 0;
}
