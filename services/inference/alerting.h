// What the inference service does about alerts: rules on links, messages to alerts.v1.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "libs/alert/link_alerts.h"
#include "libs/base/log.h"
#include "libs/slice/slice_loop.h"
#include "libs/topics/topics.h"
#include "libs/wire/inference_state_wire.h"

namespace flowcast::services {

/// Messages sent, by state; those of silenced alerts also once more.
struct AlertCounters {
  std::uint64_t pending = 0;
  std::uint64_t fired = 0;
  std::uint64_t resolved = 0;
  std::uint64_t silenced = 0;
};

/// Which rules are in force, and that this is written down: a re-fold asks only those that were. Not
/// thread-safe.
class Alerting {
 public:
  using Rules = std::shared_ptr<const alert::RuleSet>;
  using History = std::vector<wire::RulesInForce>;  // of a partition; by offset

  Alerting(Rules rules, const topics::Names& names, base::Log log)
      : rules_(std::move(rules)), names_(names), log_(std::move(log)) {}

  /// From the next window on.
  void Use(Rules rules) { rules_ = std::move(rules); }
  /// That the rules in force are so from this record on, if it is news.
  void Note(std::int64_t offset, History& history) const;

  /// True when something was published: what the link remembers must go with it.
  bool Evaluate(const forecast::Forecast& forecast, const alert::PercentilesByLink& percentiles,
                alert::LinkAlerts& alerts, slice::Outbox& outbox);
  /// The window of a record that was evaluated before.
  void EvaluateAgain(const forecast::Forecast& forecast, const alert::PercentilesByLink& percentiles,
                     std::int64_t offset, const History& history, alert::LinkAlerts& alerts) const;
  /// The link is gone; `last_end` is the end of its last window.
  void Forget(base::EventTime last_end, alert::LinkAlerts& alerts, slice::Outbox& outbox);
  /// Nothing is heard of the link any more. True when something was published.
  bool FallSilent(base::EventTime last_end, alert::LinkAlerts& alerts, slice::Outbox& outbox);

  const AlertCounters& counters() const { return counters_; }

 private:
  void Send(const std::vector<alert::Alert>& changes, slice::Outbox& outbox);

  Rules rules_;
  topics::Names names_;
  base::Log log_;
  AlertCounters counters_;
};

}  // namespace flowcast::services
