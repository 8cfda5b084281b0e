// TOML text as values that know where they stand.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "libs/base/error.h"
#include "libs/base/time.h"

namespace flowcast::toml_file {

/// A date with a time of day.
struct Moment {
  base::EventTime time = base::kBeginningOfTime;
  bool has_zone = false;  // otherwise the time is as if it were UTC
};

/// Something of TOML that nobody here asks for: a date alone, a time of day alone, a year out of reach.
struct Other {};

struct Value {
  using Array = std::vector<Value>;
  using Table = std::map<std::string, Value>;

  std::variant<Other, bool, std::int64_t, double, std::string, Moment, Array, Table> content;
  std::uint32_t line = 1;
  std::uint32_t column = 1;
  std::uint32_t key_line = 1;  // of the key that it stands behind, if any
  std::uint32_t key_column = 1;

  template <typename T>
  const T* As() const {
    return std::get_if<T>(&content);
  }
};

/// The table of the whole text. Throws base::ConfigError "NAME:LINE:COLUMN: what is wrong" for text that is
/// no TOML, and for characters other than ASCII.
Value Parse(std::string_view text, const std::string& name);

struct UnreadableFile : base::ConfigError {
  using base::ConfigError::ConfigError;
};

/// The bytes of a file, not more than 64 MiB. Throws UnreadableFile that names `path`.
std::string ReadText(const std::string& path);

}  // namespace flowcast::toml_file
