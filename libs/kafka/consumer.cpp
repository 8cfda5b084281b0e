// The consumer over librdkafka.
#include <syslog.h>

#include <exception>
#include <map>
#include <optional>
#include <set>
#include <stdexcept>

#include "libs/kafka/internal/cluster.h"
#include "libs/kafka/internal/group_token.h"

namespace flowcast::kafka::internal {
namespace {

using bus::kNoOffset;
using bus::Position;
using bus::TopicPartition;
using std::chrono::milliseconds;

Settings SettingsFor(const std::string& group, milliseconds fetch_wait) {
  return {
      {"group.id", group},
      {"enable.auto.commit", "false"},
      {"enable.auto.offset.store", "false"},
      {"enable.partition.eof", "true"},
      {"auto.offset.reset", "earliest"},
      {"isolation.level", "read_committed"},
      {"session.timeout.ms", "6000"},
      {"heartbeat.interval.ms", "1000"},
      // Not cooperative-sticky: before 2.4.0 librdkafka delivers again when such an assignment
      // changes (#4636), may hang when one arrives during close (#4528), and it would part equal
      // partitions of two topics.
      {"partition.assignment.strategy", "range"},
      {"fetch.message.max.bytes", "4194304"},
      {"fetch.wait.max.ms", std::to_string(fetch_wait.count())},
      {"queued.min.messages", "200000"},
  };
}

constexpr int kAttemptMs = 3'000;  // enough for a new connection to a far broker

std::optional<std::int64_t> AskForEnd(rd_kafka_t* rk, const TopicPartition& partition,
                                      const Deadline& deadline) {
  std::int64_t begin = 0;
  std::int64_t end = 0;
  const auto code = rd_kafka_query_watermark_offsets(rk, partition.topic.c_str(), partition.partition, &begin,
                                                     &end, std::max(deadline.LeftMs(kAttemptMs), 1));
  return code == RD_KAFKA_RESP_ERR_NO_ERROR ? std::optional(end) : std::nullopt;
}

class KafkaConsumer : public bus::Consumer {
 public:
  KafkaConsumer(std::shared_ptr<Cluster> cluster, const bus::ConsumerOptions& options);
  ~KafkaConsumer() override;

  void Subscribe(const std::vector<std::string>& topics, bus::RebalanceListener& listener) override;
  void Assign(const std::vector<Position>& partitions) override;
  std::vector<bus::InRecord> Poll(milliseconds timeout, std::size_t limit) override;
  void Rewind() override;
  void Pause(const std::vector<TopicPartition>& partitions) override;
  void Resume(const std::vector<TopicPartition>& partitions) override;
  std::unique_ptr<bus::GroupToken> Token() const override;
  std::int64_t EndOffset(const TopicPartition& partition) override;
  std::int64_t NextOffset(const TopicPartition& partition) const override;
  std::uint64_t Unread() const override;
  void Close() override;

 private:
  struct Reading {
    std::int64_t next = kNoOffset;
    bool paused = false;
  };

  void OnRebalance(rd_kafka_resp_err_t code, const rd_kafka_topic_partition_list_t& list);
  void Revoke(bool lost);
  void TakeShare();
  void ServeRevocation();
  rd_kafka_resp_err_t Hand(PartitionList partitions);
  void AwaitStops();
  std::vector<Position> Committed(const std::vector<TopicPartition>& partitions);
  void ReadFrom(const std::vector<Position>& positions);
  void Fetch(milliseconds timeout, std::size_t limit);
  void Take(const rd_kafka_message_t& message);
  void TakeError(const rd_kafka_message_t& message);
  void Fail(const bus::BusError& error) { failure_ = std::make_exception_ptr(error); }
  Reading* ReadingOf(const rd_kafka_message_t& message);
  void ThrowWhenUnreachable();
  void RethrowFailure();

  std::shared_ptr<Cluster> cluster_;
  std::string group_;
  Events events_;
  bus::RebalanceListener* listener_ = nullptr;
  std::vector<TopicPartition> share_;  // ours according to the group
  bool share_is_due_ = false;          // received, but the listener has not been told
  KafkaGroupToken token_;              // of the generation that gave us the share
  PartitionList handed_;               // to librdkafka, to be fetched
  PartitionList stopping_;             // handed before them, and perhaps still being stopped
  std::map<TopicPartition, Reading> readings_;
  const rd_kafka_topic_t* last_topic_ = nullptr;
  std::int32_t last_partition_ = -1;
  Reading* last_reading_ = nullptr;
  std::vector<bus::InRecord> batch_;
  std::exception_ptr failure_;   // to be thrown once the records before it have been given out
  base::Duration down_since_{};  // no broker has answered since then
  base::Duration ask_at_{};      // one whether it is back
  base::Duration last_drop_line_{};
  bool closed_ = false;
  Handle rk_;
};

KafkaConsumer::KafkaConsumer(std::shared_ptr<Cluster> cluster, const bus::ConsumerOptions& options)
    : cluster_(std::move(cluster)), group_(options.group) {
  events_.rebalanced = [this](auto code, const auto& list) { OnRebalance(code, list); };
  events_.failed = [this](auto code, const auto&) {
    if (code == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN && down_since_ == base::Duration{})
      down_since_ = SteadyNow();
  };
  // librdkafka wants a group even for a consumer that never joins one.
  const std::string name =
      options.group.empty() ? cluster_->options().client_id + ".unassigned" : options.group;
  rk_ = cluster_->Open(RD_KAFKA_CONSUMER, SettingsFor(name, options.fetch_wait), events_);
  rd_kafka_poll_set_consumer(rk_.get());
}

KafkaConsumer::~KafkaConsumer() {
  listener_ = nullptr;
  if (share_is_due_) Hand(nullptr);
  AwaitStops();
}

/// Partitions that are taken away while they are still being stopped make librdkafka abort the process (its
/// #5573), so we wait for it; nobody tells, but what is asked of a partition, and be it to resume, is
/// answered after its stop.
void KafkaConsumer::AwaitStops() {
  if (const PartitionList stopping = std::exchange(stopping_, nullptr))
    rd_kafka_resume_partitions(rk_.get(), stopping.get());
}

rd_kafka_resp_err_t KafkaConsumer::Hand(PartitionList partitions) {
  AwaitStops();
  stopping_ = std::exchange(handed_, std::move(partitions));
  return rd_kafka_assign(rk_.get(), handed_.get());
}

void KafkaConsumer::Subscribe(const std::vector<std::string>& topics, bus::RebalanceListener& listener) {
  for (const std::string& topic : topics) cluster_->Require({topic, 0});
  const PartitionList list(rd_kafka_topic_partition_list_new(static_cast<int>(topics.size())));
  for (const std::string& topic : topics) {
    rd_kafka_topic_partition_list_add(list.get(), topic.c_str(), RD_KAFKA_PARTITION_UA);
  }
  listener_ = &listener;
  const auto code = rd_kafka_subscribe(rk_.get(), list.get());
  if (code != RD_KAFKA_RESP_ERR_NO_ERROR)
    throw cluster_->ErrorFor(code, "subscribing", "Read on group " + group_);
}

void KafkaConsumer::Assign(const std::vector<Position>& partitions) {
  for (const Position& position : partitions) cluster_->Require(position.at);
  ReadFrom(partitions);
}

void KafkaConsumer::ReadFrom(const std::vector<Position>& positions) {
  readings_.clear();
  last_topic_ = nullptr;
  for (const Position& position : positions) readings_[position.at] = {};
  const auto code = Hand(ToList(positions, RD_KAFKA_OFFSET_BEGINNING));
  if (code != RD_KAFKA_RESP_ERR_NO_ERROR) throw cluster_->ErrorFor(code, "assigning partitions", "");
}

void KafkaConsumer::OnRebalance(rd_kafka_resp_err_t code, const rd_kafka_topic_partition_list_t& list) {
  // Also before an assignment: where the group is joined anew while one is taken up, librdkafka does not say
  // that it is over.
  try {
    Revoke(rd_kafka_assignment_lost(rk_.get()) != 0);
  } catch (...) {
    failure_ = std::current_exception();
  }
  if (code == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS) {
    share_ = ToPartitions(list);
    // As of now: librdkafka's own is that of a later generation, or of none, before it says what it takes
    // away, and Kafka does not refuse a commit of none.
    token_.metadata = GroupMetadata(rd_kafka_consumer_group_metadata(rk_.get()));
    // Taken up in Poll, which may throw; librdkafka waits for the call of rd_kafka_assign.
    share_is_due_ = true;
  } else {
    Hand(nullptr);
  }
  rd_kafka_yield(rk_.get());
}

void KafkaConsumer::Revoke(bool lost) {
  batch_.clear();
  share_is_due_ = false;
  const bool was_told = !readings_.empty();
  readings_.clear();
  last_topic_ = nullptr;
  const auto partitions = std::exchange(share_, {});
  if (was_told && listener_ != nullptr) listener_->OnRevoked(partitions, lost);
}

void KafkaConsumer::TakeShare() {
  auto positions = Committed(share_);
  if (!positions.empty()) listener_->OnAssigned(positions);
  ReadFrom(positions);
  share_is_due_ = false;
}

std::vector<Position> KafkaConsumer::Committed(const std::vector<TopicPartition>& partitions) {
  const Deadline deadline(cluster_->options().timeout);
  std::vector<Position> positions;
  const PartitionList list = ToList(partitions);
  const auto asked = [&] {
    const auto code = rd_kafka_committed(rk_.get(), list.get(), std::max(deadline.LeftMs(kAttemptMs), 1));
    if (Cluster::IsDenial(code)) throw cluster_->Denied("Read on group " + group_);
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR) return false;
    // One that could not be had is not one that was never committed.
    return std::all_of(list->elems, list->elems + list->cnt,
                       [](const auto& element) { return element.err == RD_KAFKA_RESP_ERR_NO_ERROR; });
  };
  while (!partitions.empty() && !asked()) cluster_->WaitOrGiveUp(deadline);
  for (int i = 0; i < list->cnt; ++i) {
    const rd_kafka_topic_partition_t& element = list->elems[i];
    const std::string metadata(static_cast<const char*>(element.metadata), element.metadata_size);
    const std::int64_t offset = element.offset < 0 ? kNoOffset : element.offset;
    positions.push_back({{element.topic, element.partition}, offset, metadata});
  }
  return positions;
}

std::vector<bus::InRecord> KafkaConsumer::Poll(milliseconds timeout, std::size_t limit) {
  RethrowFailure();
  if (share_is_due_) TakeShare();
  Fetch(timeout, limit);
  if (batch_.empty()) ThrowWhenUnreachable();
  return std::exchange(batch_, {});
}

void KafkaConsumer::Fetch(milliseconds timeout, std::size_t limit) {
  const Deadline deadline(timeout);
  while (batch_.size() < limit) {
    const int wait_ms = batch_.empty() ? deadline.LeftMs() : 0;
    const Message message(rd_kafka_consumer_poll(rk_.get(), wait_ms));
    if (share_is_due_) TakeShare();
    if (message) Take(*message);
    if (failure_ && batch_.empty()) RethrowFailure();
    if (failure_) return;
    if (message) continue;
    if (wait_ms == 0 || deadline.passed()) return;
  }
}

void KafkaConsumer::RethrowFailure() {
  if (failure_) std::rethrow_exception(std::exchange(failure_, nullptr));
}

KafkaConsumer::Reading* KafkaConsumer::ReadingOf(const rd_kafka_message_t& message) {
  if (message.rkt == last_topic_ && message.partition == last_partition_) return last_reading_;
  if (message.rkt == nullptr) return nullptr;
  const auto found = readings_.find({rd_kafka_topic_name(message.rkt), message.partition});
  if (found == readings_.end()) return nullptr;
  last_topic_ = message.rkt;
  last_partition_ = message.partition;
  return last_reading_ = &found->second;
}

void KafkaConsumer::Take(const rd_kafka_message_t& message) {
  if (message.err != RD_KAFKA_RESP_ERR_NO_ERROR) return TakeError(message);
  down_since_ = {};
  Reading* reading = ReadingOf(message);
  if (reading == nullptr) return;
  if (message.offset < reading->next) {
    // librdkafka before 2.4.0 delivers again in rare cases (#4261, #4636).
    if (SteadyNow() - last_drop_line_ < std::chrono::seconds(5)) return;
    last_drop_line_ = SteadyNow();
    return cluster_->Log(LOG_WARNING, "ignored records of topic " +
                                          std::string(rd_kafka_topic_name(message.rkt)) +
                                          " delivered again; restart if the topic was deleted and made anew");
  }
  reading->next = message.offset + 1;
  bus::InRecord record;
  record.from = {rd_kafka_topic_name(message.rkt), message.partition};
  record.offset = message.offset;
  if (message.key != nullptr) record.key.assign(static_cast<const char*>(message.key), message.key_len);
  if (message.payload != nullptr) record.value.assign(static_cast<const char*>(message.payload), message.len);
  record.tombstone = message.payload == nullptr;
  record.headers = ToHeaders(message);
  record.produced_at = milliseconds(rd_kafka_message_timestamp(&message, nullptr));
  batch_.push_back(std::move(record));
}

void KafkaConsumer::TakeError(const rd_kafka_message_t& message) {
  const char* topic = message.rkt == nullptr ? "" : rd_kafka_topic_name(message.rkt);
  switch (message.err) {
    case RD_KAFKA_RESP_ERR__PARTITION_EOF:
      down_since_ = {};
      // Beyond the ends of transactions, which no record stands for.
      if (Reading* reading = ReadingOf(message)) reading->next = std::max(reading->next, message.offset);
      return;
    case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
    case RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC:
    case RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION:
      return Fail(Cluster::MissingTopic(topic));
    case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
      return Fail(cluster_->Denied("Read on topic " + std::string(topic)));
    case RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED:
      // Who reads without a group has the name of one only because librdkafka wants one.
      if (group_.empty()) return;
      return Fail(cluster_->Denied("Read on group " + group_));
    case RD_KAFKA_RESP_ERR__FATAL:
      return Fail(
          {bus::BusError::Kind::kFatal, std::string("reading: ") + rd_kafka_message_errstr(&message)});
    default:
      cluster_->Log(LOG_WARNING, std::string("reading: ") + rd_kafka_message_errstr(&message));
  }
}

void KafkaConsumer::ThrowWhenUnreachable() {
  constexpr base::Duration kAskEvery = std::chrono::seconds(1);
  constexpr int kPatienceMs = 100;
  constexpr int kLastPatienceMs = 1000;
  const base::Duration now = SteadyNow();
  // That all brokers are down is said once, perhaps before the last of what they had sent is taken.
  if (down_since_ == base::Duration{} && cluster_->HadFailureWithin(kAskEvery)) down_since_ = now;
  if (down_since_ == base::Duration{}) return;
  const bool is_over = now - down_since_ >= cluster_->options().timeout;
  if (!is_over && now < ask_at_) return;
  ask_at_ = now + kAskEvery;
  // Nobody tells when a broker is back and has no records: ask.
  if (cluster_->Answers(rk_.get(), is_over ? kLastPatienceMs : kPatienceMs)) {
    down_since_ = {};
  } else if (is_over) {
    throw cluster_->Unreachable();
  }
}

/// librdkafka waits for what we make of a revocation, so one that has come is served before anything else is
/// assigned.
void KafkaConsumer::ServeRevocation() {
  constexpr std::size_t kRecords = 1000;
  constexpr int kMostRounds = 1000;
  for (int round = 0; round < kMostRounds && !share_.empty() && !share_is_due_; ++round) {
    Fetch(milliseconds(0), kRecords);
    if (std::exchange(batch_, {}).empty()) return;
  }
}

void KafkaConsumer::Rewind() {
  ServeRevocation();
  if (listener_ == nullptr || share_.empty()) return;
  if (const auto share = share_; !share_is_due_) {
    Revoke(false);
    share_ = share;
    share_is_due_ = true;
  }
  TakeShare();
}

void KafkaConsumer::Pause(const std::vector<TopicPartition>& partitions) {
  for (const TopicPartition& partition : partitions) readings_.at(partition).paused = true;
  rd_kafka_pause_partitions(rk_.get(), ToList(partitions).get());
}

void KafkaConsumer::Resume(const std::vector<TopicPartition>& partitions) {
  std::vector<TopicPartition> paused;
  // Resuming what is not paused makes librdkafka before 2.4.0 read it again (#4637).
  for (const TopicPartition& partition : partitions) {
    if (std::exchange(readings_.at(partition).paused, false)) paused.push_back(partition);
  }
  rd_kafka_resume_partitions(rk_.get(), ToList(paused).get());
}

std::unique_ptr<bus::GroupToken> KafkaConsumer::Token() const {
  return std::make_unique<KafkaGroupToken>(token_);
}

std::int64_t KafkaConsumer::EndOffset(const TopicPartition& partition) {
  cluster_->Require(partition);
  const Deadline deadline(cluster_->options().timeout);
  if (const auto end = AskForEnd(rk_.get(), partition, deadline)) return *end;
  // librdkafka keeps asking the leader that it knows, also when that is gone; a new handle knows none.
  for (;; cluster_->WaitOrGiveUp(deadline)) {
    Events events;
    const Handle another = cluster_->Open(RD_KAFKA_CONSUMER, {}, events);
    if (const auto end = AskForEnd(another.get(), partition, deadline)) return *end;
  }
}

std::int64_t KafkaConsumer::NextOffset(const TopicPartition& partition) const {
  const auto found = readings_.find(partition);
  return found == readings_.end() ? kNoOffset : found->second.next;
}

std::uint64_t KafkaConsumer::Unread() const {
  std::uint64_t unread = 0;
  for (const auto& [partition, reading] : readings_) {
    std::int64_t begin = 0;
    std::int64_t end = 0;
    const auto code =
        rd_kafka_get_watermark_offsets(rk_.get(), partition.topic.c_str(), partition.partition, &begin, &end);
    const std::int64_t next = std::max(reading.next, begin);
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR && end > next) unread += static_cast<std::uint64_t>(end - next);
  }
  return unread;
}

void KafkaConsumer::Close() {
  if (std::exchange(closed_, true)) return;
  if (std::exchange(share_is_due_, false)) Hand(nullptr);
  AwaitStops();
  rd_kafka_consumer_close(rk_.get());
  RethrowFailure();
}

}  // namespace

std::unique_ptr<bus::Consumer> MakeConsumer(std::shared_ptr<Cluster> cluster,
                                            const bus::ConsumerOptions& options) {
  return std::make_unique<KafkaConsumer>(std::move(cluster), options);
}

}  // namespace flowcast::kafka::internal
