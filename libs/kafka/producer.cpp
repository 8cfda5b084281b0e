// The producer over librdkafka.
#include <syslog.h>

#include <algorithm>
#include <array>
#include <deque>
#include <map>
#include <optional>
#include <stdexcept>

#include "libs/kafka/internal/cluster.h"
#include "libs/kafka/internal/group_token.h"

namespace flowcast::kafka::internal {
namespace {

using bus::BusError;
using bus::OutRecord;
using bus::Position;
using std::chrono::milliseconds;

constexpr int kSendsPerPoll = 256;
constexpr const char* kTransactionTimeoutMs = "5000";
constexpr auto kReopenLimit = std::chrono::seconds(10);

Settings SettingsFor(const bus::ProducerOptions& options) {
  Settings settings = {
      {"enable.idempotence", "true"},
      {"compression.type", options.compression},
      {"linger.ms", std::to_string(options.linger.count())},
      {"queue.buffering.max.kbytes", std::to_string(options.queue_bytes >> 10)},
  };
  if (options.transactional_id.empty()) {
    // A queued record waits for the broker for ever; backpressure comes from the full queue.
    settings.emplace_back("message.timeout.ms", "0");
  } else {
    settings.emplace_back("transactional.id", options.transactional_id);
    // librdkafka brings message.timeout.ms and socket.timeout.ms down to this by itself.
    settings.emplace_back("transaction.timeout.ms", kTransactionTimeoutMs);
    // Begun right after a commit, a transaction is told to come back until the markers are written.
    settings.emplace_back("retry.backoff.ms", "10");
  }
  return settings;
}

Headers MakeHeaders(const OutRecord& record) {
  if (record.headers.empty()) return nullptr;
  Headers headers(rd_kafka_headers_new(record.headers.size()));
  for (const bus::Header& header : record.headers) {
    rd_kafka_header_add(headers.get(), header.name.data(), static_cast<ssize_t>(header.name.size()),
                        header.value.data(), static_cast<ssize_t>(header.value.size()));
  }
  return headers;
}

OutRecord ToRecord(const rd_kafka_message_t& message) {
  OutRecord record;
  record.to = {rd_kafka_topic_name(message.rkt), message.partition};
  if (message.key != nullptr) record.key.assign(static_cast<const char*>(message.key), message.key_len);
  if (message.payload != nullptr) record.value.assign(static_cast<const char*>(message.payload), message.len);
  record.tombstone = message.payload == nullptr;
  record.headers = ToHeaders(message);
  return record;
}

milliseconds TransactionTimeout(const KafkaOptions& options) {
  const auto set = options.properties.find("transaction.timeout.ms");
  return milliseconds(std::stoi(set == options.properties.end() ? kTransactionTimeoutMs : set->second));
}

/// By the abort of its transaction.
bool WasPurged(const rd_kafka_message_t& message) {
  return message.err == RD_KAFKA_RESP_ERR__PURGE_QUEUE || message.err == RD_KAFKA_RESP_ERR__PURGE_INFLIGHT;
}

class KafkaProducer : public bus::Producer {
 public:
  KafkaProducer(std::shared_ptr<Cluster> cluster, bus::ProducerOptions options);

  void Send(OutRecord record) override;
  bool TrySend(OutRecord& record) override;
  std::uint64_t acknowledged() const override;
  void Flush(milliseconds timeout) override;
  void InitTransactions() override;
  void Begin() override;
  void Commit(const std::vector<Position>& positions, const bus::GroupToken& group) override;
  void Commit() override;
  void Abort() override;

 private:
  using Call = std::function<rd_kafka_error_t*(rd_kafka_t*, int timeout_ms)>;

  bool transactional() const { return !options_.transactional_id.empty(); }
  void Open();
  void OnDelivered(const rd_kafka_message_t& message);
  void OnAcknowledged(std::uint64_t number);
  rd_kafka_topic_t* TopicFor(const bus::TopicPartition& to);
  rd_kafka_resp_err_t Enqueue(const OutRecord& record, std::uint64_t number);
  void SendNumbered(const OutRecord& record, std::uint64_t number);
  bool TrySendNumbered(const OutRecord& record, std::uint64_t number);
  void WaitForRoom();
  void Serve(int timeout_ms);
  bool IsBroken() const;
  std::string WhatBroke() const;
  void Reopen();
  void ThrowFailure();
  BusError Refused(rd_kafka_resp_err_t code, const OutRecord& record);
  BusError FailedInTheBackground();
  BusError Undelivered(const rd_kafka_message_t& message) const;
  void Transact(const std::string& doing, const Call& call);
  BusError GivenUp(const std::string& doing, const rd_kafka_error_t& error);
  BusError Denied(rd_kafka_resp_err_t code, const std::string& text) const;
  BusError Broken(const std::string& text);
  void StartAnew();
  void RequireTopics() const;

  struct KnownTopic {
    Topic topic;
    std::int32_t partitions = 0;
  };

  std::shared_ptr<Cluster> cluster_;
  bus::ProducerOptions options_;
  Events events_;
  std::optional<BusError> failure_;  // of a delivery; kept until it has been thrown
  std::map<std::uint64_t, OutRecord> returned_;
  std::uint64_t next_number_ = 1;
  std::uint64_t acknowledged_ = 0;
  std::deque<bool> acknowledged_later_;  // the records after those, for they come back by partition
  std::size_t queued_ = 0;
  base::Duration last_progress_{};
  std::optional<base::Duration> began_;  // the open transaction, in steady time
  bool was_aborted_ = false;             // the last transaction
  bool broken_ = false;                  // the transaction can only be ended by a new handle
  int sends_until_poll_ = kSendsPerPoll;
  Handle rk_;
  std::map<std::string, KnownTopic> topics_;
};

KafkaProducer::KafkaProducer(std::shared_ptr<Cluster> cluster, bus::ProducerOptions options)
    : cluster_(std::move(cluster)), options_(std::move(options)) {
  events_.delivered = [this](const auto& message) { OnDelivered(message); };
  Open();
}

void KafkaProducer::Open() { rk_ = cluster_->Open(RD_KAFKA_PRODUCER, SettingsFor(options_), events_); }

void KafkaProducer::OnDelivered(const rd_kafka_message_t& message) {
  --queued_;
  last_progress_ = SteadyNow();
  const auto number = reinterpret_cast<std::uintptr_t>(message._private);
  if (message.err == RD_KAFKA_RESP_ERR_NO_ERROR) {
    if (!transactional()) OnAcknowledged(number);
  } else if (!transactional() && IsBroken()) {
    returned_.emplace(number, ToRecord(message));
  } else if (!failure_ && !WasPurged(message)) {
    failure_ = Undelivered(message);
  }
}

void KafkaProducer::OnAcknowledged(std::uint64_t number) {
  const std::uint64_t index = number - acknowledged_ - 1;
  if (index >= acknowledged_later_.size()) acknowledged_later_.resize(index + 1);
  acknowledged_later_[index] = true;
  for (; !acknowledged_later_.empty() && acknowledged_later_.front(); ++acknowledged_) {
    acknowledged_later_.pop_front();
  }
}

std::uint64_t KafkaProducer::acknowledged() const {
  rd_kafka_poll(rk_.get(), 0);
  return acknowledged_;
}

BusError KafkaProducer::Undelivered(const rd_kafka_message_t& message) const {
  const std::string topic = rd_kafka_topic_name(message.rkt);
  switch (message.err) {
    case RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC:
    case RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION:
    case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
      return Cluster::MissingTopic(topic);
    case RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE:
      return {BusError::Kind::kFatal, "topic " + topic + " takes no record of " +
                                          std::to_string(message.len) +
                                          " bytes; raise its max.message.bytes"};
    default:
      return cluster_->ErrorFor(message.err, "producing to topic " + topic, "Write on topic " + topic);
  }
}

void KafkaProducer::ThrowFailure() {
  if (failure_) throw *std::exchange(failure_, std::nullopt);
}

void KafkaProducer::Send(OutRecord record) {
  // Within a transaction Commit tells, when it is known what becomes of the transaction.
  if (!transactional()) ThrowFailure();
  SendNumbered(record, next_number_);
  ++next_number_;
}

bool KafkaProducer::TrySend(OutRecord& record) {
  if (transactional()) throw std::logic_error("TrySend is for producers without transactions");
  ThrowFailure();
  if (!TrySendNumbered(record, next_number_)) {
    Serve(0);
    return false;
  }
  ++next_number_;
  return true;
}

void KafkaProducer::SendNumbered(const OutRecord& record, std::uint64_t number) {
  last_progress_ = SteadyNow();
  while (!TrySendNumbered(record, number)) WaitForRoom();
}

bool KafkaProducer::TrySendNumbered(const OutRecord& record, std::uint64_t number) {
  if (--sends_until_poll_ <= 0) {
    sends_until_poll_ = kSendsPerPoll;
    Serve(0);
  }
  for (;;) {
    const auto code = Enqueue(record, number);
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR) break;
    if (code == RD_KAFKA_RESP_ERR__QUEUE_FULL && queued_ > 0) return false;
    if (code != RD_KAFKA_RESP_ERR__FATAL || transactional()) throw Refused(code, record);
    Reopen();
  }
  ++queued_;
  return true;
}

void KafkaProducer::WaitForRoom() {
  Serve(100);
  if (SteadyNow() - last_progress_ < options_.send_timeout) return;
  throw BusError(BusError::Kind::kUnreachable, "Kafka at " + cluster_->options().brokers +
                                                   " has taken nothing for " +
                                                   base::FormatDuration(options_.send_timeout) + ", " +
                                                   std::to_string(queued_) + " records wait");
}

rd_kafka_topic_t* KafkaProducer::TopicFor(const bus::TopicPartition& to) {
  const auto known = topics_.find(to.topic);
  if (known != topics_.end() && to.partition < known->second.partitions) return known->second.topic.get();
  // A new handle while the broker is away must not wait for it.
  if (!cluster_->HasSeen(to)) cluster_->Require(to);
  KnownTopic& topic = topics_[to.topic];
  topic.partitions = to.partition + 1;
  if (!topic.topic) topic.topic.reset(rd_kafka_topic_new(rk_.get(), to.topic.c_str(), nullptr));
  return topic.topic.get();
}

rd_kafka_resp_err_t KafkaProducer::Enqueue(const OutRecord& record, std::uint64_t number) {
  rd_kafka_topic_t* topic = TopicFor(record.to);
  Headers headers = MakeHeaders(record);
  // Not to be confused with null, which is a tombstone.
  void* value = record.tombstone ? nullptr : const_cast<char*>(record.value.data());
  const void* key = record.key.empty() ? nullptr : record.key.data();
  const auto code = rd_kafka_producev(
      rk_.get(), RD_KAFKA_V_RKT(topic), RD_KAFKA_V_PARTITION(record.to.partition),
      RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_KEY(key, record.key.size()),
      RD_KAFKA_V_VALUE(value, record.tombstone ? 0 : record.value.size()), RD_KAFKA_V_HEADERS(headers.get()),
      RD_KAFKA_V_OPAQUE(reinterpret_cast<void*>(static_cast<std::uintptr_t>(number))), RD_KAFKA_V_END);
  if (code == RD_KAFKA_RESP_ERR_NO_ERROR) static_cast<void>(headers.release());  // librdkafka owns them now
  return code;
}

BusError KafkaProducer::Refused(rd_kafka_resp_err_t code, const OutRecord& record) {
  switch (code) {
    case RD_KAFKA_RESP_ERR__FATAL:
      return Broken("producing to topic " + record.to.topic + ": " + WhatBroke());
    case RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE:
      return {BusError::Kind::kFatal, "a record of " + std::to_string(record.value.size()) +
                                          " bytes for topic " + record.to.topic +
                                          " is larger than message.max.bytes"};
    case RD_KAFKA_RESP_ERR__QUEUE_FULL:  // of nothing: there will never be room
      return {BusError::Kind::kFatal, "a record of " + std::to_string(record.value.size()) +
                                          " bytes for topic " + record.to.topic +
                                          " does not fit into queue.buffering.max.kbytes; raise it"};
    case RD_KAFKA_RESP_ERR__STATE:
      return FailedInTheBackground();
    default:
      return cluster_->ErrorFor(code, "producing to topic " + record.to.topic,
                                "Write on topic " + record.to.topic);
  }
}

/// Why, librdkafka says to who wants to commit what has failed.
BusError KafkaProducer::FailedInTheBackground() {
  constexpr int kPatienceMs = 1000;
  const Error error(rd_kafka_commit_transaction(rk_.get(), kPatienceMs));
  if (error && rd_kafka_error_is_retriable(error.get()) == 0) return GivenUp("producing", *error);
  return {BusError::Kind::kAbort, "the transaction of " + options_.transactional_id + " has failed"};
}

void KafkaProducer::Serve(int timeout_ms) {
  rd_kafka_poll(rk_.get(), timeout_ms);
  if (!transactional() && IsBroken()) Reopen();
}

bool KafkaProducer::IsBroken() const { return rd_kafka_fatal_error(rk_.get(), nullptr, 0) != 0; }

std::string KafkaProducer::WhatBroke() const {
  std::array<char, 512> text{};
  rd_kafka_fatal_error(rk_.get(), text.data(), text.size());
  return text.data();
}

/// librdkafka before 2.3.0 breaks an idempotent producer when a broker goes away at the wrong
/// moment (#4438). What was not acknowledged comes back and goes through a new handle, in order;
/// the broker may have had some of it.
void KafkaProducer::Reopen() {
  std::array<char, 512> reason{};
  const auto code = rd_kafka_fatal_error(rk_.get(), reason.data(), reason.size());
  if (Cluster::IsDenial(code)) throw Denied(code, reason.data());
  const Deadline deadline(kReopenLimit);
  rd_kafka_purge(rk_.get(), RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
  while (queued_ > 0 && !deadline.passed()) rd_kafka_poll(rk_.get(), 100);
  if (queued_ > 0) throw BusError(BusError::Kind::kFatal, std::string("producing: ") + reason.data());
  cluster_->Log(LOG_WARNING, "producing anew, " + std::to_string(returned_.size()) +
                                 " records are sent again, some perhaps twice: " + reason.data());
  topics_.clear();
  Open();
  for (const auto& [number, record] : std::exchange(returned_, {})) SendNumbered(record, number);
}

void KafkaProducer::Flush(milliseconds timeout) {
  const Deadline deadline(timeout);
  do {
    rd_kafka_flush(rk_.get(), deadline.LeftMs(200));
    Serve(0);
  } while (queued_ > 0 && !deadline.passed());
  ThrowFailure();
  if (queued_ == 0) return;
  throw BusError(BusError::Kind::kUnreachable,
                 std::to_string(queued_) + " records not acknowledged by Kafka at " +
                     cluster_->options().brokers + " within " + base::FormatDuration(timeout));
}

void KafkaProducer::InitTransactions() { Transact("starting transactions", rd_kafka_init_transactions); }

void KafkaProducer::Begin() {
  failure_.reset();
  if (was_aborted_) RequireTopics();
  was_aborted_ = false;
  Transact("beginning a transaction", [](rd_kafka_t* rk, int) { return rd_kafka_begin_transaction(rk); });
  began_ = SteadyNow();
}

/// A transaction whose topic is deleted is aborted, and so would be the next one, without end.
void KafkaProducer::RequireTopics() const {
  for (const auto& [name, known] : topics_) {
    if (cluster_->IsGone(name)) throw Cluster::MissingTopic(name);
  }
}

void KafkaProducer::Commit(const std::vector<Position>& positions, const bus::GroupToken& group) {
  if (!positions.empty()) {
    const PartitionList list = ToList(positions, RD_KAFKA_OFFSET_INVALID);
    const auto& metadata = dynamic_cast<const KafkaGroupToken&>(group).metadata;
    Transact("sending positions", [&](rd_kafka_t* rk, int timeout_ms) {
      return rd_kafka_send_offsets_to_transaction(rk, list.get(), metadata.get(), timeout_ms);
    });
  }
  Commit();
}

void KafkaProducer::Commit() {
  try {
    Transact("committing", rd_kafka_commit_transaction);
  } catch (const BusError& error) {
    if (error.kind() != BusError::Kind::kUnreachable) throw;
    // It may have been committed: a new handle finds out, and the committed positions tell.
    broken_ = true;
    throw BusError(BusError::Kind::kAbort, error.what());
  }
  began_.reset();
}

void KafkaProducer::Abort() {
  try {
    if (!broken_) Transact("aborting", rd_kafka_abort_transaction);
  } catch (const BusError& error) {
    if (error.kind() != BusError::Kind::kAbort) throw;
  }
  was_aborted_ = true;
  if (broken_) StartAnew();
  failure_.reset();
  began_.reset();
}

void KafkaProducer::StartAnew() {
  topics_.clear();
  queued_ = 0;
  began_.reset();
  Open();
  InitTransactions();
  broken_ = false;
}

void KafkaProducer::Transact(const std::string& doing, const Call& call) {
  const Deadline deadline(cluster_->options().timeout);
  for (;; rd_kafka_poll(rk_.get(), 10)) {
    const Error error(call(rk_.get(), std::max(deadline.LeftMs(), 1)));
    if (!error) return;
    if (rd_kafka_error_is_retriable(error.get()) == 0 || deadline.passed()) throw GivenUp(doing, *error);
  }
}

BusError KafkaProducer::GivenUp(const std::string& doing, const rd_kafka_error_t& error) {
  const std::string text = doing + " as " + options_.transactional_id + ": " + rd_kafka_error_string(&error);
  if (Cluster::IsDenial(rd_kafka_error_code(&error))) return Denied(rd_kafka_error_code(&error), text);
  if (rd_kafka_error_is_fatal(&error) != 0) return Broken(text);
  if (rd_kafka_error_txn_requires_abort(&error) != 0) {
    // What cannot succeed would be aborted and repeated without end.
    if (failure_ && failure_->kind() != BusError::Kind::kUnreachable) return *failure_;
    return {BusError::Kind::kAbort, text};
  }
  if (rd_kafka_error_is_retriable(&error) != 0) return cluster_->Unreachable();
  return {BusError::Kind::kFatal, text};
}

BusError KafkaProducer::Denied(rd_kafka_resp_err_t code, const std::string& text) const {
  if (code == RD_KAFKA_RESP_ERR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED)
    return cluster_->Denied("Write on transactional-id " + options_.transactional_id);
  if (failure_ && failure_->kind() == BusError::Kind::kFatal) return *failure_;
  // What idempotent producing takes where there is no right to write anywhere.
  if (code == RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED)
    return cluster_->Denied("Write on topic " + (topics_.empty() ? "" : topics_.begin()->first));
  const std::string topic = cluster_->RefusedTopic();
  if (code == RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED && !topic.empty())
    return cluster_->Denied("Write on topic " + topic);
  return cluster_->Denied("for " + text);
}

/// A broker that was away may have aborted the transaction and raised the epoch, which looks as if a
/// newer producer had taken over. It is taken for one when no connection failed lately and the
/// transaction had not timed out. The group's generation keeps a second instance from committing
/// either way.
BusError KafkaProducer::Broken(const std::string& text) {
  constexpr base::Duration kLately = std::chrono::seconds(30);
  const bool fenced = rd_kafka_fatal_error(rk_.get(), nullptr, 0) == RD_KAFKA_RESP_ERR__FENCED;
  const bool in_time = began_ && SteadyNow() - *began_ < TransactionTimeout(cluster_->options());
  if (!began_ || (fenced && in_time && !cluster_->HadFailureWithin(kLately))) {
    return {BusError::Kind::kFatal, text};
  }
  broken_ = true;
  return {BusError::Kind::kAbort, text};
}

}  // namespace

std::unique_ptr<bus::Producer> MakeProducer(std::shared_ptr<Cluster> cluster,
                                            const bus::ProducerOptions& options) {
  return std::make_unique<KafkaProducer>(std::move(cluster), options);
}

}  // namespace flowcast::kafka::internal
