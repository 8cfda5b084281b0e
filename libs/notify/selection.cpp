// The rules in their order.
#include "libs/notify/selection.h"

#include <algorithm>

namespace flowcast::notify {
namespace {

std::ptrdiff_t RankOf(const std::string& severity) {
  const auto& all = Severities();
  return std::find(all.begin(), all.end(), severity) - all.begin();
}

}  // namespace

const std::vector<std::string>& Severities() {
  static const std::vector<std::string> all{"info", "warning", "error", "critical"};
  return all;
}

Choice Choose(const alert::Alert& alert, const Selection& selection) {
  if (alert.state == alert::State::kPending || !alert.fired_at) return Choice::kPending;
  if (alert.silenced && !selection.silenced) return Choice::kSilenced;
  if (RankOf(alert.severity) < RankOf(selection.severity)) return Choice::kBelow;
  return Choice::kSend;
}

}  // namespace flowcast::notify
