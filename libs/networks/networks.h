// The kinds of networks that there are.
#pragma once

#include "libs/base/log.h"
#include "libs/training/learner.h"

namespace flowcast::networks {

/// Of every kind.
const training::PredictorLoaders& Loaders();

/// Warns of what makes them slow on this machine.
void Advise(const base::Log& log);

}  // namespace flowcast::networks
