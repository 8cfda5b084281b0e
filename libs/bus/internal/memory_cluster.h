// The state behind MemoryBus: logs, groups and transactions. Everything takes the lock itself.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "libs/bus/memory_bus.h"

namespace flowcast::bus::internal {

struct Transaction {
  enum class Outcome { kOpen, kCommitted, kAborted };
  Outcome outcome = Outcome::kOpen;
  std::set<TopicPartition> partitions;
};

struct Entry {
  OutRecord record;
  std::chrono::milliseconds produced_at{};
  std::shared_ptr<const Transaction> transaction;  // null: visible at once
  bool marker = false;                             // the end of a transaction, never delivered
};

using Log = std::vector<Entry>;
using MemberId = std::uint64_t;

struct Member {
  std::vector<std::string> topics;
  std::uint64_t generation = 0;  // the last one this member has given up its partitions for
  std::set<TopicPartition> held;
};

struct Group {
  std::uint64_t generation = 0;
  std::map<MemberId, Member> members;  // in the order of joining
  std::map<TopicPartition, Position> committed;
};

/// What a member has to do in its Poll because of a rebalance.
struct RebalanceStep {
  bool revoke = false;                            // give up everything first, then ask again
  std::optional<std::vector<Position>> assigned;  // this is its share now
};

/// A transactional producer's identity: the newest epoch of an identifier wins.
struct ProducerIdentity {
  std::string transactional_id;
  std::uint64_t epoch = 0;
};

struct MemberToken : GroupToken {
  std::string group;
  MemberId member = 0;
  std::uint64_t generation = 0;
};

class MemoryCluster {
 public:
  explicit MemoryCluster(const base::Clock* clock) : clock_(clock) {}

  bool CreateTopic(const TopicSpec& spec);
  std::optional<TopicSpec> FindTopic(const std::string& name) const;
  bool DeleteTopic(const std::string& name);

  /// Throws kMissingTopic when the partition does not exist.
  void RequirePartition(const TopicPartition& partition) const;
  /// Appends visible records from `offset` on, at most `limit` in `out`; returns the next offset.
  std::int64_t Read(const TopicPartition& from, std::int64_t offset, std::size_t limit,
                    std::vector<InRecord>& out) const;
  /// The offset of the first record of an open transaction, or the end of the log.
  std::int64_t EndOffset(const TopicPartition& partition) const;
  /// Records from `next` on that can be read; 0 where there is no such partition.
  std::int64_t Behind(const TopicPartition& partition, std::int64_t next) const;

  MemberId Join(const std::string& group, const std::vector<std::string>& topics);
  void Leave(const std::string& group, MemberId member);
  /// A share that is told counts as held from now on.
  RebalanceStep NextStep(const std::string& group, MemberId member);
  /// The member holds nothing any more and takes part in the current generation.
  void GiveUp(const std::string& group, MemberId member);
  MemberToken Token(const std::string& group, MemberId member) const;
  std::vector<Position> Committed(const std::string& group, const std::set<TopicPartition>& partitions) const;
  std::vector<Position> Committed(const std::string& group) const;
  /// Throws kFatal when a member reads one of the topics.
  bool DeletePositions(const std::string& group, const std::vector<TopicPartition>& partitions);

  ProducerIdentity InitProducer(const std::string& transactional_id);
  /// Throws kFatal when a newer producer has the identifier.
  std::shared_ptr<Transaction> BeginTransaction(const ProducerIdentity& identity);
  /// `transaction` may be null.
  void Append(OutRecord record, const ProducerIdentity& identity, std::shared_ptr<Transaction> transaction);
  /// Throws kFatal when fenced and kAbort when the member's generation has passed or a fault says so.
  void Commit(const ProducerIdentity& identity, Transaction& transaction,
              const std::vector<Position>& positions, const MemberToken* token);
  void Abort(const ProducerIdentity& identity, Transaction& transaction);

  /// Throws kUnreachable while the fault is set.
  void RequireReachable() const;
  Faults faults;

 private:
  const Log& LogOf(const TopicPartition& partition) const;
  Log& LogOf(const TopicPartition& partition);
  std::vector<TopicPartition> ShareOf(const Group& group, MemberId member) const;
  void RequireCurrent(const ProducerIdentity& identity) const;
  void RequireCurrent(const MemberToken& token) const;
  void End(Transaction& transaction, Transaction::Outcome outcome);
  std::vector<Position> CommittedLocked(const Group& group,
                                        const std::vector<TopicPartition>& partitions) const;
  std::chrono::milliseconds Now() const;

  struct Topic {
    TopicSpec spec;
    std::vector<Log> partitions;
  };
  struct Identifier {
    std::uint64_t epoch = 0;
    std::weak_ptr<Transaction> open;
  };

  const base::Clock* clock_;
  mutable std::mutex mutex_;
  std::map<std::string, Topic> topics_;
  std::map<std::string, Group> groups_;
  std::map<std::string, Identifier> identifiers_;
  MemberId last_member_ = 0;
};

std::unique_ptr<Consumer> MakeMemoryConsumer(std::shared_ptr<MemoryCluster> cluster,
                                             const ConsumerOptions& options);
std::unique_ptr<Producer> MakeMemoryProducer(std::shared_ptr<MemoryCluster> cluster,
                                             const ProducerOptions& options);
std::unique_ptr<Admin> MakeMemoryAdmin(std::shared_ptr<MemoryCluster> cluster);

}  // namespace flowcast::bus::internal
