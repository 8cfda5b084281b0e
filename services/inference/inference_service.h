// The task of the inference service: forecasts and alerts out of sequences.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "libs/alert/alert.h"
#include "libs/alert/threshold.h"
#include "libs/base/log.h"
#include "libs/feature/window.h"
#include "libs/forecast/link_forecaster.h"
#include "libs/slice/slice_loop.h"
#include "libs/topics/topics.h"
#include "services/inference/model_watcher.h"

namespace flowcast::services {

struct InferenceOptions {
  feature::Schema schema = feature::Schema::Default();  // sequences and models of others are refused
  feature::Index target = feature::kPackets;
  int horizon_windows = 1;
  alert::Threshold threshold;
  alert::Capacities capacities;
  alert::RuleOptions rule;
};

/// Sequences in = forecasts + refused + stale.
struct InferenceCounters {
  std::uint64_t sequences = 0;
  std::uint64_t refused = 0;  // not ours, another version, inconsistent, another schema
  std::uint64_t stale = 0;    // repeated or older than the link's last
  std::uint64_t forecasts = 0;
  std::uint64_t with_model = 0;
  std::uint64_t settled = 0;
  std::uint64_t fired = 0;
  std::uint64_t resolved = 0;
};

/// Sequences of one poll go through the network together. Windows that the model was trained on
/// are forecast without it, and raise no alert: only what lies after it counts.
class InferenceTask : public slice::Task {
 public:
  /// `models` must outlive the task.
  InferenceTask(const InferenceOptions& options, const topics::Names& names, const ModelWatcher& models,
                base::Log log)
      : options_(options), names_(names), models_(models), log_(std::move(log)) {}

  void OnAssigned(const std::vector<bus::Position>& partitions) override;
  void OnRevoked(const std::vector<bus::TopicPartition>& partitions) override;
  bool OnRecord(const bus::InRecord& record, slice::Outbox& outbox) override;
  void OnIdle(slice::Outbox& outbox) override { ForecastBatch(outbox); }
  std::vector<bus::Position> Positions() const override;

  const InferenceCounters& counters() const { return counters_; }
  /// Summed absolute errors of the settled forecasts made with the model, and of persistence.
  double absolute_error() const { return absolute_error_; }
  double absolute_error_persistence() const { return absolute_error_persistence_; }
  std::uint64_t scored() const { return scored_; }

 private:
  struct Link {
    forecast::LinkForecaster forecaster;
    alert::LoadAlert load_alert;
    base::Duration window_length;  // the features were started with; another begins the link anew
    base::EventTime last_end = base::kBeginningOfTime;
  };
  struct Waiting {
    std::int32_t partition;
    feature::Sequence sequence;
  };
  using Partition = std::map<std::string, Link>;

  void Refuse(const bus::InRecord& record, const std::string& reason);
  void ForecastBatch(slice::Outbox& outbox);
  /// By position in `waiting_`; absent where there is no model for it.
  std::vector<std::optional<double>> AskModel() const;
  bool ModelKnows(const feature::Sequence& sequence) const;
  Link& LinkOf(const Waiting& waiting);
  void Forecast(const Waiting& waiting, std::optional<double> model_value, slice::Outbox& outbox);
  void Count(const std::optional<forecast::Settled>& settled);
  void Alert(const forecast::Forecast& forecast, Link& link, slice::Outbox& outbox);

  InferenceOptions options_;
  topics::Names names_;
  const ModelWatcher& models_;
  base::Log log_;
  std::map<std::int32_t, Partition> partitions_;
  std::map<std::int32_t, std::int64_t> next_offsets_;
  std::vector<Waiting> waiting_;
  InferenceCounters counters_;
  double absolute_error_ = 0;
  double absolute_error_persistence_ = 0;
  std::uint64_t scored_ = 0;
};

}  // namespace flowcast::services
