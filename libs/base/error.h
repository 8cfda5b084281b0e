// The errors that end a start-up; per-record errors are values (tl::expected) and never exceptions.
#pragma once

#include <stdexcept>

namespace flowcast::base {

/// A wrong flag, file or environment. The text is one line and names the remedy. Exit code 2.
struct ConfigError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// Something outside did not answer in time or refused (broker, interface, file). One line with
/// the remedy. Exit code 1.
struct RuntimeError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

}  // namespace flowcast::base
