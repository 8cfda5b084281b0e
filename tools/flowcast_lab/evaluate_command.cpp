// flowcast evaluate: the published model on the sequences of a time range.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>

#include "libs/base/error.h"
#include "libs/base/printable.h"
#include "libs/bus/read_to_end.h"
#include "libs/forecast/score.h"
#include "libs/model_topic/model_topic.h"
#include "libs/networks/networks.h"
#include "libs/training/example_store.h"
#include "libs/training/predictors.h"
#include "libs/wire/window_wire.h"
#include "tools/flowcast_lab/commands.h"

namespace flowcast::tools {
namespace {

struct EvaluateOptions {
  std::string model = "default";
  double from_s = 0;
  double to_s = 0;
  bool json = false;
};

constexpr std::size_t kMostPerLink = 10'000'000;

/// Of one target.
struct TargetScores {
  std::string target;
  std::map<std::string, forecast::Scores> links;        // of the mean of the forecasters; "" for all together
  std::map<std::string, forecast::Scores> forecasters;  // over all links
};

/// Those of the schema that the model was trained on, and what that is.
struct Sequences {
  training::ExampleStore store{kMostPerLink};
  std::optional<feature::Schema> schema;
};

Sequences ReadSequences(bus::Bus& bus, const topics::Names& names, const model_store::Manifest& manifest) {
  Sequences sequences;
  const auto consumer = bus.MakeConsumer({});
  const auto partitions = bus.MakeAdmin()->PartitionCount(names.sequences);
  bus::ReadToEnd(*consumer, bus::FromStart(names.sequences, partitions), [&](const bus::InRecord& record) {
    auto sequence = wire::DecodeSequence(record.value);
    if (!sequence || sequence->schema_hash != manifest.schema_hash ||
        sequence->last.size() != manifest.features.size())
      return;
    if (!sequences.schema) {
      if (auto schema = wire::DecodeSequenceSchema(record.value)) sequences.schema = std::move(*schema);
    }
    sequences.store.Add(std::move(*sequence));
  });
  return sequences;
}

base::EventTime FromSeconds(double seconds, base::EventTime otherwise) {
  return seconds == 0 ? otherwise : base::FromUnixNanoseconds(static_cast<std::int64_t>(seconds * 1e9));
}

forecast::Scores ScoresOf(const std::vector<training::Scored>& said) {
  forecast::ScoreKeeper keeper;
  for (const training::Scored& scored : said) keeper.Add(scored.actual, scored.forecast, scored.persistence);
  return keeper.Result();
}

TargetScores ScoreTarget(const std::string& name, const training::Target& target,
                         const training::Predictors& predictors, const std::vector<training::Pair>& pairs,
                         int horizon) {
  auto said = training::ForecastAll(predictors, pairs, target, horizon);
  TargetScores scores{.target = name, .links = {}, .forecasters = {}};
  std::map<std::string, std::vector<training::Scored>> by_link;
  for (const training::Scored& scored : said.at(training::kTogether))
    by_link[scored.pair->sequence->link].push_back(scored);
  for (const auto& [link, of_link] : by_link) scores.links[link] = ScoresOf(of_link);
  scores.links[""] = ScoresOf(said.at(training::kTogether));
  said.erase(training::kTogether);
  for (const auto& [forecaster, all] : said) scores.forecasters[forecaster] = ScoresOf(all);
  return scores;
}

std::vector<TargetScores> Score(const Sequences& sequences, const model_store::Model& model,
                                const EvaluateOptions& options) {
  const model_store::Manifest& manifest = model.manifest;
  const auto pairs =
      sequences.store.Pairs(FromSeconds(options.from_s, manifest.trained_until),
                            FromSeconds(options.to_s, base::kEndOfTime), manifest.horizon_windows);
  if (pairs.empty() || !sequences.schema) {
    throw base::RuntimeError("no sequence in this time range; the model was trained until " +
                             base::FormatTime(manifest.trained_until) +
                             ", name another range with --from and --to");
  }
  const training::Predictors predictors =
      training::LoadPredictors(networks::Loaders(), model, *sequences.schema);
  std::vector<TargetScores> scores;
  for (const std::string& name : manifest.targets()) {
    scores.push_back(ScoreTarget(name, training::Target(*sequences.schema, name), predictors, pairs,
                                 manifest.horizon_windows));
  }
  return scores;
}

nlohmann::ordered_json ToJson(const forecast::Scores& scores) {
  const auto value = [](const std::optional<double>& number) {
    return number ? nlohmann::ordered_json(*number) : nlohmann::ordered_json(nullptr);
  };
  return {{"count", scores.count},
          {"mse", value(scores.mse)},
          {"rmse", value(scores.rmse)},
          {"mae", value(scores.mae)},
          {"mape", value(scores.mape)},
          {"r2", value(scores.r2)},
          {"mae_persistence", value(scores.mae_persistence)},
          {"skill", value(scores.skill)}};
}

void AddScores(const TargetScores& scores, nlohmann::ordered_json& json) {
  json["all"] = ToJson(scores.links.at(""));
  json["forecasters"] = json["links"] = nlohmann::ordered_json::object();
  for (const auto& [forecaster, score] : scores.forecasters) json["forecasters"][forecaster] = ToJson(score);
  for (const auto& [link, score] : scores.links) {
    if (!link.empty()) json["links"][link] = ToJson(score);
  }
}

void PrintJson(const std::vector<TargetScores>& scores, const model_store::Manifest& manifest) {
  nlohmann::ordered_json json{{"model_version", manifest.version},
                              {"target", manifest.target},
                              {"horizon_windows", manifest.horizon_windows}};
  AddScores(scores.front(), json);
  for (std::size_t i = 1; i < scores.size(); ++i) {
    nlohmann::ordered_json further{{"target", scores[i].target}};
    AddScores(scores[i], further);
    json["further_targets"].push_back(std::move(further));
  }
  std::printf("%s\n", base::PrintableJson(json.dump(2)).c_str());
}

void PrintRow(const std::string& name, const forecast::Scores& score) {
  std::printf("%-28s %8llu %11.4g %10.4g %10.4g %9.2f %8.3f %+8.2f\n", base::Printable(name).c_str(),
              static_cast<unsigned long long>(score.count), score.mse.value_or(0), score.rmse.value_or(0),
              score.mae.value_or(0), 100 * score.mape.value_or(0), score.r2.value_or(0),
              100 * score.skill.value_or(0));
}

void PrintTable(const TargetScores& scores, const model_store::Manifest& manifest) {
  std::printf("model %s (%s, %d windows ahead)\n", manifest.version.c_str(),
              base::Printable(scores.target).c_str(), manifest.horizon_windows);
  std::printf("%-28s %8s %11s %10s %10s %9s %8s %8s\n", "LINK", "COUNT", "MSE", "RMSE", "MAE", "MAPE %", "R2",
              "SKILL %");
  for (const auto& [link, score] : scores.links) PrintRow(link.empty() ? "(all)" : link, score);
  for (const auto& [name, score] : scores.forecasters) PrintRow("(all, " + name + " alone)", score);
}

int Evaluate(const app::CommonOptions& common, const EvaluateOptions& options) {
  const topics::Names names = common.names();
  const auto bus = app::ConnectBus(common, "flowcast-evaluate", app::MakeLog("evaluate", common));
  const auto model = model_topic::ReadCurrent(*bus, names, options.model);
  const auto scores = Score(ReadSequences(*bus, names, model.manifest), model, options);
  if (options.json) {
    PrintJson(scores, model.manifest);
  } else {
    for (const TargetScores& of_target : scores) PrintTable(of_target, model.manifest);
  }
  return app::kOk;
}

}  // namespace

void AddEvaluateCommand(CLI::App& app, Command& chosen) {
  const auto options = std::make_shared<EvaluateOptions>();
  CLI::App* evaluate = app.add_subcommand("evaluate", "score the published model on the sequences on Kafka");
  evaluate->add_option("--model", options->model, "name of the model")->capture_default_str();
  evaluate->add_option("--from", options->from_s,
                       "event time in seconds since 1970 [what the model was trained until]");
  evaluate->add_option("--to", options->to_s, "event time in seconds since 1970 [the end]");
  evaluate->add_flag("--json", options->json, "JSON instead of a table");
  evaluate->callback(
      [&chosen, options] { chosen = [options](const auto& common) { return Evaluate(common, *options); }; });
}

}  // namespace flowcast::tools
