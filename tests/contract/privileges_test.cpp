// privileges::Drop in a process of each test's own, for it can't be taken back.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <pwd.h>
#include <sched.h>
#include <sys/capability.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <functional>
#include <sstream>
#include <thread>

#include "libs/base/error.h"
#include "libs/privileges/privileges.h"
#include "libs/spool/journal.h"

namespace flowcast::privileges {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

/// What `body` returns, or the exception's text, out of a child process.
std::string InChild(const std::function<std::string()>& body) {
  int ends[2];
  EXPECT_EQ(pipe(ends), 0);
  const pid_t child = fork();
  if (child == 0) {
    std::string text;
    try {
      text = body();
    } catch (const std::exception& error) {
      text = error.what();
    }
    const bool written = write(ends[1], text.data(), text.size()) == static_cast<ssize_t>(text.size());
    _exit(written && !::testing::Test::HasFailure() ? 0 : 1);
  }
  close(ends[1]);
  std::string text;
  char buffer[4096];
  for (ssize_t size = 0; (size = read(ends[0], buffer, sizeof buffer)) > 0;) {
    text.append(buffer, static_cast<std::size_t>(size));
  }
  close(ends[0]);
  int status = 0;
  EXPECT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  return text;
}

/// The line of /proc/self/status of that name, its white space as one blank each.
std::string Status(const std::string& name) {
  std::ifstream file("/proc/self/status");
  for (std::string line; std::getline(file, line);) {
    if (!line.starts_with(name + ":")) continue;
    std::istringstream words(line.substr(name.size() + 1));
    std::string joined;
    for (std::string word; words >> word;) joined += (joined.empty() ? "" : " ") + word;
    return joined;
  }
  return "?";
}

std::string Rights() {
  return "prm " + Status("CapPrm") + " eff " + Status("CapEff") + " inh " + Status("CapInh") + " bnd " +
         Status("CapBnd") + " amb " + Status("CapAmb") + " nnp " + Status("NoNewPrivs") + " seccomp " +
         Status("Seccomp") + " uid " + Status("Uid") + " groups " + Status("Groups");
}

std::string Rights(const std::string& capabilities, const std::string& uid) {
  const std::string none = "0000000000000000";
  return "prm " + capabilities + " eff " + capabilities + " inh " + none + " bnd " + none + " amb " + none +
         " nnp 1 seccomp 2 uid " + uid + " " + uid + " " + uid + " " + uid + " groups ";
}

bool OpensPacketSockets() {
  const int descriptor = socket(AF_PACKET, SOCK_RAW, 0);
  if (descriptor >= 0) close(descriptor);
  return descriptor >= 0;
}

/// Leaves no more than these capabilities of root, as a container does.
void LimitTo(const char* text) {
  cap_t wanted = cap_from_text(text);
  for (cap_value_t value = 0; value < cap_max_bits(); ++value) {
    cap_flag_value_t kept = CAP_CLEAR;
    cap_get_flag(wanted, value, CAP_PERMITTED, &kept);
    if (kept == CAP_CLEAR) cap_drop_bound(value);
  }
  cap_set_proc(wanted);
  cap_free(wanted);
}

class PrivilegesTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "needs root, to have something to give up";
  }
  const std::string nobody_ = std::to_string(getpwnam("nobody")->pw_uid);
};

TEST_F(PrivilegesTest, RootBecomesNobodyWhoMayOpenPacketSocketsAndNothingElse) {
  const std::string rights = InChild([] {
    const DropReport report = Drop({});
    EXPECT_THAT(report.warnings, IsEmpty());
    return Rights() + (OpensPacketSockets() ? "opens" : "refused");
  });
  EXPECT_EQ(rights, Rights("0000000000002000", nobody_) + "opens");
}

TEST_F(PrivilegesTest, GivesUpPacketSocketsToo) {
  const std::string rights = InChild([] {
    Drop({.keep_net_raw = false});
    return Rights() + (OpensPacketSockets() ? "opens" : "refused");
  });
  EXPECT_EQ(rights, Rights("0000000000000000", nobody_) + "refused");
}

TEST_F(PrivilegesTest, SaysWhoItIsNow) {
  EXPECT_THAT(InChild([] { return Drop({}).summary; }), HasSubstr("runs as nobody with CAP_NET_RAW alone; "));
  EXPECT_THAT(InChild([] { return Drop({.keep_net_raw = false, .user = "daemon"}).summary; }),
              HasSubstr("runs as daemon without any capability; "));
}

TEST_F(PrivilegesTest, RefusesOtherProgramsProcessesAndNamespaces) {
  const std::string answers = InChild([] {
    Drop({});
    std::string all;
    const auto note = [&all](const char* what, long result) {
      all += std::string(what) + (result == -1 && errno == EPERM ? " refused " : " allowed ");
    };
    char program[] = "/bin/true";
    char* arguments[] = {program, nullptr};
    note("execve", execv(program, arguments));
    note("ptrace", ptrace(PTRACE_TRACEME, 0, nullptr, nullptr));
    note("unshare", unshare(CLONE_NEWUSER));
    return all;
  });
  EXPECT_EQ(answers, "execve refused ptrace refused unshare refused ");
}

TEST_F(PrivilegesTest, StillStartsThreadsThatHaveNoMoreRights) {
  const std::string rights = InChild([] {
    Drop({});
    std::string text;
    std::thread([&text] { text = Rights(); }).join();
    return text;
  });
  EXPECT_EQ(rights, Rights("0000000000002000", nobody_));
}

TEST_F(PrivilegesTest, RootThatMayNotBecomeAnotherUserGoesOnAndSaysSo) {
  const std::string said = InChild([] {
    LimitTo("cap_net_raw,cap_net_admin=ep");
    const DropReport report = Drop({});
    std::string text = report.summary + "\n";
    for (const std::string& warning : report.warnings) text += warning + "\n";
    return text + Status("CapEff") + " " + Status("NoNewPrivs") + " " + Status("Seccomp");
  });
  EXPECT_THAT(said, HasSubstr("runs as root with CAP_NET_RAW alone"));
  EXPECT_THAT(said, HasSubstr("still user root, for it can't become nobody: Operation not permitted; allow "
                              "CAP_SETUID and CAP_SETGID"));
  EXPECT_THAT(said, HasSubstr("allow CAP_SETPCAP to empty it"));
  EXPECT_THAT(said, HasSubstr("0000000000002000 1 2"));
}

TEST_F(PrivilegesTest, OneWithoutRootKeepsItsUser) {
  const std::string rights = InChild([] {
    EXPECT_EQ(setuid(65533), 0);
    const DropReport report = Drop({});
    EXPECT_THAT(report.warnings, IsEmpty());
    return report.summary + " " + Status("Uid");
  });
  EXPECT_THAT(rights, HasSubstr("runs as 65533 without any capability"));
  EXPECT_THAT(rights, HasSubstr("65533 65533 65533 65533"));
}

TEST_F(PrivilegesTest, RefusesUsersItCannotBecome) {
  EXPECT_EQ(InChild([] { return Drop({.user = "no-such-user"}).summary; }),
            "user no-such-user does not exist; name one that does with --user");
  EXPECT_THAT(InChild([] {
                EXPECT_EQ(setuid(65533), 0);
                return Drop({.user = "daemon"}).summary;
              }),
              HasSubstr("can't become user daemon: Operation not permitted; start it as root"));
}

TEST_F(PrivilegesTest, RefusesToLeaveOtherThreadsTheirRights) {
  EXPECT_THAT(InChild([] {
                std::atomic<bool> stop = false;
                const std::jthread other([&stop] { stop.wait(false); });
                std::string said;
                try {
                  Drop({});
                } catch (const base::RuntimeError& error) {
                  said = error.what();
                }
                stop = true;
                stop.notify_all();
                return said;
              }),
              HasSubstr("before threads start"));
}

TEST_F(PrivilegesTest, WhoItWillBeIsWhoItIsThen) {
  const auto foretold = [](const char* capabilities, const DropOptions& options) {
    return InChild([&] {
      LimitTo(capabilities);
      const std::string rights = Rights();
      const Identity identity = IdentityAfter(options);
      EXPECT_EQ(Rights(), rights) << "looking takes nothing away";
      Drop(options);
      EXPECT_EQ(identity.uid, geteuid());
      EXPECT_EQ(identity.gid, getegid());
      return identity.user;
    });
  };
  EXPECT_EQ(foretold("cap_net_raw,cap_setuid,cap_setgid,cap_setpcap=ep", {}), "nobody");
  EXPECT_EQ(foretold("cap_net_raw,cap_setuid,cap_setgid=ep", {.user = "daemon"}), "daemon");
  EXPECT_EQ(foretold("cap_net_raw=ep", {}), "root");
  EXPECT_EQ(foretold("cap_net_raw,cap_setgid=ep", {}), "root");
  EXPECT_EQ(foretold("cap_net_raw,cap_setuid=ep", {.user = "root"}), "root");
  EXPECT_THAT(foretold("cap_net_raw,cap_setuid=ep", {.user = "daemon"}),
              HasSubstr("can't become user daemon: Operation not permitted; start it as root"));
}

/// A spool that is opened as a capture opens it: by root with few capabilities, who then becomes nobody.
class SpoolPrivilegesTest : public PrivilegesTest {
 protected:
  ~SpoolPrivilegesTest() override { std::filesystem::remove_all(base_); }

  /// One run; what was found of earlier ones, or the error.
  std::string Run(const char* capabilities, const DropOptions& options = {}) const {
    return InChild([&]() -> std::string {
      LimitTo(capabilities);
      const Identity identity = IdentityAfter(options);
      const spool::Owner owner{identity.uid, identity.gid};
      spool::CheckFolder(folder_, owner);
      spool::Journal journal({.folder = folder_, .owner = owner}, [](base::LogLevel, const std::string&) {});
      Drop(options);
      if (!journal.Append(0, 1, "x")) return journal.obstacle();
      return identity.user + " found " + std::to_string(journal.found().left.records);
    });
  }

  std::string base_ = [] {
    std::string name = ::testing::TempDir() + "spool-XXXXXX";
    return std::string(mkdtemp(name.data()));  // root's alone
  }();
  const std::string folder_ = base_ + "/topic/source";
};

TEST_F(SpoolPrivilegesTest, IsNobodysAtTheFirstStartAndAtTheNextWithoutRightsOverOthersFiles) {
  for (const char* found : {"nobody found 0", "nobody found 1", "nobody found 2"})
    EXPECT_EQ(Run("cap_net_raw,cap_setuid,cap_setgid,cap_setpcap,cap_chown=ep"), found);
}

TEST_F(SpoolPrivilegesTest, OfRootWhoCanGiveNothingAwayIsRefusedWithTheRemedies) {
  constexpr const char* kNoChown = "cap_net_raw,cap_setuid,cap_setgid,cap_setpcap=ep";
  EXPECT_EQ(Run(kNoChown),
            "the spool's folder " + folder_ + " can't be given to user " + nobody_ +
                ", whom the capture becomes: Operation not permitted; allow CAP_CHOWN, run chown "
                "-R " +
                nobody_ +
                " on it, stay who it is with --user root, or do without: "
                "--spool-mib 0");
  EXPECT_EQ(Run(kNoChown, {.user = "root"}), "root found 0");
  EXPECT_EQ(Run("cap_chown,cap_dac_override,cap_setuid,cap_setgid=ep"), "nobody found 1")
      << "it is given now";
  EXPECT_EQ(Run(kNoChown), "nobody found 2");
}

TEST_F(SpoolPrivilegesTest, InAFolderOfNobodysNeedsNothingGiven) {
  ASSERT_EQ(chmod(base_.c_str(), 0755), 0);
  ASSERT_EQ(mkdir((base_ + "/topic").c_str(), 0700), 0);
  const passwd* nobody = getpwnam("nobody");
  ASSERT_EQ(chown((base_ + "/topic").c_str(), nobody->pw_uid, nobody->pw_gid), 0);
  for (const char* found : {"nobody found 0", "nobody found 1"})
    EXPECT_EQ(Run("cap_net_raw,cap_setuid,cap_setgid=ep"), found);
}

TEST_F(SpoolPrivilegesTest, WhereNeitherMayMakeItIsRefusedByTheCheckAlready) {
  ASSERT_EQ(chown(base_.c_str(), 1, 1), 0);
  EXPECT_THAT(Run("cap_net_raw,cap_setuid,cap_setgid,cap_chown=ep"),
              HasSubstr("can't be used: Permission denied; name another with --spool"));
}

TEST_F(SpoolPrivilegesTest, OfRootWhoStaysRootIsRoots) {
  for (const char* found : {"root found 0", "root found 1"})
    EXPECT_EQ(Run("cap_net_raw,cap_chown=ep"), found);
}

}  // namespace
}  // namespace flowcast::privileges
