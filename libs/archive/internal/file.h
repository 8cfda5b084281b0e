// The stored bytes of a file or of standard input.
#pragma once

#include <chrono>
#include <cstddef>
#include <span>
#include <string>
#include <vector>

namespace flowcast::archive::internal {

class File {
 public:
  /// "-" is standard input. Throws base::ConfigError as Open does.
  explicit File(const std::string& path);
  ~File();
  File(const File&) = delete;
  File& operator=(const File&) = delete;

  const std::string& path() const { return path_; }
  /// Up to `count` bytes, which the next read gives again; fewer only at the end.
  std::span<const std::byte> Peek(std::size_t count);
  /// At least one byte, 0 at the end. Throws base::RuntimeError when the system can't read.
  std::size_t Read(std::span<std::byte> buffer);
  /// As capfile::ByteSource::Await.
  bool Await(std::chrono::milliseconds at_most) const;

 private:
  std::size_t ReadDescriptor(std::span<std::byte> buffer);

  std::string path_;
  int descriptor_;
  std::vector<std::byte> peeked_;
};

}  // namespace flowcast::archive::internal
