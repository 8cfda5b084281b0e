// Reading through the system's calls: no buffering, the decompressors and readers have their own.
#include "libs/archive/internal/file.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "libs/base/error.h"

namespace flowcast::archive::internal {
namespace {

[[noreturn]] void Refuse(const std::string& path) {
  if (errno == ENOENT) throw base::ConfigError("file " + path + " does not exist; check the path");
  if (errno == EACCES)
    throw base::ConfigError("file " + path + " is not readable for this user; check with: ls -l " + path);
  throw base::ConfigError("file " + path + " can't be opened: " + std::strerror(errno));
}

int OpenDescriptor(const std::string& path) {
  if (path == "-") return STDIN_FILENO;
  const int descriptor = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) Refuse(path);
  struct stat status {};
  if (fstat(descriptor, &status) == 0 && S_ISDIR(status.st_mode)) {
    close(descriptor);
    throw base::ConfigError(path + " is a folder; name a file in it");
  }
  return descriptor;
}

}  // namespace

File::File(const std::string& path) : path_(path), descriptor_(OpenDescriptor(path)) {}

File::~File() {
  if (descriptor_ != STDIN_FILENO) close(descriptor_);
}

std::span<const std::byte> File::Peek(std::size_t count) {
  std::size_t got = peeked_.size();
  peeked_.resize(std::max(got, count));
  while (got < count) {
    const std::size_t more = ReadDescriptor(std::span(peeked_).subspan(got));
    if (more == 0) break;
    got += more;
  }
  peeked_.resize(got);
  return std::span(peeked_).first(std::min(got, count));
}

std::size_t File::Read(std::span<std::byte> buffer) {
  if (peeked_.empty()) return ReadDescriptor(buffer);
  const std::size_t count = std::min(buffer.size(), peeked_.size());
  const auto end = peeked_.begin() + static_cast<std::ptrdiff_t>(count);
  std::copy(peeked_.begin(), end, buffer.begin());
  peeked_.erase(peeked_.begin(), end);
  return count;
}

bool File::Await(std::chrono::milliseconds at_most) const {
  if (!peeked_.empty()) return true;
  pollfd waiting{descriptor_, POLLIN, 0};  // a regular file is always ready
  return poll(&waiting, 1, static_cast<int>(at_most.count())) > 0;
}

std::size_t File::ReadDescriptor(std::span<std::byte> buffer) {
  while (true) {
    const ssize_t got = read(descriptor_, buffer.data(), buffer.size());
    if (got >= 0) return static_cast<std::size_t>(got);
    if (errno != EINTR) throw base::RuntimeError("reading " + path_ + " failed: " + std::strerror(errno));
  }
}

}  // namespace flowcast::archive::internal
