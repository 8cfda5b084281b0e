// How libraries and services say something to the operator; where it goes is decided by main.
#pragma once

#include <functional>
#include <string>

namespace flowcast::base {

enum class LogLevel { kDebug, kInfo, kWarning, kError };

/// Called with one line without its end. Implementations are thread-safe.
using Log = std::function<void(LogLevel, const std::string& line)>;

}  // namespace flowcast::base
