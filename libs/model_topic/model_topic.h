// What is on models.v1 under a model's name, and how it is changed.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "libs/bus/bus.h"
#include "libs/model_store/model_folder.h"
#include "libs/topics/topics.h"

namespace flowcast::model_topic {

struct Version {
  model_store::Manifest manifest;
  std::size_t bytes = 0;    // of its message
  std::int64_t offset = 0;  // of its record
};

struct Listing {
  std::string current;                      // the version in use; empty: none. It may be gone from the topic
  std::map<std::string, Version> versions;  // by version, which sorts by time of training
  std::uint64_t unreadable = 0;             // records of this name that are no model of ours
};

/// The record of models.v1 at an offset; nothing when it was compacted away. Throws bus::BusError.
std::optional<bus::InRecord> RecordAt(bus::Bus& bus, const std::string& topic, std::int64_t offset);

/// Everything under `name`, up to the end of the topic. Throws bus::BusError.
Listing List(bus::Bus& bus, const topics::Names& names, const std::string& name);

/// One version with its weights. Throws base::RuntimeError, naming those there are, for one that is not
/// there.
model_store::Model Read(bus::Bus& bus, const topics::Names& names, const std::string& name,
                        const std::string& version);

/// The one in use; nothing when there is none, or when it is gone.
std::optional<model_store::Model> FindCurrent(bus::Bus& bus, const topics::Names& names,
                                              const std::string& name);
/// Throws base::RuntimeError with the remedy when there is none.
model_store::Model ReadCurrent(bus::Bus& bus, const topics::Names& names, const std::string& name);

/// The newest one before `current` that was ever in use. Throws base::RuntimeError when there is none.
std::string VersionBefore(const Listing& listing);
/// Those beyond the `keep` newest, of which the one in use is always one.
std::vector<std::string> Surplus(const Listing& listing, std::size_t keep);

/// Writes of one process; each waits until Kafka has it, and throws bus::BusError when that fails.
class Publisher {
 public:
  /// Both must outlive it.
  Publisher(bus::Producer& producer, const topics::Names& names) : producer_(producer), names_(names) {}

  /// Readers do not use it before it is pointed at.
  void Publish(const model_store::Model& model);
  void PointAt(const std::string& name, const std::string& version);
  /// Tombstones: the topic forgets them when it is compacted.
  void Delete(const std::string& name, const std::vector<std::string>& versions);

 private:
  void Send(bus::OutRecord record);

  bus::Producer& producer_;
  const topics::Names& names_;
};

}  // namespace flowcast::model_topic
