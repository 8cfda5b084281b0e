// Classic capture files: one header, one link type, records.
#pragma once

#include "libs/capfile/internal/format.h"

namespace flowcast::capfile::internal {

/// Byte order and resolution, as the magic number tells them.
struct PcapVariant {
  bool swapped = false;
  std::int64_t nanoseconds_per_tick = 1000;
};

/// Nothing when the first four bytes of a file are not pcap's.
std::optional<PcapVariant> RecognisePcap(std::span<const std::byte> magic);

class PcapFormat : public Format {
 public:
  /// Reads the header; throws base::ConfigError naming `name` when it is cut short or of another version.
  PcapFormat(Input& input, PcapVariant variant, const std::string& name);
  std::optional<Frame> Next() override;

 private:
  Numbers numbers_;
  std::int64_t nanoseconds_per_tick_;
  std::uint16_t minor_version_ = 4;
};

}  // namespace flowcast::capfile::internal
