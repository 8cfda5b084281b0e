// The rules that are in force.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "libs/alert/capacity.h"
#include "libs/alert/rule.h"

namespace flowcast::alert {

/// What a rules file says.
struct Rulebook {
  std::vector<Rule> rules;
  Capacities capacities;
};

/// Immutable.
class RuleSet {
 public:
  RuleSet() : RuleSet({}, {}) {}
  /// Throws base::ConfigError for a rule that makes no sense, and for two with the same name.
  RuleSet(std::vector<Rule> rules, Capacities capacities);

  const std::vector<Rule>& rules() const { return rules_; }
  const Capacities& capacities() const { return capacities_; }
  /// Null when there is none with this Rule::hash.
  const Rule* Find(std::uint64_t hash) const;

  /// Whether it watches the link and, where it asks for a share of the capacity, that is known.
  bool Applies(const Rule& rule, const std::string& link) const;

  /// Of each rule, in their order: its hash, and what else its judgements depend on (capacities).
  const std::vector<std::uint64_t>& marks() const { return marks_; }
  /// Of one of rules(), at its place there.
  std::uint64_t hash_of(const Rule& rule) const { return hashes_[PositionOf(rule)]; }
  std::uint64_t mark_of(const Rule& rule) const { return marks_[PositionOf(rule)]; }

  /// Throws base::ConfigError for a rule about a target or horizon that is not forecast.
  void RequireForecasts(const std::vector<std::string>& targets, const std::vector<int>& horizons) const;

 private:
  std::size_t PositionOf(const Rule& rule) const { return static_cast<std::size_t>(&rule - rules_.data()); }

  std::vector<Rule> rules_;
  std::vector<std::uint64_t> hashes_;
  std::vector<std::uint64_t> marks_;
  Capacities capacities_;
};

/// What stands where there is no rules file.
struct BuiltIn {
  Threshold threshold;
  std::string target = "packets";
  double clear_ratio = 0.9;
  Capacities capacities;
  std::optional<Threshold> packets_elsewhere;  // for links without a capacity
};
/// Rules that look at the nearest horizon's median: "load", and "packets" for links without a capacity where
/// that is asked for.
RuleSet BuiltInRules(const BuiltIn& built_in);

}  // namespace flowcast::alert
