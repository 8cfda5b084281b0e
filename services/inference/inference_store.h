// Where a partition of the inference service stood, out of state.v1.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "libs/base/log.h"
#include "libs/state/state_reader.h"
#include "libs/wire/inference_state_wire.h"

namespace flowcast::services {

inline constexpr const char* kInferenceState = "inference";  // name of the service in state.v1

struct InferenceState {
  std::int64_t next_offset = 0;                          // sequences before it have had their effect
  std::vector<wire::TakeOver> models;                    // which were asked, by offset
  std::vector<wire::RulesInForce> rules;                 // by offset
  std::map<std::string, wire::InferenceLink> links;      // by name
  std::optional<std::chrono::milliseconds> produced_at;  // of the record before next_offset
  std::vector<std::string> leftover;  // links in state.v1 that belong to no position, to be forgotten
};

/// Finds what was committed together with a position. Not thread-safe.
class InferenceStore {
 public:
  /// `topic` is state.v1; a stop that is asked for ends the waiting for what is hidden still. Bus and clock
  /// must outlive it.
  InferenceStore(bus::Bus& bus, base::Clock& clock, const std::string& topic,
                 std::function<bool()> stop_requested, base::Log log)
      : reader_({bus, clock, topic, kInferenceState, std::move(stop_requested)}), log_(std::move(log)) {}

  /// As state::IsOfThisTopic has it.
  bool IsOfThisTopic(const bus::Position& position);
  /// Of a position that no state is found for, it says so and begins afresh there. Throws bus::BusError.
  InferenceState Load(const bus::Position& position);

 private:
  state::StateReader reader_;
  base::Log log_;
};

}  // namespace flowcast::services
