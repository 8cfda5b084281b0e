// Topics as Strimzi's operator takes them: one KafkaTopic each.
#pragma once

#include <string>
#include <vector>

#include "libs/bus/bus.h"

namespace flowcast::tools {

/// YAML documents for `kubectl apply`, for the Strimzi cluster of that name (API v1, Strimzi 0.49 or newer).
/// A topic whose name is no name for Kubernetes, since it has capitals or underscores, gets one made of it.
std::string TopicManifests(const std::vector<bus::TopicSpec>& topics, const std::string& cluster);

}  // namespace flowcast::tools
