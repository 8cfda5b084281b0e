// Opens plain, gzip and zstd files as bytes; the only includer of zlib and libzstd.
#pragma once

#include <memory>
#include <string>

#include "libs/capfile/reader.h"

namespace flowcast::archive {

/// Recognises compression by the first bytes, not by the name; several gzip members or zstd frames
/// in a row are one stream. "-" is standard input. Throws base::ConfigError when the file is missing,
/// a folder or not readable, with the remedy; damage in the compressed stream ends reading with
/// base::RuntimeError after the bytes that were whole.
std::unique_ptr<capfile::ByteSource> Open(const std::string& path);

}  // namespace flowcast::archive
