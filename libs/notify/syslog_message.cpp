// Field after field.
#include "libs/notify/syslog_message.h"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "libs/base/printable.h"
#include "libs/notify/number.h"

namespace flowcast::notify {
namespace {

enum SyslogSeverity { kCritical = 2, kError = 3, kWarning = 4, kNotice = 5, kInfo = 6 };

constexpr std::array<std::pair<const char*, int>, 12> kFacilities{{{"user", 1},
                                                                   {"daemon", 3},
                                                                   {"auth", 4},
                                                                   {"syslog", 5},
                                                                   {"local0", 16},
                                                                   {"local1", 17},
                                                                   {"local2", 18},
                                                                   {"local3", 19},
                                                                   {"local4", 20},
                                                                   {"local5", 21},
                                                                   {"local6", 22},
                                                                   {"local7", 23}}};

int SeverityOf(const alert::Alert& alert) {
  if (alert.state == alert::State::kResolved) return kNotice;
  if (alert.severity == "critical") return kCritical;
  if (alert.severity == "error") return kError;
  return alert.severity == "info" ? kInfo : kWarning;
}

/// Microseconds are as fine as it may be.
std::string Timestamp(base::EventTime time) {
  return base::FormatTime(base::EventTime(std::chrono::floor<std::chrono::microseconds>(time)));
}

/// Printable ASCII without spaces, not longer than so; "-" where nothing is left.
std::string Token(const std::string& text, std::size_t most) {
  std::string token;
  for (const char c : text.substr(0, most)) token += c > ' ' && c < 0x7f ? c : '_';
  return token.empty() ? "-" : token;
}

std::string OneLine(std::string text) {
  std::replace_if(
      text.begin(), text.end(), [](unsigned char c) { return c < 0x20 || c == 0x7f; }, ' ');
  return base::Printable(text);
}

std::string Quoted(const std::string& text) {
  std::string quoted = "\"";
  for (const char c : OneLine(text)) {
    if (c == '"' || c == '\\' || c == ']') quoted += '\\';
    quoted += c;
  }
  return quoted + "\"";
}

/// Names of at most 128 bytes, so that what tells an alert stays whole.
std::string Bounded(const std::string& text) {
  constexpr std::size_t kMost = 128;
  return text.size() <= kMost ? text : text.substr(0, kMost);
}

/// 32473 is the enterprise number of examples (RFC 5612): flowcast has none of its own.
std::string StructuredData(const alert::Alert& alert) {
  const std::vector<std::pair<const char*, std::string>> parameters{
      {"fingerprint", alert.fingerprint},
      {"rule", Bounded(alert.rule)},
      {"link", Bounded(alert.link)},
      {"severity", Bounded(alert.severity)},
      {"kind", std::string(ToString(alert.kind))},
      {"target", Bounded(alert.target)},
      {"threshold", Number(alert.threshold)},
      {"predicted", Number(alert.predicted)},
      {"probability", Number(alert.probability)},
      {"lead_s", Number(alert::LeadSeconds(alert))},
      {"started_at", base::FormatTime(alert.started_at)}};
  std::string data = "[flowcast@32473";
  for (const auto& [name, text] : parameters) data += std::string(" ") + name + "=" + Quoted(text);
  return data + "]";
}

/// Not within a character of UTF-8.
void CutTo(std::size_t most, std::string& text) {
  if (text.size() <= most) return;
  const auto continues = [&](std::size_t i) { return (static_cast<unsigned char>(text[i]) & 0xc0) == 0x80; };
  while (most > 0 && continues(most)) --most;
  text.resize(most);
}

bool IsAscii(const std::string& text) {
  return std::all_of(text.begin(), text.end(), [](unsigned char c) { return c < 0x80; });
}

}  // namespace

std::optional<int> FacilityOf(const std::string& name) {
  for (const auto& [known, number] : kFacilities) {
    if (name == known) return number;
  }
  return std::nullopt;
}

std::string SyslogMessage(const alert::Alert& alert, const std::string& host, int facility) {
  constexpr std::size_t kMostHost = 255;
  constexpr const char* kByteOrderMark = "\xEF\xBB\xBF";  // says that it is UTF-8
  std::string message = "<";
  message += std::to_string(facility * 8 + SeverityOf(alert)) + ">1 " + Timestamp(alert.made_at) + " " +
             Token(host, kMostHost) + " flowcast - " + std::string(ToString(alert.state)) + " " +
             StructuredData(alert) + " ";
  const std::string summary = OneLine(alert.summary);
  message += (IsAscii(summary) ? "" : kByteOrderMark) + summary;
  CutTo(kMostSyslogBytes, message);
  return message;
}

std::string CountOctets(const std::string& message) { return std::to_string(message.size()) + " " + message; }

}  // namespace flowcast::notify
