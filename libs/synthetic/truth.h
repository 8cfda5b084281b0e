// What is true of a scenario: its links, and when each has its bursts and overloads.
#pragma once

#include <ostream>
#include <string>
#include <vector>

#include "libs/synthetic/scenario.h"

namespace flowcast::synthetic {

/// One burst or overload of one link.
struct TrueEpisode {
  std::string link;
  std::string kind;  // "burst", or the overload's kind
  base::EventTime start;
  base::EventTime top;   // it has risen
  base::EventTime fall;  // it begins to fall
  base::EventTime end;
  double peak_packets_per_s = 0;      // expected in the highest second: the noise is left out
  double expected_packets_per_s = 0;  // without it: mean over its seconds
};

/// All that begin within the scenario, in order of start, link and kind. What its end cuts off is
/// not told: `end` may lie after it.
std::vector<TrueEpisode> TrueEpisodes(const Scenario& scenario);

/// docs/generate.md, "Truth file"; one episode a line.
void WriteTruth(const Scenario& scenario, std::ostream& out);

}  // namespace flowcast::synthetic
