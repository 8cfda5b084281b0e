// Configuration, log and topic directory of one Kafka cluster.
#include "libs/kafka/internal/cluster.h"

#include <syslog.h>

#include <algorithm>
#include <array>
#include <fstream>

#include "libs/base/clock.h"
#include "libs/base/error.h"
#include "libs/kafka/secrets.h"

namespace flowcast::kafka::internal {
namespace {

using namespace std::chrono_literals;
using bus::BusError;

constexpr auto kWaitLineEvery = 5s;
constexpr int kAskAtMostMs = 500;  // so that a stop is noticed
constexpr auto kTokens = "OAUTHBEARER";

const Settings& CommonSettings() {
  static const Settings settings = {
      {"socket.nagle.disable", "true"},     {"socket.keepalive.enable", "true"},
      {"log.connection.close", "false"},    {"reconnect.backoff.ms", "100"},
      {"reconnect.backoff.max.ms", "2000"}, {"message.max.bytes", "17825792"},
  };
  return settings;
}

// What the guarantees of the bus rest on; the options that have names of their own are here too.
constexpr std::array kReserved = {
    "bootstrap.servers",    "metadata.broker.list",     "group.id",
    "transactional.id",     "enable.idempotence",       "acks",
    "isolation.level",      "request.required.acks",    "enable.auto.commit",
    "enable.partition.eof", "enable.auto.offset.store", "partition.assignment.strategy",
    "message.timeout.ms",   "delivery.timeout.ms",      "auto.offset.reset"};

/// Errors name the property; of a secret one they do not repeat the value.
void Set(rd_kafka_conf_t* conf, const std::string& name, const std::string& value) {
  std::array<char, 512> text{};
  switch (rd_kafka_conf_set(conf, name.c_str(), value.c_str(), text.data(), text.size())) {
    case RD_KAFKA_CONF_OK:
      return;
    case RD_KAFKA_CONF_UNKNOWN:
      throw base::ConfigError("Kafka property \"" + name + "\" is unknown to librdkafka " +
                              rd_kafka_version_str() + "; its CONFIGURATION.md lists them");
    default:
      throw base::ConfigError("Kafka property \"" + name + "\": " + Hide(text.data(), {{name, value}}));
  }
}

Events& EventsOf(void* opaque) { return *static_cast<Events*>(opaque); }

void OnLogLine(const rd_kafka_t* rk, int level, const char* facility, const char* line) {
  EventsOf(rd_kafka_opaque(rk)).cluster->OnLog(level, facility, line);
}

void OnError(rd_kafka_t*, int code, const char* reason, void* opaque) {
  const Events& events = EventsOf(opaque);
  if (events.failed) events.failed(static_cast<rd_kafka_resp_err_t>(code), reason);
}

void OnDelivery(rd_kafka_t*, const rd_kafka_message_t* message, void* opaque) {
  EventsOf(opaque).delivered(*message);
}

void OnRebalance(rd_kafka_t*, rd_kafka_resp_err_t code, rd_kafka_topic_partition_list_t* list, void* opaque) {
  EventsOf(opaque).rebalanced(code, *list);
}

std::string MechanismIn(const std::map<std::string, std::string>& properties) {
  for (const char* const name : {"sasl.mechanism", "sasl.mechanisms"}) {
    if (const auto found = properties.find(name); found != properties.end()) return found->second;
  }
  return "";
}

/// librdkafka before 2.6.1 repeats its nonce, which Kafka has refused since CVE-2024-56128 was mended.
bool CanScram() { return rd_kafka_version() >= 0x02060100; }

void OnTokenWanted(rd_kafka_t* rk, const char*, void* opaque) { EventsOf(opaque).cluster->ShowToken(rk); }

/// What to look at when this is why nobody answers.
std::string RemedyFor(const std::string& failure, const std::string& mechanism) {
  const auto has = [&failure](const char* part) { return failure.find(part) != std::string::npos; };
  // Kafka takes an expired token, and hangs up without a word.
  const bool hung_up = failure.empty() || has("Disconnected") || has("Broken pipe") || has("reset by peer");
  if (mechanism == kTokens && hung_up)
    return "check that it runs, that --brokers names it, and that the token has not expired";
  const bool refused = has("uthentication") || has("SASL") || has("token");
  if (refused && mechanism.rfind("SCRAM", 0) == 0 && !CanScram()) {
    return std::string("librdkafka ") + rd_kafka_version_str() +
           " can't do SCRAM with Kafka 3.9 or newer, one from 2.6.1 on can (docs/security.md); "
           "if that is not it, check the user and password";
  }
  if (refused) return "check sasl.mechanism, and the user and password or the token that it is given";
  if (has("security.protocol")) return "check that security.protocol is what the broker speaks at that port";
  if (has("certificate") || has("SSL")) {
    return "check that ssl.ca.location names the authority of the broker's certificate and, where it wants "
           "one "
           "of ours, ssl.certificate.location and ssl.key.location";
  }
  return "check that it runs and that --brokers names it";
}

/// "[thrd:...]: host:9092/bootstrap: Connect to ... failed: Connection refused (after 0ms in state
/// CONNECT)" becomes "Connection refused"; without a "failed:" what follows the host is it.
std::string Reason(std::string line) {
  if (const auto failed = line.rfind("failed: "); failed != std::string::npos) {
    line.erase(0, failed + 8);
  } else if (const auto thread = line.find("]: "); thread != std::string::npos) {
    const auto host = line.find(": ", thread + 3);
    line.erase(0, (host == std::string::npos ? thread + 1 : host) + 2);
  }
  if (const auto after = line.find(" (after "); after != std::string::npos) line.erase(after);
  return line;
}

}  // namespace

base::Duration SteadyNow() { return base::SystemClock().Steady(); }

void WaitABit() { base::SystemClock().SleepFor(100ms); }

Deadline::Deadline(base::Duration from_now) : at_(SteadyNow() + from_now) {}

bool Deadline::passed() const { return SteadyNow() >= at_; }

int Deadline::LeftMs(int limit) const {
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(at_ - SteadyNow()).count();
  return static_cast<int>(std::clamp<std::int64_t>(left, 0, limit));
}

Cluster::Cluster(KafkaOptions options) : options_(std::move(options)) {
  if (!options_.token_file.empty()) {
    if (!std::ifstream(options_.token_file)) {
      throw base::ConfigError("the token file " + options_.token_file +
                              " can't be read; check the path, and that this user may read it");
    }
    options_.properties["sasl.mechanism"] = kTokens;
  }
  for (const auto& [name, value] : options_.properties) {
    if (std::find(kReserved.begin(), kReserved.end(), name) != kReserved.end()) {
      throw base::ConfigError("Kafka property \"" + name + "\" is set by flowcast itself; leave it out");
    }
  }
  MakeConf({});
}

Conf Cluster::MakeConf(const Settings& settings) const {
  Conf conf(rd_kafka_conf_new());
  Set(conf.get(), "bootstrap.servers", options_.brokers);
  Set(conf.get(), "client.id", options_.client_id);
  for (const auto& [name, value] : CommonSettings()) Set(conf.get(), name, value);
  for (const auto& [name, value] : settings) Set(conf.get(), name, value);
  for (const auto& [name, value] : options_.properties) Set(conf.get(), name, value);
  return conf;
}

Handle Cluster::Open(rd_kafka_type_t type, const Settings& settings, Events& events) {
  Conf conf = MakeConf(settings);
  events.cluster = this;
  rd_kafka_conf_set_opaque(conf.get(), &events);
  rd_kafka_conf_set_log_cb(conf.get(), OnLogLine);
  rd_kafka_conf_set_error_cb(conf.get(), OnError);
  if (events.delivered) rd_kafka_conf_set_dr_msg_cb(conf.get(), OnDelivery);
  if (events.rebalanced) rd_kafka_conf_set_rebalance_cb(conf.get(), OnRebalance);
  const bool tokens = MechanismIn(options_.properties) == kTokens;
  // By a thread of librdkafka's, as not every handle is polled.
  if (tokens) rd_kafka_conf_enable_sasl_queue(conf.get(), 1);
  if (!options_.token_file.empty()) rd_kafka_conf_set_oauthbearer_token_refresh_cb(conf.get(), OnTokenWanted);
  std::array<char, 512> text{};
  Handle handle(rd_kafka_new(type, conf.get(), text.data(), text.size()));
  if (!handle) {
    throw base::ConfigError("Kafka properties do not fit together: " +
                            Hide(text.data(), options_.properties));
  }
  static_cast<void>(conf.release());  // rd_kafka_new owns it when it succeeds
  if (tokens) static_cast<void>(Error(rd_kafka_sasl_background_callbacks_enable(handle.get())));
  return handle;
}

void Cluster::ShowToken(rd_kafka_t* rk) {
  // As far as librdkafka is concerned; how long it is valid, the broker knows.
  constexpr auto kLifetime = 60s;
  std::ifstream file(options_.token_file);
  std::string token;
  std::array<char, 512> text{"it can't be read"};
  if (file >> token) {
    const auto until = base::SystemClock().Now() + kLifetime;
    const auto milliseconds = std::chrono::floor<std::chrono::milliseconds>(until).time_since_epoch().count();
    if (rd_kafka_oauthbearer_set_token(rk, token.c_str(), milliseconds, options_.client_id.c_str(), nullptr,
                                       0, text.data(), text.size()) == RD_KAFKA_RESP_ERR_NO_ERROR)
      return;
  }
  const std::string reason = "the token file " + options_.token_file + ": " + text.data();
  rd_kafka_oauthbearer_set_token_failure(rk, reason.c_str());
  Remember(reason);
}

rd_kafka_t* Cluster::directory() {
  // A consumer's handle: a producer's would make the broker create the topics it asks for.
  std::call_once(directory_once_, [this] { directory_ = Open(RD_KAFKA_CONSUMER, {}, directory_events_); });
  return directory_.get();
}

std::int32_t Cluster::PartitionCount(const std::string& name) {
  const std::int32_t count = AskPartitionCount(name);
  const std::lock_guard lock(mutex_);
  seen_partitions_[name] = count;
  return count;
}

bool Cluster::HasSeen(const bus::TopicPartition& partition) const {
  const std::lock_guard lock(mutex_);
  const auto seen = seen_partitions_.find(partition.topic);
  return seen != seen_partitions_.end() && partition.partition >= 0 && partition.partition < seen->second;
}

std::int32_t Cluster::AskPartitionCount(const std::string& name) {
  for (const Deadline deadline(options_.timeout);; WaitOrGiveUp(deadline)) {
    if (const auto count = AskOnce(name, std::max(deadline.LeftMs(kAskAtMostMs), 1))) return *count;
  }
}

std::optional<std::int32_t> Cluster::AskOnce(const std::string& name, int timeout_ms) {
  const Topic topic(rd_kafka_topic_new(directory(), name.c_str(), nullptr));
  if (!topic) throw ErrorFor(rd_kafka_last_error(), "topic " + name, "");
  const rd_kafka_metadata_t* answer = nullptr;
  if (rd_kafka_metadata(directory(), 0, topic.get(), &answer, timeout_ms) != RD_KAFKA_RESP_ERR_NO_ERROR) {
    return std::nullopt;
  }
  const Metadata metadata(answer);
  if (metadata->topic_cnt != 1) return std::nullopt;
  const rd_kafka_metadata_topic_t& found = metadata->topics[0];
  if (found.err == RD_KAFKA_RESP_ERR_NO_ERROR) return found.partition_cnt;
  if (found.err == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART) return 0;
  if (found.err == RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE) return std::nullopt;
  throw ErrorFor(found.err, "topic " + name, "Describe on topic " + name);
}

bool Cluster::IsGone(const std::string& topic) { return AskOnce(topic, kAskAtMostMs) == 0; }

void Cluster::Require(const bus::TopicPartition& partition) {
  const std::int32_t count = PartitionCount(partition.topic);
  if (count == 0) throw MissingTopic(partition.topic);
  if (partition.partition >= 0 && partition.partition < count) return;
  throw BusError(BusError::Kind::kMissingTopic, "topic " + partition.topic + " has no partition " +
                                                    std::to_string(partition.partition) + ", only " +
                                                    std::to_string(count));
}

void Cluster::WaitOrGiveUp(const Deadline& deadline) {
  if (deadline.passed()) throw Unreachable();
  if (options_.stop_requested && options_.stop_requested()) {
    throw BusError(BusError::Kind::kStopped, "stopped while waiting for Kafka at " + options_.brokers);
  }
  WaitABit();
}

BusError Cluster::Unreachable() const {
  const std::lock_guard lock(mutex_);
  return {BusError::Kind::kUnreachable, "no answer from Kafka at " + options_.brokers + " within " +
                                            base::FormatDuration(options_.timeout) +
                                            (last_failure_.empty() ? "" : " (" + last_failure_ + ")") + "; " +
                                            RemedyFor(last_failure_, MechanismIn(options_.properties))};
}

bool Cluster::Answers(rd_kafka_t* rk, int timeout_ms) {
  const rd_kafka_metadata_t* answer = nullptr;
  const auto code = rd_kafka_metadata(rk, 0, nullptr, &answer, timeout_ms);
  return Metadata(answer) && code == RD_KAFKA_RESP_ERR_NO_ERROR;
}

BusError Cluster::MissingTopic(const std::string& topic) {
  return {BusError::Kind::kMissingTopic, "topic " + topic + " does not exist; run: flowcast topics create"};
}

bool Cluster::IsDenial(rd_kafka_resp_err_t code) {
  return code == RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED ||
         code == RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED ||
         code == RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED ||
         code == RD_KAFKA_RESP_ERR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED;
}

BusError Cluster::Denied(const std::string& right) const {
  const auto user = options_.properties.find("sasl.username");
  return {BusError::Kind::kFatal,
          "Kafka refuses " + (user == options_.properties.end() ? "this user" : "user " + user->second) +
              " the right " + right +
              "; deploy/kafka/acls grants what each program needs (docs/security.md)"};
}

BusError Cluster::ErrorFor(rd_kafka_resp_err_t code, const std::string& doing,
                           const std::string& right) const {
  if (IsDenial(code)) return Denied(right);
  switch (code) {
    case RD_KAFKA_RESP_ERR__TRANSPORT:
    case RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN:
    case RD_KAFKA_RESP_ERR__TIMED_OUT:
    case RD_KAFKA_RESP_ERR__MSG_TIMED_OUT:
    case RD_KAFKA_RESP_ERR__RESOLVE:
      return Unreachable();
    default:
      return {BusError::Kind::kFatal, doing + ": " + rd_kafka_err2str(code)};
  }
}

void Cluster::Log(int level, const std::string& line) const {
  if (options_.log) options_.log(level, Hide(line, options_.properties));
}

void Cluster::OnLog(int level, const std::string& facility, const std::string& line) {
  // Properties are passed to every kind of handle, so each kind would complain about the others'.
  if (facility == "CONFWARN" && line.find("will be ignored by this") != std::string::npos) return;
  // To speak plainly to who expects TLS is no error to librdkafka.
  const bool other_protocol = line.find("security.protocol") != std::string::npos;
  if (facility == "FAIL" && (level <= LOG_ERR || other_protocol)) return Remember(Reason(line));
  // A line for each partition of a transaction that has failed; the producer says so.
  if (facility == "ADDPARTS") return RememberRefusal(line);
  // The producers decide what is fatal: librdkafka says so of what they recover from.
  const bool judged_by_us = facility == "FATAL" || facility == "TXNERR";
  Log(judged_by_us ? std::max(level, LOG_WARNING) : level, facility + ": " + line);
}

/// Which topic of a transaction it was, librdkafka says nowhere else: Failed to add partition "topic" [0] to
/// transaction: Broker: Topic authorization failed
void Cluster::RememberRefusal(const std::string& line) {
  if (line.ends_with(rd_kafka_err2str(RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED))) {
    const auto begin = std::min(line.find('"'), line.size() - 1) + 1;
    const std::lock_guard lock(mutex_);
    refused_topic_ = line.substr(begin, line.find('"', begin) - begin);
  }
  Log(LOG_DEBUG, "ADDPARTS: " + line);
}

std::string Cluster::RefusedTopic() const {
  const std::lock_guard lock(mutex_);
  return refused_topic_;
}

bool Cluster::HadFailureWithin(base::Duration time) const {
  const std::lock_guard lock(mutex_);
  return last_failure_at_ && SteadyNow() - *last_failure_at_ < time;
}

void Cluster::Remember(const std::string& reason) {
  {
    const std::lock_guard lock(mutex_);
    last_failure_ = reason;
    const base::Duration now = SteadyNow();
    last_failure_at_ = now;
    if (last_wait_line_ != base::Duration{} && now - last_wait_line_ < kWaitLineEvery) return;
    last_wait_line_ = now;
  }
  Log(LOG_WARNING, "waiting for Kafka at " + options_.brokers + ": " + reason);
}

}  // namespace flowcast::kafka::internal
