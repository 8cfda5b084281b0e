// An alert in a sentence for people.
#pragma once

#include <string>

#include "libs/alert/rule.h"

namespace flowcast::alert {

/// "eth0 will pass 80 % of 1 Gbit/s in 15 s, P = 0.93: 850 Mbit/s expected (790 Mbit/s to 910 Mbit/s)".
/// `rule` is the one that the alert is of; not asked for alerts that end because of their rule or link.
std::string Summarize(const Alert& alert, const Rule& rule);

}  // namespace flowcast::alert
