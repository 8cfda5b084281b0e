// Capture files in memory: PcapHeader({}) + PcapRecord({}, 1, 500, frame), Section({}) + ...
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "libs/base/error.h"
#include "libs/capfile/reader.h"
#include "tests/support/bytes.h"

namespace flowcast::support {

struct PcapOptions {
  Order order = Order::kLittle;
  bool nanoseconds = false;
  std::uint32_t link_type = 1;
  std::uint32_t snap_length_bytes = 65535;
  std::uint16_t minor_version = 4;
};

inline Bytes PcapHeader(const PcapOptions& options) {
  const std::uint32_t magic = options.nanoseconds ? 0xa1b23c4d : 0xa1b2c3d4;
  return Number(magic, 4, options.order) + Number(2, 2, options.order) +
         Number(options.minor_version, 2, options.order) + Zeros(8) +
         Number(options.snap_length_bytes, 4, options.order) + Number(options.link_type, 4, options.order);
}

/// `wire_length` -1: as much as was captured. `ticks` are micro- or nanoseconds.
inline Bytes PcapRecord(const PcapOptions& options, std::uint32_t seconds, std::uint32_t ticks,
                        const Bytes& frame, std::int64_t wire_length = -1) {
  const auto length = wire_length < 0 ? frame.size() : static_cast<std::size_t>(wire_length);
  return Number(seconds, 4, options.order) + Number(ticks, 4, options.order) +
         Number(frame.size(), 4, options.order) + Number(length, 4, options.order) + frame;
}

inline Bytes Padded(Bytes bytes) {
  while (bytes.size() % 4 != 0) bytes.push_back(std::byte{0});
  return bytes;
}

inline Bytes Block(Order order, std::uint32_t type, const Bytes& body) {
  const Bytes padded = Padded(body);
  const Bytes length = Number(padded.size() + 12, 4, order);
  return Number(type, 4, order) + length + padded + length;
}

inline Bytes Section(Order order) {
  return Block(
      order, 0x0a0d0d0a,
      Number(0x1a2b3c4d, 4, order) + Number(1, 2, order) + Number(0, 2, order) + Number(~0ULL, 8, order));
}

inline Bytes Option(Order order, std::uint16_t code, const Bytes& value) {
  return Number(code, 2, order) + Number(value.size(), 2, order) + Padded(value);
}

struct InterfaceOptions {
  std::uint16_t link_type = 1;
  std::uint32_t snap_length_bytes = 0;
  std::string name = "";
  std::optional<std::uint8_t> resolution = std::nullopt;
  std::int64_t offset_s = 0;
};

inline Bytes InterfaceBlock(Order order, const InterfaceOptions& options) {
  Bytes body = Number(options.link_type, 2, order) + Zeros(2) + Number(options.snap_length_bytes, 4, order);
  if (!options.name.empty()) body = body + Option(order, 2, Text(options.name));
  if (options.resolution) body = body + Option(order, 9, Raw({*options.resolution}));
  if (options.offset_s != 0) {
    body = body + Option(order, 14, Number(static_cast<std::uint64_t>(options.offset_s), 8, order));
  }
  return Block(order, 1, body + Option(order, 0, {}));
}

inline Bytes EnhancedPacket(Order order, std::uint32_t interface, std::uint64_t ticks, const Bytes& frame,
                            std::int64_t wire_length = -1) {
  const auto length = wire_length < 0 ? frame.size() : static_cast<std::size_t>(wire_length);
  return Block(order, 6,
               Number(interface, 4, order) + Number(ticks >> 32, 4, order) + Number(ticks, 4, order) +
                   Number(frame.size(), 4, order) + Number(length, 4, order) + Padded(frame));
}

inline Bytes ObsoletePacket(Order order, std::uint16_t interface, std::uint64_t ticks, const Bytes& frame) {
  return Block(order, 2,
               Number(interface, 2, order) + Number(7, 2, order) + Number(ticks >> 32, 4, order) +
                   Number(ticks, 4, order) + Number(frame.size(), 4, order) + Number(frame.size(), 4, order) +
                   Padded(frame));
}

inline Bytes SimplePacket(Order order, std::uint32_t wire_length, const Bytes& frame) {
  return Block(order, 3, Number(wire_length, 4, order) + frame);
}

/// Hands out bytes in pieces of `piece`, and throws at the end when given a `failure`.
class PiecewiseSource : public capfile::ByteSource {
 public:
  PiecewiseSource(Bytes bytes, std::size_t piece, std::string failure = "")
      : bytes_(std::move(bytes)), rest_(bytes_), piece_(piece), failure_(std::move(failure)) {}
  std::size_t Read(std::span<std::byte> buffer) override {
    if (rest_.empty() && !failure_.empty()) throw base::RuntimeError(failure_);
    const std::size_t count = std::min({buffer.size(), rest_.size(), piece_});
    std::copy_n(rest_.begin(), count, buffer.begin());
    rest_ = rest_.subspan(count);
    return count;
  }

 private:
  Bytes bytes_;
  std::span<const std::byte> rest_;
  std::size_t piece_;
  std::string failure_;
};

}  // namespace flowcast::support
