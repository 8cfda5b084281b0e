// What stands on the topics, for people.
#pragma once

#include <string>

#include "libs/topics/topics.h"

namespace flowcast::topics {

struct Content {
  std::string value;
  std::string key;
  std::string writers;
  std::string readers;
};

/// Of a topic of these names; throws std::out_of_range for another.
Content ContentOf(const Names& names, const std::string& topic);

}  // namespace flowcast::topics
