// The order in which privileges go, and what is said about it.
#include "libs/privileges/privileges.h"

#include <grp.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "libs/base/error.h"
#include "libs/privileges/internal/steps.h"

namespace flowcast::privileges {
namespace {

std::string Reason() { return std::strerror(errno); }

Identity CurrentIdentity() {
  const passwd* entry = getpwuid(geteuid());
  return {entry == nullptr ? std::to_string(geteuid()) : entry->pw_name, geteuid(), getegid()};
}

// Capabilities belong to a thread: what another one holds would stay.
void RequireOneThread() {
  int threads = 0;
  std::error_code error;
  for (const auto& task : std::filesystem::directory_iterator("/proc/self/task", error)) {
    threads += task.path().empty() ? 0 : 1;
  }
  if (threads > 1)
    throw base::RuntimeError("privileges must be given up before threads start; this is a bug");
}

Identity Wanted(const DropOptions& options) {
  if (options.user.empty() && geteuid() != 0) return CurrentIdentity();
  const std::string name = options.user.empty() ? "nobody" : options.user;
  const passwd* entry = getpwnam(name.c_str());
  if (entry == nullptr)
    throw base::ConfigError("user " + name + " does not exist; name one that does with --user");
  return {name, entry->pw_uid, entry->pw_gid};
}

bool MayBecome(const Identity& identity, std::string& why) {
  const uid_t user = geteuid();
  const gid_t group = getegid();
  const bool may = setegid(identity.gid) == 0 && seteuid(identity.uid) == 0;
  if (!may) why = Reason();
  if (seteuid(user) != 0 || setegid(group) != 0)
    throw base::RuntimeError("can't be user " + std::to_string(user) + " again: " + Reason());
  return may;
}

/// Sets `why` where that is not who is wanted.
Identity Attainable(const DropOptions& options, std::string& why) {
  Identity wanted = Wanted(options);
  if (wanted.uid == geteuid() || MayBecome(wanted, why)) return wanted;
  if (options.user.empty()) return CurrentIdentity();
  throw base::ConfigError("can't become user " + options.user + ": " + why +
                          "; start it as root with CAP_SETUID and CAP_SETGID, or leave --user out");
}

bool Become(const Identity& identity) {
  internal::KeepCapabilitiesOverUserChange();
  return setresgid(identity.gid, identity.gid, identity.gid) == 0 &&
         setresuid(identity.uid, identity.uid, identity.uid) == 0;
}

// The identity that it has then.
Identity ChangeUser(const DropOptions& options, std::vector<std::string>& warnings) {
  std::string why;
  Identity identity = Attainable(options, why);
  if (!why.empty())
    warnings.push_back("still user " + identity.user + ", for it can't become nobody: " + why +
                       "; allow CAP_SETUID and CAP_SETGID, or start it as another user");
  if (identity.uid == geteuid() && geteuid() != 0) return identity;
  if (setgroups(0, nullptr) != 0 && why.empty())
    warnings.push_back("supplementary groups stay: " + Reason() + "; allow CAP_SETGID to leave them");
  if (!Become(identity)) throw base::RuntimeError("can't become user " + identity.user + ": " + Reason());
  return identity;
}

void RequireNoWayBack(const Identity& identity) {
  if (identity.uid != 0 && setuid(0) == 0)
    throw base::RuntimeError("root's rights can't be given up; run as a user other than root");
}

}  // namespace

Identity IdentityAfter(const DropOptions& options) {
  std::string why;
  return Attainable(options, why);
}

DropReport Drop(const DropOptions& options) {
  RequireOneThread();
  DropReport report;
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
    report.warnings.push_back("the kernel does not know no_new_privs: " + Reason());
  const bool was_root = geteuid() == 0;
  const bool bounded = internal::EmptyBoundingSet();
  // Of no consequence to others than root, who gain nothing by a program either way.
  if (!bounded && was_root)
    report.warnings.push_back(
        "the bounding set of capabilities stays as it is; allow CAP_SETPCAP to empty it");
  internal::EmptyAmbientSet();
  const Identity now = ChangeUser(options, report.warnings);
  const bool net_raw = internal::KeepOnlyNetRaw(options.keep_net_raw);
  RequireNoWayBack(now);
  std::string why;
  const int refused = internal::RefuseSystemCalls(why);
  if (!why.empty()) report.warnings.push_back("system calls are not all refused: " + why);
  report.summary = "runs as " + now.user + (net_raw ? " with CAP_NET_RAW alone" : " without any capability") +
                   "; " + std::to_string(refused) + " system calls are refused";
  return report;
}

}  // namespace flowcast::privileges
