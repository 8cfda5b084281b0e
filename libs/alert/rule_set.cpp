// Checking rules together.
#include "libs/alert/rule_set.h"

#include <algorithm>
#include <map>
#include <utility>

#include "libs/base/text.h"

namespace flowcast::alert {
namespace {

bool AsksForCapacity(const Rule& rule) {
  const auto is_share = [](const Threshold& threshold) {
    return threshold.kind == Threshold::Kind::kShareOfCapacity;
  };
  return is_share(rule.threshold) || (rule.clear.absolute && is_share(*rule.clear.absolute));
}

}  // namespace

RuleSet::RuleSet(std::vector<Rule> rules, Capacities capacities)
    : rules_(std::move(rules)), capacities_(std::move(capacities)) {
  std::map<std::string, const Rule*> by_name;
  for (const Rule& rule : rules_) {
    Validate(rule);
    const auto [known, is_new] = by_name.emplace(rule.name, &rule);
    if (!is_new)
      Refuse(rule,
             "there is one of this name already, at " + known->second->place + "; give it another name");
    hashes_.push_back(rule.hash());
    marks_.push_back(AsksForCapacity(rule) ? rule.hash() ^ capacities_.hash() : rule.hash());
  }
}

RuleSet BuiltInRules(const BuiltIn& built_in) {
  Rule rule{.target = built_in.target, .threshold = built_in.threshold};
  rule.clear.ratio = built_in.clear_ratio;
  if (!built_in.packets_elsewhere) return {{rule}, built_in.capacities};
  Rule elsewhere = rule;
  elsewhere.name = "packets";
  elsewhere.target = "packets";
  elsewhere.threshold = *built_in.packets_elsewhere;
  elsewhere.except = built_in.capacities.links();
  return {{rule, elsewhere}, built_in.capacities};
}

const Rule* RuleSet::Find(std::uint64_t hash) const {
  const auto found = std::find(hashes_.begin(), hashes_.end(), hash);
  return found == hashes_.end() ? nullptr : &rules_[static_cast<std::size_t>(found - hashes_.begin())];
}

bool RuleSet::Applies(const Rule& rule, const std::string& link) const {
  return rule.Watches(link) && (!AsksForCapacity(rule) || capacities_.Of(link));
}

void RuleSet::RequireForecasts(const std::vector<std::string>& targets,
                               const std::vector<int>& horizons) const {
  for (const Rule& rule : rules_) {
    if (std::find(targets.begin(), targets.end(), rule.target) == targets.end()) {
      Refuse(rule, "its target " + rule.target + " is not forecast, only " + base::Join(targets) +
                       "; name it in --target, or change the rule");
    }
    const bool named = rule.horizon != Rule::kNearest && rule.horizon != Rule::kAny;
    if (named && std::find(horizons.begin(), horizons.end(), rule.horizon) == horizons.end()) {
      Refuse(rule, "its horizon of " + std::to_string(rule.horizon) +
                       " windows is not forecast; name it in --horizons, or change the rule");
    }
  }
}

}  // namespace flowcast::alert
