// Files through the system's calls, relative to a folder that stays open.
#include "libs/spool/internal/folder.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <memory>

#include "libs/base/error.h"

namespace flowcast::spool::internal {
namespace {

constexpr mode_t kFolderMode = 0700;
constexpr mode_t kFileMode = 0600;

struct CloseFolder {
  void operator()(DIR* folder) const { closedir(folder); }
};

Descriptor OpenFolder(const std::string& path) {
  return Descriptor(open(path.c_str(), O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
}

std::string Above(const std::string& path) {
  const std::size_t slash = path.find_last_of('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

/// An error shows when the last one is opened.
void MakeFolder(const std::string& path) {
  if (mkdir(path.c_str(), kFolderMode) != 0) return;
  const Descriptor above(open(Above(path).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (above.is_open()) fsync(above.number());
}

void MakeFolders(const std::string& path) {
  for (std::size_t slash = path.find('/', 1); slash != std::string::npos; slash = path.find('/', slash + 1))
    MakeFolder(path.substr(0, slash));
  MakeFolder(path);
}

/// One may have rights where the other has none; what the owner makes need not be given away.
template <typename Action>
auto AsOwnerOrSelf(const std::optional<Owner>& owner, const Action& action) {
  {
    const ActingAs acting(owner);
    if (auto done = action()) return done;
  }
  return action();
}

[[noreturn]] void RefuseFolder(const std::string& path) {
  throw base::ConfigError("the spool's folder " + path + " can't be used: " + std::strerror(errno) +
                          "; name another with --spool, or do without: --spool-mib 0");
}

void RequirePrivate(const Descriptor& folder, const std::string& path, const std::optional<Owner>& owner) {
  struct stat status {};
  fstat(folder.number(), &status);
  const bool ours = status.st_uid == geteuid() || (owner && status.st_uid == owner->user);
  if (ours && (status.st_mode & (S_IRWXG | S_IRWXO)) == 0) return;
  throw base::ConfigError("the spool's folder " + path + " belongs to another user or is open to others; " +
                          "chown it and run chmod 700 on it, or name another with --spool");
}

}  // namespace

Descriptor& Descriptor::operator=(Descriptor&& other) noexcept {
  std::swap(number_, other.number_);
  return *this;
}

Descriptor::~Descriptor() {
  if (number_ >= 0) close(number_);
}

std::uint64_t Descriptor::size() const {
  struct stat status {};
  return fstat(number_, &status) == 0 ? static_cast<std::uint64_t>(status.st_size) : 0;
}

std::size_t Descriptor::Read(char* bytes, std::size_t size, std::uint64_t offset) const {
  std::size_t got = 0;
  while (got < size) {
    const ssize_t count = pread(number_, bytes + got, size - got, static_cast<off_t>(offset + got));
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) break;
    got += static_cast<std::size_t>(count);
  }
  return got;
}

bool Descriptor::Write(std::string_view first, std::string_view second, std::uint64_t offset) const {
  while (!first.empty() || !second.empty()) {
    const std::array<iovec, 2> parts = {iovec{const_cast<char*>(first.data()), first.size()},
                                        iovec{const_cast<char*>(second.data()), second.size()}};
    const ssize_t count = pwritev(number_, parts.data(), 2, static_cast<off_t>(offset));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return false;
    const auto written = static_cast<std::size_t>(count);
    offset += written;
    second.remove_prefix(written - std::min(written, first.size()));
    first.remove_prefix(std::min(written, first.size()));
  }
  return true;
}

ActingAs::ActingAs(const std::optional<Owner>& owner) : self_{geteuid(), getegid()} {
  if (!owner || owner->user == self_.user) return;
  changed_ = setegid(owner->group) == 0 && seteuid(owner->user) == 0;
  if (changed_) return;
  const std::string why = std::strerror(errno);
  Return();
  throw base::ConfigError("the spool can't be opened as user " + std::to_string(owner->user) + ": " + why +
                          "; allow CAP_SETUID and CAP_SETGID, or do without: --spool-mib 0");
}

void ActingAs::Return() const {
  // What a process was it may always be again.
  static_cast<void>(seteuid(self_.user) == 0 && setegid(self_.group) == 0);
}

Folder::Folder(std::string path, const std::optional<Owner>& owner) : path_(std::move(path)) {
  folder_ = AsOwnerOrSelf(owner, [this] {
    MakeFolders(path_);
    return OpenFolder(path_);
  });
  if (!folder_) RefuseFolder(path_);
  RequirePrivate(folder_, path_, owner);
  if (owner) Give(*owner);
  const ActingAs acting(owner);
  folder_ = Descriptor(openat(folder_.number(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!folder_) RefuseFolder(path_);
  Lock();
}

/// The folder last: until it is the owner's the process can enter it as itself.
void Folder::Give(const Owner& owner) const {
  struct stat status {};
  fstat(folder_.number(), &status);
  if (status.st_uid == owner.user) return;
  for (const std::string& name : List()) {
    const bool is_file =
        fstatat(folder_.number(), name.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(status.st_mode);
    if (is_file &&
        fchownat(folder_.number(), name.c_str(), owner.user, owner.group, AT_SYMLINK_NOFOLLOW) != 0)
      break;  // neither will the folder be given
  }
  if (fchownat(folder_.number(), "", owner.user, owner.group, AT_EMPTY_PATH) == 0) return;
  const std::string user = std::to_string(owner.user);
  throw base::ConfigError("the spool's folder " + path_ + " can't be given to user " + user +
                          ", whom the capture becomes: " + std::strerror(errno) +
                          "; allow CAP_CHOWN, run chown -R " + user +
                          " on it, stay who it is with --user root, or do without: --spool-mib 0");
}

void Folder::Lock() {
  lock_ = OpenOrCreate("lock");
  if (lock_.is_open() && flock(lock_.number(), LOCK_EX | LOCK_NB) == 0) return;
  const std::string why =
      errno == EWOULDBLOCK
          ? " is in use by another capture; give each its own --source or --spool"
          : std::string(" can't be locked: ") + std::strerror(errno) + "; name another with --spool";
  throw base::ConfigError("the spool's folder " + path_ + why);
}

std::vector<std::string> Folder::List() const {
  std::vector<std::string> names;
  const int again = openat(folder_.number(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const std::unique_ptr<DIR, CloseFolder> entries(again < 0 ? nullptr : fdopendir(again));
  if (!entries) return names;
  while (const dirent* entry = readdir(entries.get())) names.emplace_back(entry->d_name);
  return names;
}

Descriptor Folder::Open(const std::string& name) const { return OpenWith(0, name); }

Descriptor Folder::OpenOrCreate(const std::string& name) const { return OpenWith(O_CREAT, name); }

Descriptor Folder::CreateEmpty(const std::string& name) const { return OpenWith(O_CREAT | O_TRUNC, name); }

Descriptor Folder::OpenWith(int flags, const std::string& name) const {
  constexpr int kAlways = O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC;
  return Descriptor(openat(folder_.number(), name.c_str(), kAlways | flags, kFileMode));
}

void Folder::Remove(const std::string& name) const { unlinkat(folder_.number(), name.c_str(), 0); }

bool Folder::Sync() const { return fsync(folder_.number()) == 0; }

}  // namespace flowcast::spool::internal

namespace flowcast::spool {

void CheckFolder(const std::string& folder, const std::optional<Owner>& owner) {
  using internal::AsOwnerOrSelf;
  if (const auto found = AsOwnerOrSelf(owner, [&folder] { return internal::OpenFolder(folder); }))
    return internal::RequirePrivate(found, folder, owner);
  std::string path = folder;
  const auto exists = [&path] { return faccessat(AT_FDCWD, path.c_str(), F_OK, AT_EACCESS) == 0; };
  const auto can_make = [&path] {
    return faccessat(AT_FDCWD, (path + "/.").c_str(), W_OK | X_OK, AT_EACCESS) == 0;
  };
  while (!AsOwnerOrSelf(owner, exists) && path != internal::Above(path)) path = internal::Above(path);
  if (!AsOwnerOrSelf(owner, can_make)) internal::RefuseFolder(folder);
}

}  // namespace flowcast::spool
