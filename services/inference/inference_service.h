// The task of the inference service: forecasts and alerts out of sequences.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
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
  std::string target = "packets";                       // a feature of the schema
  std::vector<int> horizons{1, 2, 3, 6, 12};            // windows ahead, ascending
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

/// Sequences of one poll go through the networks together. Windows that the model was trained on
/// are forecast without it, and raise no alert: only what lies after it counts.
class InferenceTask : public slice::Task {
 public:
  /// `models` must outlive the task. Throws base::ConfigError when the schema has no such target, or for
  /// horizons that cannot be.
  InferenceTask(const InferenceOptions& options, const topics::Names& names, const ModelWatcher& models,
                base::Log log);

  void OnAssigned(const std::vector<bus::Position>& partitions) override;
  void OnRevoked(const std::vector<bus::TopicPartition>& partitions) override;
  bool OnRecord(const bus::InRecord& record, slice::Outbox& outbox) override;
  void OnIdle(slice::Outbox& outbox) override { ForecastBatch(outbox); }
  std::vector<bus::Position> Positions() const override;

  const InferenceCounters& counters() const { return counters_; }
  /// Summed absolute errors of the settled forecasts made with the model at the nearest horizon, and of
  /// persistence.
  double absolute_error() const { return absolute_error_; }
  double absolute_error_persistence() const { return absolute_error_persistence_; }
  std::uint64_t scored() const { return scored_; }
  /// Settled forecasts of the nearest horizon, with the model or without, and those of them whose truth lay
  /// between the quantiles 0.05 and 0.95.
  std::uint64_t intervals() const { return intervals_; }
  std::uint64_t covered() const { return covered_; }

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
  using Opinions = std::vector<forecast::ModelOpinion>;
  /// By position in `waiting_`; none where there is no model for it.
  std::vector<Opinions> AskModels() const;
  void AskNetwork(const LiveNetwork& network, const std::vector<std::size_t>& asked,
                  std::vector<Opinions>& opinions) const;
  bool ModelKnows(const feature::Sequence& sequence) const;
  Link& LinkOf(const Waiting& waiting);
  void Forecast(const Waiting& waiting, const Opinions& opinions, slice::Outbox& outbox);
  void Count(const std::vector<forecast::Settled>& settled);
  void Alert(const forecast::Forecast& forecast, Link& link, slice::Outbox& outbox);

  using ForecasterOptions = std::shared_ptr<const forecast::ForecasterOptions>;

  InferenceOptions options_;
  training::Target target_;
  std::map<base::Duration, ForecasterOptions> forecaster_options_;  // by length of the windows
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
  std::uint64_t intervals_ = 0;
  std::uint64_t covered_ = 0;
};

}  // namespace flowcast::services
