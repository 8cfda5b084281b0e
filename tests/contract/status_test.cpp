// The status page of a program: what the default port and an address that was asked for do when they are
// taken.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <httplib.h>

#include "libs/app/process_metrics.h"
#include "libs/app/status.h"
#include "libs/base/error.h"
#include "libs/http/status_server.h"
#include "tests/support/metrics.h"
#include "tests/support/services.h"

namespace flowcast::app {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

TEST(Endpoint, IsReadWithItsPort) {
  EXPECT_EQ(ParseEndpoint("127.0.0.1:9471").address, "127.0.0.1");
  EXPECT_EQ(ParseEndpoint("127.0.0.1:9471").port, 9471);
  EXPECT_EQ(ParseEndpoint("[::1]:0").address, "::1");
  EXPECT_EQ(ParseEndpoint("localhost:80").address, "localhost");
  EXPECT_EQ(ParseEndpoint("off").address, "");
}

TEST(Endpoint, IsRefusedWithARemedyWhenItIsNone) {
  for (const char* text :
       {"", ":1", "9471", "localhost", "::1:9471", "a:65536", "a:-1", "a:", "a:1x", "[]:1"}) {
    EXPECT_THROW(ParseEndpoint(text), base::ConfigError) << text;
  }
}

class StatusTest : public ::testing::Test {
 protected:
  std::string Port() const {
    const std::string& line = lines_.lines.back();
    return line.substr(line.rfind(':') + 1);
  }
  std::string Get(const std::string& path) const {
    httplib::Client client("127.0.0.1", std::stoi(Port()));
    const auto result = client.Get(path);
    return result ? std::to_string(result->status) + " " + result->body : "-";
  }

  static CommonOptions AnyPort() {
    CommonOptions options;
    options.http = "127.0.0.1:0";
    return options;
  }

  CommonOptions options_ = AnyPort();
  base::ManualClock clock_;
  support::Lines lines_;
  Status status_{options_, "test", clock_, lines_.log(), 10s};
};

TEST_F(StatusTest, SaysWhereItIsAndWhatTheProgramPublished) {
  status_.Start();
  EXPECT_THAT(lines_.lines, SizeIs(1));
  EXPECT_THAT(lines_.lines[0], HasSubstr("status at http://127.0.0.1:"));
  EXPECT_THAT(Get("/readyz"), HasSubstr("503 waiting for Kafka at localhost:9092"));
  status_.Publish({{.name = "test_sacks_total",
                    .help = "Sacks.",
                    .kind = telemetry::Kind::kCounter,
                    .samples = {{{}, 7}}}});
  status_.SetReady(true, "reading");
  EXPECT_EQ(Get("/readyz"), "200 reading\n");
  const std::string metrics = Get("/metrics");
  EXPECT_THAT(metrics, HasSubstr("test_sacks_total 7\n"));
  EXPECT_THAT(metrics, HasSubstr("flowcast_build_info{service=\"test\",version=\"" FLOWCAST_VERSION "\""));
  EXPECT_THAT(metrics, HasSubstr("\nprocess_resident_memory_bytes "));
}

TEST_F(StatusTest, IsStalledWhenNothingIsPublishedForTooLong) {
  status_.Start();
  status_.Publish({});
  clock_.Advance(10s);
  EXPECT_EQ(Get("/healthz"), "200 running\n");
  clock_.Advance(1s);
  EXPECT_EQ(Get("/healthz"), "503 stalled: no turn of the loop for 11 s, longer than 10 s\n");
}

TEST_F(StatusTest, ATakenPortIsAWarningUnlessItWasAskedFor) {
  status_.Start();
  CommonOptions second = options_;
  second.http = "127.0.0.1:" + Port();
  support::Lines lines;
  Status by_default(second, "second", clock_, lines.log());
  by_default.Start();
  EXPECT_TRUE(lines.Contain("no status page: can't listen on 127.0.0.1 port " + Port()));
  by_default.Publish({});
  second.http_given = true;
  Status asked_for(second, "second", clock_, lines.log());
  EXPECT_THROW(asked_for.Start(), base::ConfigError);
}

TEST_F(StatusTest, OffIsSilent) {
  options_.http = "off";
  Status off(options_, "test", clock_, lines_.log());
  off.Start();
  off.Publish({});
  EXPECT_THAT(lines_.lines, IsEmpty());
}

TEST(ProcessMetrics, AreKnownHereAndPlausible) {
  const auto metrics = ProcessMetrics().Read(ReadProcessFacts());
  EXPECT_THAT(support::Problems(metrics, "process_"), IsEmpty());
  EXPECT_GT(support::ValueOf(metrics, "process_resident_memory_bytes"), 1e6);
  EXPECT_GT(support::ValueOf(metrics, "process_virtual_memory_bytes"),
            support::ValueOf(metrics, "process_resident_memory_bytes"));
  EXPECT_GE(support::ValueOf(metrics, "process_open_fds"), 3);
  EXPECT_GE(support::ValueOf(metrics, "process_cpu_seconds_total"), 0);
  const double start = support::ValueOf(metrics, "process_start_time_seconds");
  const double now = base::ToUnixSeconds(base::SystemClock().Now());
  EXPECT_NEAR(start, now, 60);
}

}  // namespace
}  // namespace flowcast::app
