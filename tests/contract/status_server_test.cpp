// The status page over real sockets.
#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <httplib.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <mutex>
#include <thread>

#include "libs/base/clock.h"
#include "libs/base/error.h"
#include "libs/http/exposition.h"
#include "libs/http/status_server.h"

namespace flowcast::http {
namespace {

using telemetry::Health;
using telemetry::Kind;
using telemetry::Metric;
using ::testing::AllOf;
using ::testing::HasSubstr;

TEST(Exposition, IsPrometheusText) {
  const std::vector<Metric> metrics{
      {"a_total", "Of a.", Kind::kCounter, {{{{"reason", "x"}}, 3}, {{{"reason", "y"}}, 4}}},
      {"b_seconds", "Of b.", Kind::kGauge, {{{}, 0.25}}},
      {"c_bytes", "Of c.", Kind::kGauge, {}}};
  EXPECT_EQ(Exposition(metrics),
            "# HELP a_total Of a.\n"
            "# TYPE a_total counter\n"
            "a_total{reason=\"x\"} 3\n"
            "a_total{reason=\"y\"} 4\n"
            "# HELP b_seconds Of b.\n"
            "# TYPE b_seconds gauge\n"
            "b_seconds 0.25\n"
            "# HELP c_bytes Of c.\n"
            "# TYPE c_bytes gauge\n");
}

TEST(Exposition, CountsAHistogramsBucketsUpToInfinity) {
  telemetry::Distribution delays({0.5, 2});
  for (const double delay : {0.25, 0.5, 1.0, 8.0}) delays.Add(delay);
  EXPECT_EQ(Exposition({{"d_seconds", "Of d.", Kind::kHistogram, {{{}, 0, delays}}}}),
            "# HELP d_seconds Of d.\n"
            "# TYPE d_seconds histogram\n"
            "d_seconds_count 4\n"
            "d_seconds_sum 9.75\n"
            "d_seconds_bucket{le=\"0.5\"} 2\n"
            "d_seconds_bucket{le=\"2\"} 3\n"
            "d_seconds_bucket{le=\"+Inf\"} 4\n");
}

TEST(Exposition, KeepsLargeCountersWholeAndLabelsWithinTheirQuotes) {
  const std::string text = Exposition(
      {{"a_total", "Of a.", Kind::kCounter, {{{{"link", "x\"}\n\\y"}}, 9'007'199'254'740'991.0}}}});
  EXPECT_THAT(text, HasSubstr("a_total{link=\"x\\\"}\\n\\\\y\"} 9007199254740991\n"));
}

class StatusServerTest : public ::testing::Test {
 protected:
  StatusServerTest() { server_.Start("127.0.0.1", 0); }

  StatusSources Sources() {
    return {.metrics = [this] { return Metrics(); },
            .live =
                [this] {
                  return Health::State{alive_, alive_ ? "running" : "stalled: for 11 s"};
                },
            .ready =
                [this] {
                  return Health::State{ready_, ready_ ? "running" : "waiting for Kafka"};
                }};
  }
  std::vector<Metric> Metrics() const {
    if (broken_) throw std::runtime_error("no metrics today");
    return {{"test_sacks_total", "Sacks.", Kind::kCounter, {{{}, 7}}}};
  }
  httplib::Result Get(const std::string& path) const {
    httplib::Client client("127.0.0.1", server_.port());
    return client.Get(path);
  }
  /// "200 body", "-" without an answer.
  std::string Answer(const std::string& path) const {
    const auto result = Get(path);
    return result ? std::to_string(result->status) + " " + result->body : "-";
  }
  std::string Log() const {
    const std::lock_guard lock(mutex_);
    return log_;
  }

  std::atomic<bool> alive_ = true;
  std::atomic<bool> ready_ = true;
  std::atomic<bool> broken_ = false;
  mutable std::mutex mutex_;
  std::string log_;
  StatusServer server_{Sources(), [this](base::LogLevel, const std::string& line) {
                         const std::lock_guard lock(mutex_);
                         log_ += line + "\n";
                       }};
};

TEST_F(StatusServerTest, GivesTheMetricsAndCountsItsRequests) {
  const auto result = Get("/metrics");
  ASSERT_TRUE(result);
  EXPECT_EQ(result->status, 200);
  EXPECT_EQ(result->get_header_value("Content-Type"), "text/plain; version=0.0.4; charset=utf-8");
  EXPECT_THAT(result->body, HasSubstr("# TYPE test_sacks_total counter\ntest_sacks_total 7\n"));
  EXPECT_THAT(Answer("/nothing"), HasSubstr("404 there are /metrics, /healthz and /readyz"));
  EXPECT_THAT(Answer("/metrics"), AllOf(HasSubstr("flowcast_http_requests_total{code=\"200\"} 1\n"),
                                        HasSubstr("flowcast_http_requests_total{code=\"404\"} 1\n")));
}

TEST_F(StatusServerTest, TellsWhetherTheProgramIsAliveAndReady) {
  EXPECT_EQ(Answer("/healthz"), "200 running\n");
  EXPECT_EQ(Answer("/readyz"), "200 running\n");
  ready_ = false;
  EXPECT_EQ(Answer("/healthz"), "200 running\n");
  EXPECT_EQ(Answer("/readyz"), "503 waiting for Kafka\n");
  alive_ = false;
  EXPECT_EQ(Answer("/healthz"), "503 stalled: for 11 s\n");
}

TEST_F(StatusServerTest, AnswersAndLogsAFailureAndGoesOn) {
  broken_ = true;
  EXPECT_THAT(Answer("/metrics"), HasSubstr("500"));
  EXPECT_THAT(Log(), HasSubstr("status page: /metrics failed: no metrics today"));
  broken_ = false;
  EXPECT_THAT(Answer("/metrics"), HasSubstr("200"));
}

TEST_F(StatusServerTest, RefusesWhatIsTooLargeAndCountsIt) {
  httplib::Client client("127.0.0.1", server_.port());
  const auto result = client.Post("/metrics", std::string(100'000, 'x'), "text/plain");
  if (result) {  // else the connection was closed while the body was sent
    EXPECT_EQ(result->status, 413);
  }
  EXPECT_THAT(Answer("/" + std::string(10'000, 'x')), HasSubstr("414"));
  EXPECT_THAT(Answer("/metrics"), AllOf(HasSubstr("{code=\"413\"} 1\n"), HasSubstr("{code=\"414\"} 1\n")));
}

TEST_F(StatusServerTest, RefusesAPortThatIsTakenAndNamesTheRemedy) {
  StatusServer second(Sources(), [](base::LogLevel, const std::string&) {});
  try {
    second.Start("127.0.0.1", server_.port());
    FAIL() << "two programs on one port";
  } catch (const base::ConfigError& error) {
    EXPECT_THAT(error.what(), AllOf(HasSubstr("127.0.0.1 port " + std::to_string(server_.port())),
                                    HasSubstr("--http ADDRESS:PORT, or --http off")));
  }
}

TEST_F(StatusServerTest, RefusesAnAddressThatIsNotThisHosts) {
  StatusServer other(Sources(), [](base::LogLevel, const std::string&) {});
  EXPECT_THROW(other.Start("192.0.2.1", 0), base::ConfigError);
}

TEST_F(StatusServerTest, ServesMoreAtATimeThanItHasThreads) {
  std::vector<std::thread> clients;
  std::atomic<int> answered = 0;
  for (int i = 0; i < 40; ++i) {
    clients.emplace_back([&] { answered += Answer("/healthz") == "200 running\n" ? 1 : 0; });
  }
  for (std::thread& client : clients) client.join();
  EXPECT_EQ(answered, 40);
}

/// Connections that say something now and then and never come to an end, as Slowloris does.
class SlowClients {
 public:
  SlowClients(int port, int count) : port_(port) {
    for (int i = 0; i < count; ++i) sockets_.push_back(Connected());
    dripping_ = std::thread([this] { Drip(); });
  }
  ~SlowClients() {
    ended_ = true;
    dripping_.join();
    for (const int socket : sockets_) close(socket);
  }

 private:
  int Connected() const {
    const int socket = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(port_));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(connect(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    return socket;
  }
  void Drip() {
    const std::string head = "GET /metrics HTTP/1.1\r\nX-Slow: ";
    for (const int socket : sockets_) send(socket, head.data(), head.size(), MSG_NOSIGNAL);
    for (base::SystemClock clock; !ended_; clock.SleepFor(std::chrono::milliseconds(200))) {
      for (const int socket : sockets_) send(socket, "x", 1, MSG_NOSIGNAL);
    }
  }

  int port_;
  std::vector<int> sockets_;
  std::atomic<bool> ended_ = false;
  std::thread dripping_;
};

TEST_F(StatusServerTest, AnswersOthersWhileSlowClientsHoldAllThreadsForAWhileOnly) {
  const SlowClients slow(server_.port(), 4);
  httplib::Client client("127.0.0.1", server_.port());
  client.set_read_timeout(30);
  const auto result = client.Get("/healthz");
  ASSERT_TRUE(result) << "the slow ones hold every thread";
  EXPECT_EQ(result->status, 200);
}

TEST_F(StatusServerTest, StopsAtOnceAlsoWhenClientsAreSlow) {
  const SlowClients slow(server_.port(), 4);
  base::SystemClock clock;
  const auto began = clock.Steady();
  server_.Stop();
  EXPECT_LT(clock.Steady() - began, std::chrono::seconds(3));
}

TEST_F(StatusServerTest, StopsAtOnceAndFreesThePort) {
  const int port = server_.port();
  server_.Stop();
  EXPECT_EQ(Answer("/healthz"), "-");
  StatusServer next(Sources(), [](base::LogLevel, const std::string&) {});
  next.Start("127.0.0.1", port);
  EXPECT_EQ(next.port(), port);
}

TEST(StatusServerLife, MayStartAndStopWithoutARequestOrNeverStart) {
  const auto state = [] { return Health::State{true, "running"}; };
  const StatusSources sources{[] { return std::vector<Metric>(); }, state, state};
  const auto log = [](base::LogLevel, const std::string& line) { ADD_FAILURE() << line; };
  for (int i = 0; i < 20; ++i) {
    StatusServer server(sources, log);
    if (i > 0) server.Start("127.0.0.1", 0);
  }
}

}  // namespace
}  // namespace flowcast::http
