// A window onto a byte source: contiguous bytes on request, and the offset they stand at.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "libs/capfile/reader.h"

namespace flowcast::capfile::internal {

/// Thrown by Peek where it must not wait; what was there stays.
struct NotYet {};

class Input {
 public:
  explicit Input(std::unique_ptr<ByteSource> source);
  void DoNotWait() { waits_ = false; }
  bool Await(std::chrono::milliseconds at_most) { return source_->Await(at_most); }

  /// The next `count` bytes, fewer only at the end. Valid until the next call of Peek; the buffer
  /// grows with the bytes that are there, not with what a file claims, so a small file costs little.
  std::span<const std::byte> Peek(std::size_t count) {
    if (end_ - begin_ < count) [[unlikely]] {
      Fill(count);
    }
    return {buffer_.get() + begin_, count < end_ - begin_ ? count : end_ - begin_};
  }
  /// Moves past bytes that Peek has shown.
  void Skip(std::size_t count) { begin_ += count; }

  /// Bytes skipped so far.
  std::uint64_t offset() const { return dropped_ + begin_; }
  /// What the source threw, which ends the input; empty without.
  const std::string& failure() const { return failure_; }

 private:
  void Fill(std::size_t count);
  void Grow();
  std::size_t Read(std::span<std::byte> room);

  std::unique_ptr<ByteSource> source_;
  std::unique_ptr<std::byte[]> buffer_;  // not zeroed
  std::size_t capacity_;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
  std::uint64_t dropped_ = 0;  // bytes that have left the buffer
  bool exhausted_ = false;
  bool waits_ = true;
  std::string failure_;
};

}  // namespace flowcast::capfile::internal
