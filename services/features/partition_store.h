// Where a partition of the feature service stood, out of state.v1 and windows.v1.
#pragma once

#include <chrono>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "libs/base/log.h"
#include "libs/state/state_reader.h"
#include "libs/topics/topics.h"
#include "libs/window/partition_fold.h"
#include "libs/wire/features_state_wire.h"

namespace flowcast::services {

inline constexpr const char* kFeaturesState = "features";  // name of the service in state.v1

struct PartitionState {
  std::int64_t next_offset = 0;                          // packets before it have had their effect
  window::Progress before;                               // the committed position
  window::Progress now;                                  // before next_offset
  std::map<std::string, window::RestoredLinks> links;    // by source and name
  window::RestoredWindows windows;                       // numbers are offsets in windows.v1
  std::optional<std::chrono::milliseconds> produced_at;  // of the record before next_offset
  std::vector<std::string> leftover;  // links in state.v1 that belong to no position, to be forgotten
};

/// Finds what was committed together with a position. Not thread-safe.
class PartitionStore {
 public:
  PartitionStore(state::StateReader& reader, const window::FoldOptions& options, const topics::Names& names,
                 base::Log log)
      : reader_(reader), options_(options), names_(names), log_(std::move(log)) {}

  /// As state::IsOfThisTopic has it.
  bool IsOfThisTopic(const bus::Position& position);
  /// Of a position that no state is found for, it says so and begins afresh there. Throws bus::BusError.
  PartitionState Load(const bus::Position& position);

 private:
  void LoadLinks(std::int32_t partition, const state::Kept& kept, const wire::FeaturesProgress& progress,
                 PartitionState& state);
  bool Follow(const bus::TopicPartition& at, const wire::FeaturesProgress& progress,
              const std::function<void(const std::string&, const feature::Window&)>& replay,
              PartitionState& state);
  void BeginAfresh(std::int32_t partition, PartitionState& state);
  std::map<std::string, window::LinkSnapshot> Snapshots(const state::Kept& kept) const;
  bool Fits(const feature::Window& window) const;

  state::StateReader& reader_;
  window::FoldOptions options_;
  topics::Names names_;
  base::Log log_;
};

}  // namespace flowcast::services
