// Calls that may never return.
#pragma once

#include <functional>

#include "libs/base/time.h"

namespace flowcast::base {

/// Runs the action on a thread of its own and waits for it at most `patience`. False when it had not returned
/// by then: it goes on by itself, so that it must own what it uses. The action must not throw.
bool FinishesWithin(Duration patience, std::function<void()> action);

}  // namespace flowcast::base
