// How far groups are behind, and what their status pages say.
#include "libs/base/text.h"
#include "libs/diagnosis/internal/checks.h"

namespace flowcast::diagnosis::internal {
namespace {

// What comes within a second or two; more is a backlog.
constexpr std::uint64_t kManyUnread = 1'000;

}  // namespace

Finding CheckLag(const GroupSeen& group, const StreamSeen& input) {
  const std::string check = group.name.substr(group.name.find('-') + 1);
  if (!group.refused.empty()) {
    return Warning(check, "the group " + group.name + " can't be looked at: " + group.refused,
                   "allow this user to describe the group");
  }
  const std::string members =
      std::to_string(group.members) + (group.members == 1 ? " instance" : " instances");
  const std::string unread = Records(group.unread) + " of " + input.topic + " unread";
  if (group.members > 0) {
    const std::string text = members + ", " + unread;
    if (group.unread <= kManyUnread) return Ok(check, text);
    return Warning(check, text,
                   "if it grows: more instances (--instance NAME), up to one a partition; see tune.md");
  }
  if (!group.has_position && !input.has_records) return Unknown(check, group.program + " is not running");
  const std::string text = group.program + " is not running, " + unread;
  if (group.unread > 0) return Failed(check, text, "start " + group.program);
  return Warning(check, text, "it has done all there is; what comes next waits until it is started");
}

std::vector<Finding> CheckServices(const Observation& seen) {
  std::vector<Finding> findings;
  std::vector<std::string> silent;
  for (const ServiceSeen& service : seen.services) {
    const std::string text = service.program + " at " + service.address;
    if (!service.reached) {
      silent.push_back(text);
    } else if (service.ready) {
      findings.push_back(Ok("status", text + ": " + service.says));
    } else {
      findings.push_back(Failed("status", text + " is not ready: " + service.says,
                                "wait if it has just been started; else look at its log"));
    }
  }
  if (!silent.empty()) {
    findings.push_back(Unknown("status", "no page of " + base::Join(silent) +
                                             " (elsewhere, off or not running; --status names others)"));
  }
  return findings;
}

}  // namespace flowcast::diagnosis::internal
