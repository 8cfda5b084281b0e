// One number in a file.
#include "services/capture/epochs.h"

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <utility>

namespace flowcast::services {

Epochs::Epochs(std::string file, const base::Clock& clock, base::Log log)
    : file_(std::move(file)), clock_(clock), log_(std::move(log)) {
  std::ifstream(file_) >> last_;
}

std::uint64_t Epochs::Next() {
  last_ = std::max(static_cast<std::uint64_t>(base::ToUnixNanoseconds(clock_.Now())), last_ + 1);
  if (!file_.empty()) Remember();
  return last_;
}

void Epochs::Remember() const {
  const std::string written = file_ + ".tmp";
  std::ofstream out(written, std::ios::trunc);
  out << last_ << '\n';
  out.close();
  if (!out || std::rename(written.c_str(), file_.c_str()) != 0) {
    log_(base::LogLevel::kWarning,
         "can't write " + file_ + "; after a start with an earlier clock packets would count as repeated");
  }
}

}  // namespace flowcast::services
