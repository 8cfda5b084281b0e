// Broker, topics, records, groups, pages: one after the other.
#include "tools/flowcast/doctor/observer.h"

#include <algorithm>
#include <mutex>
#include <utility>

#include "libs/app/kafka_options.h"
#include "libs/http/http_get.h"
#include "libs/kafka/probe.h"
#include "libs/wire/commit_note.h"
#include "tools/flowcast/doctor/topic_tails.h"

namespace flowcast::tools {
namespace {

using namespace std::chrono_literals;
using bus::BusError;

// One waits for the broker so long, unless --broker-timeout says less.
constexpr base::Duration kLongestWait = 4s;
constexpr base::Duration kLongestRead = 4s;
constexpr base::Duration kPageTimeout = 500ms;
constexpr base::Duration kLongestWatch = 1min;

/// What librdkafka says about rights, which readers of a topic are not told otherwise.
class RightsLog {
 public:
  void operator()(const std::string& line) {
    if (line.find("authorization failed") == std::string::npos) return;
    const std::lock_guard lock(mutex_);
    refused_ = line.substr(line.rfind(": ", line.find("authorization failed")) + 2);
  }
  std::string refused() const {
    const std::lock_guard lock(mutex_);
    return refused_;
  }

 private:
  mutable std::mutex mutex_;
  std::string refused_;
};

class Observer {
 public:
  Observer(const app::CommonOptions& common, const DoctorOptions& options, base::Clock& clock)
      : common_(common),
        names_(common.names()),
        options_(options),
        watch_(base::ParseDuration(options.watch)),
        clock_(clock) {
    if (watch_ > kLongestWatch)
      throw base::ConfigError("--watch " + options.watch + " is longer than a minute");
    common_.broker_timeout =
        base::FormatDuration(std::min(base::ParseDuration(common.broker_timeout), kLongestWait));
  }

  diagnosis::Observation Observe() {
    seen_.features = {options_.features_group, "flowcast-features", names_.packets, 0, false, 0, ""};
    seen_.inference = {options_.inference_group, "flowcast-inference", names_.sequences, 0, false, 0, ""};
    seen_.notifier = {options_.notifier_group, "flowcast-notifier", names_.alerts, 0, false, 0, ""};
    LookAtBroker();
    if (seen_.broker.answered) LookIntoBroker();
    LookAtPages();
    seen_.clock.now = clock_.Now();
    return std::move(seen_);
  }

 private:
  void LookAtBroker() {
    const kafka::ProbeResult result = kafka::Probe(app::KafkaOptionsOf(common_, "flowcast-doctor"));
    seen_.broker = {.asked = common_.brokers,
                    .answered = result.answered,
                    .failed_at = static_cast<diagnosis::Step>(result.failed_at),
                    .reason = result.reason,
                    .advertised = result.advertised,
                    .lost_while = ""};
  }

  void LookIntoBroker() {
    RightsLog rights;
    const auto bus = app::ConnectBus(common_, "flowcast-doctor",
                                     [&rights](base::LogLevel, const std::string& line) { rights(line); });
    std::string what = "the topics";
    try {
      LookAtTopics(*bus);
      what = "their records";
      TopicTails tails(*bus, names_, options_.model, clock_, seen_);
      tails.ReadEnds(Existing(), kLongestRead);
      tails.Watch(watch_, WithBrokerTime());
      NoteRefusals(rights.refused());
      what = "the groups";
      for (diagnosis::GroupSeen* group : {&seen_.features, &seen_.inference, &seen_.notifier})
        LookAtGroup(*bus, tails, *group);
    } catch (const BusError& error) {
      if (error.kind() == BusError::Kind::kStopped) throw;
      seen_.broker.lost_while = what;
      seen_.broker.reason = error.what();
    }
  }

  void LookAtTopics(bus::Bus& bus) {
    const auto admin = bus.MakeAdmin();
    for (const bus::TopicSpec& spec : topics::Specs(names_, {})) {
      diagnosis::TopicSeen topic{.wanted = spec, .refused = ""};
      topic.fixed_partitions = spec.name == names_.models || spec.name == names_.alerts;
      topic.only_for_mirrors = spec.name == names_.windows_json || spec.name == names_.forecasts_json;
      try {
        const std::int32_t partitions = admin->PartitionCount(spec.name);
        if (partitions > 0) topic.found = SettingsOf(*admin, spec.name, partitions);
      } catch (const BusError& error) {
        if (error.kind() != BusError::Kind::kFatal) throw;
        topic.refused = error.what();
      }
      seen_.topics.push_back(std::move(topic));
    }
  }

  /// Without settings where those may not be seen.
  static bus::TopicDescription SettingsOf(bus::Admin& admin, const std::string& topic,
                                          std::int32_t partitions) {
    try {
      return admin.DescribeTopic(topic).value_or(bus::TopicDescription{partitions, {}});
    } catch (const BusError& error) {
      if (error.kind() != BusError::Kind::kFatal) throw;
      return {partitions, {}};
    }
  }

  std::set<std::string> Existing() const {
    std::set<std::string> existing;
    for (const diagnosis::TopicSeen& topic : seen_.topics) {
      if (topic.found) existing.insert(topic.wanted.name);
    }
    return existing;
  }

  std::set<std::string> WithBrokerTime() const {
    std::set<std::string> topics;
    for (const diagnosis::TopicSeen& topic : seen_.topics) {
      if (!topic.found) continue;
      const auto type = topic.found->settings.find("message.timestamp.type");
      if (type != topic.found->settings.end() && type->second == "LogAppendTime")
        topics.insert(topic.wanted.name);
    }
    return topics;
  }

  /// Nobody tells which topic it was: those of which nothing could be read.
  void NoteRefusals(const std::string& refused) {
    if (refused.empty()) return;
    for (diagnosis::StreamSeen* stream :
         {&seen_.packets, &seen_.windows, &seen_.sequences, &seen_.forecasts, &seen_.alerts}) {
      if (!stream->has_records) stream->refused = refused;
    }
    if (seen_.model.current.empty()) seen_.model.refused = refused;
  }

  void LookAtGroup(bus::Bus& bus, const TopicTails& tails, diagnosis::GroupSeen& group) {
    const auto admin = bus.MakeAdmin();
    std::map<bus::TopicPartition, std::int64_t> unread;
    std::vector<bus::TopicPartition> partitions;
    try {
      const std::int32_t count = admin->PartitionCount(group.topic);
      for (std::int32_t p = 0; p < count; ++p) partitions.push_back({group.topic, p});
      const kafka::GroupDescription found = kafka::DescribeGroup(
          app::KafkaOptionsOf(common_, "flowcast-doctor"), common_.prefix + group.name, partitions);
      group.members = found.members;
      group.has_position = !found.positions.empty();
      for (const auto& at : partitions) unread[at] = tails.RecordEnd(at);
      for (const bus::Position& position : found.positions) unread[position.at] -= Processed(position);
    } catch (const BusError& error) {
      if (error.kind() != BusError::Kind::kFatal) throw;
      group.refused = error.what();
    }
    for (const auto& [at, count] : unread)
      group.unread += static_cast<std::uint64_t>(std::max<std::int64_t>(count, 0));
  }

  /// What is done, which may be beyond what is committed.
  static std::int64_t Processed(const bus::Position& position) {
    const auto note = wire::DecodeCommitNote(position.metadata);
    return note ? std::max(note->next_offset, position.offset) : position.offset;
  }

  void LookAtPages() {
    static const std::vector<std::pair<std::string, std::string>> kDefaults{
        {"flowcast-capture", "127.0.0.1:9471"},
        {"flowcast-features", "127.0.0.1:9472"},
        {"flowcast-trainer", "127.0.0.1:9473"},
        {"flowcast-inference", "127.0.0.1:9474"},
        {"flowcast-notifier", "127.0.0.1:9475"}};
    for (const std::string& address : options_.status) LookAtPage("a service", address);
    if (!options_.status.empty()) return;
    for (const auto& [program, address] : kDefaults) LookAtPage(program, address);
  }

  void LookAtPage(const std::string& program, const std::string& address) {
    const http::Page page = http::Get("http://" + address, "/readyz", kPageTimeout);
    std::string says = page.body.substr(0, page.body.find('\n'));
    const bool ours = page.status == 200 || page.status == 503;
    seen_.services.push_back({program, address, ours, page.status == 200, std::move(says)});
  }

  app::CommonOptions common_;
  topics::Names names_;
  const DoctorOptions& options_;
  base::Duration watch_;
  base::Clock& clock_;
  diagnosis::Observation seen_;
};

}  // namespace

diagnosis::Observation Observe(const app::CommonOptions& common, const DoctorOptions& options,
                               base::Clock& clock) {
  return Observer(common, options, clock).Observe();
}

}  // namespace flowcast::tools
