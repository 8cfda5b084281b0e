// Names of folders.
#include "services/capture/spool_folder.h"

#include "libs/base/error.h"

namespace flowcast::services {
namespace {

constexpr const char* kName = "flowcast-capture";

/// As one name of a folder, different for different texts.
std::string Escaped(const std::string& text) {
  constexpr const char* kDigits = "0123456789abcdef";
  std::string name;
  for (const char character : text) {
    const auto byte = static_cast<unsigned char>(character);
    const bool plain = (byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'z') ||
                       (byte >= 'A' && byte <= 'Z') || byte == '-' || byte == '_' ||
                       (byte == '.' && !name.empty());
    if (plain) {
      name += character;
    } else {
      name += {'%', kDigits[byte >> 4], kDigits[byte & 0xf]};
    }
  }
  return name;
}

}  // namespace

std::string DefaultSpool(const Environment& environment, bool is_root) {
  // systemd separates several by colons.
  if (const std::string state = environment("STATE_DIRECTORY"); !state.empty())
    return state.substr(0, state.find(':'));
  if (is_root) return std::string("/var/lib/") + kName;
  if (const std::string state = environment("XDG_STATE_HOME"); !state.empty()) return state + "/" + kName;
  if (const std::string home = environment("HOME"); !home.empty()) return home + "/.local/state/" + kName;
  throw base::ConfigError(
      "there is no home to keep a spool in; name a folder with --spool, or do without: "
      "--spool-mib 0");
}

std::string SpoolFolder(const std::string& spool, const std::string& topic, const std::string& source) {
  return spool + "/" + Escaped(topic) + "/" + Escaped(source);
}

}  // namespace flowcast::services
