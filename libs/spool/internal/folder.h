// The folder of a journal: private, held by one process at a time, files by name within it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace flowcast::spool {

/// Who shall own folder and files: whom a process becomes once it has opened them.
struct Owner {
  std::uint32_t user = 0;
  std::uint32_t group = 0;
};

namespace internal {

/// An open file, closed at the end.
class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int number) : number_(number) {}
  Descriptor(Descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept;
  ~Descriptor();

  bool is_open() const { return number_ >= 0; }
  explicit operator bool() const { return is_open(); }
  int number() const { return number_; }
  std::uint64_t size() const;
  /// How many bytes there were to read at `offset`; an error counts as the end.
  std::size_t Read(char* bytes, std::size_t size, std::uint64_t offset) const;
  /// All of both, or false with the reason in errno. What is left of a failed attempt is unspecified.
  bool Write(std::string_view first, std::string_view second, std::uint64_t offset) const;

 private:
  int number_ = -1;
};

/// While it lives files are opened and made as by the owner, who must be one that the process will
/// become: it then needs no rights over others' files. Does nothing without an owner.
class ActingAs {
 public:
  /// Throws base::ConfigError when the process may not.
  explicit ActingAs(const std::optional<Owner>& owner);
  ~ActingAs() { Return(); }
  ActingAs(const ActingAs&) = delete;
  ActingAs& operator=(const ActingAs&) = delete;

 private:
  void Return() const;

  Owner self_;
  bool changed_ = false;
};

/// Made if need be, 0700, files 0600. Names are relative and never followed through symbolic links.
class Folder {
 public:
  /// Becomes the owner's with all files in it. Throws base::ConfigError when it cannot be made,
  /// given or entered, is open to others, or is held by another process.
  Folder(std::string path, const std::optional<Owner>& owner);

  const std::string& path() const { return path_; }
  std::vector<std::string> List() const;
  /// Not open when there is no such file or it cannot be opened; errno tells.
  Descriptor Open(const std::string& name) const;
  Descriptor OpenOrCreate(const std::string& name) const;
  Descriptor CreateEmpty(const std::string& name) const;
  void Remove(const std::string& name) const;
  /// Forces to the disk which files there are; false with the reason in errno.
  bool Sync() const;

 private:
  void Give(const Owner& owner) const;
  void Lock();
  Descriptor OpenWith(int flags, const std::string& name) const;

  std::string path_;
  Descriptor folder_;
  Descriptor lock_;
};

}  // namespace internal
}  // namespace flowcast::spool
