// One receiver: what waits for it, when it is tried again, and when it is given up.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "libs/base/clock.h"
#include "libs/base/log.h"
#include "libs/base/throttle.h"
#include "libs/notify/backoff.h"
#include "libs/notify/sender.h"

namespace flowcast::notify {

struct DestinationOptions {
  std::size_t queue_limit = 10'000;                      // at least 2
  base::Duration give_up_after = std::chrono::hours(1);  // since it was offered
  BackoffOptions backoff;
  base::Duration resend_every{};  // what is firing is told again; 0: never
};

/// Offered = taken + refused + expired + overflowed + forgotten + waiting, at any time.
struct DestinationCounters {
  std::uint64_t offered = 0;
  std::uint64_t taken = 0;
  std::uint64_t refused = 0;     // by the receiver, for good
  std::uint64_t expired = 0;     // could not be handed over within give_up_after
  std::uint64_t overflowed = 0;  // the oldest of a full queue
  std::uint64_t forgotten = 0;   // another instance has taken over
  std::uint64_t waiting = 0;
  std::uint64_t failures = 0;  // attempts that failed, resends included
  std::uint64_t resent = 0;    // alerts told again
  base::Duration oldest{};     // how long the oldest of those waiting has
  bool failing = false;        // the last attempt failed
};

/// Where an alert was read.
struct Origin {
  std::int32_t partition = 0;
  std::int64_t offset = 0;
};

/// Alerts are handed over one by one in the order in which they were offered. While one is retried the others
/// wait behind it. After a failure everything that has waited for give_up_after is given up; a full queue
/// gives up its oldest. Turn is for one thread, the rest for any.
class Destination {
 public:
  /// `name` is for metrics and log; sender and clock must outlive it.
  Destination(std::string name, const DestinationOptions& options, Sender& sender, const base::Clock& clock,
              base::Log log, std::uint64_t seed);

  /// `news` is called after each Offer and Learn, from its thread: there may be something to do.
  void OnNews(std::function<void()> news) { on_news_ = std::move(news); }
  void Offer(const Origin& origin, const alert::Alert& alert);
  /// What is firing of what was offered in an earlier run.
  void Learn(const std::vector<alert::Alert>& firing);
  /// Whether Learn makes a difference.
  bool Resends() const { return options_.resend_every > base::Duration::zero(); }
  /// Drops what waits and what is known.
  void Forget();

  /// Does what is due, if anything: one attempt. Returns how long there is nothing to do unless
  /// something is offered.
  base::Duration Turn();
  void Interrupt() { sender_.Interrupt(); }

  /// The oldest offset of a partition that is not settled; none when all are.
  std::optional<std::int64_t> OldestWaiting(std::int32_t partition) const;
  DestinationCounters counters() const;
  const std::string& name() const { return name_; }

 private:
  struct Parcel {
    std::uint64_t number = 0;
    Origin origin;
    base::Duration offered_at{};
    alert::Alert alert;
  };

  void Note(const alert::Alert& alert);
  base::Duration TimeToWait() const;
  std::optional<Parcel> Next();
  std::vector<alert::Alert> DueResend();
  void Resend(const std::vector<alert::Alert>& firing);
  void Settle(const Parcel& parcel, const Outcome& outcome);
  void Fail(const Outcome& outcome);
  void Succeed();
  void Refuse(const Parcel& parcel, const Outcome& outcome);
  void GiveUpExpired();

  const std::string name_;
  const DestinationOptions options_;
  Sender& sender_;
  const base::Clock& clock_;
  base::Log log_;
  std::function<void()> on_news_ = [] {};

  mutable std::mutex mutex_;  // of all below
  Backoff backoff_;
  base::Throttle complaint_;
  std::deque<Parcel> queue_;
  std::optional<std::uint64_t> in_flight_;      // the front, as long as this is its number
  std::map<std::string, alert::Alert> firing_;  // by fingerprint; only with resend_every
  base::Duration not_before_{};
  base::Duration resend_at_{};
  base::Duration failing_since_{};
  std::uint64_t next_number_ = 0;
  DestinationCounters counters_;
};

}  // namespace flowcast::notify
