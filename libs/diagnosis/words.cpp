// What checks are written with.
#include <algorithm>

#include "libs/base/text.h"
#include "libs/diagnosis/internal/checks.h"

namespace flowcast::diagnosis::internal {

using namespace std::chrono_literals;

Finding Ok(const std::string& check, const std::string& text) { return {check, Verdict::kOk, text, ""}; }

Finding Warning(const std::string& check, const std::string& text, const std::string& remedy) {
  return {check, Verdict::kWarning, text, remedy};
}

Finding Failed(const std::string& check, const std::string& text, const std::string& remedy) {
  return {check, Verdict::kFailed, text, remedy};
}

Finding Unknown(const std::string& check, const std::string& text) {
  return {check, Verdict::kUnknown, text, ""};
}

std::optional<Finding> Refused(const std::string& check, const StreamSeen& stream) {
  if (stream.refused.empty()) return std::nullopt;
  return Failed(check, stream.topic + " can't be read: " + stream.refused,
                "allow this user to describe and read " + stream.topic);
}

std::string Span(base::Duration duration) {
  const auto seconds = std::chrono::round<std::chrono::seconds>(duration);
  if (seconds < 2min) return std::to_string(seconds.count()) + " s";
  if (seconds < 2h) return std::to_string(seconds / 1min) + " min";
  if (seconds < 48h) return std::to_string(seconds / 1h) + " h";
  return std::to_string(seconds / 24h) + " days";
}

std::string Ago(base::EventTime then, base::EventTime now) {
  return Span(std::max(now - then, base::Duration::zero())) + " ago";
}

std::string Records(std::uint64_t count) {
  return base::Grouped(count) + (count == 1 ? " record" : " records");
}

std::optional<base::EventTime> EventTimeOf(const Observation& seen) {
  const auto newest = std::max_element(seen.sources.begin(), seen.sources.end(),
                                       [](const auto& a, const auto& b) { return a.after < b.after; });
  return newest == seen.sources.end() ? std::nullopt : std::optional(newest->after);
}

base::Duration Tolerance(base::Duration window_length) { return 2 * window_length + 10s; }

}  // namespace flowcast::diagnosis::internal
