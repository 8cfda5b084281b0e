// All alerts of one link.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "libs/alert/judgement.h"
#include "libs/alert/rule_set.h"

namespace flowcast::alert {

/// What is remembered of an alert that is pending or firing.
struct ActiveAlert {
  std::uint64_t rule = 0;  // Rule::hash
  Life life;
  bool told = false;  // it was published in its present phase outside silences
  Alert published;    // as it was last, without the forecasts

  bool operator==(const ActiveAlert&) const = default;
};

/// Follows the rules on one link, in event time: the same forecasts and rules give the same alerts. A link
/// without active alerts costs one pointer.
class LinkAlerts {
 public:
  LinkAlerts() = default;
  /// Goes on from what active() said.
  explicit LinkAlerts(std::vector<ActiveAlert> active);

  /// The next window's forecast of one target: appends what is to be published. An alert whose rule is not
  /// there any more, or watches this link no more, is resolved, whatever its target.
  void Evaluate(const forecast::Forecast& forecast, const RuleSet& rules,
                const PercentilesByLink& percentiles, std::vector<Alert>& changes);
  /// The same for a window that was evaluated before, after which nothing was published (or it would be
  /// remembered). Only rules whose mark was `in_force` then are asked.
  void EvaluateAgain(const forecast::Forecast& forecast, const RuleSet& rules,
                     const PercentilesByLink& percentiles, std::span<const std::uint64_t> in_force);
  /// The link is gone: resolves everything, at `now`.
  void Forget(base::EventTime now, std::vector<Alert>& changes);
  /// Nothing is heard of the link any more: resolves everything but that it is quiet, which is as true as
  /// before.
  void FallSilent(base::EventTime now, std::vector<Alert>& changes);

  std::span<const ActiveAlert> active() const;

 private:
  struct Asked {
    const Rule& rule;
    const forecast::Forecast& forecast;
    const Judgement& judgement;
  };
  ActiveAlert* Find(std::uint64_t rule);
  void Erase(std::uint64_t rule);
  template <typename Ends>
  void End(Reason reason, base::EventTime now, std::vector<Alert>& changes, const Ends& ends);
  void EndStrangers(const forecast::Forecast& forecast, const RuleSet& rules, std::vector<Alert>& changes);
  void Follow(const Asked& asked, const RuleSet& rules, std::vector<Alert>& changes);
  void Publish(const Asked& asked, const RuleSet& rules, ActiveAlert& active, Change change,
               std::vector<Alert>& changes);

  std::unique_ptr<std::vector<ActiveAlert>> active_;  // null: none
};

}  // namespace flowcast::alert
