// Buffering for readers of capture files.
#include "libs/capfile/internal/input.h"

#include <cstring>
#include <utility>

#include "libs/base/error.h"

namespace flowcast::capfile::internal {
namespace {

constexpr std::size_t kFirstBytes = 4 << 10;
constexpr std::size_t kReadBytes = 1 << 20;  // large enough that a read's own cost vanishes

}  // namespace

Input::Input(std::unique_ptr<ByteSource> source)
    : source_(std::move(source)),
      buffer_(std::make_unique_for_overwrite<std::byte[]>(kFirstBytes)),
      capacity_(kFirstBytes) {}

void Input::Fill(std::size_t count) {
  const bool was_full = end_ == capacity_;  // so there is probably more where that came from
  std::memmove(buffer_.get(), buffer_.get() + begin_, end_ - begin_);
  dropped_ += begin_;
  end_ -= begin_;
  begin_ = 0;
  if (was_full && capacity_ < kReadBytes) Grow();
  while (end_ < count && !exhausted_) {
    if (!waits_ && !source_->Await(std::chrono::milliseconds(0))) throw NotYet();
    if (end_ == capacity_) Grow();
    const std::size_t got = Read({buffer_.get() + end_, capacity_ - end_});
    exhausted_ = got == 0;
    end_ += got;
  }
}

void Input::Grow() {
  auto larger = std::make_unique_for_overwrite<std::byte[]>(2 * capacity_);
  std::memcpy(larger.get(), buffer_.get(), end_);
  buffer_ = std::move(larger);
  capacity_ *= 2;
}

std::size_t Input::Read(std::span<std::byte> room) {
  try {
    return source_->Read(room);
  } catch (const base::RuntimeError& error) {
    failure_ = error.what();
    return 0;
  }
}

}  // namespace flowcast::capfile::internal
