// Reads capture files: pcap and pcapng, micro- and nanoseconds, both byte orders, many interfaces.
// Formats: draft-ietf-opsawg-pcap and draft-ietf-opsawg-pcapng.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "libs/base/time.h"
#include "libs/packet/decoder.h"

namespace flowcast::capfile {

namespace internal {
class Format;
class Input;
}  // namespace internal

/// Bytes in order, whatever they are stored in.
class ByteSource {
 public:
  virtual ~ByteSource() = default;
  /// Fills `buffer` with what is there, waiting for one byte at least; 0 only at the end. Throws
  /// base::RuntimeError when the storage fails or is damaged. `buffer` is not empty.
  virtual std::size_t Read(std::span<std::byte> buffer) = 0;
  /// Waits so long at most until Read has something to give at once, be it the end: false when it has not.
  /// True where that can't be told.
  virtual bool Await(std::chrono::milliseconds) { return true; }
};

/// Bytes in memory, for tests and fuzzers. Does not own them.
class MemoryByteSource : public ByteSource {
 public:
  explicit MemoryByteSource(std::span<const std::byte> bytes) : rest_(bytes) {}
  std::size_t Read(std::span<std::byte> buffer) override;

 private:
  std::span<const std::byte> rest_;
};

struct Interface {
  std::string name;  // pcapng's if_name, else "if0", "if1", ... by position
  packet::LinkType link_type{};
  std::uint32_t snap_length_bytes = 0;  // 0: unlimited
};

struct Frame {
  base::EventTime time;  // of the frame before where a pcapng file gives none (Simple Packet Block)
  std::uint32_t wire_length_bytes = 0;
  std::uint32_t interface = 0;       // index into interfaces()
  std::span<const std::byte> bytes;  // captured part; valid until the next call of Next
};

/// Where and why reading stopped before the end of the file.
struct Damage {
  std::uint64_t offset = 0;  // bytes from the start of the (uncompressed) file
  std::string reason;        // "packet of 1500 bytes ends after 12"
};

/// Streams the frames of one file; memory is bounded by the largest block (16 MiB, larger ones
/// are damage), interfaces by 65,536 a file. Not thread-safe.
class Reader {
 public:
  /// Reads the file header. Throws base::ConfigError "NAME is no capture file (...)" when it is
  /// none, base::RuntimeError when the source fails before its first bytes.
  Reader(std::unique_ptr<ByteSource> source, std::string name);
  ~Reader();

  /// The next frame, or nothing at the end or at damage: everything whole before it is delivered.
  std::optional<Frame> Next();
  /// From now on Next gives nothing, too, where the rest of a frame has not come yet, as in a pipe; IsBehind
  /// says so, and Next may be called again.
  void DoNotWait();
  bool IsBehind() const { return behind_; }
  /// As ByteSource::Await.
  bool Await(std::chrono::milliseconds at_most);
  const std::string& name() const { return name_; }
  /// Grows while a pcapng file is read: interfaces may be declared anywhere before their packets.
  const std::vector<Interface>& interfaces() const;
  /// Set once Next has returned nothing, if the file did not end properly or its source failed.
  const std::optional<Damage>& damage() const;

 private:
  std::string name_;
  std::unique_ptr<internal::Input> input_;
  std::unique_ptr<internal::Format> format_;
  bool behind_ = false;
};

}  // namespace flowcast::capfile
