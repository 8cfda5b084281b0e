// The table of topics.
#include "libs/topics/topics.h"

namespace flowcast::topics {
namespace {

std::string Hours(int hours) { return std::to_string(std::int64_t{hours} * 3'600'000); }

std::map<std::string, std::string> Deleted(int retention_hours) {
  return {{"cleanup.policy", "delete"}, {"retention.ms", Hours(retention_hours)}};
}

std::map<std::string, std::string> Compacted() { return {{"cleanup.policy", "compact"}}; }

}  // namespace

Names::Names(const std::string& prefix)
    : packets(prefix + "packets.v1"),
      windows(prefix + "windows.v1"),
      windows_json(prefix + "windows-json.v1"),
      sequences(prefix + "sequences.v1"),
      models(prefix + "models.v1"),
      forecasts(prefix + "forecasts.v1"),
      forecasts_json(prefix + "forecasts-json.v1"),
      alerts(prefix + "alerts.v1"),
      state(prefix + "state.v1") {}

std::vector<bus::TopicSpec> Specs(const Names& names, const Sizing& sizing) {
  constexpr int kDay = 24;
  constexpr int kWeek = 7 * kDay;
  std::vector<bus::TopicSpec> specs{
      {names.packets, sizing.partitions, sizing.replication, Deleted(6)},
      {names.windows, sizing.partitions, sizing.replication, Deleted(4 * kWeek)},
      {names.windows_json, sizing.partitions, sizing.replication, Deleted(4 * kWeek)},
      {names.sequences, sizing.partitions, sizing.replication, Deleted(kWeek)},
      {names.models, 1, sizing.replication, Compacted()},
      {names.forecasts, sizing.partitions, sizing.replication, Deleted(kWeek)},
      {names.forecasts_json, sizing.partitions, sizing.replication, Deleted(kWeek)},
      {names.alerts, 1, sizing.replication, Deleted(4 * kWeek)},
      {names.state, sizing.partitions, sizing.replication, Compacted()},
  };
  for (bus::TopicSpec& spec : specs) {
    // The broker's clock: one that is an hour ahead of it would be refused, and spoil the retention.
    spec.settings["message.timestamp.type"] = "LogAppendTime";
    if (spec.name == names.models) spec.settings["max.message.bytes"] = std::to_string(kLargestMessageBytes);
  }
  return specs;
}

std::vector<std::string> Differences(const bus::TopicSpec& wanted, const bus::TopicDescription& existing) {
  std::vector<std::string> differences;
  if (wanted.partitions != existing.partitions) {
    differences.push_back("partitions " + std::to_string(existing.partitions) + " instead of " +
                          std::to_string(wanted.partitions));
  }
  for (const auto& [name, value] : wanted.settings) {
    const auto found = existing.settings.find(name);
    const std::string actual = found == existing.settings.end() ? "(unknown)" : found->second;
    if (actual != value) differences.push_back(name + " " + actual + " instead of " + value);
  }
  return differences;
}

}  // namespace flowcast::topics
