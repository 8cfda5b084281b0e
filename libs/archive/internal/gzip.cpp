// gzip, of one or many members.
#include <zlib.h>

#include <algorithm>
#include <climits>
#include <string>
#include <utility>

#include "libs/archive/internal/decompressor.h"
#include "libs/base/error.h"

namespace flowcast::archive::internal {
namespace {

constexpr int kGzipOnly = MAX_WBITS + 16;

class GzipSource : public capfile::ByteSource {
 public:
  explicit GzipSource(std::unique_ptr<File> file)
      : file_(std::move(file)), compressed_(kCompressedBufferBytes) {
    if (inflateInit2(&stream_, kGzipOnly) != Z_OK)
      throw base::RuntimeError("zlib can't be started: out of memory");
  }
  ~GzipSource() override { inflateEnd(&stream_); }

  std::size_t Read(std::span<std::byte> buffer) override {
    if (!failure_.empty()) throw base::RuntimeError(failure_);
    const auto room = static_cast<uInt>(std::min<std::size_t>(buffer.size(), UINT_MAX));
    stream_.next_out = reinterpret_cast<Bytef*>(buffer.data());
    stream_.avail_out = room;
    while (stream_.avail_out == room && !ended_ && failure_.empty()) Advance();
    if (stream_.avail_out == room && !failure_.empty()) throw base::RuntimeError(failure_);
    return room - stream_.avail_out;
  }

 private:
  void Advance() {
    if (stream_.avail_in == 0 && !exhausted_) Refill();
    ended_ = exhausted_ && between_members_;
    if (ended_) return;
    if (between_members_) inflateReset(&stream_);
    const int result = inflate(&stream_, Z_NO_FLUSH);
    between_members_ = result == Z_STREAM_END;
    if (result == Z_OK || result == Z_STREAM_END) return;
    const char* reason = stream_.msg == nullptr ? zError(result) : stream_.msg;
    failure_ =
        file_->path() + " is damaged gzip: " + (result == Z_BUF_ERROR ? "it ends in the middle" : reason);
  }

  void Refill() {
    stream_.avail_in = static_cast<uInt>(file_->Read(compressed_));
    stream_.next_in = reinterpret_cast<Bytef*>(compressed_.data());
    exhausted_ = stream_.avail_in == 0;
  }

  std::unique_ptr<File> file_;
  std::vector<std::byte> compressed_;
  z_stream stream_{};
  bool between_members_ = false;
  bool exhausted_ = false;  // of the compressed bytes
  bool ended_ = false;
  std::string failure_;  // thrown after what was whole has been handed out
};

}  // namespace

std::unique_ptr<capfile::ByteSource> OpenGzip(std::unique_ptr<File> file) {
  return std::make_unique<GzipSource>(std::move(file));
}

}  // namespace flowcast::archive::internal
