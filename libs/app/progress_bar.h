// A line in a terminal that shows how far something is.
#pragma once

#include <mutex>
#include <string>

#include "libs/base/log.h"

namespace flowcast::app {

/// True when somebody watches standard error: it is a terminal.
bool ErrorIsTerminal();

/// "[#########.....]  64 % text", cut to `width` characters; `share` is kept within 0 and 1.
std::string BarLine(double share, const std::string& text, std::size_t width);

/// Draws over the last line of standard error. Safe to use from several threads.
class ProgressBar {
 public:
  void Show(double share, const std::string& text);
  void Clear();
  /// `log`, which takes the bar away before each line.
  base::Log Above(base::Log log);

 private:
  std::mutex mutex_;
  bool shown_ = false;
};

}  // namespace flowcast::app
