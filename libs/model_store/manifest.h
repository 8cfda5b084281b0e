// The facts of a trained model: what it forecasts, from what, how it was trained, how good it was.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "libs/base/time.h"

namespace flowcast::model_store {

/// A step of a training: an epoch of a network, a round of trees.
struct EpochRecord {
  int number = 0;  // 0 is untrained
  double training_loss = 0;
  double validation_loss = 0;
  double seconds = 0;
};

/// Errors on the validation part, raw units of the target; absent where undefined.
struct Metrics {
  std::uint64_t count = 0;
  double mse = 0;
  double mae = 0;
  double rmse = 0;
  std::optional<double> mape;
  std::optional<double> r2;
  double mae_persistence = 0;
  std::optional<double> skill;  // 1 - mae / mae_persistence
};

/// What is known of one forecaster of a model.
struct ForecasterRecord {
  std::string name;                  // the expert that it is
  std::int64_t parameters = 0;       // of the network, or nodes of the trees
  int best_epoch = 0;                // the one that was kept
  double seconds = 0;                // that its training took
  std::vector<EpochRecord> history;  // ascending
  std::map<int, Metrics> metrics;    // by horizon, windows ahead
};

/// A target's part in a decision, as Decision has it of all.
struct TargetErrors {
  double error = 0;
  double error_before = 0;
};

/// Why a model was trained, and whether it took the place of the one before.
struct Decision {
  std::string trained_for;                        // "first", "once", "schedule", "amount" or "drift"
  bool replaced = true;                           // it is the current one from its publication on
  std::string reason;                             // a sentence
  std::string against;                            // the version that was in use; empty: none
  std::uint64_t examples = 0;                     // that both were asked for; 0: they were not compared
  base::EventTime from = base::kBeginningOfTime;  // of the windows that the examples end with
  base::EventTime until = base::kBeginningOfTime;
  double error = 0;         // MAE as a share of persistence's, in the mean over the targets and horizons
  double error_before = 0;  // of the one that was in use
  std::map<std::string, TargetErrors> by_target;  // what they are the means of; empty: not compared
  bool seen_before = false;  // that one had learned from some of the examples: they favour it
};

/// Percentiles of the target over the learning part of a link: "p50", "p90", "p95", "p99".
using Percentiles = std::map<std::string, double>;

/// What is known of a target that is not the first.
struct FurtherTarget {
  std::string name;
  Metrics metrics;                                            // as Manifest::metrics
  std::map<std::string, std::map<int, Metrics>> forecasters;  // by forecaster, and horizon
  std::map<std::string, Percentiles> percentiles;             // as Manifest::percentiles
};

struct Manifest {
  std::string name = "default";
  std::string version;     // sorts by time of training
  std::string created_at;  // RFC 3339
  std::string flowcast_version;
  std::uint64_t schema_hash = 0;
  std::vector<std::string> features;
  std::string target;            // name of a feature: the first of those that are forecast
  int horizon_windows = 1;       // the nearest one, that metrics are of
  std::vector<int> horizons{1};  // all that it forecasts, windows ahead
  base::Duration window_length{};
  std::int64_t sequence_length = 0;
  std::int64_t layers = 0;
  std::int64_t hidden = 0;
  double dropout = 0;
  std::int64_t head_size = 0;  // hidden units of the head; 0: linear
  bool attention = false;
  int members = 1;  // networks of different seeds
  std::uint64_t seed = 0;
  base::EventTime trained_from = base::kBeginningOfTime;   // of the examples' last windows
  base::EventTime trained_until = base::kBeginningOfTime;  // end of the newest window it has seen
  std::uint64_t training_examples = 0;
  std::uint64_t validation_examples = 0;
  std::vector<ForecasterRecord> forecasters;  // in order of name
  Metrics metrics;                            // of the mean of their medians, at the nearest horizon
  Decision decision;
  std::map<std::string, Percentiles> percentiles;  // by link; "" is all links together

  std::vector<FurtherTarget> further;  // forecast beside the first one, whose numbers are those above

  /// Names of all that is forecast, the first one first.
  std::vector<std::string> targets() const;
  /// Of a target; of one that is not forecast, null.
  std::map<std::string, Percentiles>* percentiles_of(const std::string& wanted);
  const std::map<std::string, Percentiles>* percentiles_of(const std::string& wanted) const;
  /// Null when there is none of this name.
  const ForecasterRecord* forecaster(const std::string& name) const;
};

/// What a metric tells a model by, and what it calls that.
std::vector<std::string> LabelNames();
std::vector<std::string> LabelsOf(const Manifest& manifest);

std::string ToJson(const Manifest& manifest);
/// Throws base::RuntimeError naming what is missing or wrong.
Manifest FromJson(const std::string& text);

}  // namespace flowcast::model_store
