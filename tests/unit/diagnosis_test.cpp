// A verdict for each thing that may be wrong, starting from a pipeline in which all is well.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "libs/diagnosis/diagnosis.h"
#include "libs/topics/topics.h"

namespace flowcast::diagnosis {
namespace {

using namespace std::chrono_literals;
using testing::Each;
using testing::HasSubstr;
using testing::SizeIs;
using testing::UnorderedElementsAre;

const base::EventTime kNow = base::FromUnixNanoseconds(1'795'254'374'000'000'000);

class DiagnosisTest : public testing::Test {
 protected:
  DiagnosisTest() {
    seen_.broker = {.asked = "localhost:9092",
                    .answered = true,
                    .failed_at = Step::kAnswer,
                    .reason = "",
                    .advertised = "localhost:9092",
                    .lost_while = ""};
    seen_.watched = 3s;
    const topics::Names names;
    for (const bus::TopicSpec& spec : topics::Specs(names, {})) {
      const bool fixed = spec.name == names.models || spec.name == names.alerts;
      const bool mirror = spec.name.find("json") != std::string::npos;
      seen_.topics.push_back(
          {spec, fixed, mirror, bus::TopicDescription{spec.partitions, spec.settings}, ""});
    }
    for (StreamSeen* stream :
         {&seen_.packets, &seen_.windows, &seen_.sequences, &seen_.forecasts, &seen_.alerts})
      *stream = {"a topic", true, 40, kNow, ""};
    seen_.packets.topic = names.packets;
    seen_.windows.topic = names.windows;
    seen_.forecasts.topic = names.forecasts;
    seen_.sources = {{"lan", kNow - 3s, kNow, false, kNow}};
    seen_.window = WindowSeen{"lan/eth0", kNow - 1s, 1s};
    seen_.sequence = SequenceSeen{"lan/eth0", kNow - 1s, 1s, 16, 7};
    seen_.forecast = ForecastSeen{"lan/eth0", kNow - 1s, "packets", "V", "good", 41};
    seen_.highest_median = 41;
    seen_.newest_alert = "firing: lan/eth0 will pass 100";
    seen_.model = {"default", "V", true, 7, 1s, 16, {"packets"}, kNow - 1h, ""};
    seen_.features = {"flowcast-features", "flowcast-features", names.packets, 1, true, 0, ""};
    seen_.inference = {"flowcast-inference", "flowcast-inference", names.sequences, 1, true, 0, ""};
    seen_.notifier = {"flowcast-notifier", "flowcast-notifier", names.alerts, 1, true, 0, ""};
    seen_.clock = {kNow, 10ms};
    seen_.services = {{"flowcast-features", "127.0.0.1:9472", true, true, "reading"}};
  }

  Finding Of(const std::string& check) const {
    for (const Finding& finding : Diagnose(seen_)) {
      if (finding.check == check) return finding;
    }
    ADD_FAILURE() << "no check " << check;
    return {};
  }
  /// The verdict, and that what is wrong has a remedy of one line.
  Verdict VerdictOf(const std::string& check) const {
    const Finding finding = Of(check);
    const bool is_wrong = finding.verdict == Verdict::kWarning || finding.verdict == Verdict::kFailed;
    EXPECT_EQ(!finding.remedy.empty(), is_wrong) << finding.text;
    EXPECT_EQ((finding.text + finding.remedy).find('\n'), std::string::npos) << finding.text;
    return finding.verdict;
  }
  std::vector<std::string> Wrong() const {
    std::vector<std::string> wrong;
    for (const Finding& finding : Diagnose(seen_)) {
      if (finding.verdict != Verdict::kOk) wrong.push_back(finding.check);
    }
    return wrong;
  }
  TopicSeen& Topic(const std::string& name) {
    return *std::find_if(seen_.topics.begin(), seen_.topics.end(), [&name](const TopicSeen& topic) {
      return topic.wanted.name.find(name) != std::string::npos;
    });
  }
  void NothingAfter(std::optional<WindowSeen> window = {}, std::optional<SequenceSeen> sequence = {}) {
    seen_.window = std::move(window);
    seen_.sequence = std::move(sequence);
    seen_.windows.has_records = seen_.window.has_value();
    seen_.sequences.has_records = seen_.sequence.has_value();
    seen_.forecasts.has_records = seen_.alerts.has_records = false;
    seen_.forecast.reset();
  }

  Observation seen_;
};

TEST_F(DiagnosisTest, WhereNothingIsWrongAllIsWell) {
  const auto findings = Diagnose(seen_);
  EXPECT_THAT(Wrong(), testing::IsEmpty());
  EXPECT_TRUE(IsWell(findings));
  EXPECT_EQ(Conclusion(findings), "all is well");
  EXPECT_THAT(findings, SizeIs(14));
}

TEST_F(DiagnosisTest, EachStepOfAConnectionHasWordsAndARemedyOfItsOwn) {
  seen_.broker.answered = false;
  seen_.broker.reason = "the reason";
  std::vector<std::string> remedies;
  for (const Step step : {Step::kName, Step::kPort, Step::kTls, Step::kSasl, Step::kAnswer}) {
    seen_.broker.failed_at = step;
    EXPECT_EQ(VerdictOf("broker"), Verdict::kFailed);
    EXPECT_THAT(Of("broker").text, HasSubstr("(the reason)"));
    remedies.push_back(Of("broker").remedy);
  }
  EXPECT_THAT(remedies,
              UnorderedElementsAre(HasSubstr("DNS"), HasSubstr("start the broker"),
                                   HasSubstr("ssl.ca.location"), HasSubstr("password"), HasSubstr("hangs")));
}

TEST_F(DiagnosisTest, WithoutABrokerNothingElseIsJudgedButTheStatusPages) {
  seen_.broker.answered = false;
  const auto findings = Diagnose(seen_);
  EXPECT_THAT(findings, SizeIs(3));
  EXPECT_EQ(findings[1].verdict, Verdict::kUnknown);
  EXPECT_EQ(findings[2].check, "status");
  EXPECT_FALSE(IsWell(findings));
  EXPECT_THAT(Conclusion(findings), HasSubstr("begin with broker"));
}

TEST_F(DiagnosisTest, ABrokerThatAnswersAndThenDoesNotIsToldWithTheAddressesItSendsClientsTo) {
  seen_.broker.advertised = "kafka.internal:9092";
  seen_.broker.lost_while = "the topics";
  EXPECT_EQ(VerdictOf("broker"), Verdict::kFailed);
  EXPECT_THAT(Of("broker").remedy, HasSubstr("kafka.internal:9092"));
}

TEST_F(DiagnosisTest, AMissingTopicFailsAndNothingAfterItIsJudged) {
  Topic("sequences").found.reset();
  EXPECT_EQ(VerdictOf("topics"), Verdict::kFailed);
  EXPECT_THAT(Of("topics").text, HasSubstr("flowcast.sequences.v1 is missing"));
  EXPECT_THAT(Of("topics").remedy, HasSubstr("flowcast topics create"));
  EXPECT_EQ(VerdictOf("pipeline"), Verdict::kUnknown);
}

TEST_F(DiagnosisTest, WhereNoTopicExistsThatIsSaidInOneSentence) {
  for (TopicSeen& topic : seen_.topics) topic.found.reset();
  EXPECT_EQ(Of("topics").text, "none of the 9 topics exists, such as flowcast.packets.v1");
}

TEST_F(DiagnosisTest, ATopicForMirrorsMayBeMissing) {
  Topic("windows-json").found.reset();
  EXPECT_EQ(VerdictOf("topics"), Verdict::kWarning);
}

TEST_F(DiagnosisTest, AnyNumberOfPartitionsWillDoAsLongAsItIsTheSame) {
  for (TopicSeen& topic : seen_.topics) topic.found->partitions = topic.fixed_partitions ? 1 : 32;
  EXPECT_EQ(VerdictOf("topics"), Verdict::kOk);
  Topic("state").found->partitions = 16;
  EXPECT_EQ(VerdictOf("topics"), Verdict::kFailed);
  EXPECT_THAT(Of("topics").text, HasSubstr("flowcast.state.v1 has partitions 16 instead of 32"));
}

TEST_F(DiagnosisTest, AWrongPolicyFailsAnotherRetentionDoesNotAndTheProducersTimeIsAWarning) {
  Topic("windows.v1").found->settings["retention.ms"] = "1";
  EXPECT_EQ(VerdictOf("topics"), Verdict::kOk);
  Topic("packets").found->settings["message.timestamp.type"] = "CreateTime";
  EXPECT_EQ(VerdictOf("topics"), Verdict::kWarning);
  Topic("state").found->settings["cleanup.policy"] = "delete";
  EXPECT_EQ(VerdictOf("topics"), Verdict::kFailed);
}

TEST_F(DiagnosisTest, WhoMayNotSeeSettingsIsWarnedWhoMayNotSeeTopicsIsStopped) {
  Topic("packets").found->settings.clear();
  EXPECT_EQ(VerdictOf("topics"), Verdict::kWarning);
  Topic("packets").found.reset();
  Topic("packets").refused = "Topic authorization failed";
  EXPECT_EQ(VerdictOf("topics"), Verdict::kFailed);
  EXPECT_THAT(Of("topics").remedy, HasSubstr("allow this user"));
}

TEST_F(DiagnosisTest, WithoutPacketsNothingElseIsBlamed) {
  NothingAfter();
  seen_.packets.has_records = false;
  seen_.packets.came = 0;
  seen_.sources.clear();
  EXPECT_EQ(VerdictOf("packets"), Verdict::kFailed);
  EXPECT_THAT(Of("packets").remedy, HasSubstr("flowcast-capture"));
  for (const char* after : {"watermark", "windows", "sequences", "forecasts", "alerts"})
    EXPECT_EQ(VerdictOf(after), Verdict::kUnknown) << after;
}

TEST_F(DiagnosisTest, ASourceThatWentSilentFailsOneThatEndedIsAWarning) {
  seen_.packets.came = 0;
  seen_.packets.newest = kNow - 12min;
  seen_.sources[0].before = seen_.sources[0].after;
  EXPECT_EQ(VerdictOf("packets"), Verdict::kFailed);
  EXPECT_THAT(Of("packets").text, HasSubstr("12 min ago, from lan"));
  EXPECT_EQ(VerdictOf("watermark"), Verdict::kFailed);
  seen_.sources[0].ended = true;
  EXPECT_EQ(VerdictOf("packets"), Verdict::kWarning);
  EXPECT_EQ(VerdictOf("watermark"), Verdict::kOk);
}

TEST_F(DiagnosisTest, APauseOfAFewSecondsIsNone) {
  seen_.packets.came = 0;
  seen_.packets.newest = kNow - 8s;
  EXPECT_EQ(VerdictOf("packets"), Verdict::kOk);
}

TEST_F(DiagnosisTest, AWatermarkThatStandsStillWhilePacketsComeIsAWarning) {
  seen_.sources[0].before = seen_.sources[0].after;
  EXPECT_EQ(VerdictOf("watermark"), Verdict::kWarning);
  EXPECT_THAT(Of("watermark").remedy, HasSubstr("--reorder-tolerance"));
}

TEST_F(DiagnosisTest, WithoutWindowsTheFeaturesAreToBeStartedOrLookedAtOrWaitedFor) {
  NothingAfter();
  EXPECT_EQ(VerdictOf("windows"), Verdict::kWarning) << "they read all there is: no window has closed";
  seen_.features.unread = 50;
  EXPECT_EQ(VerdictOf("windows"), Verdict::kFailed);
  EXPECT_THAT(Of("windows").remedy, HasSubstr("last lines of flowcast-features"));
  seen_.features.members = 0;
  EXPECT_THAT(Of("windows").remedy, HasSubstr("start flowcast-features"));
}

TEST_F(DiagnosisTest, WindowsThatTrailEventTimeAreBlamedOnTheFeatures) {
  seen_.window->end = kNow - 13s;
  EXPECT_EQ(VerdictOf("windows"), Verdict::kWarning) << "nothing is unread: --lateness";
  seen_.features.members = 0;
  seen_.features.unread = 13;
  EXPECT_EQ(VerdictOf("windows"), Verdict::kFailed);
  EXPECT_EQ(VerdictOf("features"), Verdict::kFailed);
  EXPECT_THAT(Of("windows").text, HasSubstr("13 s behind event time"));
}

TEST_F(DiagnosisTest, LongWindowsMayTrailByTheirLength) {
  seen_.window = WindowSeen{"lan/eth0", kNow - 59min, 1h};
  seen_.sequence = SequenceSeen{"lan/eth0", kNow - 59min, 1h, 16, 7};
  seen_.model.window_length = 1h;
  seen_.forecast->made_at = kNow - 59min;
  EXPECT_THAT(Wrong(), testing::IsEmpty());
}

TEST_F(DiagnosisTest, RecordsThatAreNoWindowsAreNamed) {
  seen_.window.reset();
  EXPECT_EQ(VerdictOf("windows"), Verdict::kWarning);
}

TEST_F(DiagnosisTest, WithoutSequencesTheLinkIsTooYoung) {
  NothingAfter(seen_.window);
  EXPECT_EQ(VerdictOf("sequences"), Verdict::kWarning);
  EXPECT_THAT(Of("sequences").remedy, HasSubstr("--sequence-length"));
  EXPECT_EQ(VerdictOf("forecasts"), Verdict::kUnknown);
}

TEST_F(DiagnosisTest, SequencesThatTrailTheWindowsAreAWarning) {
  seen_.sequence->end = kNow - 1min;
  EXPECT_EQ(VerdictOf("sequences"), Verdict::kWarning);
}

TEST_F(DiagnosisTest, WithoutAModelForecastsComeAllTheSame) {
  seen_.model = {.name = "default", .current = "", .targets = {}, .refused = ""};
  seen_.forecast->model_version.clear();
  EXPECT_EQ(VerdictOf("model"), Verdict::kWarning);
  EXPECT_THAT(Of("model").remedy, HasSubstr("flowcast-trainer"));
  EXPECT_TRUE(IsWell(Diagnose(seen_)));
}

TEST_F(DiagnosisTest, AModelThatIsPointedAtAndGoneFails) {
  seen_.model.is_there = false;
  EXPECT_EQ(VerdictOf("model"), Verdict::kFailed);
}

TEST_F(DiagnosisTest, AModelThatDoesNotFitSaysWhat) {
  const ModelSeen fitting = seen_.model;
  seen_.model.schema_hash = 8;
  EXPECT_EQ(VerdictOf("model"), Verdict::kFailed);
  EXPECT_THAT(Of("model").text, HasSubstr("--features"));
  seen_.model = fitting;
  seen_.model.window_length = 5s;
  EXPECT_THAT(Of("model").text, HasSubstr("windows of 5s, those now are of 1s"));
  seen_.model = fitting;
  seen_.model.sequence_length = 32;
  EXPECT_THAT(Of("model").text, HasSubstr("sequences of 32 windows, those now have 16"));
  seen_.model = fitting;
  seen_.model.targets = {"bytes"};
  EXPECT_THAT(Of("model").text, HasSubstr("does not forecast packets"));
}

TEST_F(DiagnosisTest, AModelThatIsNotAskedSaysWhy) {
  seen_.forecast->model_version.clear();
  EXPECT_EQ(VerdictOf("model"), Verdict::kWarning);
  EXPECT_THAT(Of("model").remedy, HasSubstr("refused"));
  seen_.model.trained_until = kNow + 1h;
  EXPECT_THAT(Of("model").remedy, HasSubstr("--train-fraction"));
  seen_.forecast->model_version = "an older one";
  EXPECT_EQ(VerdictOf("model"), Verdict::kWarning);
}

TEST_F(DiagnosisTest, WithoutForecastsTheInferenceIsToBeStartedOrLookedAt) {
  NothingAfter(seen_.window, seen_.sequence);
  EXPECT_EQ(VerdictOf("forecasts"), Verdict::kFailed);
  EXPECT_THAT(Of("forecasts").remedy, HasSubstr("skipped"));
  seen_.inference.members = 0;
  EXPECT_THAT(Of("forecasts").remedy, HasSubstr("start flowcast-inference"));
}

TEST_F(DiagnosisTest, ForecastsThatTrailAreAFailureWhenNobodyMakesThem) {
  seen_.forecast->made_at = kNow - 1min;
  EXPECT_EQ(VerdictOf("forecasts"), Verdict::kWarning);
  seen_.inference.members = 0;
  seen_.inference.unread = 60;
  EXPECT_EQ(VerdictOf("forecasts"), Verdict::kFailed);
  EXPECT_EQ(VerdictOf("inference"), Verdict::kFailed);
}

TEST_F(DiagnosisTest, NoAlertIsNoFaultAndWhatIsForecastIsTold) {
  seen_.alerts.has_records = false;
  EXPECT_EQ(VerdictOf("alerts"), Verdict::kOk);
  EXPECT_THAT(Of("alerts").text, HasSubstr("reach 41 packets a window"));
}

TEST_F(DiagnosisTest, ABacklogIsAWarning) {
  seen_.features.unread = 5'000;
  EXPECT_EQ(VerdictOf("features"), Verdict::kWarning);
  EXPECT_THAT(Of("features").text, HasSubstr("5,000 records of flowcast.packets.v1 unread"));
}

TEST_F(DiagnosisTest, AServiceThatIsGoneAndHadDoneAllIsAWarning) {
  seen_.inference.members = 0;
  EXPECT_EQ(VerdictOf("inference"), Verdict::kWarning);
}

TEST_F(DiagnosisTest, ANotifierThatNeverWasIsNotMissed) {
  seen_.notifier.members = 0;
  seen_.notifier.has_position = false;
  const auto findings = Diagnose(seen_);
  EXPECT_THAT(findings, Each(testing::Field(&Finding::check, testing::Ne("notifier"))));
  seen_.notifier.has_position = true;
  seen_.notifier.unread = 1;
  EXPECT_EQ(VerdictOf("notifier"), Verdict::kFailed);
}

TEST_F(DiagnosisTest, WhatMayNotBeReadIsSaidSo) {
  for (StreamSeen* stream :
       {&seen_.packets, &seen_.windows, &seen_.sequences, &seen_.forecasts, &seen_.alerts})
    stream->refused = "Topic authorization failed";
  seen_.model.refused = "Topic authorization failed";
  for (const char* check : {"packets", "windows", "sequences", "model", "forecasts", "alerts"}) {
    EXPECT_EQ(VerdictOf(check), Verdict::kFailed) << check;
    EXPECT_THAT(Of(check).remedy, HasSubstr("allow this user")) << check;
  }
  seen_.features.refused = "Group authorization failed";
  EXPECT_EQ(VerdictOf("features"), Verdict::kWarning);
}

TEST_F(DiagnosisTest, ClocksThatDifferAreToldByHowMuch) {
  seen_.clock.ahead = 90s;
  EXPECT_EQ(VerdictOf("clock"), Verdict::kWarning);
  EXPECT_THAT(Of("clock").text, HasSubstr("90 s ahead of the broker's"));
  seen_.clock.ahead = -2h;
  EXPECT_THAT(Of("clock").text, HasSubstr("2 h behind the broker's"));
  seen_.clock.ahead.reset();
  EXPECT_EQ(VerdictOf("clock"), Verdict::kUnknown);
}

TEST_F(DiagnosisTest, PacketsFromTheFutureAreNamed) {
  seen_.sources.push_back({"replay", kNow, kNow + 3h, false, kNow});
  EXPECT_EQ(VerdictOf("clock"), Verdict::kWarning);
  EXPECT_THAT(Of("clock").text, HasSubstr("packets of replay are dated 3 h after"));
}

TEST_F(DiagnosisTest, PagesThatAreNotReachedAreNoFaultOnesThatAreNotReadyAre) {
  seen_.services.push_back({"flowcast-trainer", "127.0.0.1:9473", false, false, ""});
  EXPECT_THAT(Wrong(), UnorderedElementsAre("status"));
  EXPECT_TRUE(IsWell(Diagnose(seen_)));
  seen_.services[0].ready = false;
  seen_.services[0].says = "waiting for topic x";
  EXPECT_EQ(VerdictOf("status"), Verdict::kFailed);
  EXPECT_THAT(Of("status").text, HasSubstr("waiting for topic x"));
}

}  // namespace
}  // namespace flowcast::diagnosis
