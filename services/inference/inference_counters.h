// What the inference service counts.
#pragma once

#include <cstdint>

namespace flowcast::services {

/// Sequences that are not forecast from: what was wrong.
struct RefusedSequences {
  std::uint64_t not_ours = 0;
  std::uint64_t version = 0;
  std::uint64_t inconsistent = 0;
  std::uint64_t schema = 0;  // another feature schema or normalization
  std::uint64_t sum() const { return not_ours + version + inconsistent + schema; }
};

/// Alerts that are remembered.
struct ActiveAlerts {
  std::uint64_t pending = 0;
  std::uint64_t firing = 0;
};

/// Sequences in = forecast + refused + stale + astray + refolded; forecasts = forecast x targets.
struct InferenceCounters {
  std::uint64_t sequences = 0;
  RefusedSequences refused;
  std::uint64_t stale = 0;     // repeated or older than the link's last
  std::uint64_t astray = 0;    // more than a day from the link's last, and the first to say so
  std::uint64_t refolded = 0;  // read again after a restart or a rebalance; their forecasts are out already
  std::uint64_t forecast = 0;
  std::uint64_t forecasts = 0;   // records
  std::uint64_t with_model = 0;  // of these
  std::uint64_t settled = 0;
  std::uint64_t ignored_values = 0;  // what forecasters were told and did not use
  std::uint64_t clipped_values = 0;  // what their intervals had to bound
  std::uint64_t state_records = 0;
  std::uint64_t json_records = 0;  // written to forecasts-json.v1
};

}  // namespace flowcast::services
