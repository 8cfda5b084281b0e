// flowcast models list|show|rollback|export.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>

#include "libs/base/error.h"
#include "libs/base/printable.h"
#include "libs/base/text.h"
#include "libs/model_topic/model_topic.h"
#include "tools/flowcast/commands.h"

namespace flowcast::tools {
namespace {

struct ModelsOptions {
  std::string model = "default";
  std::string version;
  std::string folder;
  bool json = false;
};

std::unique_ptr<bus::Bus> Connect(const app::CommonOptions& common) {
  return app::ConnectBus(common, "flowcast-models", app::MakeLog("models", common));
}

std::string Percent(const std::optional<double>& share) {
  char text[32] = "-";
  if (share) std::snprintf(text, sizeof text, "%+.1f", 100 * *share);
  return text;
}

/// "lstm +8.1, xgboost +7.9": skills at the nearest horizon.
std::string ForecastersOf(const model_store::Manifest& manifest) {
  std::vector<std::string> parts;
  for (const model_store::ForecasterRecord& record : manifest.forecasters) {
    const auto skill = record.metrics.empty() ? std::nullopt : record.metrics.begin()->second.skill;
    parts.push_back(record.name + " " + Percent(skill));
  }
  return base::Join(parts);
}

/// "packets,bytes", as --target has them.
std::string TargetsOf(const model_store::Manifest& manifest) {
  std::string targets = manifest.target;
  for (const model_store::FurtherTarget& one : manifest.further) targets += "," + one.name;
  return targets;
}

void PrintJson(const model_topic::Listing& listing) {
  for (const auto& [version, entry] : listing.versions) {
    const model_store::Manifest& manifest = entry.manifest;
    const auto& skill = manifest.metrics.skill;
    const nlohmann::ordered_json json{
        {"version", version},
        {"current", version == listing.current},
        {"created_at", manifest.created_at},
        {"target", manifest.target},
        {"targets", manifest.targets()},
        {"skill", skill ? nlohmann::ordered_json(*skill) : nlohmann::ordered_json(nullptr)},
        {"trained_until_ns", base::ToUnixNanoseconds(manifest.trained_until)},
        {"trained_for", manifest.decision.trained_for},
        {"came_into_use", manifest.decision.replaced},
        {"bytes", entry.bytes}};
    std::printf("%s\n", base::PrintableJson(json.dump()).c_str());
  }
}

void PrintTable(const model_topic::Listing& listing) {
  std::printf("  %-28s %-24s %-10s %8s %9s  %-9s %s\n", "VERSION", "CREATED", "TARGET", "SKILL %", "BYTES",
              "FOR", "FORECASTERS");
  for (const auto& [version, entry] : listing.versions) {
    const model_store::Manifest& manifest = entry.manifest;
    std::printf("%s %-28s %-24s %-10s %8s %9s  %-9s %s%s\n", version == listing.current ? "*" : " ",
                version.c_str(), base::Printable(manifest.created_at).c_str(),
                base::Printable(TargetsOf(manifest)).c_str(), Percent(manifest.metrics.skill).c_str(),
                base::Short(static_cast<double>(entry.bytes)).c_str(),
                base::Printable(manifest.decision.trained_for).c_str(),
                base::Printable(ForecastersOf(manifest)).c_str(),
                manifest.decision.replaced ? "" : " (was no better: not used)");
  }
}

int List(const app::CommonOptions& common, const ModelsOptions& options) {
  const auto bus = Connect(common);
  const topics::Names names = common.names();
  const auto listing = model_topic::List(*bus, names, options.model);
  if (listing.versions.empty()) {
    throw base::RuntimeError("there is no model '" + options.model + "' on " + names.models +
                             "; flowcast-trainer publishes one");
  }
  options.json ? PrintJson(listing) : PrintTable(listing);
  if (listing.unreadable > 0)
    std::fprintf(stderr, "%llu records cannot be read\n",
                 static_cast<unsigned long long>(listing.unreadable));
  if (!listing.current.empty() && listing.versions.count(listing.current) == 0)
    std::fprintf(stderr, "the version in use, %s, is not on the topic any more\n", listing.current.c_str());
  return app::kOk;
}

/// "current" is the one in use.
model_store::Model Read(bus::Bus& bus, const topics::Names& names, const ModelsOptions& options) {
  if (options.version == "current") return model_topic::ReadCurrent(bus, names, options.model);
  return model_topic::Read(bus, names, options.model, options.version);
}

int Show(const app::CommonOptions& common, const ModelsOptions& options) {
  const auto bus = Connect(common);
  std::printf("%s\n", base::PrintableJson(ToJson(Read(*bus, common.names(), options).manifest)).c_str());
  return app::kOk;
}

int Rollback(const app::CommonOptions& common, const ModelsOptions& options) {
  const auto bus = Connect(common);
  const topics::Names names = common.names();
  const auto listing = model_topic::List(*bus, names, options.model);
  const std::string version = options.version.empty() ? model_topic::VersionBefore(listing) : options.version;
  model_topic::Read(*bus, names, options.model, version);  // refuses what is not there, or damaged
  if (version == listing.current) {
    std::printf("%s is in use already\n", version.c_str());
    return app::kOk;
  }
  const auto producer = bus->MakeProducer({});
  model_topic::Publisher(*producer, names).PointAt(options.model, version);
  std::printf("%s is in use instead of %s\n", version.c_str(),
              listing.current.empty() ? "none" : listing.current.c_str());
  return app::kOk;
}

int Export(const app::CommonOptions& common, const ModelsOptions& options) {
  const auto bus = Connect(common);
  const auto model = Read(*bus, common.names(), options);
  const auto folder = model_store::ModelFolder(options.folder).Save(model);
  std::printf("%s\n", folder.c_str());
  return app::kOk;
}

using Run = int (*)(const app::CommonOptions&, const ModelsOptions&);

CLI::App* AddOne(CLI::App& models, const std::shared_ptr<ModelsOptions>& options, Command& chosen,
                 const std::string& name, const std::string& help, Run run) {
  CLI::App* command = models.add_subcommand(name, help);
  command->add_option("--model", options->model, "name of the model")->capture_default_str();
  command->callback([&chosen, options, run] {
    chosen = [options, run](const auto& common) { return run(common, *options); };
  });
  return command;
}

}  // namespace

void AddModelsCommand(CLI::App& app, Command& chosen) {
  const auto options = std::make_shared<ModelsOptions>();
  CLI::App* models = app.add_subcommand("models", "list, show, exchange or export the trained models")
                         ->require_subcommand(1);
  AddOne(*models, options, chosen, "list", "the versions on Kafka; * is in use", List)
      ->add_flag("--json", options->json, "one JSON object a line instead of a table");
  AddOne(*models, options, chosen, "show", "the manifest of a version", Show)
      ->add_option("version", options->version, "one of the list, or current")
      ->required();
  AddOne(*models, options, chosen, "rollback", "use an earlier version again", Rollback)
      ->add_option("version", options->version, "one of the list [the one that was in use before]");
  CLI::App* save = AddOne(*models, options, chosen, "export", "write a version's folder", Export);
  save->add_option("version", options->version, "one of the list, or current")->required();
  save->add_option("folder", options->folder, "written to FOLDER/MODEL/VERSION")->required();
}

}  // namespace flowcast::tools
