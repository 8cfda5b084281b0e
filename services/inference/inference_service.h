// The task of the inference service: forecasts and alerts out of sequences.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "libs/base/clock.h"
#include "libs/base/log.h"
#include "libs/feature/window.h"
#include "libs/forecast/link_board.h"
#include "libs/forecast/live_scores.h"
#include "libs/slice/slice_loop.h"
#include "libs/telemetry/distribution.h"
#include "libs/topics/topics.h"
#include "libs/training/sequence_view.h"
#include "libs/window/needed_offsets.h"
#include "libs/wire/forecast_wire.h"
#include "libs/wire/wire_error.h"
#include "services/inference/alerting.h"
#include "services/inference/inference_counters.h"
#include "services/inference/inference_store.h"
#include "services/inference/link_forecasters.h"
#include "services/inference/model_watcher.h"

namespace flowcast::services {

struct InferenceOptions {
  feature::Schema schema = feature::Schema::Default();  // sequences and models of others are refused
  std::vector<std::string> targets{"packets"};          // features of the schema
  std::vector<int> horizons{1, 2, 3, 6, 12};            // windows ahead, ascending
  Alerting::Rules rules = std::make_shared<const alert::RuleSet>();
  std::size_t snapshot_every = 20;                          // sequences of a link
  base::Duration link_expiry = std::chrono::hours(7 * 24);  // of silence, by the clock: then it is forgotten
  base::Duration alert_expiry = std::chrono::hours(1);      // likewise: then its alerts end
  bool json_mirror = false;                                 // each forecast on forecasts-json.v1, too
  forecast::LinkBoardOptions shown;                         // links with metrics of their own
  bool trace = false;                                       // a debug line for each forecast
};

/// Sequences of one poll go through the networks together. Windows that the model was trained on
/// are forecast without it, and raise no alert: only what lies after it counts.
///
/// State (rule 3 of the design): a snapshot of a link goes to state.v1 once in snapshot_every sequences, and
/// whenever it published a change of an alert: what was published is always in one. The
/// committed position is the oldest sequence that is in no snapshot. From there a restart folds again,
/// silently and with the models that were asked then, until it is where it was.
class InferenceTask : public slice::Task {
 public:
  /// `models` and `clock` must outlive the task. Throws base::ConfigError when the schema has no such target,
  /// or for horizons that cannot be.
  InferenceTask(const InferenceOptions& options, const topics::Names& names, ModelWatcher& models,
                const base::Clock& clock, base::Log log);
  /// Before the first OnAssigned; `store` must outlive the task.
  void Connect(InferenceStore& store) { store_ = &store; }

  bool IsOfThisTopic(const bus::Position& position) override { return store_->IsOfThisTopic(position); }
  void OnAssigned(const std::vector<bus::Position>& partitions) override;
  void OnRevoked(const std::vector<bus::TopicPartition>& partitions) override;
  bool OnRecord(const bus::InRecord& record, slice::Outbox& outbox) override;
  void OnIdle(slice::Outbox& outbox) override;
  void OnCommit(slice::Outbox& outbox) override;
  std::vector<bus::Position> Positions() const override;

  /// Other rules, from the next window on; null: the same.
  void UseRules(Alerting::Rules rules);

  const InferenceCounters& counters() const { return counters_; }
  const AlertCounters& alert_counters() const { return alerting_.counters(); }
  std::size_t link_count() const;
  /// Summed absolute errors of the settled forecasts of the first target made with the model at the nearest
  /// horizon, and of persistence.
  double absolute_error() const { return absolute_error_; }
  double absolute_error_persistence() const { return absolute_error_persistence_; }
  std::uint64_t scored() const { return scored_; }
  /// Settled forecasts of all targets at the nearest horizon, with the model or without, and those of them
  /// whose truth lay between the quantiles 0.05 and 0.95.
  std::uint64_t intervals() const { return intervals_; }
  std::uint64_t covered() const { return covered_; }
  /// By target: of every horizon, over all links, whether a model was asked or not.
  const std::map<std::string, forecast::LiveScores>& scores() const { return scores_; }
  /// The last forecasts of the links that have metrics of their own.
  const forecast::LinkBoard& board() const { return board_; }
  /// Seconds from the end of a window, in event time, to its forecast being made, by the clock.
  const telemetry::Distribution& delays() const { return delays_; }
  /// End of the newest window that was forecast from; kBeginningOfTime before the first.
  base::EventTime newest_end() const { return newest_end_; }
  /// As they were at most kTidyEvery (10 s) ago.
  const ActiveAlerts& active_alerts() const { return active_alerts_; }

 private:
  struct Link {
    LinkForecasters forecasters;
    alert::LinkAlerts alerts;
    base::EventTime last_end = base::kBeginningOfTime;
    base::EventTime astray = base::kBeginningOfTime;  // end of the last sequence that was not followed
    std::int64_t offset = -1;                         // of the last sequence that it has in it
    base::Duration heard{};                           // when that was, by the clock
    std::size_t since_snapshot = 0;                   // sequences
    window::NeededOffsets::Hold first_since;          // of the first of them
  };
  struct Partition {
    std::map<std::string, Link> links;
    std::int64_t next_offset = 0;        // sequences before it were taken
    std::int64_t live_from = 0;          // sequences before it are folded again
    std::int64_t floor = 0;              // nothing before it is needed, ever
    std::vector<wire::TakeOver> models;  // by offset
    Alerting::History rules;
    window::NeededOffsets needed;
    std::optional<std::chrono::milliseconds> produced_at;  // of the record before next_offset
    std::vector<std::string> leftover;                     // to be forgotten
    bool moved = false;                                    // since the last commit
    std::int64_t read_to = 0;                              // records before it were read, again or not
    bool new_to_say = false;                               // since it was assigned
  };
  struct Waiting {
    std::int32_t partition;
    std::int64_t offset;
    feature::Sequence sequence;
    const LiveModel* model = nullptr;  // the one to be asked, or to have been asked
  };
  using Opinions = std::vector<forecast::ModelOpinion>;

  /// It is where it was: what was read then has been folded again.
  static bool IsWhole(const Partition& partition) { return partition.read_to >= partition.live_from; }
  static bool IsSilent(const Waiting& waiting, const Partition& partition) {
    return waiting.offset < partition.live_from;
  }
  void Restore(const bus::Position& position, Partition& partition);
  void Refuse(const bus::InRecord& record, wire::WireError error);
  void Refuse(const bus::InRecord& record, const std::string& reason, std::uint64_t& count);
  void ForecastBatch(slice::Outbox& outbox);
  const LiveModel* ModelFor(const Waiting& waiting, Partition& partition);
  /// By position in `waiting_` and target; none where there is no model for it.
  std::vector<Opinions> AskModels() const;
  void AskNetwork(const LiveNetwork& network, const std::vector<std::size_t>& asked,
                  std::vector<Opinions>& opinions) const;
  static bool ModelKnows(const LiveModel* model, const feature::Sequence& sequence);
  const LinkForecasters::Options& OptionsFor(base::Duration window_length);
  /// Perhaps of windows of another length.
  Link& LinkOf(const Waiting& waiting, Partition& partition);
  /// A clock that jumps does not take a link along: a sequence more than a day from the last one, into the
  /// future or the past, is followed when a second one says the same. Into the past the link begins anew.
  static bool GoesAstray(base::EventTime end, Link& link);
  /// Its alerts end, which the snapshot after it must have in it.
  void BeginAnew(base::Duration window_length, bool silent, Link& link, slice::Outbox& outbox);
  /// `opinions` are by target.
  void Forecast(const Waiting& waiting, std::span<const Opinions> opinions, slice::Outbox& outbox);
  wire::ForecastRecord ForecastOf(std::size_t target, const Waiting& waiting, const Opinions& opinions,
                                  Link& link) const;
  void Publish(const wire::ForecastRecord& record, std::int32_t partition, slice::Outbox& outbox);
  void Trace(const forecast::Forecast& forecast) const;
  void Count(const wire::ForecastRecord& record, bool first_target);
  void CountActive(const Link& link);
  /// True when something was published.
  bool Alert(const forecast::Forecast& forecast, const Waiting& waiting, Partition& partition, Link& link,
             slice::Outbox& outbox);
  /// With a snapshot when one is due, or when something must not be forgotten.
  void Remember(const Waiting& waiting, Partition& partition, Link& link, bool surely, slice::Outbox& outbox);
  void SnapshotAlerts(slice::Outbox& outbox);
  void Snapshot(std::int32_t partition, const std::string& name, Link& link, slice::Outbox& outbox);
  void Tidy(std::int32_t number, Partition& partition, slice::Outbox& outbox);
  /// True when something has changed that must be in a snapshot.
  bool TidyLink(const Partition& partition, Link& link, slice::Outbox& outbox);
  void ForgetLink(std::int32_t partition, const std::string& name, slice::Outbox& outbox);
  static std::int64_t PositionOf(const Partition& partition);

  InferenceOptions options_;
  std::vector<training::Target> targets_;
  std::map<base::Duration, LinkForecasters::Options> forecaster_options_;  // by length of the windows
  topics::Names names_;
  ModelWatcher& models_;
  const base::Clock& clock_;
  base::Log log_;
  Alerting alerting_;
  bool rules_changed_ = false;
  InferenceStore* store_ = nullptr;
  std::map<std::int32_t, Partition> partitions_;
  std::vector<Waiting> waiting_;
  base::Duration tidy_at_{};
  InferenceCounters counters_;
  double absolute_error_ = 0;
  double absolute_error_persistence_ = 0;
  std::uint64_t scored_ = 0;
  std::uint64_t intervals_ = 0;
  std::uint64_t covered_ = 0;
  std::map<std::string, forecast::LiveScores> scores_;
  forecast::LinkBoard board_;
  telemetry::Distribution delays_;
  base::EventTime now_ = base::kBeginningOfTime;  // when the batch was forecast from
  base::EventTime newest_end_ = base::kBeginningOfTime;
  ActiveAlerts active_alerts_;
};

}  // namespace flowcast::services
