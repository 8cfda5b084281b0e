// zstd, of one or many frames.
#include <zstd.h>

#include <algorithm>
#include <string>
#include <utility>

#include "libs/archive/internal/decompressor.h"
#include "libs/base/error.h"

namespace flowcast::archive::internal {
namespace {

struct FreeStream {
  void operator()(ZSTD_DStream* stream) const { ZSTD_freeDStream(stream); }
};

class ZstdSource : public capfile::ByteSource {
 public:
  explicit ZstdSource(std::unique_ptr<File> file)
      : file_(std::move(file)), compressed_(kCompressedBufferBytes), stream_(ZSTD_createDStream()) {
    if (stream_ == nullptr) throw base::RuntimeError("zstd can't be started: out of memory");
  }

  std::size_t Read(std::span<std::byte> buffer) override {
    // One block at a time: what precedes damage within a call of zstd is lost.
    ZSTD_outBuffer output{buffer.data(), std::min(buffer.size(), ZSTD_DStreamOutSize()), 0};
    while (output.pos == 0 && !ended_) Advance(output);
    return output.pos;
  }

 private:
  void Advance(ZSTD_outBuffer& output) {
    if (input_.pos == input_.size && !exhausted_) Refill();
    ended_ = exhausted_ && between_frames_;
    if (ended_) return;
    const std::size_t result = ZSTD_decompressStream(stream_.get(), &output, &input_);
    if (ZSTD_isError(result) != 0) Fail(ZSTD_getErrorName(result));
    between_frames_ = result == 0;
    if (exhausted_ && !between_frames_ && output.pos == 0) Fail("it ends in the middle");
  }

  void Refill() {
    input_ = {compressed_.data(), file_->Read(compressed_), 0};
    exhausted_ = input_.size == 0;
  }

  [[noreturn]] void Fail(const std::string& reason) const {
    throw base::RuntimeError(file_->path() + " is damaged zstd: " + reason);
  }

  std::unique_ptr<File> file_;
  std::vector<std::byte> compressed_;
  std::unique_ptr<ZSTD_DStream, FreeStream> stream_;
  ZSTD_inBuffer input_{nullptr, 0, 0};
  bool between_frames_ = false;
  bool exhausted_ = false;  // of the compressed bytes
  bool ended_ = false;
};

}  // namespace

std::unique_ptr<capfile::ByteSource> OpenZstd(std::unique_ptr<File> file) {
  return std::make_unique<ZstdSource>(std::move(file));
}

}  // namespace flowcast::archive::internal
