// Buffering for readers of capture files.
#include "libs/capfile/internal/input.h"

#include <cstring>
#include <utility>

#include "libs/base/error.h"

namespace flowcast::capfile::internal {
namespace {

constexpr std::size_t kBufferBytes = 1 << 20;

}  // namespace

Input::Input(std::unique_ptr<ByteSource> source) : source_(std::move(source)), buffer_(kBufferBytes) {}

void Input::Fill(std::size_t count) {
  std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
  dropped_ += begin_;
  end_ -= begin_;
  begin_ = 0;
  while (end_ < count && !exhausted_) {
    if (end_ == buffer_.size()) buffer_.resize(2 * buffer_.size());
    const std::size_t got = Read(std::span(buffer_).subspan(end_));
    exhausted_ = got == 0;
    end_ += got;
  }
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
