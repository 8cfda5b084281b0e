// Interface options and the arithmetic of time stamps.
#include "libs/capfile/internal/interface_block.h"

#include <algorithm>

#include "libs/base/printable.h"
#include "libs/base/sane_time.h"

namespace flowcast::capfile::internal {
namespace {

constexpr std::size_t kFixedBytes = 8;
constexpr std::size_t kOptionHeaderBytes = 4;
constexpr std::size_t kLongestNameBytes = 255;
constexpr std::int64_t kNanosecondsPerSecond = 1'000'000'000;

enum Option : std::uint16_t { kEndOfOptions = 0, kName = 2, kTimeResolution = 9, kTimeOffset = 14 };

__extension__ using Wide = unsigned __int128;

std::string NameIn(std::span<const std::byte> value) {
  std::string_view text(reinterpret_cast<const char*>(value.data()), value.size());
  text = text.substr(0, text.find('\0'));  // some writers count the terminator
  return base::Printable(text.substr(0, kLongestNameBytes));
}

struct TimeOptions {
  std::uint8_t resolution = 6;
  std::int64_t offset_s = 0;
};

void Apply(std::uint16_t code, std::span<const std::byte> value, Numbers numbers, Interface& interface,
           TimeOptions& time) {
  if (code == kName) interface.name = NameIn(value);
  if (code == kTimeResolution && value.size() == 1) time.resolution = std::to_integer<std::uint8_t>(value[0]);
  if (code == kTimeOffset && value.size() == 8)
    time.offset_s = static_cast<std::int64_t>(numbers.U64(value, 0));
}

std::optional<base::EventTime> IfSane(std::int64_t nanoseconds) {
  if (!base::IsSaneTime(nanoseconds)) return std::nullopt;
  return base::FromUnixNanoseconds(nanoseconds);
}

}  // namespace

std::optional<TickClock> TickClock::Of(std::uint8_t resolution, std::int64_t offset_s) {
  const int exponent = resolution & 0x7f;
  const bool binary = (resolution & 0x80) != 0;
  if (exponent > (binary ? 63 : 19)) return std::nullopt;
  TickClock clock;
  clock.ticks_per_second_ = binary ? std::uint64_t{1} << exponent : 1;
  for (int i = 0; i < exponent && !binary; ++i) clock.ticks_per_second_ *= 10;
  if (__builtin_mul_overflow(offset_s, kNanosecondsPerSecond, &clock.offset_ns_)) return std::nullopt;
  return clock;
}

std::optional<base::EventTime> TickClock::TimeOf(std::uint64_t ticks) const {
  std::int64_t time = 0;
  const auto forward = NanosecondsOf(ticks);
  if (forward && !__builtin_add_overflow(offset_ns_, *forward, &time)) return IfSane(time);
  // Some writers store a time before the offset as a negative number; read as a positive one it is absurd.
  const auto backward = static_cast<std::int64_t>(ticks) < 0 ? NanosecondsOf(0 - ticks) : std::nullopt;
  if (!backward || __builtin_sub_overflow(offset_ns_, *backward, &time)) return std::nullopt;
  return IfSane(time);
}

std::optional<std::int64_t> TickClock::NanosecondsOf(std::uint64_t ticks) const {
  const std::uint64_t seconds = ticks / ticks_per_second_;
  const Wide fraction = Wide{ticks % ticks_per_second_} * kNanosecondsPerSecond;
  const auto nanoseconds = fraction >> 64 == 0 ? static_cast<std::uint64_t>(fraction) / ticks_per_second_
                                               : static_cast<std::uint64_t>(fraction / ticks_per_second_);
  std::int64_t time = 0;
  if (__builtin_mul_overflow(seconds, kNanosecondsPerSecond, &time) ||
      __builtin_add_overflow(time, nanoseconds, &time)) {
    return std::nullopt;
  }
  return time;
}

tl::expected<DescribedInterface, std::string> ReadInterfaceBlock(std::span<const std::byte> body,
                                                                 Numbers numbers) {
  if (body.size() < kFixedBytes)
    return tl::unexpected("interface block of " + std::to_string(body.size()) + " bytes");
  DescribedInterface described;
  described.interface.link_type = static_cast<packet::LinkType>(numbers.U16(body, 0));
  described.interface.snap_length_bytes = numbers.U32(body, 4);
  TimeOptions time;
  for (auto rest = body.subspan(kFixedBytes); rest.size() >= kOptionHeaderBytes;) {
    const std::uint16_t code = numbers.U16(rest, 0);
    const std::size_t length = numbers.U16(rest, 2);
    if (code == kEndOfOptions) break;
    rest = rest.subspan(kOptionHeaderBytes);
    if (length > rest.size()) {
      return tl::unexpected("interface option of " + std::to_string(length) + " bytes where " +
                            std::to_string(rest.size()) + " are left");
    }
    Apply(code, rest.first(length), numbers, described.interface, time);
    rest = rest.subspan(std::min((length + 3) / 4 * 4, rest.size()));
  }
  const auto clock = TickClock::Of(time.resolution, time.offset_s);
  if (!clock) return tl::unexpected(std::string("interface with time stamps that can't be counted"));
  described.clock = *clock;
  return described;
}

}  // namespace flowcast::capfile::internal
