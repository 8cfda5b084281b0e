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

void MakeFolders(const std::string& path) {
  for (std::size_t slash = path.find('/', 1); slash != std::string::npos; slash = path.find('/', slash + 1)) {
    mkdir(path.substr(0, slash).c_str(), kFolderMode);  // an error shows when the last one is opened
  }
  mkdir(path.c_str(), kFolderMode);
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

Folder::Folder(std::string path, const std::optional<Owner>& owner) : path_(std::move(path)), owner_(owner) {
  MakeFolders(path_);
  Enter();
  RequirePrivate();
  Own(folder_);
  Lock();
}

void Folder::Enter() {
  folder_ = Descriptor(open(path_.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (folder_.is_open()) return;
  throw base::ConfigError("the spool's folder " + path_ + " can't be used: " + std::strerror(errno) +
                          "; name another with --spool, or do without: --spool-mib 0");
}

void Folder::RequirePrivate() const {
  struct stat status {};
  fstat(folder_.number(), &status);
  const bool ours = status.st_uid == geteuid() || (owner_ && status.st_uid == owner_->user);
  if (ours && (status.st_mode & (S_IRWXG | S_IRWXO)) == 0) return;
  throw base::ConfigError("the spool's folder " + path_ + " belongs to another user or is open to others; " +
                          "chown it and run chmod 700 on it, or name another with --spool");
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

/// A container's root may be allowed neither to give files away nor to become another user.
void Folder::Own(const Descriptor& file) const {
  if (owner_ && file.is_open() && fchown(file.number(), owner_->user, owner_->group) != 0)
    not_given_ = std::strerror(errno);
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
  Descriptor file(openat(folder_.number(), name.c_str(), kAlways | flags, kFileMode));
  Own(file);
  return file;
}

void Folder::Remove(const std::string& name) const { unlinkat(folder_.number(), name.c_str(), 0); }

}  // namespace flowcast::spool::internal
