// Verdicts over an observation.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "libs/diagnosis/observation.h"

namespace flowcast::diagnosis {

/// "ok", "warning" (it works, but not as one might think), "failed" (nothing can come of it), "unknown" (it
/// could not be looked at, mostly because something before it failed).
enum class Verdict { kOk, kWarning, kFailed, kUnknown };
std::string_view ToString(Verdict verdict);

struct Finding {
  std::string check;  // a word: "broker", "packets", ...
  Verdict verdict = Verdict::kOk;
  std::string text;    // one line: what was seen
  std::string remedy;  // one line: what to do; empty where there is nothing to do
  bool operator==(const Finding&) const = default;
};

/// All checks in the order of the pipeline: the first that failed is the reason for those after it.
std::vector<Finding> Diagnose(const Observation& seen);

/// None failed.
bool IsWell(const std::vector<Finding>& findings);

/// One sentence: that all is well, or what to begin with.
std::string Conclusion(const std::vector<Finding>& findings);

}  // namespace flowcast::diagnosis
