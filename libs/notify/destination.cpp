// The queue of a receiver.
#include "libs/notify/destination.h"

#include <algorithm>
#include <bit>
#include <utility>

#include "libs/base/text.h"

namespace flowcast::notify {
namespace {

constexpr base::Duration kLongestWait = std::chrono::hours(1);
constexpr base::Duration kComplainEvery = std::chrono::minutes(1);
constexpr std::size_t kResentAtOnce = 64;

}  // namespace

Destination::Destination(std::string name, const DestinationOptions& options, Sender& sender,
                         const base::Clock& clock, base::Log log, std::uint64_t seed)
    : name_(std::move(name)),
      options_(options),
      sender_(sender),
      clock_(clock),
      log_(std::move(log)),
      backoff_(options.backoff, seed),
      complaint_(clock, kComplainEvery) {}

void Destination::Offer(const Origin& origin, const alert::Alert& alert) {
  {
    const std::lock_guard lock(mutex_);
    Note(alert);
    queue_.push_back({next_number_++, origin, clock_.Steady(), alert});
    ++counters_.offered;
    if (queue_.size() > options_.queue_limit) {
      queue_.erase(queue_.begin() + (in_flight_ == queue_.front().number ? 1 : 0));
      if (std::has_single_bit(++counters_.overflowed)) {
        log_(base::LogLevel::kWarning,
             name_ + ": its queue is full (" + base::Grouped(options_.queue_limit) +
                 "); alerts given up so far for that: " + base::Grouped(counters_.overflowed));
      }
    }
  }
  on_news_();
}

void Destination::Learn(const std::vector<alert::Alert>& firing) {
  {
    const std::lock_guard lock(mutex_);
    for (const alert::Alert& alert : firing) Note(alert);
    resend_at_ = clock_.Steady();
  }
  on_news_();
}

void Destination::Note(const alert::Alert& alert) {
  if (!Resends()) return;
  if (alert.state == alert::State::kFiring) {
    firing_.insert_or_assign(alert.fingerprint, alert);
  } else {
    firing_.erase(alert.fingerprint);
  }
}

void Destination::Forget() {
  const std::lock_guard lock(mutex_);
  counters_.forgotten += queue_.size();
  queue_.clear();
  in_flight_.reset();
  firing_.clear();
}

base::Duration Destination::Turn() {
  if (const auto parcel = Next()) {
    Settle(*parcel, sender_.Send({&parcel->alert, 1}));
  } else if (const auto firing = DueResend(); !firing.empty()) {
    Resend(firing);
  }
  return TimeToWait();
}

std::optional<Destination::Parcel> Destination::Next() {
  const std::lock_guard lock(mutex_);
  if (queue_.empty() || clock_.Steady() < not_before_) return std::nullopt;
  in_flight_ = queue_.front().number;
  return queue_.front();
}

std::vector<alert::Alert> Destination::DueResend() {
  const std::lock_guard lock(mutex_);
  const base::Duration now = clock_.Steady();
  std::vector<alert::Alert> due;
  if (!Resends() || !queue_.empty() || now < std::max(resend_at_, not_before_)) return due;
  resend_at_ = now + options_.resend_every;
  for (const auto& [fingerprint, alert] : firing_) due.push_back(alert);
  return due;
}

void Destination::Resend(const std::vector<alert::Alert>& firing) {
  for (std::size_t begin = 0; begin < firing.size(); begin += kResentAtOnce) {
    const std::size_t count = std::min(kResentAtOnce, firing.size() - begin);
    const Outcome outcome = sender_.Send(std::span(firing).subspan(begin, count));
    const std::lock_guard lock(mutex_);
    if (outcome.kind != Outcome::Kind::kTaken) {
      Fail(outcome);
      resend_at_ = not_before_;
      return;
    }
    Succeed();
    counters_.resent += count;
  }
}

void Destination::Settle(const Parcel& parcel, const Outcome& outcome) {
  const std::lock_guard lock(mutex_);
  const bool still_ours = in_flight_ == parcel.number;
  in_flight_.reset();
  if (outcome.kind == Outcome::Kind::kRetry) {
    Fail(outcome);
    GiveUpExpired();
    return;
  }
  if (outcome.kind == Outcome::Kind::kTaken) Succeed();
  if (!still_ours) return;  // forgotten meanwhile
  queue_.pop_front();
  if (outcome.kind == Outcome::Kind::kTaken) {
    ++counters_.taken;
  } else {
    Refuse(parcel, outcome);
  }
}

void Destination::Fail(const Outcome& outcome) {
  const base::Duration now = clock_.Steady();
  if (!counters_.failing) failing_since_ = now;
  counters_.failing = true;
  ++counters_.failures;
  not_before_ = now + std::max(backoff_.AfterFailure(), outcome.retry_after.value_or(base::Duration::zero()));
  if (!complaint_.IsDue()) return;
  log_(base::LogLevel::kWarning,
       name_ + ": " + outcome.reason + "; alerts that wait: " + base::Grouped(queue_.size()) +
           "; tried again until each is " + base::FormatDuration(options_.give_up_after) + " old");
}

void Destination::Succeed() {
  backoff_.AfterSuccess();
  not_before_ = {};
  if (!std::exchange(counters_.failing, false)) return;
  const auto seconds = std::chrono::ceil<std::chrono::seconds>(clock_.Steady() - failing_since_);
  log_(base::LogLevel::kInfo, name_ + ": takes alerts again, after " + base::FormatDuration(seconds));
}

void Destination::Refuse(const Parcel& parcel, const Outcome& outcome) {
  backoff_.AfterSuccess();
  if (std::has_single_bit(++counters_.refused)) {
    log_(base::LogLevel::kWarning,
         name_ + ": refused alert " + parcel.alert.fingerprint + " (" + outcome.reason +
             "), which is not tried again; refused so far: " + base::Grouped(counters_.refused));
  }
}

void Destination::GiveUpExpired() {
  const base::Duration oldest_kept = clock_.Steady() - options_.give_up_after;
  const auto kept = std::find_if(queue_.begin(), queue_.end(), [oldest_kept](const Parcel& parcel) {
    return parcel.offered_at > oldest_kept;
  });
  const auto count = static_cast<std::uint64_t>(kept - queue_.begin());
  if (count == 0) return;
  queue_.erase(queue_.begin(), kept);
  counters_.expired += count;
  log_(base::LogLevel::kWarning, name_ + ": gave up " + base::Grouped(count) + " alerts that waited for " +
                                     base::FormatDuration(options_.give_up_after) +
                                     "; given up so far: " + base::Grouped(counters_.expired));
}

base::Duration Destination::TimeToWait() const {
  const std::lock_guard lock(mutex_);
  const base::Duration now = clock_.Steady();
  base::Duration next = now + kLongestWait;
  if (!queue_.empty()) {
    next = not_before_;
  } else if (!firing_.empty()) {
    next = std::max(resend_at_, not_before_);
  }
  return std::clamp(next - now, base::Duration::zero(), kLongestWait);
}

std::optional<std::int64_t> Destination::OldestWaiting(std::int32_t partition) const {
  const std::lock_guard lock(mutex_);
  for (const Parcel& parcel : queue_) {
    if (parcel.origin.partition == partition) return parcel.origin.offset;
  }
  return std::nullopt;
}

DestinationCounters Destination::counters() const {
  const std::lock_guard lock(mutex_);
  DestinationCounters counters = counters_;
  counters.waiting = queue_.size();
  if (!queue_.empty()) counters.oldest = clock_.Steady() - queue_.front().offered_at;
  return counters;
}

}  // namespace flowcast::notify
