// Frames and their headers, from the outside in: Ethernet(0x0800, Ipv4({}, Tcp(80, 4711, flags))).
#pragma once

#include <cstdint>
#include <string>

#include "libs/base/ip_address.h"
#include "tests/support/bytes.h"

namespace flowcast::support {

inline Bytes Address(const std::string& text) {
  const base::IpAddress address = base::ParseIpAddress(text);
  Bytes bytes;
  for (const std::uint8_t byte : address.bytes) bytes.push_back(static_cast<std::byte>(byte));
  return First(bytes, address.version == 4 ? 4 : 16);
}

inline Bytes Ethernet(std::uint16_t ether_type, const Bytes& payload) {
  return Raw({2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2}) + Number(ether_type, 2) + payload;
}

/// What follows a tag's own EtherType.
inline Bytes VlanTag(std::uint16_t id, std::uint16_t ether_type, const Bytes& payload) {
  return Number(id, 2) + Number(ether_type, 2) + payload;
}

inline Bytes Tcp(std::uint16_t source_port, std::uint16_t destination_port, std::uint8_t flags) {
  return Number(source_port, 2) + Number(destination_port, 2) + Zeros(8) + Raw({0x50, flags}) + Zeros(6);
}

inline Bytes Udp(std::uint16_t source_port, std::uint16_t destination_port) {
  return Number(source_port, 2) + Number(destination_port, 2) + Number(8, 2) + Zeros(2);
}

struct Ipv4Header {
  std::uint8_t protocol = 6;
  std::string source = "192.0.2.1";
  std::string destination = "198.51.100.2";
  Bytes options = {};                 // a multiple of four bytes
  std::uint16_t fragment_offset = 0;  // in units of eight bytes
  bool more_fragments = false;
  std::uint8_t traffic_class = 0;
  std::uint8_t ttl = 64;
  int total_length = -1;  // -1: as it should be
};

inline Bytes Ipv4(const Ipv4Header& header, const Bytes& payload) {
  const std::size_t header_bytes = 20 + header.options.size();
  const auto total =
      header.total_length < 0 ? header_bytes + payload.size() : static_cast<std::size_t>(header.total_length);
  const int fragment = header.fragment_offset | (header.more_fragments ? 0x2000 : 0);
  return Raw({static_cast<int>(0x40 | header_bytes / 4), header.traffic_class}) + Number(total, 2) +
         Zeros(2) + Number(static_cast<std::uint64_t>(fragment), 2) +
         Raw({header.ttl, header.protocol, 0, 0}) + Address(header.source) + Address(header.destination) +
         header.options + payload;
}

struct Ipv6Header {
  std::uint8_t next_header = 6;
  std::string source = "2001:db8::1";
  std::string destination = "2001:db8::2";
  std::uint8_t traffic_class = 0;
  std::uint8_t hop_limit = 64;
};

inline Bytes Ipv6(const Ipv6Header& header, const Bytes& payload) {
  return Raw({0x60 | header.traffic_class >> 4, (header.traffic_class & 0x0f) << 4, 0, 0}) +
         Number(payload.size(), 2) + Raw({header.next_header, header.hop_limit}) + Address(header.source) +
         Address(header.destination) + payload;
}

/// A hop-by-hop, routing or destination options header of 8 + 8 * `more` bytes.
inline Bytes Extension(std::uint8_t next_header, std::uint8_t more, const Bytes& payload) {
  return Raw({next_header, more}) + Zeros(6U + 8U * more) + payload;
}

inline Bytes LlcSnap(std::uint16_t ether_type, const Bytes& payload) {
  return Raw({0xaa, 0xaa, 0x03, 0, 0, 0}) + Number(ether_type, 2) + payload;
}

}  // namespace flowcast::support
