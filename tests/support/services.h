// What tests of services share: the bus with its topics, a log that can be read, small verbs.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "libs/base/log.h"
#include "libs/bus/memory_bus.h"
#include "libs/slice/slice_loop.h"
#include "libs/topics/topics.h"

namespace flowcast::support {

/// Keeps what was logged.
struct Lines {
  base::Log log() {
    return [this](base::LogLevel, const std::string& line) { lines.push_back(line); };
  }
  bool Contain(const std::string& part) const {
    for (const std::string& line : lines) {
      if (line.find(part) != std::string::npos) return true;
    }
    return false;
  }
  std::vector<std::string> lines;
};

inline void CreateTopics(bus::Bus& bus, const topics::Names& names, std::int32_t partitions = 1) {
  const auto admin = bus.MakeAdmin();
  for (const bus::TopicSpec& spec : topics::Specs(names, {.partitions = partitions}))
    admin->CreateTopic(spec);
}

inline void Send(bus::Bus& bus, const std::string& topic, const std::string& value,
                 const std::string& key = "") {
  bus.MakeProducer({})->Send({.to = {topic, 0}, .key = key, .value = value});
}

inline void SendTombstone(bus::Bus& bus, const std::string& topic, const std::string& key) {
  bus.MakeProducer({})->Send({.to = {topic, 0}, .key = key, .tombstone = true});
}

/// A task in its loop, as one instance of a service runs it.
class Instance {
 public:
  Instance(
      bus::Bus& bus, base::ManualClock& clock, slice::Task& task, const std::string& topic,
      const std::string& group, base::Log log = [](base::LogLevel, const std::string&) {})
      : clock_(clock),
        consumer_(bus.MakeConsumer({group})),
        producer_(bus.MakeProducer({.transactional_id = group + "-0"})),
        loop_(*consumer_, *producer_, clock, task,
              {.topics = {topic}, .poll_limit = 7, .spare_parts = 2, .log = std::move(log)}) {
    loop_.Start();
  }
  /// One Poll, and a third of a slice passes.
  std::size_t Step() {
    const std::size_t records = loop_.RunOnce(std::chrono::milliseconds(0));
    clock_.Advance(std::chrono::milliseconds(84));
    return records;
  }
  /// Until nothing has come for two slices.
  void RunOut() {
    for (int quiet = 0; quiet < 8; ++quiet) {
      if (Step() > 0) quiet = 0;
    }
  }
  void Stop() { loop_.Stop(); }
  const slice::SliceCounters& counters() const { return loop_.counters(); }

 private:
  base::ManualClock& clock_;
  std::unique_ptr<bus::Consumer> consumer_;
  std::unique_ptr<bus::Producer> producer_;
  slice::SliceLoop loop_;
};

}  // namespace flowcast::support
