// IEEE 802.11 MAC header (IEEE 802.11-2020, 9.2) and radiotap (https://www.radiotap.org).
#include "libs/packet/internal/ieee80211.h"

#include "libs/packet/internal/encapsulation.h"

namespace flowcast::packet::internal {
namespace {

constexpr std::size_t kSmallestHeaderBytes = 10;  // an acknowledgement's
constexpr std::size_t kRadiotapFixedBytes = 8;

std::size_t AlignUp(std::size_t at, std::size_t to) { return (at + to - 1) / to * to; }

// Frame control, split up.
struct Control {
  explicit Control(Bytes frame) : first(U8(frame, 0)), second(U8(frame, 1)) {}
  bool data() const { return (first & 0x0c) == 0x08; }
  bool qos() const { return (first & 0x80) != 0; }
  bool without_payload() const { return (first & 0x40) != 0; }
  bool four_addresses() const { return (second & 0x03) == 0x03; }
  bool encrypted() const { return (second & 0x40) != 0; }
  bool high_throughput() const { return qos() && (second & 0x80) != 0; }

  std::size_t HeaderBytes() const {
    return 24U + (four_addresses() ? 6U : 0U) + (qos() ? 2U : 0U) + (high_throughput() ? 4U : 0U);
  }
  std::size_t QosAt() const { return four_addresses() ? 30 : 24; }

  std::uint8_t first;
  std::uint8_t second;
};

bool Decode(Bytes frame, bool padded, Decoding& decoding) {
  if (frame.size() < kSmallestHeaderBytes) return false;
  const Control control(frame);
  if (!control.data()) return true;
  const std::size_t header = control.HeaderBytes();
  if (frame.size() < header) return false;
  const bool aggregated = control.qos() && (U8(frame, control.QosAt()) & 0x80) != 0;
  const std::size_t payload_at = padded ? AlignUp(header, 4) : header;
  if (control.without_payload() || control.encrypted() || aggregated || payload_at > frame.size())
    return true;
  DecodeLlc(frame.subspan(payload_at), decoding);
  return true;
}

// Radiotap's flags say whether the driver padded the MAC header to a multiple of four bytes.
bool HasPadding(Bytes header) {
  const std::uint32_t present = LittleU32(header, 4);
  if ((present & 0x02) == 0) return false;
  std::size_t at = kRadiotapFixedBytes;
  for (std::uint32_t word = present; (word >> 31) != 0; at += 4) {
    if (at + 4 > header.size()) return false;
    word = LittleU32(header, at);
  }
  if ((present & 0x01) != 0) at = AlignUp(at, 8) + 8;
  return at < header.size() && (U8(header, at) & 0x20) != 0;
}

}  // namespace

bool DecodeIeee80211(Bytes frame, Decoding& decoding) { return Decode(frame, false, decoding); }

bool DecodeRadiotap(Bytes frame, Decoding& decoding) {
  if (frame.size() < kRadiotapFixedBytes) return false;
  const std::size_t length = LittleU16(frame, 2);
  if (length < kRadiotapFixedBytes || length > frame.size()) return false;
  return Decode(frame.subspan(length), HasPadding(frame.first(length)), decoding);
}

}  // namespace flowcast::packet::internal
