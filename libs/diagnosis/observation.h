// What was seen of a pipeline within a few seconds. Whatever could not be asked says why (`refused`).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "libs/base/time.h"
#include "libs/bus/bus.h"

namespace flowcast::diagnosis {

/// How far a connection comes before it fails: the broker's name has no address, nothing listens, TLS, SASL,
/// or nothing answers as Kafka does.
enum class Step { kName, kPort, kTls, kSasl, kAnswer };

struct BrokerSeen {
  std::string asked;  // --brokers
  bool answered = false;
  Step failed_at = Step::kAnswer;  // meaningful when it did not answer
  std::string reason;              // one line, maybe empty
  std::string advertised;          // the addresses that it sends clients to, with commas
  std::string lost_while;          // what was asked when it answered no more; empty: it always did
};

struct TopicSeen {
  bus::TopicSpec wanted;  // its number of partitions is meaningful only where that is fixed
  bool fixed_partitions = false;
  bool only_for_mirrors = false;  // needed by services with --json-mirror alone
  std::optional<bus::TopicDescription> found;
  std::string refused;
};

/// The records of a topic; offsets and times are of all partitions together.
struct StreamSeen {
  std::string topic;
  bool has_records = false;
  std::uint64_t came = 0;                 // while it was watched
  std::optional<base::EventTime> newest;  // when the newest record was produced
  std::string refused;
};

/// A source on packets.v1: its watermark before and after the watch.
struct SourceSeen {
  std::string name;
  base::EventTime before = base::kBeginningOfTime;
  base::EventTime after = base::kBeginningOfTime;
  bool ended = false;             // with a final mark
  base::EventTime produced_at{};  // of its newest batch
};

/// Newest by event time.
struct WindowSeen {
  std::string link;
  base::EventTime end{};
  base::Duration length{};
};

struct SequenceSeen {
  std::string link;
  base::EventTime end{};
  base::Duration window_length{};
  std::uint32_t length = 0;
  std::uint64_t schema_hash = 0;
};

struct ForecastSeen {
  std::string link;
  base::EventTime made_at{};
  std::string target;
  std::string model_version;  // empty: no model was asked
  std::string quality;
  double median = 0;
};

/// The model that `current` points at.
struct ModelSeen {
  std::string name;
  std::string current;  // version; empty: there is none
  bool is_there = false;
  std::uint64_t schema_hash = 0;
  base::Duration window_length{};
  std::int64_t sequence_length = 0;
  std::vector<std::string> targets;
  base::EventTime trained_until{};
  std::string refused;
};

struct GroupSeen {
  std::string name;     // without the prefix
  std::string program;  // that reads by it
  std::string topic;    // that it reads
  std::size_t members = 0;
  bool has_position = false;
  std::uint64_t unread = 0;  // records of the topic that it has not processed
  std::string refused;
};

/// The status page of a service.
struct ServiceSeen {
  std::string program;
  std::string address;
  bool reached = false;
  bool ready = false;
  std::string says;  // the page's reason
};

/// Clocks, as far as records that came while watching tell.
struct ClockSeen {
  base::EventTime now{};                // of this host, at the end
  std::optional<base::Duration> ahead;  // this host's clock less the broker's, at least
};

struct Observation {
  BrokerSeen broker;
  base::Duration watched{};
  std::vector<TopicSeen> topics;
  StreamSeen packets, windows, sequences, forecasts, alerts;
  std::vector<SourceSeen> sources;
  std::optional<WindowSeen> window;
  std::optional<SequenceSeen> sequence;
  std::optional<ForecastSeen> forecast;
  double highest_median = 0;  // of the newest forecasts of all links
  std::string newest_alert;   // a line
  ModelSeen model;
  GroupSeen features, inference, notifier;
  ClockSeen clock;
  std::vector<ServiceSeen> services;
};

}  // namespace flowcast::diagnosis
