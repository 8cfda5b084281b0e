// pcapng's Interface Description Block: the interface, and how its time stamps are to be read.
#pragma once

#include <tl/expected.hpp>

#include "libs/capfile/internal/format.h"

namespace flowcast::capfile::internal {

/// Time stamps of one interface: ticks of a power of ten or two since an offset.
class TickClock {
 public:
  TickClock() = default;  // microseconds
  /// `resolution` as in if_tsresol; nothing when it is finer than 64 bits can count.
  static std::optional<TickClock> Of(std::uint8_t resolution, std::int64_t offset_s);
  /// Nothing for times that base::EventTime does not cover.
  std::optional<base::EventTime> TimeOf(std::uint64_t ticks) const;

 private:
  std::optional<std::int64_t> NanosecondsOf(std::uint64_t ticks) const;

  std::uint64_t ticks_per_second_ = 1'000'000;
  std::int64_t offset_ns_ = 0;
};

struct DescribedInterface {
  Interface interface;  // without a name where the file gives none
  TickClock clock;
};

/// `body` is the block between its two lengths; the error is the reason of a Damage.
tl::expected<DescribedInterface, std::string> ReadInterfaceBlock(std::span<const std::byte> body,
                                                                 Numbers numbers);

}  // namespace flowcast::capfile::internal
