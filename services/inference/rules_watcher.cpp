// Reading rules again.
#include "services/inference/rules_watcher.h"

#include "libs/base/error.h"

namespace flowcast::services {
namespace {

constexpr base::Duration kLookEvery = std::chrono::seconds(1);

}  // namespace

RulesWatcher::RulesWatcher(RuleSource source, const base::Clock& clock, base::Log log)
    : source_(std::move(source)),
      clock_(clock),
      log_(std::move(log)),
      seen_(LookAtFile()),
      look_at_(clock.Steady() + kLookEvery),
      current_(std::make_shared<const alert::RuleSet>(source_.make())) {}

RulesWatcher::Look RulesWatcher::LookAtFile() const {
  if (source_.path.empty()) return std::nullopt;
  std::error_code no_time, no_size;
  const auto written = std::filesystem::last_write_time(source_.path, no_time);
  const auto size = std::filesystem::file_size(source_.path, no_size);
  return no_time || no_size ? Look() : Look({written, size});
}

RulesWatcher::Rules RulesWatcher::Poll(bool again) {
  if (source_.path.empty() || (!again && clock_.Steady() < look_at_)) return nullptr;
  look_at_ = clock_.Steady() + kLookEvery;
  const Look look = LookAtFile();
  if (look == seen_ && !again) return nullptr;
  seen_ = look;
  return Read();
}

RulesWatcher::Rules RulesWatcher::Read() {
  try {
    current_ = std::make_shared<const alert::RuleSet>(source_.make());
  } catch (const base::ConfigError& error) {
    ++counters_.refused;
    log_(base::LogLevel::kError,
         std::string("the rules are as before, the changed file is refused: ") + error.what());
    return nullptr;
  }
  ++counters_.taken;
  log_(base::LogLevel::kInfo,
       "the rules were read again: " + std::to_string(current_->rules().size()) + " from " + source_.path);
  return current_;
}

}  // namespace flowcast::services
