// Feeds the reader any bytes as a capture file: frames lie within it, and it ends for good.
#include <cstdlib>

#include "libs/base/error.h"
#include "libs/capfile/reader.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace flowcast;
  const std::span file(reinterpret_cast<const std::byte*>(data), size);
  try {
    capfile::Reader reader(std::make_unique<capfile::MemoryByteSource>(file), "fuzz");
    std::size_t frame_bytes = 0;
    while (const auto frame = reader.Next()) {
      frame_bytes += frame->bytes.size();
      if (frame_bytes > size || frame->interface >= reader.interfaces().size()) std::abort();
      packet::Packet packet;
      static_cast<void>(packet::Decode(reader.interfaces()[frame->interface].link_type, frame->bytes, packet,
                                       packet::Tunnels::All()));
    }
    if (reader.Next().has_value()) std::abort();
    if (reader.damage() && reader.damage()->offset > size) std::abort();
  } catch (const base::ConfigError&) {
  }
  return 0;
}
