// flowcast topics create|list|delete|manifests.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>

#include "libs/base/error.h"
#include "tools/flowcast/commands.h"
#include "tools/flowcast/topic_manifests.h"

namespace flowcast::tools {
namespace {

struct TopicsOptions {
  topics::Sizing sizing;
  std::vector<std::string> groups{"flowcast-features", "flowcast-inference", "flowcast-notifier"};
  bool yes = false;
  std::string cluster = "flowcast";
};

std::unique_ptr<bus::Bus> Connect(const app::CommonOptions& common) {
  return app::ConnectBus(common, "flowcast-cli", app::MakeLog("flowcast", common));
}

int Create(const app::CommonOptions& common, const TopicsOptions& options) {
  const auto bus = Connect(common);
  const auto admin = bus->MakeAdmin();
  for (const bus::TopicSpec& spec : topics::Specs(common.names(), options.sizing)) {
    if (admin->CreateTopic(spec)) {
      std::printf("created  %s (%d partitions)\n", spec.name.c_str(), spec.partitions);
      continue;
    }
    const auto existing = admin->DescribeTopic(spec.name);
    const auto differences = existing ? topics::Differences(spec, *existing) : std::vector<std::string>{};
    std::printf("exists   %s%s\n", spec.name.c_str(), differences.empty() ? "" : ", and differs:");
    for (const std::string& difference : differences) std::printf("         %s\n", difference.c_str());
  }
  return app::kOk;
}

int List(const app::CommonOptions& common, const TopicsOptions& options) {
  const auto bus = Connect(common);
  const auto admin = bus->MakeAdmin();
  const auto reader = bus->MakeConsumer({});
  std::printf("%-28s %10s %14s\n", "TOPIC", "PARTITIONS", "END OFFSETS");
  bool all = true;
  for (const bus::TopicSpec& spec : topics::Specs(common.names(), options.sizing)) {
    const std::int32_t partitions = admin->PartitionCount(spec.name);
    all = all && partitions > 0;
    std::int64_t records = 0;
    for (std::int32_t p = 0; p < partitions; ++p) records += reader->EndOffset({spec.name, p});
    if (partitions > 0) {
      std::printf("%-28s %10d %14lld\n", spec.name.c_str(), partitions, static_cast<long long>(records));
    } else {
      std::printf("%-28s %10s   (flowcast topics create makes it)\n", spec.name.c_str(), "missing");
    }
  }
  return all ? app::kOk : app::kFailed;
}

/// Kafka forgets them with the topics, but not when it has just been started.
void DeletePositions(bus::Admin& admin, const app::CommonOptions& common, const TopicsOptions& options) {
  std::vector<bus::TopicPartition> partitions;
  for (const bus::TopicSpec& spec : topics::Specs(common.names(), options.sizing)) {
    const std::int32_t count = admin.PartitionCount(spec.name);
    for (std::int32_t p = 0; p < count; ++p) partitions.push_back({spec.name, p});
  }
  for (const std::string& group : options.groups) {
    try {
      admin.DeletePositions(common.prefix + group, partitions);
    } catch (const bus::BusError& error) {
      if (error.kind() != bus::BusError::Kind::kFatal) throw;
      std::fprintf(stderr, "warning: the positions of a group stay: %s; then start them again\n",
                   error.what());
    }
  }
}

int Delete(const app::CommonOptions& common, const TopicsOptions& options) {
  if (!options.yes)
    throw base::ConfigError("deleting the topics " + common.prefix +
                            "* loses all that is in them; say so with --yes");
  const auto bus = Connect(common);
  const auto admin = bus->MakeAdmin();
  DeletePositions(*admin, common, options);
  for (const bus::TopicSpec& spec : topics::Specs(common.names(), options.sizing)) {
    std::printf("%s  %s\n", admin->DeleteTopic(spec.name) ? "deleted" : "absent ", spec.name.c_str());
  }
  return app::kOk;
}

int PrintManifests(const app::CommonOptions& common, const TopicsOptions& options) {
  const std::string text = TopicManifests(topics::Specs(common.names(), options.sizing), options.cluster);
  std::fputs(text.c_str(), stdout);
  return app::kOk;
}

void AddSizing(CLI::App& app, topics::Sizing& sizing) {
  app.add_option("--partitions", sizing.partitions, "of packets, windows, sequences, forecasts and state")
      ->capture_default_str()
      ->check(CLI::Range(1, 10'000));
  app.add_option("--replication", sizing.replication, "copies of each partition")
      ->capture_default_str()
      ->check(CLI::Range(1, 9));
}

}  // namespace

void AddTopicsCommand(CLI::App& app, Command& chosen) {
  const auto options = std::make_shared<TopicsOptions>();
  CLI::App* topics = app.add_subcommand("topics", "create, list, delete or describe flowcast's topics")
                         ->require_subcommand(1);
  CLI::App* create =
      topics->add_subcommand("create", "create what is missing and say what differs; may be repeated");
  AddSizing(*create, options->sizing);
  create->callback(
      [&chosen, options] { chosen = [options](const auto& common) { return Create(common, *options); }; });
  CLI::App* list = topics->add_subcommand("list", "what is there and how far it goes");
  list->callback(
      [&chosen, options] { chosen = [options](const auto& common) { return List(common, *options); }; });
  CLI::App* remove =
      topics->add_subcommand("delete", "delete them with everything in them, and what groups committed");
  remove->add_flag("--yes", options->yes, "really");
  remove->add_option("--group", options->groups, "whose committed positions are deleted, too; repeatable")
      ->capture_default_str();
  remove->callback(
      [&chosen, options] { chosen = [options](const auto& common) { return Delete(common, *options); }; });
  CLI::App* manifests =
      topics->add_subcommand("manifests", "print them as KafkaTopics of Strimzi, for kubectl apply");
  AddSizing(*manifests, options->sizing);
  manifests->add_option("--cluster", options->cluster, "name of Strimzi's Kafka")->capture_default_str();
  manifests->callback([&chosen, options] {
    chosen = [options](const auto& common) { return PrintManifests(common, *options); };
  });
}

}  // namespace flowcast::tools
