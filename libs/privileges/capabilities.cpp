// Capability sets, by libcap.
#include <sys/capability.h>
#include <sys/prctl.h>

#include <memory>

#include "libs/base/error.h"
#include "libs/privileges/internal/steps.h"

namespace flowcast::privileges::internal {
namespace {

struct Free {
  void operator()(cap_t capabilities) const { cap_free(capabilities); }
};
using Capabilities = std::unique_ptr<std::remove_pointer_t<cap_t>, Free>;

bool IsPermitted(cap_t capabilities, cap_value_t value) {
  cap_flag_value_t flag = CAP_CLEAR;
  return cap_get_flag(capabilities, value, CAP_PERMITTED, &flag) == 0 && flag == CAP_SET;
}

bool IsNothingLeftBut(cap_value_t kept) {
  const Capabilities now(cap_get_proc());
  if (now == nullptr) return false;
  for (cap_value_t value = 0; value < cap_max_bits(); ++value) {
    if (value != kept && IsPermitted(now.get(), value)) return false;
  }
  return true;
}

}  // namespace

bool EmptyBoundingSet() {
  bool all = true;
  for (cap_value_t value = 0; value < cap_max_bits(); ++value) {
    if (cap_get_bound(value) == 1 && cap_drop_bound(value) != 0) all = false;
  }
  return all;
}

void EmptyAmbientSet() { cap_reset_ambient(); }

void KeepCapabilitiesOverUserChange() { prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0); }

bool KeepOnlyNetRaw(bool keep_net_raw) {
  const Capabilities before(cap_get_proc());
  const Capabilities wanted(cap_init());
  if (before == nullptr || wanted == nullptr) throw base::RuntimeError("capabilities can't be read");
  const bool kept = keep_net_raw && IsPermitted(before.get(), CAP_NET_RAW);
  const cap_value_t net_raw = CAP_NET_RAW;
  if (kept) {
    cap_set_flag(wanted.get(), CAP_PERMITTED, 1, &net_raw, CAP_SET);
    cap_set_flag(wanted.get(), CAP_EFFECTIVE, 1, &net_raw, CAP_SET);
  }
  if (cap_set_proc(wanted.get()) != 0 || !IsNothingLeftBut(kept ? CAP_NET_RAW : -1))
    throw base::RuntimeError("capabilities can't be given up; run as a user other than root");
  return kept;
}

}  // namespace flowcast::privileges::internal
