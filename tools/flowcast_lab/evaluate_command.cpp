// flowcast evaluate: the published model on the sequences of a time range.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>

#include "libs/base/error.h"
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
using ScoresByLink = std::map<std::string, forecast::Scores>;

/// Of the schema that the model was trained on.
training::ExampleStore ReadSequences(bus::Bus& bus, const topics::Names& names,
                                     const model_store::Manifest& manifest) {
  training::ExampleStore store(kMostPerLink);
  const auto consumer = bus.MakeConsumer({});
  const auto partitions = bus.MakeAdmin()->PartitionCount(names.sequences);
  bus::ReadToEnd(*consumer, bus::FromStart(names.sequences, partitions), [&](const bus::InRecord& record) {
    auto sequence = wire::DecodeSequence(record.value);
    if (sequence && sequence->schema_hash == manifest.schema_hash &&
        sequence->last.size() == manifest.features.size())
      store.Add(std::move(*sequence));
  });
  return store;
}

base::EventTime FromSeconds(double seconds, base::EventTime otherwise) {
  return seconds == 0 ? otherwise : base::FromUnixNanoseconds(static_cast<std::int64_t>(seconds * 1e9));
}

ScoresByLink Score(const training::ExampleStore& store, const model_store::Model& model,
                   const EvaluateOptions& options) {
  const auto target = feature::FindFeature(model.manifest.target);
  if (target != feature::kPackets && target != feature::kBytes) {
    throw base::RuntimeError("model " + model.manifest.version + " forecasts '" + model.manifest.target +
                             "', neither packets nor bytes; train it again");
  }
  const auto pairs = store.Pairs(FromSeconds(options.from_s, model.manifest.trained_until),
                                 FromSeconds(options.to_s, base::kEndOfTime), model.manifest.horizon_windows);
  if (pairs.empty()) {
    throw base::RuntimeError("no sequence in this time range; the model was trained until " +
                             base::FormatTime(model.manifest.trained_until) +
                             ", name another range with --from and --to");
  }
  const training::Predictors predictors = training::LoadPredictors(networks::Loaders(), model.networks);
  const auto said = training::ForecastAll(predictors, pairs, *target, model.manifest.horizon_windows);
  std::map<std::string, forecast::ScoreKeeper> keepers;
  for (const training::Scored& scored : said.at(training::kTogether)) {
    for (const std::string& key : {scored.pair->sequence->link, std::string()}) {
      keepers[key].Add(scored.actual, scored.forecast, scored.persistence);
    }
  }
  ScoresByLink scores;
  for (const auto& [link, keeper] : keepers) scores[link] = keeper.Result();
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

void PrintJson(const ScoresByLink& scores, const model_store::Manifest& manifest) {
  nlohmann::ordered_json json{{"model_version", manifest.version},
                              {"target", manifest.target},
                              {"horizon_windows", manifest.horizon_windows},
                              {"all", ToJson(scores.at(""))},
                              {"links", nlohmann::ordered_json::object()}};
  for (const auto& [link, score] : scores) {
    if (!link.empty()) json["links"][link] = ToJson(score);
  }
  std::printf("%s\n", json.dump(2).c_str());
}

void PrintTable(const ScoresByLink& scores, const model_store::Manifest& manifest) {
  std::printf("model %s (%s, %d windows ahead)\n", manifest.version.c_str(), manifest.target.c_str(),
              manifest.horizon_windows);
  std::printf("%-28s %8s %11s %10s %10s %9s %8s %8s\n", "LINK", "COUNT", "MSE", "RMSE", "MAE", "MAPE %", "R2",
              "SKILL %");
  for (const auto& [link, score] : scores) {
    std::printf("%-28s %8llu %11.4g %10.4g %10.4g %9.2f %8.3f %+8.2f\n",
                link.empty() ? "(all)" : link.c_str(), static_cast<unsigned long long>(score.count),
                score.mse.value_or(0), score.rmse.value_or(0), score.mae.value_or(0),
                100 * score.mape.value_or(0), score.r2.value_or(0), 100 * score.skill.value_or(0));
  }
}

int Evaluate(const app::CommonOptions& common, const EvaluateOptions& options) {
  const topics::Names names = common.names();
  const auto bus = app::ConnectBus(common, "flowcast-evaluate", app::MakeLog("evaluate", common));
  const auto model = model_topic::ReadCurrent(*bus, names, options.model);
  const auto scores = Score(ReadSequences(*bus, names, model.manifest), model, options);
  if (options.json) {
    PrintJson(scores, model.manifest);
  } else {
    PrintTable(scores, model.manifest);
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
