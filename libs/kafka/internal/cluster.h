// What consumers, producers and admins of one bus share: configuration, the log, and a handle of
// their own to ask which topics there are.
#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "libs/base/time.h"
#include "libs/kafka/internal/rdkafka.h"
#include "libs/kafka/kafka_bus.h"

namespace flowcast::kafka::internal {

using Settings = std::vector<std::pair<std::string, std::string>>;

class Cluster;

/// What librdkafka tells about one handle, from within the calls that poll it. Must outlive it.
struct Events {
  Cluster* cluster = nullptr;
  std::function<void(const rd_kafka_message_t&)> delivered;
  std::function<void(rd_kafka_resp_err_t, const rd_kafka_topic_partition_list_t&)> rebalanced;
  std::function<void(rd_kafka_resp_err_t, const std::string&)> failed;
};

/// A moment in steady time.
class Deadline {
 public:
  explicit Deadline(base::Duration from_now);
  bool passed() const;
  /// Never negative, at most `limit`.
  int LeftMs(int limit = 3'600'000) const;

 private:
  base::Duration at_;
};

base::Duration SteadyNow();
/// A pause between two attempts.
void WaitABit();

/// Thread-safe.
class Cluster {
 public:
  /// Throws base::ConfigError for unknown, wrong and reserved properties.
  explicit Cluster(KafkaOptions options);

  /// `settings` override ours, the user's properties override both. Throws base::ConfigError.
  Handle Open(rd_kafka_type_t type, const Settings& settings, Events& events);

  /// 0 when there is no such topic. Throws kUnreachable.
  std::int32_t PartitionCount(const std::string& topic);
  /// Throws kMissingTopic when the topic does not exist, or not with that partition.
  void Require(const bus::TopicPartition& partition);
  /// Whether the broker has ever said that the partition exists; asks nobody.
  bool HasSeen(const bus::TopicPartition& partition) const;
  /// The broker says so now; false also when it does not answer within half a second.
  bool IsGone(const std::string& topic);
  /// A handle for administration; never subscribes or assigns.
  rd_kafka_t* directory();

  /// Throws kUnreachable once the deadline has passed, kStopped when a stop was asked for, else waits a bit.
  void WaitOrGiveUp(const Deadline& deadline);
  bus::BusError Unreachable() const;
  /// Whether any broker does within the time.
  static bool Answers(rd_kafka_t* rk, int timeout_ms);
  /// Whether a connection of any handle failed in the time before now.
  bool HadFailureWithin(base::Duration time) const;
  static bus::BusError MissingTopic(const std::string& topic);
  /// The error of a call, as what the caller can do about it. `right` is the one that it takes, such as
  /// "Write on topic t", for when the broker refuses it.
  bus::BusError ErrorFor(rd_kafka_resp_err_t code, const std::string& doing, const std::string& right) const;
  /// For good, until somebody grants it.
  bus::BusError Denied(const std::string& right) const;
  static bool IsDenial(rd_kafka_resp_err_t code);
  /// The last one that a transaction was not allowed to write to; empty when there was none.
  std::string RefusedTopic() const;

  /// Gives librdkafka the token of the file, or says why there is none.
  void ShowToken(rd_kafka_t* rk);
  void Log(int level, const std::string& line) const;
  /// From librdkafka's threads.
  void OnLog(int level, const std::string& facility, const std::string& line);

  const KafkaOptions& options() const { return options_; }

 private:
  Conf MakeConf(const Settings& settings) const;
  void Remember(const std::string& reason);
  void RememberRefusal(const std::string& line);
  std::int32_t AskPartitionCount(const std::string& topic);
  /// 0 when there is no such topic; nothing without an answer.
  std::optional<std::int32_t> AskOnce(const std::string& topic, int timeout_ms);

  KafkaOptions options_;
  mutable std::mutex mutex_;
  std::string last_failure_;
  std::optional<base::Duration> last_failure_at_;
  base::Duration last_wait_line_{};
  std::string refused_topic_;
  std::map<std::string, std::int32_t> seen_partitions_;  // of every topic that was asked about
  std::once_flag directory_once_;
  Events directory_events_;
  Handle directory_;
};

std::unique_ptr<bus::Consumer> MakeConsumer(std::shared_ptr<Cluster> cluster,
                                            const bus::ConsumerOptions& options);
std::unique_ptr<bus::Producer> MakeProducer(std::shared_ptr<Cluster> cluster,
                                            const bus::ProducerOptions& options);
std::unique_ptr<bus::Admin> MakeAdmin(std::shared_ptr<Cluster> cluster);

}  // namespace flowcast::kafka::internal
