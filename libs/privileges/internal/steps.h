// The steps of Drop, each on its own.
#pragma once

#include <string>

namespace flowcast::privileges::internal {

/// False when the process may not (it lacks CAP_SETPCAP).
bool EmptyBoundingSet();
void EmptyAmbientSet();
/// Capabilities stay permitted, not effective, when root becomes another user.
void KeepCapabilitiesOverUserChange();
/// Permitted and effective: CAP_NET_RAW if it is to be kept and was there, nothing else. Throws
/// base::RuntimeError when more is left. True when CAP_NET_RAW is left.
bool KeepOnlyNetRaw(bool keep_net_raw);

/// How many system calls fail with EPERM from now on; 0 when the kernel has no seccomp, with `why`.
int RefuseSystemCalls(std::string& why);

}  // namespace flowcast::privileges::internal
