// Hashes of what identifies a window.
#include "libs/trace/trace.h"

#include "libs/base/hash.h"

namespace flowcast::trace {

std::string IdOf(std::string_view link, base::EventTime start, base::Duration length) {
  std::string text(link);
  text.push_back('\0');
  text += std::to_string(base::ToUnixNanoseconds(start));
  text.push_back('\0');
  text += std::to_string(length.count());
  const std::uint64_t once = base::Fnv1a64(text);
  return base::Hex(once) + base::Hex(base::Fnv1a64(text, once));
}

std::string IdOfEnd(std::string_view link, base::EventTime end, base::Duration length) {
  return IdOf(link, end - length, length);
}

std::string Parent(std::string_view trace_id, std::string_view event) {
  return "00-" + std::string(trace_id) + "-" + base::Hex(base::Fnv1a64(event)) + "-01";
}

std::string BatchName(std::string_view source, std::uint64_t epoch, std::int32_t partition,
                      std::uint64_t sequence) {
  return std::string(source) + "/" + std::to_string(epoch) + "/" + std::to_string(partition) + "/" +
         std::to_string(sequence);
}

}  // namespace flowcast::trace
