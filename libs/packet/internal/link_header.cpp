// Link-layer headers (https://www.tcpdump.org/linktypes.html).
#include "libs/packet/internal/link_header.h"

#include "libs/packet/internal/encapsulation.h"
#include "libs/packet/internal/network_layer.h"

namespace flowcast::packet::internal {
namespace {

constexpr std::size_t kEthernetBytes = 14;
constexpr std::size_t kFddiBytes = 13;
constexpr std::size_t kFamilyBytes = 4;
constexpr std::size_t kCiscoHdlcBytes = 4;
constexpr std::size_t kSlipBytes = 16;
constexpr std::size_t kInfinibandBytes = 24;
constexpr std::size_t kNflogBytes = 4;
constexpr std::size_t kSllBytes = 16;
constexpr std::size_t kSll2Bytes = 20;

// Where the header has a fixed length and an EtherType.
bool DecodeFixed(Bytes frame, std::size_t ether_type_at, std::size_t length, Decoding& decoding) {
  if (frame.size() < length) return false;
  DecodeEtherType(U16(frame, ether_type_at), frame.subspan(length), decoding);
  return true;
}

// Systems differ in the number of AF_INET6: Linux, Windows, NetBSD and OpenBSD, FreeBSD, macOS.
void DecodeFamily(std::uint32_t family, Bytes bytes, Decoding& decoding) {
  switch (family) {
    case 2:
      return DecodeIpv4(bytes, decoding);
    case 10:
    case 23:
    case 24:
    case 28:
    case 30:
      return DecodeIpv6(bytes, decoding);
    default:
      return;
  }
}

}  // namespace

bool DecodeEthernet(Bytes frame, Decoding& decoding) {
  if (frame.size() < kEthernetBytes) return false;
  DecodeEtherType(U16(frame, 12), frame.subspan(kEthernetBytes), decoding);
  return true;
}

bool DecodeFddi(Bytes frame, Decoding& decoding) {
  if (frame.size() < kFddiBytes) return false;
  DecodeLlc(frame.subspan(kFddiBytes), decoding);
  return true;
}

// The address family comes in the byte order of the capturing host; all families are small numbers.
bool DecodeLoopback(Bytes frame, Decoding& decoding) {
  if (frame.size() < kFamilyBytes) return false;
  const std::uint32_t big = U32(frame, 0);
  DecodeFamily(big > 0xffff ? LittleU32(frame, 0) : big, frame.subspan(kFamilyBytes), decoding);
  return true;
}

bool DecodePppFrame(Bytes frame, Decoding& decoding) {
  if (frame.size() < 2) return false;
  const bool framed = U16(frame, 0) == 0xff03;
  return DecodePpp(framed ? frame.subspan(2) : frame, decoding);
}

bool DecodeCiscoHdlc(Bytes frame, Decoding& decoding) {
  return DecodeFixed(frame, 2, kCiscoHdlcBytes, decoding);
}

bool DecodePppOrCiscoHdlc(Bytes frame, Decoding& decoding) {
  const bool cisco = !frame.empty() && (U8(frame, 0) == 0x0f || U8(frame, 0) == 0x8f);
  return cisco ? DecodeCiscoHdlc(frame, decoding) : DecodePppFrame(frame, decoding);
}

// RFC 2427: an address whose last byte is odd, unnumbered information, padding if any, and what follows.
bool DecodeFrameRelay(Bytes frame, Decoding& decoding) {
  std::size_t at = 1;
  while (at < frame.size() && (U8(frame, at) & 1) == 0) ++at;
  if (frame.size() < at + 3) return false;
  if (U8(frame, at + 1) != 0x03) return true;
  at += U8(frame, at + 2) == 0 ? 3 : 2;
  if (at >= frame.size()) return true;
  const Bytes payload = frame.subspan(at + 1);
  switch (U8(frame, at)) {
    case 0x80:
      DecodeSnap(payload, decoding);
      return true;
    case 0x8e:
      DecodeIpv6(payload, decoding);
      return true;
    case 0xcc:
      DecodeIpv4(payload, decoding);
      return true;
    default:
      return true;
  }
}

// The bytes that went over the line stand in the header; the packet is uncompressed.
bool DecodeSlip(Bytes frame, Decoding& decoding) {
  if (frame.size() < kSlipBytes) return false;
  DecodeIpOfEitherVersion(frame.subspan(kSlipBytes), decoding);
  return true;
}

bool DecodeIpOverInfiniband(Bytes frame, Decoding& decoding) {
  return DecodeFixed(frame, 20, kInfinibandBytes, decoding);
}

// Attributes in the byte order of the capturing host, which is taken to be little-endian.
bool DecodeNflog(Bytes frame, Decoding& decoding) {
  constexpr std::size_t kAttributeBytes = 4;
  constexpr std::uint16_t kPayload = 9;
  if (frame.size() < kNflogBytes) return false;
  Bytes rest = frame.subspan(kNflogBytes);
  while (rest.size() >= kAttributeBytes) {
    const std::size_t length = LittleU16(rest, 0);
    if (length < kAttributeBytes || length > rest.size()) break;
    if (LittleU16(rest, 2) == kPayload) {
      DecodeFamily(U8(frame, 0), rest.first(length).subspan(kAttributeBytes), decoding);
      break;
    }
    const std::size_t padded = (length + 3) / 4 * 4;
    if (padded > rest.size()) break;
    rest = rest.subspan(padded);
  }
  return true;
}

bool DecodeSll(Bytes frame, Decoding& decoding) { return DecodeFixed(frame, 14, kSllBytes, decoding); }
bool DecodeSll2(Bytes frame, Decoding& decoding) { return DecodeFixed(frame, 0, kSll2Bytes, decoding); }

}  // namespace flowcast::packet::internal
