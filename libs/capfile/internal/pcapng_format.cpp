// draft-ietf-opsawg-pcapng; blocks without packets or interfaces are skipped.
#include "libs/capfile/internal/pcapng_format.h"

#include <algorithm>

#include "libs/base/error.h"

namespace flowcast::capfile::internal {
namespace {

enum BlockType : std::uint32_t {
  kInterface = 1,
  kObsoletePacket = 2,
  kSimplePacket = 3,
  kEnhancedPacket = 6
};

constexpr std::uint32_t kByteOrderMagic = 0x1a2b3c4d;
constexpr std::size_t kHeaderBytes = 8;
constexpr std::size_t kTrailerBytes = 4;
constexpr std::size_t kSmallestBlockBytes = kHeaderBytes + kTrailerBytes;
constexpr std::size_t kSectionFixedBytes = 16;
constexpr std::size_t kPacketFixedBytes = 20;
constexpr std::size_t kMostInterfaces = 65536;  // packet::Packet counts them with 16 bits

}  // namespace

PcapngFormat::PcapngFormat(Input& input, const std::string& name) : Format(input) {
  const auto block = NextBlock();
  if (!block || !StartSection(*block)) {
    const std::string reason = damage_ ? damage_->reason : "it is empty";
    throw base::ConfigError(name + " is no capture file (its first section header is damaged: " + reason +
                            ")");
  }
}

std::optional<Frame> PcapngFormat::Next() {
  while (!damage_) {
    const auto block = NextBlock();
    if (!block) break;
    if (block->type == kEnhancedPacket || block->type == kObsoletePacket) return ReadPacket(*block);
    if (block->type == kSimplePacket) return ReadSimplePacket(*block);
    if (!Learn(*block)) break;
  }
  return std::nullopt;
}

bool PcapngFormat::Learn(const Block& block) {
  if (block.type == kSectionHeaderBlock) return StartSection(block);
  if (block.type == kInterface) return AddInterface(block);
  return true;
}

std::optional<PcapngFormat::Block> PcapngFormat::NextBlock() {
  Block block;
  block.offset = input_.offset();
  const auto start = input_.Peek(kSmallestBlockBytes);
  if (start.size() < kSmallestBlockBytes) {
    StopShort("block header", kSmallestBlockBytes, start.size());
    return std::nullopt;
  }
  block.type = numbers_.U32(start, 0);
  if (block.type == kSectionHeaderBlock && !ReadByteOrder(start)) {
    StopAt(block.offset, "section without a byte order");
    return std::nullopt;
  }
  const std::size_t length = numbers_.U32(start, 4);
  if (length < kSmallestBlockBytes || length > kLargestBlockBytes || length % 4 != 0) {
    StopAt(block.offset, "block of " + std::to_string(length) + " bytes");
    return std::nullopt;
  }
  const auto whole = input_.Peek(length);
  if (whole.size() < length) {
    StopShort("block", length, whole.size());
    return std::nullopt;
  }
  if (numbers_.U32(whole, length - kTrailerBytes) != length) {
    StopAt(block.offset, "block whose two lengths differ");
    return std::nullopt;
  }
  block.body = whole.subspan(kHeaderBytes, length - kSmallestBlockBytes);
  input_.Skip(length);
  return block;
}

// Each section has its own, and its header's length is already written in it.
bool PcapngFormat::ReadByteOrder(std::span<const std::byte> start) {
  for (const bool swapped : {false, true}) {
    if (Numbers(swapped).U32(start, kHeaderBytes) != kByteOrderMagic) continue;
    numbers_ = Numbers(swapped);
    return true;
  }
  return false;
}

bool PcapngFormat::StartSection(const Block& block) {
  section_begin_ = interfaces_.size();
  if (block.body.size() < kSectionFixedBytes) {
    StopAt(block.offset, "section header of " + std::to_string(block.body.size()) + " bytes");
  } else if (numbers_.U16(block.body, 4) != 1) {
    StopAt(block.offset,
           "section of version " + std::to_string(numbers_.U16(block.body, 4)) + "; 1.x is read");
  }
  return !damage_;
}

bool PcapngFormat::AddInterface(const Block& block) {
  auto described = ReadInterfaceBlock(block.body, numbers_);
  if (!described) {
    StopAt(block.offset, described.error());
  } else if (interfaces_.size() == kMostInterfaces) {
    StopAt(block.offset, "more than " + std::to_string(kMostInterfaces) + " interfaces");
  } else {
    if (described->interface.name.empty())
      described->interface.name = "if" + std::to_string(interfaces_.size());
    interfaces_.push_back(std::move(described->interface));
    clocks_.push_back(described->clock);
  }
  return !damage_;
}

std::optional<Frame> PcapngFormat::UnknownInterface(const Block& block, std::size_t index) {
  return StopAt(block.offset, "packet of interface " + std::to_string(index) + ", which is not declared");
}

// Enhanced and obsolete packets have the same layout, but for what follows the interface.
std::optional<Frame> PcapngFormat::ReadPacket(const Block& block) {
  const auto body = block.body;
  if (body.size() < kPacketFixedBytes) {
    return StopAt(block.offset, "packet block of " + std::to_string(body.size()) + " bytes");
  }
  const std::size_t index = block.type == kEnhancedPacket ? numbers_.U32(body, 0) : numbers_.U16(body, 0);
  if (index >= interfaces_.size() - section_begin_) return UnknownInterface(block, index);
  const std::size_t captured = numbers_.U32(body, 12);
  if (captured > body.size() - kPacketFixedBytes) {
    return StopAt(block.offset, "packet of " + std::to_string(captured) + " bytes in a block of " +
                                    std::to_string(body.size() + kSmallestBlockBytes));
  }
  const std::uint64_t ticks = std::uint64_t{numbers_.U32(body, 4)} << 32 | numbers_.U32(body, 8);
  const auto time = clocks_[section_begin_ + index].TimeOf(ticks);
  if (!time) return StopAt(block.offset, "packet with a time stamp outside the years 1823 to 2116");
  last_time_ = *time;
  return Frame{*time, numbers_.U32(body, 16), static_cast<std::uint32_t>(section_begin_ + index),
               body.subspan(kPacketFixedBytes, captured)};
}

// These belong to the section's first interface and leave out what follows from it.
std::optional<Frame> PcapngFormat::ReadSimplePacket(const Block& block) {
  if (interfaces_.size() == section_begin_) return UnknownInterface(block, 0);
  if (block.body.size() < 4) return StopAt(block.offset, "simple packet block without a length");
  const std::uint32_t length = numbers_.U32(block.body, 0);
  const std::uint32_t snap_length = interfaces_[section_begin_].snap_length_bytes;
  std::size_t captured = std::min<std::size_t>(length, block.body.size() - 4);
  if (snap_length != 0) captured = std::min<std::size_t>(captured, snap_length);
  return Frame{last_time_, length, static_cast<std::uint32_t>(section_begin_),
               block.body.subspan(4, captured)};
}

}  // namespace flowcast::capfile::internal
