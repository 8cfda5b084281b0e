// The alert rules that are in force, and the file that they come from.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "libs/alert/rule_set.h"
#include "libs/base/clock.h"
#include "libs/base/log.h"

namespace flowcast::services {

/// Where rules come from.
struct RuleSource {
  std::string path;                      // empty: no file, `make` is asked once
  std::function<alert::RuleSet()> make;  // reads them; throws base::ConfigError
};

struct ReloadCounters {
  std::uint64_t taken = 0;
  std::uint64_t refused = 0;  // the rules before stay
};

/// Looks at the file about once a second and reads it again when it has changed (its time or its size). Not
/// thread-safe.
class RulesWatcher {
 public:
  using Rules = std::shared_ptr<const alert::RuleSet>;

  /// Reads the rules. Throws base::ConfigError. `clock` must outlive it.
  RulesWatcher(RuleSource source, const base::Clock& clock, base::Log log);

  /// The new rules when there are others, or when it is said that the file is to be read `again`; an error is
  /// logged and counted.
  Rules Poll(bool again = false);
  const Rules& current() const { return current_; }
  const ReloadCounters& counters() const { return counters_; }

 private:
  using Look = std::optional<std::pair<std::filesystem::file_time_type, std::uintmax_t>>;
  Look LookAtFile() const;
  Rules Read();

  RuleSource source_;
  const base::Clock& clock_;
  base::Log log_;
  Look seen_;
  base::Duration look_at_;
  Rules current_;
  ReloadCounters counters_;
};

}  // namespace flowcast::services
