// Character after character.
#include "libs/base/printable.h"

#include <algorithm>
#include <cstdint>
#include <cstdio>

namespace flowcast::base {
namespace {

/// The length of the UTF-8 sequence at the start of `text`, 0 when it is none.
std::size_t SequenceLength(std::string_view text) {
  const auto first = static_cast<unsigned char>(text[0]);
  if (first < 0x80) return 1;
  const std::size_t length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4 || text.size() < length) return 0;
  const auto second = static_cast<unsigned char>(text[1]);
  const bool overlong = (first == 0xe0 && second < 0xa0) || (first == 0xf0 && second < 0x90);
  const bool unassigned = (first == 0xed && second > 0x9f) || (first == 0xf4 && second > 0x8f);
  const auto continues = [](char byte) { return (static_cast<unsigned char>(byte) & 0xc0) == 0x80; };
  if (overlong || unassigned ||
      !std::all_of(text.begin() + 1, text.begin() + static_cast<std::ptrdiff_t>(length), continues)) {
    return 0;
  }
  return length;
}

std::uint32_t CodePoint(std::string_view sequence) {
  if (sequence.size() == 1) return static_cast<unsigned char>(sequence[0]);
  std::uint32_t point = static_cast<unsigned char>(sequence[0]) & (0xffU >> (sequence.size() + 1));
  for (const char byte : sequence.substr(1)) point = point << 6 | (static_cast<unsigned char>(byte) & 0x3f);
  return point;
}

/// Of Unicode: C0, DEL, C1, the separators of lines and paragraphs, and the marks of direction.
bool Steers(std::uint32_t point) {
  return point < 0x20 || (point >= 0x7f && point < 0xa0) || (point >= 0x200e && point <= 0x200f) ||
         (point >= 0x2028 && point <= 0x202e) || (point >= 0x2066 && point <= 0x2069);
}

std::string Escaped(std::uint32_t point) {
  if (point < 0x20) return point == '\n' ? "\n" : " ";
  char escape[16];
  std::snprintf(escape, sizeof escape, "\\u%04x", static_cast<unsigned>(point));
  return escape;
}

/// `replace` says what becomes of a character that steers.
template <typename Replace>
std::string Walk(std::string_view text, Replace replace) {
  std::string shown;
  shown.reserve(text.size());
  while (!text.empty()) {
    const std::size_t length = SequenceLength(text);
    const std::string_view sequence = text.substr(0, std::max<std::size_t>(length, 1));
    if (length == 0) {
      shown += '?';
    } else if (const std::uint32_t point = CodePoint(sequence); Steers(point)) {
      shown += replace(point);
    } else {
      shown += sequence;
    }
    text.remove_prefix(sequence.size());
  }
  return shown;
}

}  // namespace

std::string Printable(std::string_view text) {
  return Walk(text, [](std::uint32_t) { return "?"; });
}

std::string PrintableJson(std::string_view json) { return Walk(json, Escaped); }

}  // namespace flowcast::base
