// Over the standard library and stat.
#include "libs/app/secret_file.h"

#include <sys/stat.h>

#include <cerrno>
#include <cstring>
#include <fstream>

#include "libs/base/error.h"

namespace flowcast::app {
namespace {

constexpr std::size_t kMostBytes = 64 << 10;

}  // namespace

std::string ReadSecretFile(const std::string& option, const std::string& path) {
  errno = 0;
  std::ifstream file(path, std::ios::binary);
  std::string text(kMostBytes + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  const auto size = static_cast<std::size_t>(file.gcount());
  if (!file.is_open() || file.bad() || (size == 0 && errno != 0)) {
    throw base::ConfigError(option + " " + path + " can't be read (" + std::strerror(errno) +
                            "); check the path, and that this user may read it");
  }
  if (size > kMostBytes)
    throw base::ConfigError(option + " " + path +
                            " has more than 64 KiB; name the file that holds the secret");
  text.resize(size);
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.pop_back();
  return text;
}

std::optional<std::string> WarnOfOthers(const std::string& path) {
  struct stat status {};
  if (stat(path.c_str(), &status) != 0 || (status.st_mode & (S_IROTH | S_IWOTH)) == 0) return std::nullopt;
  return path + " holds a secret and is open to every user of this host; chmod o-rwx " + path;
}

}  // namespace flowcast::app
