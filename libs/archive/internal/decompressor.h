// The formats behind Open.
#pragma once

#include <memory>
#include <span>

#include "libs/archive/internal/file.h"
#include "libs/capfile/reader.h"

namespace flowcast::archive::internal {

inline constexpr std::size_t kCompressedBufferBytes = 256 << 10;

/// Each takes a file that begins with the format's magic, and reads all members or frames in it.
std::unique_ptr<capfile::ByteSource> OpenGzip(std::unique_ptr<File> file);
std::unique_ptr<capfile::ByteSource> OpenZstd(std::unique_ptr<File> file);

}  // namespace flowcast::archive::internal
