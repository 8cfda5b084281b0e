// Which alerts anybody is told of.
#pragma once

#include <string>
#include <vector>

#include "libs/alert/alert.h"

namespace flowcast::notify {

/// Ascending; an alert may have another word, which counts as the highest.
const std::vector<std::string>& Severities();

struct Selection {
  std::string severity = "info";  // one of Severities(): the lowest that is sent
  bool silenced = false;          // those, too
};

enum class Choice { kSend, kPending, kSilenced, kBelow };

/// Firing and resolved ones are sent, but not one that ended before it fired.
Choice Choose(const alert::Alert& alert, const Selection& selection);

}  // namespace flowcast::notify
