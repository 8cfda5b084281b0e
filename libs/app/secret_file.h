// Files that hold secrets.
#pragma once

#include <optional>
#include <string>

namespace flowcast::app {

/// The whole file without the ends of lines at its end: of at most 64 KiB, as secrets and lists of them are.
/// `option` is what named it, such as "--kafka-file". Throws base::ConfigError with the remedy when it can't
/// be read or is longer.
std::string ReadSecretFile(const std::string& option, const std::string& path);

/// A line that says so, with the remedy, when users other than the owner and the group may read or change the
/// file; nothing for one that is not there.
std::optional<std::string> WarnOfOthers(const std::string& path);

}  // namespace flowcast::app
