// The notifier's task in its slice loop: what is offered to whom, and what is committed when.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "libs/wire/alert_wire.h"
#include "services/notifier/notifier_metrics.h"
#include "services/notifier/notifier_service.h"
#include "services/notifier/workers.h"
#include "tests/support/alerts.h"
#include "tests/support/metrics.h"
#include "tests/support/services.h"

namespace flowcast::services {
namespace {

using namespace std::chrono_literals;
using notify::Outcome;
using support::FiringAlert;
using support::ResolvedAlert;
using testing::ElementsAre;
using testing::IsEmpty;

struct FakeSender : notify::Sender {
  Outcome Send(std::span<const alert::Alert> alerts) override {
    const std::lock_guard lock(mutex);
    if (down) return {.kind = Outcome::Kind::kRetry, .reason = "down"};
    for (const alert::Alert& alert : alerts)
      sent.push_back(alert.fingerprint + " " + std::string(ToString(alert.state)));
    return {};
  }
  std::size_t count() {
    const std::lock_guard lock(mutex);
    return sent.size();
  }
  std::mutex mutex;
  std::vector<std::string> sent;
  bool down = false;
};

/// One run of the service with a web-hook and an Alertmanager.
struct Session {
  Session(bus::Bus& bus, base::ManualClock& clock, const topics::Names& names, const base::Log& log,
          FakeSender& webhook_sender, FakeSender& alertmanager_sender)
      : webhook("webhook", {.queue_limit = 4}, webhook_sender, clock, log, 1),
        alertmanager("alertmanager", {.resend_every = 1min}, alertmanager_sender, clock, log, 2),
        task({.selection = {.severity = "warning"}}, {&webhook, &alertmanager}, clock, log) {
    task.Connect(bus, [] { return false; });
    instance = std::make_unique<support::Instance>(bus, clock, task, names.alerts, "notifier", log);
  }
  /// Reads all there is, and lets the destinations do what is due, until both have come to rest.
  void RunOut() {
    for (int i = 0; i < 12; ++i) {
      instance->RunOut();
      webhook.Turn();
      alertmanager.Turn();
    }
    instance->RunOut();
  }

  notify::Destination webhook, alertmanager;
  NotifierTask task;
  std::unique_ptr<support::Instance> instance;
};

class NotifierServiceTest : public testing::Test {
 protected:
  NotifierServiceTest() {
    support::CreateTopics(bus_, names_);
    Start();
  }
  void Start() {
    run_.reset();
    run_ = std::make_unique<Session>(bus_, clock_, names_, lines_.log(), webhook_, alertmanager_);
  }
  void SendAlert(const alert::Alert& alert) {
    support::Send(bus_, names_.alerts, wire::EncodeJson(alert), alert.fingerprint);
  }
  std::int64_t Committed() const {
    const auto positions = bus_.Committed("notifier");
    return positions.empty() ? bus::kNoOffset : positions.front().offset;
  }
  double Metric(const std::string& name, const std::string& label = "") const {
    const auto metrics = NotifierMetrics().Read({run_->instance->counters(), run_->task});
    EXPECT_THAT(support::Problems(metrics, "flowcast_notifier_"), IsEmpty());
    return support::ValueOf(metrics, "flowcast_notifier_" + name, label);
  }

  base::ManualClock clock_;
  bus::MemoryBus bus_{clock_};
  topics::Names names_;
  support::Lines lines_;
  FakeSender webhook_, alertmanager_;
  std::unique_ptr<Session> run_;
};

TEST_F(NotifierServiceTest, EveryDestinationIsToldAndThenThePositionMoves) {
  SendAlert(FiringAlert("a"));
  SendAlert(ResolvedAlert("a"));
  run_->instance->RunOut();
  EXPECT_EQ(Committed(), 0) << "nobody was told yet";
  run_->RunOut();
  EXPECT_THAT(webhook_.sent, ElementsAre("a firing", "a resolved"));
  EXPECT_THAT(alertmanager_.sent, ElementsAre("a firing", "a resolved"));
  EXPECT_EQ(Committed(), 2);
}

TEST_F(NotifierServiceTest, OneThatIsDownDelaysNoOtherAndHoldsThePosition) {
  webhook_.down = true;
  for (const char* name : {"a", "b", "c"}) SendAlert(FiringAlert(name));
  run_->RunOut();
  EXPECT_THAT(alertmanager_.sent, testing::IsSupersetOf({"a firing", "b firing", "c firing"}));
  EXPECT_EQ(Committed(), 0);
  webhook_.down = false;
  clock_.Advance(1min);
  run_->RunOut();
  EXPECT_THAT(webhook_.sent, ElementsAre("a firing", "b firing", "c firing"));
  EXPECT_EQ(Committed(), 3) << "though no record has come since";
}

TEST_F(NotifierServiceTest, AfterARestartWhatWasNotTakenByAllIsToldAgain) {
  webhook_.down = true;
  SendAlert(FiringAlert("a"));
  run_->RunOut();
  webhook_.down = false;
  alertmanager_.sent.clear();
  Start();
  run_->RunOut();
  EXPECT_THAT(webhook_.sent, ElementsAre("a firing"));
  EXPECT_THAT(alertmanager_.sent, testing::Contains("a firing")) << "a repeat";
  EXPECT_EQ(Committed(), 1);
}

TEST_F(NotifierServiceTest, AfterARestartAnAlertmanagerIsToldWhatIsFiringStill) {
  for (const char* name : {"a", "b"}) SendAlert(FiringAlert(name));
  SendAlert(ResolvedAlert("a"));
  run_->RunOut();
  ASSERT_EQ(Committed(), 3);
  webhook_.sent.clear();
  alertmanager_.sent.clear();
  Start();
  run_->RunOut();
  EXPECT_THAT(webhook_.sent, IsEmpty());
  EXPECT_THAT(alertmanager_.sent, testing::Each("b firing"));
  EXPECT_THAT(alertmanager_.sent, testing::Not(IsEmpty()));
}

TEST_F(NotifierServiceTest, AFullQueueGivesUpTheOldestAndThePositionGoesOn) {
  webhook_.down = true;
  for (int i = 0; i < 10; ++i) SendAlert(FiringAlert(std::to_string(i)));
  run_->RunOut();
  EXPECT_EQ(Metric("given_up_alerts_total", "queue_full"), 6);
  EXPECT_EQ(Metric("waiting_alerts"), 4);
  EXPECT_EQ(Committed(), 6);
}

TEST_F(NotifierServiceTest, OnlyWhatIsForPeopleIsSentAndAllIsCounted) {
  alert::Alert pending = FiringAlert("p"), silenced = FiringAlert("s"), low = FiringAlert("l");
  pending.state = alert::State::kPending;
  pending.fired_at.reset();
  silenced.silenced = true;
  low.severity = "info";
  for (const alert::Alert& alert : {pending, silenced, low, FiringAlert("f")}) SendAlert(alert);
  support::Send(bus_, names_.alerts, "{no json");
  run_->RunOut();
  EXPECT_THAT(webhook_.sent, ElementsAre("f firing"));
  EXPECT_EQ(Committed(), 5);
  for (const char* result : {"sent", "refused", "pending", "silenced", "below"})
    EXPECT_EQ(Metric("alerts_total", result), 1) << result;
  EXPECT_EQ(Metric("alerts_total"), Metric("read_records_total"));
  EXPECT_TRUE(lines_.Contain("skipped a record of flowcast.alerts.v1 (partition 0, offset 4)"));
  EXPECT_EQ(Metric("offered_alerts_total"),
            Metric("delivered_alerts_total") + Metric("given_up_alerts_total") + Metric("waiting_alerts"));
}

TEST_F(NotifierServiceTest, AGroupThatIsNewLooksBackOnlySoFar) {
  SendAlert(FiringAlert("old"));
  clock_.Advance(2h);
  SendAlert(FiringAlert("new"));
  run_->RunOut();
  EXPECT_THAT(webhook_.sent, ElementsAre("new firing"));
  EXPECT_EQ(Metric("alerts_total", "old"), 1);
  EXPECT_EQ(Committed(), 2);
  clock_.Advance(10min);
  SendAlert(FiringAlert("while it was away"));
  clock_.Advance(2h);
  Start();
  run_->RunOut();
  EXPECT_THAT(webhook_.sent, testing::Contains("while it was away firing")) << "the group is not new now";
}

TEST_F(NotifierServiceTest, ASecondInstanceTakesOverWhatTheFirstLeaves) {
  SendAlert(FiringAlert("a"));
  webhook_.down = true;
  run_->RunOut();
  run_->instance->Stop();
  EXPECT_EQ(Metric("given_up_alerts_total", "moved"), 1);
  webhook_.down = false;
  Start();
  run_->RunOut();
  EXPECT_THAT(webhook_.sent, ElementsAre("a firing"));
}

TEST(WorkersTest, EachDestinationIsServedByItselfUntilTheEnd) {
  base::SystemClock clock;
  support::Lines lines;
  FakeSender slow, quick;
  notify::Destination first("first", {}, slow, clock, lines.log(), 1);
  notify::Destination second("second", {}, quick, clock, lines.log(), 2);
  slow.down = true;
  const Workers workers({&first, &second});
  for (int i = 0; i < 100; ++i) {
    first.Offer({0, i}, FiringAlert(std::to_string(i)));
    second.Offer({0, i}, FiringAlert(std::to_string(i)));
  }
  const base::Duration deadline = clock.Steady() + 20s;
  while (quick.count() < 100 && clock.Steady() < deadline) std::this_thread::yield();
  EXPECT_EQ(quick.count(), 100u);
  EXPECT_EQ(second.OldestWaiting(0), std::nullopt);
  EXPECT_EQ(first.counters().waiting, 100u);
}

}  // namespace
}  // namespace flowcast::services
