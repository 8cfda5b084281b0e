// Reads the key, and refuses a file that others can read.
#include "libs/anonymize/key.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string_view>

#include "libs/base/error.h"

namespace flowcast::anonymize {
namespace {

constexpr std::size_t kMostBytes = 128;  // no key file of ours is longer, white space included

class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  ~Descriptor() { close(number_); }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;

  int number() const { return number_; }

 private:
  int number_;
};

int OpenFile(const std::string& path) {
  // O_NONBLOCK: a pipe by that name is refused below rather than waited for.
  const int number = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (number >= 0) return number;
  if (errno == ENOENT) {
    throw base::ConfigError("key file " + path +
                            " does not exist; make one with: (umask 077; head -c 32 /dev/urandom > " + path +
                            ")");
  }
  if (errno == EACCES) {
    throw base::ConfigError("key file " + path +
                            " is not readable for this user; make the user its owner: chown USER " + path);
  }
  throw base::ConfigError("key file " + path + " can't be opened (" + std::strerror(errno) +
                          "); check the path");
}

void CheckPermissions(const Descriptor& file, const std::string& path) {
  struct stat status {};
  if (fstat(file.number(), &status) != 0 || !S_ISREG(status.st_mode)) {
    throw base::ConfigError("key file " + path + " is no regular file; name the file that holds the key");
  }
  if (status.st_uid != geteuid() && status.st_uid != 0) {
    throw base::ConfigError("key file " + path + " belongs to another user, who could change it; chown " +
                            std::to_string(geteuid()) + " " + path);
  }
  if ((status.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
    throw base::ConfigError("key file " + path + " is open to its group or to everybody; chmod 600 " + path);
  }
}

std::string Read(const Descriptor& file, const std::string& path) {
  std::string text(kMostBytes, '\0');
  std::size_t size = 0;
  while (size < text.size()) {
    const ssize_t got = read(file.number(), text.data() + size, text.size() - size);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) throw base::ConfigError("key file " + path + " can't be read: " + std::strerror(errno));
    if (got == 0) break;
    size += static_cast<std::size_t>(got);
  }
  text.resize(size);
  return text;
}

/// -1 when it is none.
int Digit(char c) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  const auto at = kDigits.find(c >= 'A' && c <= 'F' ? static_cast<char>(c - 'A' + 'a') : c);
  return at == std::string_view::npos ? -1 : static_cast<int>(at);
}

/// False when it is anything but 64 hexadecimal digits.
bool ParseHex(std::string_view text, Key& key) {
  const auto end = text.find_last_not_of(" \t\r\n");
  text = text.substr(0, end == std::string_view::npos ? 0 : end + 1);
  if (text.size() != 2 * key.bytes.size()) return false;
  for (std::size_t i = 0; i < key.bytes.size(); ++i) {
    const int high = Digit(text[2 * i]);
    const int low = Digit(text[2 * i + 1]);
    if (high < 0 || low < 0) return false;
    key.bytes[i] = static_cast<std::uint8_t>(high * 16 + low);
  }
  return true;
}

}  // namespace

Key LoadKey(const std::string& path) {
  const Descriptor file(OpenFile(path));
  CheckPermissions(file, path);
  const std::string text = Read(file, path);
  Key key;
  if (text.size() == key.bytes.size()) {
    std::transform(text.begin(), text.end(), key.bytes.begin(),
                   [](char c) { return static_cast<std::uint8_t>(c); });
  } else if (text.size() == kMostBytes || !ParseHex(text, key)) {
    throw base::ConfigError(
        "key file " + path +
        " holds neither 32 bytes nor 64 hexadecimal digits; make one with: (umask 077; head -c 32 "
        "/dev/urandom > " +
        path + ")");
  }
  return key;
}

}  // namespace flowcast::anonymize
