// The broker, and the topics on it.
#include <algorithm>
#include <map>

#include "libs/base/text.h"
#include "libs/diagnosis/internal/checks.h"
#include "libs/topics/topics.h"

namespace flowcast::diagnosis::internal {
namespace {

constexpr const char* kBroker = "broker";
constexpr const char* kTopics = "topics";

struct StepWords {
  const char* what;
  const char* remedy;
};

StepWords WordsOf(Step step) {
  switch (step) {
    case Step::kName:
      return {"the name has no address", "correct --brokers HOST:PORT, or the name in DNS or /etc/hosts"};
    case Step::kPort:
      return {"can't connect",
              "start the broker (scripts/kafka start), or name another with --brokers HOST:PORT; a firewall "
              "may be between"};
    case Step::kTls:
      return {
          "TLS fails",
          "check --kafka security.protocol and ssl.ca.location, the host name in the broker's certificate, "
          "and that this port speaks TLS"};
    case Step::kSasl:
      return {"SASL fails", "check --kafka sasl.mechanism, the user and its password"};
    case Step::kAnswer:
      break;
  }
  return {"it takes connections, but does not answer",
          "restart the broker if it hangs; if the port wants TLS or SASL, say so with --kafka "
          "security.protocol=..."};
}

std::string InBrackets(const std::string& reason) { return reason.empty() ? "" : " (" + reason + ")"; }

/// What is wrong with one topic, "" if nothing; `grave` if it cannot work so.
std::string TroubleOf(const TopicSeen& topic, std::int32_t partitions, bool& grave) {
  grave = true;
  if (!topic.refused.empty()) return "can't be looked at: " + topic.refused;
  if (!topic.found) {
    grave = !topic.only_for_mirrors;
    return "is missing";
  }
  if (topic.found->settings.empty()) {
    grave = false;
    return "hides its settings from this user";
  }
  bus::TopicSpec wanted = topic.wanted;
  wanted.settings.erase("retention.ms");  // everybody's own
  if (!topic.fixed_partitions) wanted.partitions = partitions;
  const auto differences = topics::Differences(wanted, *topic.found);
  grave = std::any_of(differences.begin(), differences.end(), [](const std::string& difference) {
    return !difference.starts_with("message.timestamp.type");
  });
  return differences.empty() ? "" : "has " + base::Join(differences);
}

/// The number of partitions of the first topic that may have any: all of them must have the same.
std::int32_t SharedPartitions(const std::vector<TopicSeen>& topics) {
  const auto first = std::find_if(topics.begin(), topics.end(), [](const TopicSeen& topic) {
    return !topic.fixed_partitions && topic.found;
  });
  return first == topics.end() ? 0 : first->found->partitions;
}

const char* RemedyFor(const std::vector<TopicSeen>& topics, bool grave) {
  const bool is_refused = std::any_of(topics.begin(), topics.end(),
                                      [](const TopicSeen& topic) { return !topic.refused.empty(); });
  const bool is_missing = std::any_of(topics.begin(), topics.end(), [](const TopicSeen& topic) {
    return !topic.found && topic.refused.empty();
  });
  if (is_refused) return "allow this user to describe the topics and their settings";
  if (is_missing) return "flowcast topics create (with --prefix, if the services have one)";
  return grave ? "stop the services, flowcast topics delete --yes, flowcast topics create: what is in them "
                 "is lost; settings alone can be changed in place (scripts/kafka configs)"
               : "flowcast topics create says how they should be; scripts/kafka configs changes them";
}

}  // namespace

Finding CheckBroker(const Observation& seen) {
  const BrokerSeen& broker = seen.broker;
  if (!broker.answered) {
    const StepWords words = WordsOf(broker.failed_at);
    return Failed(kBroker, broker.asked + ": " + words.what + InBrackets(broker.reason), words.remedy);
  }
  if (!broker.lost_while.empty()) {
    return Failed(kBroker,
                  broker.asked + " answered, but no more when asked for " + broker.lost_while +
                      InBrackets(broker.reason),
                  "it sends clients to " + broker.advertised +
                      ": these must be reachable from here (advertised.listeners); or it hangs");
  }
  return Ok(kBroker, broker.asked + " answers; it sends clients to " + broker.advertised);
}

Finding CheckTopics(const Observation& seen) {
  const std::int32_t partitions = SharedPartitions(seen.topics);
  std::vector<std::string> troubles;
  bool any_grave = false;
  for (const TopicSeen& topic : seen.topics) {
    bool grave = false;
    const std::string trouble = TroubleOf(topic, partitions, grave);
    if (trouble.empty()) continue;
    troubles.push_back(topic.wanted.name + " " + trouble);
    any_grave = any_grave || grave;
  }
  const std::string all = std::to_string(seen.topics.size());
  if (troubles.empty()) {
    return Ok(kTopics, "all " + all + " are there, as they should be, with " + std::to_string(partitions) +
                           " partitions");
  }
  const std::string text =
      troubles.size() == seen.topics.size() && partitions == 0 && seen.topics.front().refused.empty()
          ? "none of the " + all + " topics exists, such as " + seen.topics.front().wanted.name
          : base::Join(troubles);
  const std::string remedy = RemedyFor(seen.topics, any_grave);
  return any_grave ? Failed(kTopics, text, remedy) : Warning(kTopics, text, remedy);
}

}  // namespace flowcast::diagnosis::internal
