// Drawing with a carriage return.
#include "libs/app/progress_bar.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <utility>

namespace flowcast::app {
namespace {

std::size_t TerminalWidth() {
  constexpr std::size_t kUsual = 80;
  winsize size{};
  return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : kUsual;
}

}  // namespace

bool ErrorIsTerminal() { return isatty(STDERR_FILENO) == 1; }

std::string BarLine(double share, const std::string& text, std::size_t width) {
  constexpr std::size_t kBar = 24;
  const double kept = share >= 0 ? std::min(share, 1.0) : 0;  // not-a-number: 0
  const auto done = static_cast<std::size_t>(kept * kBar);
  char percent[16];
  std::snprintf(percent, sizeof percent, "] %3.0f %% ", 100 * kept);
  std::string line(1, '[');
  line.append(done, '#').append(kBar - done, '.').append(percent).append(text);
  return line.substr(0, width);
}

void ProgressBar::Show(double share, const std::string& text) {
  const std::lock_guard lock(mutex_);
  std::fprintf(stderr, "\r\033[K%s", BarLine(share, text, TerminalWidth() - 1).c_str());
  std::fflush(stderr);
  shown_ = true;
}

void ProgressBar::Clear() {
  const std::lock_guard lock(mutex_);
  if (std::exchange(shown_, false)) std::fprintf(stderr, "\r\033[K");
}

base::Log ProgressBar::Above(base::Log log) {
  return [this, log = std::move(log)](base::LogLevel level, const std::string& line) {
    Clear();
    log(level, line);
  };
}

}  // namespace flowcast::app
