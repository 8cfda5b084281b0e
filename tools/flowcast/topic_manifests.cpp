// Topics as Strimzi's operator takes them.
#include "tools/flowcast/topic_manifests.h"

#include <algorithm>

namespace flowcast::tools {
namespace {

bool IsNumber(const std::string& text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

/// Capitals and underscores are all that Kafka allows and Kubernetes does not, but at a name's ends.
std::string ResourceName(std::string topic) {
  for (char& c : topic) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    if (c == '_') c = '-';
  }
  return topic;
}

std::string Manifest(const bus::TopicSpec& topic, const std::string& cluster) {
  const std::string name = ResourceName(topic.name);
  std::string text = "apiVersion: kafka.strimzi.io/v1\nkind: KafkaTopic\nmetadata:\n  name: " + name +
                     "\n  labels:\n    strimzi.io/cluster: " + cluster + "\nspec:\n";
  if (name != topic.name) text += "  topicName: " + topic.name + "\n";
  text += "  partitions: " + std::to_string(topic.partitions) + "\n";
  text += "  replicas: " + std::to_string(topic.replication) + "\n  config:\n";
  for (const auto& [key, value] : topic.settings) {
    text += "    " + key + ": " + (IsNumber(value) ? value : '"' + value + '"') + "\n";
  }
  return text;
}

}  // namespace

std::string TopicManifests(const std::vector<bus::TopicSpec>& topics, const std::string& cluster) {
  std::string text;
  for (const bus::TopicSpec& topic : topics) text += (text.empty() ? "" : "---\n") + Manifest(topic, cluster);
  return text;
}

}  // namespace flowcast::tools
