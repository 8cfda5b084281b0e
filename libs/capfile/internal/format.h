// What the readers of both formats have in common.
#pragma once

#include <bit>
#include <cstring>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "libs/capfile/internal/input.h"
#include "libs/capfile/reader.h"

namespace flowcast::capfile::internal {

/// Larger packets and blocks are damage.
inline constexpr std::size_t kLargestBlockBytes = 16 << 20;

/// Numbers in the byte order of the host that wrote the file. Callers check the length.
class Numbers {
 public:
  explicit Numbers(bool swapped = false) : swapped_(swapped) {}
  std::uint16_t U16(std::span<const std::byte> bytes, std::size_t at) const {
    const auto number = Load<std::uint16_t>(bytes, at);
    return swapped_ ? __builtin_bswap16(number) : number;
  }
  std::uint32_t U32(std::span<const std::byte> bytes, std::size_t at) const {
    const auto number = Load<std::uint32_t>(bytes, at);
    return swapped_ ? __builtin_bswap32(number) : number;
  }
  std::uint64_t U64(std::span<const std::byte> bytes, std::size_t at) const {
    const auto number = Load<std::uint64_t>(bytes, at);
    return swapped_ ? __builtin_bswap64(number) : number;
  }

 private:
  template <class Number>
  static Number Load(std::span<const std::byte> bytes, std::size_t at) {
    Number number;
    std::memcpy(&number, bytes.data() + at, sizeof number);
    return number;
  }

  bool swapped_;
};

/// One file being read.
class Format {
 public:
  explicit Format(Input& input) : input_(input) {}
  virtual ~Format() = default;
  Format(const Format&) = delete;
  Format& operator=(const Format&) = delete;

  /// As Reader::Next.
  virtual std::optional<Frame> Next() = 0;
  const std::vector<Interface>& interfaces() const { return interfaces_; }
  const std::optional<Damage>& damage() const { return damage_; }

 protected:
  std::optional<Frame> StopAt(std::uint64_t offset, std::string reason) {
    damage_ = Damage{offset, std::move(reason)};
    return std::nullopt;
  }
  /// Ends reading where `got` of the `wanted` bytes of a `thing` are left; an input without bytes is at its
  /// proper end.
  std::optional<Frame> StopShort(const std::string& thing, std::size_t wanted, std::size_t got) {
    if (!input_.failure().empty()) return StopAt(input_.offset(), input_.failure());
    if (input_.Peek(1).empty()) return std::nullopt;
    return StopAt(input_.offset(),
                  thing + " of " + std::to_string(wanted) + " bytes ends after " + std::to_string(got));
  }

  Input& input_;
  std::vector<Interface> interfaces_;
  std::optional<Damage> damage_;
};

}  // namespace flowcast::capfile::internal
