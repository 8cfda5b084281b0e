// Numbers for programs that are told of alerts.
#pragma once

#include <string>

namespace flowcast::notify {

/// Six digits, as "340", "358.608" or "1.25e+09".
std::string Number(double value);

}  // namespace flowcast::notify
