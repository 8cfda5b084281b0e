// How far a connection comes is told by librdkafka's debug lines alone.
#include "libs/kafka/probe.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "libs/kafka/internal/cluster.h"

namespace flowcast::kafka {
namespace {

using internal::Cluster;
using internal::Deadline;

constexpr int kAttemptMs = 300;

/// States of a connection, in the order in which they are passed through.
constexpr std::array<std::pair<std::string_view, ProbeStep>, 7> kStates{{
    {"TRY_CONNECT", ProbeStep::kName},
    {"CONNECT", ProbeStep::kPort},
    {"SSL_HANDSHAKE", ProbeStep::kTls},
    {"APIVERSION_QUERY", ProbeStep::kAnswer},
    {"AUTH_HANDSHAKE", ProbeStep::kSasl},
    {"AUTH_LEGACY", ProbeStep::kSasl},
    {"AUTH_REQ", ProbeStep::kSasl},
}};

/// "host:9092/bootstrap: Connect to ... failed: Connection refused (after 0ms in state CONNECT)" without
/// what stands before and behind.
std::string WithoutFrame(const std::string& reason) {
  constexpr std::string_view kName = "/bootstrap: ";
  const auto name = reason.find(kName);
  const std::string rest = name == std::string::npos ? reason : reason.substr(name + kName.size());
  return rest.substr(0, rest.find(" (after "));
}

/// What is known of the attempts so far; told from librdkafka's threads.
class Attempts {
 public:
  void ReadLine(const std::string& line) {
    constexpr std::string_view kChange = "Broker changed state ";
    const auto at = line.find(kChange);
    if (at == std::string::npos) return;
    const std::string change = line.substr(at + kChange.size());
    const std::lock_guard lock(mutex_);
    step_ = StateNamed(change.substr(change.find(" -> ") + 4)).value_or(step_);
  }

  void Fail(rd_kafka_resp_err_t code, const std::string& reason) {
    const std::lock_guard lock(mutex_);
    if (code == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN) {
      all_down_ = true;
      return;
    }
    failed_at_ = StepOf(code, reason);
    reason_ = WithoutFrame(reason);
  }

  bool AreOver() const {
    const std::lock_guard lock(mutex_);
    return all_down_ && !reason_.empty();
  }

  ProbeResult Failure() const {
    const std::lock_guard lock(mutex_);
    return {.answered = false, .failed_at = failed_at_.value_or(step_), .reason = reason_, .advertised = ""};
  }

 private:
  static std::optional<ProbeStep> StateNamed(const std::string& name) {
    const auto* const state =
        std::find_if(kStates.begin(), kStates.end(), [&name](const auto& one) { return name == one.first; });
    return state == kStates.end() ? std::nullopt : std::optional(state->second);
  }

  /// "... failed: Connection refused (after 0ms in state CONNECT)".
  ProbeStep StepOf(rd_kafka_resp_err_t code, const std::string& reason) const {
    switch (code) {
      case RD_KAFKA_RESP_ERR__RESOLVE:
        return ProbeStep::kName;
      case RD_KAFKA_RESP_ERR__SSL:
        return ProbeStep::kTls;
      case RD_KAFKA_RESP_ERR__AUTHENTICATION:
      case RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED:
      case RD_KAFKA_RESP_ERR_UNSUPPORTED_SASL_MECHANISM:
        return ProbeStep::kSasl;
      default:
        break;
    }
    constexpr std::string_view kState = "in state ";
    const auto at = reason.find(kState);
    if (at == std::string::npos) return step_;
    const auto begin = at + kState.size();
    return StateNamed(reason.substr(begin, reason.find_first_of(",)", begin) - begin)).value_or(step_);
  }

  mutable std::mutex mutex_;
  ProbeStep step_ = ProbeStep::kName;
  std::optional<ProbeStep> failed_at_;
  std::string reason_;
  bool all_down_ = false;
};

std::string AddressesOf(const rd_kafka_metadata_t& metadata) {
  std::string addresses;
  for (int i = 0; i < metadata.broker_cnt; ++i) {
    const rd_kafka_metadata_broker_t& broker = metadata.brokers[i];
    addresses += (i == 0 ? "" : ", ") + std::string(broker.host) + ":" + std::to_string(broker.port);
  }
  return addresses;
}

}  // namespace

ProbeResult Probe(KafkaOptions options) {
  Attempts attempts;
  options.properties["debug"] = "broker";
  options.log = [&attempts](int, const std::string& line) { attempts.ReadLine(line); };
  Cluster cluster(options);
  internal::Events events;
  events.failed = [&attempts](auto code, const std::string& reason) { attempts.Fail(code, reason); };
  const internal::Handle handle = cluster.Open(RD_KAFKA_PRODUCER, {}, events);
  const Deadline deadline(options.timeout);
  while (!deadline.passed() && !(options.stop_requested && options.stop_requested())) {
    const rd_kafka_metadata_t* answer = nullptr;
    const int wait_ms = std::max(deadline.LeftMs(kAttemptMs), 1);
    if (rd_kafka_metadata(handle.get(), 0, nullptr, &answer, wait_ms) == RD_KAFKA_RESP_ERR_NO_ERROR) {
      const internal::Metadata metadata(answer);
      return {.answered = true, .reason = "", .advertised = AddressesOf(*metadata)};
    }
    rd_kafka_poll(handle.get(), 0);
    if (attempts.AreOver()) break;
    internal::WaitABit();
  }
  return attempts.Failure();
}

}  // namespace flowcast::kafka
