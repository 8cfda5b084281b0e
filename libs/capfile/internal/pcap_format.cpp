// draft-ietf-opsawg-pcap, and what older writers did differently.
#include "libs/capfile/internal/pcap_format.h"

#include "libs/base/error.h"

namespace flowcast::capfile::internal {
namespace {

constexpr std::size_t kFileHeaderBytes = 24;
constexpr std::size_t kRecordHeaderBytes = 16;
constexpr std::int64_t kNanosecondsPerSecond = 1'000'000'000;

}  // namespace

std::optional<PcapVariant> RecognisePcap(std::span<const std::byte> magic) {
  if (magic.size() < 4) return std::nullopt;
  for (const bool swapped : {false, true}) {
    switch (Numbers(swapped).U32(magic, 0)) {
      case 0xa1b2c3d4:
        return PcapVariant{swapped, 1000};
      case 0xa1b23c4d:
        return PcapVariant{swapped, 1};
      default:
        break;
    }
  }
  return std::nullopt;
}

PcapFormat::PcapFormat(Input& input, PcapVariant variant, const std::string& name)
    : Format(input), numbers_(variant.swapped), nanoseconds_per_tick_(variant.nanoseconds_per_tick) {
  const auto header = input.Peek(kFileHeaderBytes);
  if (header.size() < kFileHeaderBytes) {
    throw base::ConfigError(name + " is no capture file (its header ends after " +
                            std::to_string(header.size()) + " of 24 bytes)");
  }
  const std::uint16_t major = numbers_.U16(header, 4);
  minor_version_ = numbers_.U16(header, 6);
  if (major != 2) {
    throw base::ConfigError(name + " is no capture file (pcap of version " + std::to_string(major) + "." +
                            std::to_string(minor_version_) + "; 2.4 and older 2.x are read)");
  }
  // The upper half of the word tells about frame check sequences, not about the link type.
  const auto link_type = static_cast<packet::LinkType>(numbers_.U32(header, 20) & 0xffff);
  interfaces_.push_back({"if0", link_type, numbers_.U32(header, 16)});
  input.Skip(kFileHeaderBytes);
}

std::optional<Frame> PcapFormat::Next() {
  const auto header = input_.Peek(kRecordHeaderBytes);
  if (header.size() < kRecordHeaderBytes)
    return StopShort("record header", kRecordHeaderBytes, header.size());
  std::uint32_t captured = numbers_.U32(header, 8);
  std::uint32_t length = numbers_.U32(header, 12);
  // Before version 2.3 the lengths came the other way round, in 2.3 from some systems only.
  if (minor_version_ < 3 || (minor_version_ == 3 && captured > length)) std::swap(captured, length);
  if (captured > kLargestBlockBytes) {
    return StopAt(input_.offset(), "packet of " + std::to_string(captured) + " bytes, more than 16 MiB");
  }
  const std::int64_t seconds = numbers_.U32(header, 0);
  // Some drivers count beyond a second; tools that shift time write negative fractions.
  const std::int64_t ticks = static_cast<std::int32_t>(numbers_.U32(header, 4));
  const auto record = input_.Peek(kRecordHeaderBytes + captured);
  if (record.size() < kRecordHeaderBytes + captured) {
    return StopShort("packet", captured, record.size() - kRecordHeaderBytes);
  }
  input_.Skip(record.size());
  Frame frame;
  frame.time = base::FromUnixNanoseconds(seconds * kNanosecondsPerSecond + ticks * nanoseconds_per_tick_);
  frame.wire_length_bytes = length;
  frame.bytes = record.subspan(kRecordHeaderBytes);
  return frame;
}

}  // namespace flowcast::capfile::internal
