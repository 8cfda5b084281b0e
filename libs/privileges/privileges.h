// Gives up privileges that a process needed to start; the only includer of libcap and libseccomp.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

namespace flowcast::privileges {

struct DropOptions {
  bool keep_net_raw = true;  // CAP_NET_RAW opens an interface that was deleted and made again
  std::string user;          // to become; empty: nobody when root, and otherwise who it is
};

struct Identity {
  std::string user;  // its name, or its number where it has no name
  uid_t uid = 0;
  gid_t gid = 0;
};

/// Who the process will be after Drop, for files that it must be able to write then: it may become them.
/// Throws base::ConfigError as Drop does.
Identity IdentityAfter(const DropOptions& options);

struct DropReport {
  std::string summary;                // one line: who it is now and what it may do
  std::vector<std::string> warnings;  // one line each: what could not be given up, and the remedy
};

/// In this order: no new privileges, the bounding and ambient sets, supplementary groups, group and
/// user, every capability but CAP_NET_RAW, and system calls that a capture never makes (execve, ptrace,
/// mount, bpf, unshare and their like fail with EPERM from then on). Threads started later inherit all
/// of it; those already running would not, so there must be one alone.
///
/// Root that lacks the capabilities to become another user (in a container) goes on as root with what
/// could be given up, and is told so in `warnings`. Throws base::ConfigError for a user that does not
/// exist or, when one was asked for by name, can't be become; base::RuntimeError when capabilities
/// are left over that should be gone.
DropReport Drop(const DropOptions& options);

}  // namespace flowcast::privileges
