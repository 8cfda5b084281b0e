// The seam to the message bus, shaped after Kafka: topics of partitions, consumer groups, and
// transactions over records and offsets. Implemented by libs/kafka and by the in-memory bus.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

namespace flowcast::bus {

/// What went wrong and what the caller can do about it.
class BusError : public std::runtime_error {
 public:
  enum class Kind {
    kUnreachable,   // no broker answered in time: wait, try again
    kMissingTopic,  // create the topics, try again
    kAbort,         // this transaction is lost, or may be: abort it, start again from the committed offsets
    kStopped,       // a stop was asked for while no broker answered: end the process
    kFatal,         // fenced or broken for good: end the process (another instance may have taken over)
  };
  BusError(Kind kind, const std::string& text) : std::runtime_error(text), kind_(kind) {}
  Kind kind() const { return kind_; }

 private:
  Kind kind_;
};

struct TopicPartition {
  std::string topic;
  std::int32_t partition = 0;
  auto operator<=>(const TopicPartition&) const = default;
};

struct Header {
  std::string name;
  std::string value;
  bool operator==(const Header&) const = default;
};

struct InRecord {
  TopicPartition from;
  std::int64_t offset = 0;
  std::string key;
  std::string value;
  bool tombstone = false;  // the value is null
  std::vector<Header> headers;
  std::chrono::milliseconds produced_at{};  // since the Unix epoch
};

struct OutRecord {
  TopicPartition to{};
  std::string key{};
  std::string value{};
  bool tombstone = false;
  std::vector<Header> headers{};
};

inline constexpr std::int64_t kNoOffset = -1;

/// A group's committed position: the next record to read, and what the committer wrote beside it.
struct Position {
  TopicPartition at;
  std::int64_t offset = kNoOffset;
  std::string metadata;  // UTF-8, at most 4 KiB
  bool operator==(const Position&) const = default;
};

/// Called from within Consumer::Poll.
class RebalanceListener {
 public:
  virtual ~RebalanceListener() = default;
  /// With the committed positions (kNoOffset: none); records are read from there, or from the start, and it
  /// may change that. Always the whole share: a rebalance takes all from every member first (the eager
  /// protocol). When it throws nothing is read, OnRevoked is not called, and the next Poll asks it again.
  virtual void OnAssigned(std::vector<Position>& partitions) = 0;
  /// Until this returns the partitions are ours, and work on them must be dropped or committed; `lost`: they
  /// belong to another, and a commit will fail.
  virtual void OnRevoked(const std::vector<TopicPartition>& partitions, bool lost) = 0;
};

/// The generation of a group that gave a consumer its share; with an older one no commit succeeds (KIP-447).
struct GroupToken {
  virtual ~GroupToken() = default;
};

/// Not thread-safe. Reads only committed records.
class Consumer {
 public:
  virtual ~Consumer() = default;
  /// Joins the group given at creation. `listener` must outlive the consumer or the next call.
  virtual void Subscribe(const std::vector<std::string>& topics, RebalanceListener& listener) = 0;
  /// Reads these partitions from these offsets (kNoOffset: the start) without a group.
  virtual void Assign(const std::vector<Position>& partitions) = 0;
  /// Waits at most `timeout` for the first record; returns at most `limit`, in order within a partition.
  /// Throws BusError; kUnreachable is thrown only when no broker has answered for a while.
  virtual std::vector<InRecord> Poll(std::chrono::milliseconds timeout, std::size_t limit) = 0;
  /// Back to the committed positions, after an abort: OnRevoked and OnAssigned are called for all partitions.
  virtual void Rewind() = 0;
  /// Stops and starts delivery for partitions that are assigned.
  virtual void Pause(const std::vector<TopicPartition>& partitions) = 0;
  virtual void Resume(const std::vector<TopicPartition>& partitions) = 0;
  virtual std::unique_ptr<GroupToken> Token() const = 0;
  /// The offset after everything committed to a partition. Before it may be the end of a transaction, which
  /// takes an offset and is never delivered. Throws BusError.
  virtual std::int64_t EndOffset(const TopicPartition& partition) = 0;
  /// Where reading goes on in an assigned partition: after the records given by Poll and, at the end, those
  /// of transactions; kNoOffset when nothing is known yet. All before an EndOffset is read once this reaches
  /// it.
  virtual std::int64_t NextOffset(const TopicPartition& partition) const = 0;
  /// Records that Poll has still to give, as of the last fetch; ends of transactions count. Asks no broker.
  virtual std::uint64_t Unread() const = 0;
  /// Leaves the group; OnRevoked is called for what is assigned.
  virtual void Close() = 0;
};

/// Idempotent, acks=all. Not thread-safe.
class Producer {
 public:
  virtual ~Producer() = default;
  /// Queues a record; waits while the queue is full (that is the backpressure). Throws BusError kUnreachable
  /// when nothing moved for `send_timeout`; the record is then not queued. Throws too when an earlier record
  /// could not be delivered for good. Without transactions a queued record is kept until it is acknowledged,
  /// however long the broker is away; after a broker was lost a reader may in rare cases see a stretch of
  /// records twice.
  virtual void Send(OutRecord record) = 0;
  /// Send that does not wait: false while the queue is full, the record is then as it was. Waits
  /// only for a topic that this bus was never asked about. Only without transactions, as is the next.
  virtual bool TrySend(OutRecord& record) = 0;
  /// How many records, from the first that was sent on, are acknowledged without a gap.
  virtual std::uint64_t acknowledged() const = 0;
  /// Waits until everything queued is acknowledged. Throws BusError when that fails.
  virtual void Flush(std::chrono::milliseconds timeout) = 0;

  /// Only for producers made with a transactional identifier; Init fences older instances.
  virtual void InitTransactions() = 0;
  virtual void Begin() = 0;
  /// Sends the positions within the transaction and commits it. After BusError kAbort or
  /// kUnreachable call Abort.
  virtual void Commit(const std::vector<Position>& positions, const GroupToken& group) = 0;
  virtual void Commit() = 0;
  /// Ends the transaction whatever became of it. After kUnreachable call it again.
  virtual void Abort() = 0;
};

struct TopicSpec {
  std::string name{};
  std::int32_t partitions = 1;
  std::int16_t replication = 1;
  std::map<std::string, std::string> settings{};  // such as {"cleanup.policy", "compact"}
};

/// What exists under a topic's name.
struct TopicDescription {
  std::int32_t partitions = 0;
  std::map<std::string, std::string> settings;  // all of them, defaults included
};

class Admin {
 public:
  virtual ~Admin() = default;
  /// True when it was made now, false when it was there already. Throws BusError.
  virtual bool CreateTopic(const TopicSpec& spec) = 0;
  virtual std::optional<TopicDescription> DescribeTopic(const std::string& name) = 0;
  virtual bool DeleteTopic(const std::string& name) = 0;
  /// Forgets what a group has committed to these; false without such a group. Throws GroupInUse.
  virtual bool DeletePositions(const std::string& group, const std::vector<TopicPartition>& partitions) = 0;
  /// 0 when there is no such topic.
  virtual std::int32_t PartitionCount(const std::string& topic) = 0;
};

struct ConsumerOptions {
  std::string group{};                        // empty: no group, only Assign
  std::chrono::milliseconds fetch_wait{500};  // Assign and EndOffset wait so long behind an idle fetch
};

struct ProducerOptions {
  std::string transactional_id{};  // empty: no transactions
  std::string compression = "lz4";
  std::chrono::milliseconds linger{1};
  std::chrono::milliseconds send_timeout{60'000};
  std::size_t queue_bytes = 64 << 20;  // of values that may be queued; a larger record is refused for good
};

/// Makes everything above; must outlive what it made. Thread-safe.
class Bus {
 public:
  virtual ~Bus() = default;
  virtual std::unique_ptr<Consumer> MakeConsumer(const ConsumerOptions& options) = 0;
  virtual std::unique_ptr<Producer> MakeProducer(const ProducerOptions& options) = 0;
  virtual std::unique_ptr<Admin> MakeAdmin() = 0;
};

}  // namespace flowcast::bus
