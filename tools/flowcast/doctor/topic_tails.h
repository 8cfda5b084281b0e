// The newest records of flowcast's topics, and what comes while one watches.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "libs/base/clock.h"
#include "libs/bus/bus.h"
#include "libs/diagnosis/observation.h"
#include "libs/topics/topics.h"

namespace flowcast::tools {

/// Reads without a group. Fills what an observation says of streams, sources, windows, sequences, forecasts,
/// alerts and the model.
class TopicTails {
 public:
  /// All must outlive it. `model` is the name of the model to look for.
  TopicTails(bus::Bus& bus, const topics::Names& names, const std::string& model, base::Clock& clock,
             diagnosis::Observation& seen);

  /// Reads the ends of these topics, for `most` at most; they must exist. Throws bus::BusError.
  void ReadEnds(const std::set<std::string>& topics, base::Duration most);
  /// Reads what comes. Of topics whose records bear the broker's time, that tells how clocks differ.
  void Watch(base::Duration time, const std::set<std::string>& with_broker_time);

  /// The offset after the newest record of a partition that was read; 0: none was.
  std::int64_t RecordEnd(const bus::TopicPartition& partition) const;

 private:
  void Assign(const std::set<std::string>& topics);
  bool IsAtEnds() const;
  void Take(const bus::InRecord& record, bool came);
  void TakePacket(const bus::InRecord& record);
  void TakeWindow(const bus::InRecord& record);
  void TakeSequence(const bus::InRecord& record);
  void TakeForecast(const bus::InRecord& record);
  void TakeAlert(const bus::InRecord& record);
  void TakeModel(const bus::InRecord& record);
  void FinishModel();
  void NoteClock(const bus::InRecord& record, const std::set<std::string>& with_broker_time);

  struct Stream {
    std::int64_t tail;  // records of a partition that are read
    diagnosis::StreamSeen* seen;
    void (TopicTails::*take)(const bus::InRecord&);
  };

  bus::Bus& bus_;
  topics::Names names_;
  std::string model_;
  base::Clock& clock_;
  diagnosis::Observation& seen_;
  std::map<std::string, Stream> streams_;
  std::unique_ptr<bus::Consumer> consumer_;
  std::map<bus::TopicPartition, std::int64_t> ends_;
  std::map<bus::TopicPartition, std::int64_t> record_ends_;
  std::map<std::string, double> medians_;                 // of the newest forecast by link
  std::map<std::string, diagnosis::ModelSeen> versions_;  // of the model
  std::map<std::string, diagnosis::SourceSeen> sources_;
};

}  // namespace flowcast::tools
