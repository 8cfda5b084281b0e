// The rule.
#include "libs/training/retrain_rule.h"

namespace flowcast::training {

std::string_view ToString(Reason reason) {
  switch (reason) {
    case Reason::kFirst:
      return "first";
    case Reason::kOnce:
      return "once";
    case Reason::kSchedule:
      return "schedule";
    case Reason::kAmount:
      return "amount";
    case Reason::kDrift:
      return "drift";
  }
  return "";
}

std::optional<Reason> DueFor(const RetrainOptions& options, const Standing& standing) {
  if (!standing.newer) return std::nullopt;
  if (!standing.trained) return Reason::kFirst;
  if (options.drift_ratio > 0 && standing.drift && *standing.drift > options.drift_ratio)
    return Reason::kDrift;
  if (options.after_sequences > 0 && standing.new_sequences >= options.after_sequences)
    return Reason::kAmount;
  if (standing.since_training >= options.every) return Reason::kSchedule;
  return std::nullopt;
}

}  // namespace flowcast::training
