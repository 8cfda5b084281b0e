// flowcast backtest: what the forecast would have been worth on a recorded series.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <csignal>
#include <cstdio>
#include <memory>

#include "libs/backtest/backtest.h"
#include "libs/backtest/importance.h"
#include "libs/backtest/scores.h"
#include "libs/backtest/what_if.h"
#include "libs/base/clock.h"
#include "libs/base/error.h"
#include "libs/base/text.h"
#include "libs/lstm/learner.h"
#include "libs/trees/learner.h"
#include "tools/flowcast_lab/backtest_input.h"
#include "tools/flowcast_lab/backtest_page.h"
#include "tools/flowcast_lab/backtest_report.h"
#include "tools/flowcast_lab/commands.h"
#include "tools/flowcast_lab/network_options.h"

namespace flowcast::tools {
namespace {

struct BacktestOptions {
  NetworkOptions network;
  BacktestInput input;
  backtest::Options run;
  std::vector<std::string> models{"xgboost", "lstm"};
  std::string normalization = "robust";
  std::string alert_threshold;
  double alert_probability = 0.5;
  std::string html;
  bool ablate = false;
  std::vector<std::string> what_if;
  int threads = 2;
  bool json = false;
};

/// The learners that --models names; must outlive the run.
struct Learners {
  Learners(const BacktestOptions& options, std::size_t steps)
      : trees({}, options.threads), lstm(options.network.For(steps)) {
    const std::vector<double> levels(std::begin(forecast::kQuantileLevels),
                                     std::end(forecast::kQuantileLevels));
    for (const std::string& name : options.models) {
      if (name == "xgboost") models.push_back({name, trees, trees::LoadPredictor, {0.5}});
      if (name == "lstm") models.push_back({name, lstm, lstm::LoadPredictor, levels, true});
    }
  }

  trees::TreeLearner trees;
  lstm::LstmLearner lstm;
  std::vector<backtest::Model> models;
};

void WriteHtml(const BacktestOptions& options, const backtest::Series& series, const backtest::Options& run,
               const std::vector<HorizonReport>& reports) {
  const bool capture = options.input.csv.empty();
  WritePage(options.html, PageData({.series = series,
                                    .options = run,
                                    .target = series.target,
                                    .timed = capture,
                                    .models = options.models},
                                   reports));
}

Insights InsightsOf(backtest::Backtester& backtester, bool ablate,
                    const std::vector<backtest::Change>& changes) {
  constexpr std::uint64_t kSeed = 1;
  Insights insights;
  if (ablate) insights.importances = backtest::ImportanceOf(backtester, kSeed);
  for (const backtest::Change& change : changes)
    insights.what_ifs.push_back(backtest::WhatIfOf(backtester, change));
  return insights;
}

int Backtest(const BacktestOptions& options) {
  // Nothing to finish in order: a signal ends it at once, in the middle of a fit, too.
  for (const int number : {SIGINT, SIGTERM}) std::signal(number, SIG_DFL);
  backtest::Options run_options = options.run;
  run_options.scaling = feature::ParseScaling(options.normalization);
  const backtest::Series series = ReadSeries(options.input);
  if (series.filled > 0)
    std::fprintf(stderr, "%zu missing values of %s were interpolated\n", series.filled, series.name.c_str());
  const std::optional<double> threshold =
      options.alert_threshold.empty()
          ? std::nullopt
          : std::optional(backtest::ThresholdOf(options.alert_threshold, series, run_options));
  std::vector<backtest::Change> changes;
  for (const std::string& text : options.what_if) changes.push_back(backtest::ParseChange(text, series));
  const Learners learners(options, series.values.size());
  backtest::Backtester backtester(series, run_options, learners.models, base::SystemClock());
  const backtest::Run& run = backtester.run();
  for (const std::string& note : run.notes) std::fprintf(stderr, "%s\n", note.c_str());
  const Insights insights = InsightsOf(backtester, options.ablate, changes);
  std::vector<HorizonReport> reports;
  for (const backtest::HorizonRun& horizon : run.horizons) {
    HorizonReport& report = reports.emplace_back(
        HorizonReport{run, insights, reports.size(), backtest::ScoreOf(series, run_options, horizon), {}});
    if (threshold)
      report.alerts = backtest::CompareAlerts(horizon, *threshold, series.step_s, options.alert_probability);
    std::printf("%s\n", (options.json ? ToJson(report) : ToTable(report)).c_str());
  }
  if (!options.html.empty()) WriteHtml(options, series, run_options, reports);
  return app::kOk;
}

void AddInputOptions(CLI::App& command, BacktestInput& input) {
  CLI::Option* csv = command.add_option("--csv", input.csv, "CSV file with a header line, .gz and .zst too");
  command.add_option("--pcap", input.pcap, "capture file, .gz and .zst too")->excludes(csv);
  AddSeriesOptions(command, input);
}

void AddRunOptions(CLI::App& command, BacktestOptions& options) {
  command
      .add_option("--season", options.run.season, "steps of a season: 288 for days of 5 minutes; 0 for none")
      ->capture_default_str();
  command.add_option("--horizons", options.run.horizons, "steps ahead")
      ->delimiter(',')
      ->capture_default_str();
  command.add_option("--train-fraction", options.run.train_fraction, "the part of the series that is fitted")
      ->capture_default_str();
  command.add_option("--length", options.run.length, "values of a sequence")->capture_default_str();
  command
      .add_option("--normalization", options.normalization, "of the sequences, as flowcast-features has it")
      ->capture_default_str();
  command.add_option("--models", options.models, "models to fit beside the experts: xgboost, lstm, none")
      ->delimiter(',')
      ->capture_default_str()
      ->check(CLI::IsMember({"xgboost", "lstm", "none"}));
  command.add_option("--threads", options.threads, "of the fitting")
      ->capture_default_str()
      ->check(CLI::Range(1, 256));
  command.add_option("--alert-threshold", options.alert_threshold,
                     "also score alerts above this load, or percentile of the fitted part (p95)");
  command
      .add_option("--alert-probability", options.alert_probability,
                  "of the alerts: more probable than this; at 0.5 the median decides")
      ->capture_default_str()
      ->check(CLI::Range(0.0, 1.0));
  command.add_flag("--ablate", options.ablate, "also tell by how much the error rises without each feature");
  command
      .add_option(
          "--what-if", options.what_if,
          "also tell how the forecast changes when this feature of the last step has that value; may be "
          "repeated")
      ->type_name("FEATURE=VALUE");
  command.add_option("--html", options.html, "also write a page with everything in it to this file")
      ->type_name("FILE");
  command.add_flag("--json", options.json, "one JSON object a horizon instead of tables");
}

}  // namespace

void AddBacktestCommand(CLI::App& app, Command& chosen) {
  const auto options = std::make_shared<BacktestOptions>();
  CLI::App* command = app.add_subcommand("backtest", "forecast a recorded series step by step, and score it");
  AddInputOptions(*command, options->input);
  AddRunOptions(*command, *options);
  AddNetworkOptions(*command, options->network);
  command->callback([&chosen, options] { chosen = [options](const auto&) { return Backtest(*options); }; });
}

}  // namespace flowcast::tools
