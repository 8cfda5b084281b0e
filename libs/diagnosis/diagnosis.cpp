// The order of the checks, and what follows from them.
#include "libs/diagnosis/diagnosis.h"

#include <algorithm>

#include "libs/diagnosis/internal/checks.h"

namespace flowcast::diagnosis {

std::string_view ToString(Verdict verdict) {
  switch (verdict) {
    case Verdict::kOk:
      return "ok";
    case Verdict::kWarning:
      return "warning";
    case Verdict::kFailed:
      return "failed";
    case Verdict::kUnknown:
      return "unknown";
  }
  return "";
}

std::vector<Finding> Diagnose(const Observation& seen) {
  using namespace internal;
  std::vector<Finding> findings{CheckBroker(seen)};
  const bool reached = findings.front().verdict != Verdict::kFailed;
  if (reached) findings.push_back(CheckTopics(seen));
  const bool is_there = findings.back().verdict != Verdict::kFailed;
  if (is_there) {
    for (const auto check : {CheckPackets, CheckWatermark, CheckWindows, CheckSequences, CheckModel,
                             CheckForecasts, CheckAlerts}) {
      findings.push_back(check(seen));
    }
    findings.push_back(CheckLag(seen.features, seen.packets));
    findings.push_back(CheckLag(seen.inference, seen.sequences));
    // Who needs no notifier has none.
    if (seen.notifier.members > 0 || seen.notifier.has_position) {
      findings.push_back(CheckLag(seen.notifier, seen.alerts));
    }
    findings.push_back(CheckClock(seen));
  } else {
    const std::string before = findings.back().check;
    findings.push_back(Unknown("pipeline", "nothing else can be looked at before: " + before));
  }
  for (Finding& finding : CheckServices(seen)) findings.push_back(std::move(finding));
  return findings;
}

bool IsWell(const std::vector<Finding>& findings) {
  return std::none_of(findings.begin(), findings.end(),
                      [](const Finding& finding) { return finding.verdict == Verdict::kFailed; });
}

std::string Conclusion(const std::vector<Finding>& findings) {
  const auto first = [&findings](Verdict verdict) {
    return std::find_if(findings.begin(), findings.end(),
                        [verdict](const Finding& finding) { return finding.verdict == verdict; });
  };
  if (const auto failed = first(Verdict::kFailed); failed != findings.end()) {
    return "begin with " + failed->check + ": " + failed->remedy;
  }
  if (const auto warning = first(Verdict::kWarning); warning != findings.end()) {
    return "nothing failed; look at " + warning->check;
  }
  return "all is well";
}

}  // namespace flowcast::diagnosis
