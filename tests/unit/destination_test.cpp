// The queue of a receiver: order, retries with jitter, giving up, and telling again.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "libs/notify/destination.h"
#include "tests/support/fired_alerts.h"
#include "tests/support/services.h"

namespace flowcast::notify {
namespace {

using namespace std::chrono_literals;
using support::FiringAlert;
using support::ResolvedAlert;
using testing::ElementsAre;
using testing::IsEmpty;

const Outcome kTaken{};
const Outcome kAgain{.kind = Outcome::Kind::kRetry, .reason = "can't connect"};
const Outcome kNever{.kind = Outcome::Kind::kRefused, .reason = "status 400"};

struct FakeSender : Sender {
  Outcome Send(std::span<const alert::Alert> alerts) override {
    std::exchange(during, [] {})();  // once
    for (const alert::Alert& alert : alerts)
      sent.push_back(alert.fingerprint + (alert.state == alert::State::kResolved ? " resolved" : ""));
    return outcome;
  }
  std::vector<std::string> sent;  // attempts
  Outcome outcome = kTaken;
  std::function<void()> during = [] {};
};

class DestinationTest : public testing::Test {
 protected:
  explicit DestinationTest(const DestinationOptions& options = {.queue_limit = 3})
      : destination_("webhook", options, sender_, clock_, lines_.log(), 1) {}

  void Offer(const std::string& fingerprint) {
    destination_.Offer({0, next_offset_++}, FiringAlert(fingerprint));
  }
  /// Attempts whatever is due within `time`, going from due time to due time.
  void Run(base::Duration time) {
    const base::Duration end = clock_.Steady() + time;
    while (true) {
      const base::Duration wait = destination_.Turn();
      const base::Duration left = end - clock_.Steady();
      if (wait > left) break;
      clock_.Advance(wait);
    }
    clock_.Advance(end - clock_.Steady());
  }
  void ExpectSum() const {
    const DestinationCounters c = destination_.counters();
    EXPECT_EQ(c.offered, c.taken + c.refused + c.expired + c.overflowed + c.forgotten + c.waiting);
  }
  DestinationCounters counters() const {
    ExpectSum();
    return destination_.counters();
  }

  base::ManualClock clock_;
  support::Lines lines_;
  FakeSender sender_;
  Destination destination_;
  std::int64_t next_offset_ = 0;
};

TEST_F(DestinationTest, AlertsAreHandedOverInOrderOneATurn) {
  Offer("a");
  Offer("b");
  EXPECT_EQ(destination_.OldestWaiting(0), 0);
  EXPECT_EQ(destination_.OldestWaiting(1), std::nullopt);
  EXPECT_EQ(destination_.Turn(), 0s);
  EXPECT_THAT(sender_.sent, ElementsAre("a"));
  EXPECT_EQ(destination_.OldestWaiting(0), 1);
  EXPECT_GT(destination_.Turn(), 1min) << "nothing to do";
  EXPECT_THAT(sender_.sent, ElementsAre("a", "b"));
  EXPECT_EQ(destination_.OldestWaiting(0), std::nullopt);
  EXPECT_EQ(counters().taken, 2u);
}

TEST_F(DestinationTest, OneThatIsDownIsTriedEverLessOftenAndToldOfAllInOrder) {
  sender_.outcome = kAgain;
  Offer("a");
  Offer("b");
  Run(30min);
  const std::size_t attempts = sender_.sent.size();
  EXPECT_GT(attempts, 30u) << "every 30 s on average";
  EXPECT_LT(attempts, 120u);
  EXPECT_TRUE(counters().failing);
  EXPECT_EQ(counters().failures, attempts);
  EXPECT_EQ(counters().oldest, 30min);
  EXPECT_TRUE(
      lines_.Contain("webhook: can't connect; alerts that wait: 2; tried again until each is 1h old"));
  EXPECT_LT(lines_.lines.size(), 35u) << "said once a minute";
  sender_.sent.clear();
  sender_.outcome = kTaken;
  Run(1min);
  EXPECT_THAT(sender_.sent, ElementsAre("a", "b"));
  EXPECT_FALSE(counters().failing);
  EXPECT_TRUE(lines_.Contain("webhook: takes alerts again, after 18"));
}

TEST_F(DestinationTest, WhatHasWaitedTooLongIsGivenUp) {
  sender_.outcome = kAgain;
  Offer("a");
  Run(50min);
  Offer("b");
  Run(12min);
  EXPECT_EQ(counters().expired, 1u);
  EXPECT_EQ(counters().waiting, 1u);
  EXPECT_EQ(destination_.OldestWaiting(0), 1);
  EXPECT_TRUE(lines_.Contain("gave up 1 alerts that waited for 1h; given up so far: 1"));
}

TEST_F(DestinationTest, AFullQueueGivesUpItsOldest) {
  sender_.outcome = kAgain;
  for (const char* name : {"a", "b", "c", "d"}) Offer(name);
  EXPECT_EQ(counters().overflowed, 1u);
  EXPECT_EQ(destination_.OldestWaiting(0), 1);
  sender_.outcome = kTaken;
  Run(1s);
  EXPECT_THAT(sender_.sent, ElementsAre("b", "c", "d"));
  EXPECT_TRUE(lines_.Contain("its queue is full (3)"));
}

TEST_F(DestinationTest, WhatIsBeingSentIsNotGivenUpForItsAge) {
  Offer("a");
  sender_.during = [this] {
    sender_.during = [] {};
    for (const char* name : {"b", "c", "d"}) Offer(name);
  };
  destination_.Turn();
  EXPECT_EQ(counters().taken, 1u);
  EXPECT_EQ(counters().overflowed, 1u) << "b";
  EXPECT_EQ(destination_.OldestWaiting(0), 2);
}

TEST_F(DestinationTest, WhatIsRefusedIsNotTriedAgainAndDelaysNothing) {
  sender_.outcome = kNever;
  Offer("a");
  Offer("b");
  Run(0s);
  EXPECT_THAT(sender_.sent, ElementsAre("a", "b"));
  EXPECT_EQ(counters().refused, 2u);
  EXPECT_TRUE(lines_.Contain("refused alert a (status 400), which is not tried again"));
}

TEST_F(DestinationTest, AReceiversWishForARestIsHeard) {
  sender_.outcome = kAgain;
  sender_.outcome.retry_after = 5min;
  Offer("a");
  EXPECT_EQ(destination_.Turn(), 5min);
  Run(299s);
  EXPECT_THAT(sender_.sent, ElementsAre("a"));
  Run(1s);
  EXPECT_THAT(sender_.sent, ElementsAre("a", "a"));
}

TEST_F(DestinationTest, AnotherInstancesAlertsAreForgottenWhateverIsBeingSent) {
  Offer("a");
  Offer("b");
  sender_.during = [this] { destination_.Forget(); };
  destination_.Turn();
  EXPECT_EQ(counters().forgotten, 2u);
  EXPECT_EQ(counters().taken, 0u);
  EXPECT_EQ(destination_.OldestWaiting(0), std::nullopt);
}

TEST_F(DestinationTest, ThoseThatDoNotResendAreToldOnce) {
  Offer("a");
  Run(10h);
  EXPECT_THAT(sender_.sent, ElementsAre("a"));
  EXPECT_FALSE(destination_.Resends());
}

class ResendingTest : public DestinationTest {
 protected:
  ResendingTest() : DestinationTest({.resend_every = 1min}) {}
};

TEST_F(ResendingTest, WhatIsFiringIsToldAgainUntilItIsResolved) {
  Run(1s);
  Offer("a");
  Run(150s);
  EXPECT_THAT(sender_.sent, ElementsAre("a", "a", "a"));
  EXPECT_EQ(counters().resent, 2u);
  destination_.Offer({0, 7}, ResolvedAlert("a"));
  sender_.sent.clear();
  Run(10min);
  EXPECT_THAT(sender_.sent, ElementsAre("a resolved"));
}

TEST_F(ResendingTest, WhatWasFiringBeforeARestartIsToldAtOnce) {
  int news = 0;
  destination_.OnNews([&news] { ++news; });
  destination_.Turn();
  destination_.Learn({FiringAlert("a"), FiringAlert("b")});
  EXPECT_EQ(news, 1);
  destination_.Turn();
  EXPECT_THAT(sender_.sent, ElementsAre("a", "b"));
  EXPECT_EQ(counters().offered, 0u);
  destination_.Forget();
  Run(10min);
  EXPECT_THAT(sender_.sent, ElementsAre("a", "b"));
}

TEST_F(ResendingTest, WhatWasGivenUpIsToldWhenTheReceiverIsBack) {
  sender_.outcome = kAgain;
  Offer("a");
  Run(2h);
  EXPECT_EQ(counters().expired, 1u);
  EXPECT_EQ(counters().waiting, 0u);
  sender_.outcome = kTaken;
  sender_.sent.clear();
  Run(2min);
  EXPECT_THAT(sender_.sent, testing::Contains("a"));
}

TEST(BackoffTest, DoublesUpToABoundAndIsAnythingBelow) {
  Backoff backoff({.first = 1s, .most = 60s}, 7);
  base::Duration longest{};
  for (int i = 0; i < 2000; ++i) {
    const base::Duration wait = backoff.AfterFailure();
    EXPECT_LE(wait, std::chrono::seconds(1 << std::min(i, 6)));
    EXPECT_GE(wait, 0s);
    longest = std::max(longest, wait);
  }
  EXPECT_LE(longest, 60s);
  EXPECT_GT(longest, 59s);
  backoff.AfterSuccess();
  EXPECT_LT(backoff.AfterFailure(), 1s);
  EXPECT_EQ(Backoff({}, 3).AfterFailure(), Backoff({}, 3).AfterFailure()) << "the dice are handed in";
}

}  // namespace
}  // namespace flowcast::notify
