// The host's clock, the broker's, and event time against them.
#include <algorithm>

#include "libs/diagnosis/internal/checks.h"

namespace flowcast::diagnosis::internal {
namespace {

using namespace std::chrono_literals;

constexpr const char* kClock = "clock";
constexpr const char* kSynchronize =
    "synchronize the clocks (chrony, ntpd): retention, expiries, log lines and live packets go by them";
constexpr base::Duration kMostApart = 2s;
constexpr base::Duration kMostFuture = 5s;

/// The source whose packets are dated furthest after the moment at which the broker took them.
const SourceSeen* FromTheFuture(const std::vector<SourceSeen>& sources) {
  const auto ahead = [](const SourceSeen& source) { return source.after - source.produced_at; };
  const auto found = std::max_element(sources.begin(), sources.end(),
                                      [&](const auto& a, const auto& b) { return ahead(a) < ahead(b); });
  return found == sources.end() || ahead(*found) <= kMostFuture ? nullptr : &*found;
}

}  // namespace

Finding CheckClock(const Observation& seen) {
  if (seen.clock.ahead && *seen.clock.ahead > kMostApart) {
    return Warning(kClock, "this host's clock is " + Span(*seen.clock.ahead) + " ahead of the broker's",
                   kSynchronize);
  }
  if (seen.clock.ahead && -*seen.clock.ahead > kMostApart) {
    return Warning(kClock, "this host's clock is " + Span(-*seen.clock.ahead) + " behind the broker's",
                   kSynchronize);
  }
  if (const SourceSeen* source = FromTheFuture(seen.sources)) {
    return Warning(kClock,
                   "packets of " + source->name + " are dated " + Span(source->after - source->produced_at) +
                       " after the broker's time",
                   "set the clock of the host that captures; made-up and replayed packets may be so");
  }
  if (!seen.clock.ahead) return Unknown(kClock, "no record came meanwhile that tells the broker's time");
  return Ok(kClock, "this host's and the broker's agree within " + Span(kMostApart));
}

}  // namespace flowcast::diagnosis::internal
