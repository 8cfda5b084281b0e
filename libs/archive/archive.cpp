// Chooses the decompressor by the first bytes.
#include "libs/archive/archive.h"

#include <algorithm>
#include <array>
#include <utility>

#include "libs/archive/internal/decompressor.h"
#include "libs/archive/internal/file.h"

namespace flowcast::archive {
namespace {

using internal::File;

constexpr std::array kGzipMagic{std::byte{0x1f}, std::byte{0x8b}};
constexpr std::array kZstdMagic{std::byte{0x28}, std::byte{0xb5}, std::byte{0x2f}, std::byte{0xfd}};

class PlainSource : public capfile::ByteSource {
 public:
  explicit PlainSource(std::unique_ptr<File> file) : file_(std::move(file)) {}
  std::size_t Read(std::span<std::byte> buffer) override { return file_->Read(buffer); }
  bool Await(std::chrono::milliseconds at_most) override { return file_->Await(at_most); }

 private:
  std::unique_ptr<File> file_;
};

bool BeginsWith(File& file, std::span<const std::byte> magic) {
  return std::ranges::equal(file.Peek(magic.size()), magic);
}

}  // namespace

std::unique_ptr<capfile::ByteSource> Open(const std::string& path) {
  auto file = std::make_unique<File>(path);
  if (BeginsWith(*file, kGzipMagic)) return internal::OpenGzip(std::move(file));
  if (BeginsWith(*file, kZstdMagic)) return internal::OpenZstd(std::move(file));
  return std::make_unique<PlainSource>(std::move(file));
}

}  // namespace flowcast::archive
