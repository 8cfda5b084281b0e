// Capture files of blocks: sections, each with interfaces and packets.
#pragma once

#include "libs/capfile/internal/format.h"
#include "libs/capfile/internal/interface_block.h"

namespace flowcast::capfile::internal {

/// The first block of a section, the same in both byte orders.
inline constexpr std::uint32_t kSectionHeaderBlock = 0x0a0d0d0a;

class PcapngFormat : public Format {
 public:
  /// Reads the first section header; throws base::ConfigError naming `name` when there is none.
  PcapngFormat(Input& input, const std::string& name);
  std::optional<Frame> Next() override;

 private:
  struct Block {
    std::uint32_t type = 0;
    std::uint64_t offset = 0;
    std::span<const std::byte> body;  // between the two lengths
  };

  std::optional<Block> NextBlock();
  bool ReadByteOrder(std::span<const std::byte> start);
  bool Learn(const Block& block);
  bool StartSection(const Block& block);
  bool AddInterface(const Block& block);
  std::optional<Frame> ReadPacket(const Block& block);
  std::optional<Frame> ReadSimplePacket(const Block& block);
  std::optional<Frame> UnknownInterface(const Block& block, std::size_t index);

  Numbers numbers_;
  std::size_t section_begin_ = 0;  // index of the section's first interface
  std::vector<TickClock> clocks_;  // one an interface
  base::EventTime last_time_ = base::FromUnixNanoseconds(0);
};

}  // namespace flowcast::capfile::internal
