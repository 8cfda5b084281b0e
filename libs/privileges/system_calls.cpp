// System calls that a capture never makes, refused by libseccomp.
#include <linux/sched.h>
#include <seccomp.h>

#include <cerrno>
#include <cstring>
#include <memory>

#include "libs/privileges/internal/steps.h"

namespace flowcast::privileges::internal {
namespace {

// Other programs and processes, the kernel and its clock, mounts, namespaces, keys. Everything else stays
// allowed: a list of what librdkafka, OpenSSL and glibc may call would break with each of their versions.
constexpr const char* kRefused[] = {"execve",
                                    "execveat",
                                    "ptrace",
                                    "process_vm_readv",
                                    "process_vm_writev",
                                    "pidfd_getfd",
                                    "kcmp",
                                    "mount",
                                    "umount2",
                                    "pivot_root",
                                    "chroot",
                                    "move_mount",
                                    "open_tree",
                                    "fsopen",
                                    "fsconfig",
                                    "fsmount",
                                    "fspick",
                                    "bpf",
                                    "perf_event_open",
                                    "kexec_load",
                                    "init_module",
                                    "kexec_file_load",
                                    "finit_module",
                                    "delete_module",
                                    "setns",
                                    "unshare",
                                    "keyctl",
                                    "add_key",
                                    "request_key",
                                    "reboot",
                                    "swapon",
                                    "swapoff",
                                    "acct",
                                    "quotactl",
                                    "settimeofday",
                                    "sethostname",
                                    "clock_settime",
                                    "syslog",
                                    "open_by_handle_at",
                                    "setdomainname",
                                    "userfaultfd",
                                    "iopl",
                                    "ioperm",
                                    "io_uring_setup",
                                    "mount_setattr"};

constexpr std::uint64_t kNewNamespaces =
    CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWPID | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWCGROUP;

struct Release {
  void operator()(scmp_filter_ctx filter) const { seccomp_release(filter); }
};
using Filter = std::unique_ptr<void, Release>;

bool Refuse(const Filter& filter, const char* name, int error) {
  const int number = seccomp_syscall_resolve_name(name);
  if (number == __NR_SCMP_ERROR) return false;
  return seccomp_rule_add(filter.get(), SCMP_ACT_ERRNO(static_cast<std::uint32_t>(error)), number, 0) == 0;
}

// A thread is made by clone too, so it is its flags that are looked at. Those of clone3 are out of a filter's
// sight; where it seems not to exist, glibc calls clone.
bool RefuseNewNamespaces(const Filter& filter) {
  for (std::uint64_t flag = 1; flag <= kNewNamespaces; flag <<= 1) {
    if ((kNewNamespaces & flag) != 0 && seccomp_rule_add(filter.get(), SCMP_ACT_ERRNO(EPERM), SCMP_SYS(clone),
                                                         1, SCMP_A0(SCMP_CMP_MASKED_EQ, flag, flag)) != 0)
      return false;
  }
  return Refuse(filter, "clone3", ENOSYS);
}

}  // namespace

int RefuseSystemCalls(std::string& why) {
  const Filter filter(seccomp_init(SCMP_ACT_ALLOW));
  if (filter == nullptr) {
    why = "out of memory";
    return 0;
  }
  int refused = 0;
  for (const char* name : kRefused) refused += Refuse(filter, name, EPERM) ? 1 : 0;
  if (!RefuseNewNamespaces(filter)) why = "a rule for clone was not taken";
  const int error = seccomp_load(filter.get());
  if (error == 0) return refused;
  why = std::strerror(-error);
  return 0;
}

}  // namespace flowcast::privileges::internal
