// flowcast tune: settings of the network, searched on series.
#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>

#include "libs/backtest/validation.h"
#include "libs/base/clock.h"
#include "libs/base/error.h"
#include "libs/tune/search.h"
#include "tools/flowcast_lab/backtest_input.h"
#include "tools/flowcast_lab/commands.h"
#include "tools/flowcast_lab/network_options.h"

namespace flowcast::tools {
namespace {

constexpr std::size_t kRungs = backtest::kFolds;

/// A setting that is searched: by the name that flowcast-trainer has for it, with what it may be.
struct Setting {
  const char* name;
  std::string range;  // by default
  bool whole;
  double least, most;
  const char* text;
};

std::vector<Setting> Settings() {
  return {{"hidden", "16,32,48,64", true, 1, 1024, "sizes of an LSTM layer"},
          {"layers", "1,2", true, 1, 16, "LSTM layers"},
          {"head-size", "0,16,32,64", true, 0, 1024, "hidden units between the LSTM and the answers"},
          {"dropout", "0,0.1,0.2", false, 0, 0.9, "between the layers, while training"},
          {"learning-rate", "3e-4..1e-2", false, 1e-6, 1, "of the optimizer"},
          {"batch-size", "32,64,128,256", true, 1, 65536, "sequences a step"},
          {"length", "10,20,30", true, 2, 1000, "values of a sequence"},
          {"attention", "0,1", true, 0, 1, "over the steps: 0 or 1"},
          {"members", "1", true, 1, 16, "networks whose answers are averaged"}};
}

struct TuneOptions {
  BacktestInput input;
  std::vector<std::string> csv;
  std::vector<std::string> pcap;
  backtest::Options run{.horizons = {1, 2, 3, 6, 12}};
  std::string normalization = "robust";
  std::vector<Setting> settings = Settings();
  std::size_t trials = 27;
  std::string time_limit = "10m";
  std::uint64_t seed = 1;
  std::string out = "tuned.toml";
  bool json = false;
};

std::vector<backtest::Series> ReadAll(const TuneOptions& options) {
  std::vector<backtest::Series> all;
  BacktestInput input = options.input;
  for (const std::string& file : options.csv) {
    input.csv = file;
    all.push_back(ReadSeries(input));
  }
  input.csv.clear();
  for (const std::string& file : options.pcap) {
    input.pcap = file;
    all.push_back(ReadSeries(input));
  }
  if (all.empty())
    throw base::ConfigError("name at least one series: --csv FILE --column NAME, or --pcap FILE --window 5s");
  return all;
}

/// What is searched, on what, and until when.
class Tuning {
 public:
  Tuning(const TuneOptions& options, const base::Clock& clock)
      : options_(options), clock_(clock), series_(ReadAll(options)) {
    for (const Setting& setting : options.settings)
      space_.push_back(
          tune::ParseParameter(setting.name, setting.range, setting.whole, setting.least, setting.most));
    options_.run.scaling = feature::ParseScaling(options.normalization);
    for (const backtest::Series& series : series_) Check(series, RunOf(LongestCandidate()));
    limit_ = clock_.Steady() + base::ParseDuration(options.time_limit);
  }

  tune::Found Search() {
    candidates_ = tune::Draw(space_, options_.trials, options_.seed);
    std::fprintf(stderr, "%zu candidates on %zu series, at most %s\n", candidates_.size(), series_.size(),
                 options_.time_limit.c_str());
    return tune::Search(candidates_, {.rungs = kRungs},
                        {.evaluate = [this](const auto& one, std::size_t rung) { return LossOf(one, rung); },
                         .stop = [this] { return Stopped(); },
                         .listen = [this](const tune::Trial& trial) { Tell(trial); }});
  }

  double Of(const tune::Candidate& candidate, std::string_view name) const {
    const auto at =
        std::find_if(space_.begin(), space_.end(), [name](const auto& one) { return one.name == name; });
    return candidate[static_cast<std::size_t>(at - space_.begin())];
  }
  const std::vector<tune::Parameter>& space() const { return space_; }
  const std::vector<tune::Candidate>& candidates() const { return candidates_; }
  std::size_t series_count() const { return series_.size(); }

 private:
  bool Stopped() const { return app::StopRequested() || clock_.Steady() >= limit_; }

  tune::Candidate LongestCandidate() const {
    tune::Candidate longest;
    for (const tune::Parameter& one : space_)
      longest.push_back(one.choices.empty() ? one.high
                                            : *std::max_element(one.choices.begin(), one.choices.end()));
    return longest;
  }

  backtest::Options RunOf(const tune::Candidate& candidate) const {
    backtest::Options run = options_.run;
    run.length = static_cast<std::size_t>(Of(candidate, "length"));
    return run;
  }

  lstm::LearnerOptions NetworkOf(const tune::Candidate& candidate, std::size_t steps,
                                 std::size_t rung) const {
    const auto whole = [&](const char* name) { return static_cast<std::int64_t>(Of(candidate, name)); };
    lstm::LearnerOptions network = NetworkOptions().For(steps);
    network.hidden = whole("hidden");
    network.layers = whole("layers");
    network.head_size = whole("head-size");
    network.dropout = Of(candidate, "dropout");
    network.attention = whole("attention") != 0;
    network.members = static_cast<int>(whole("members"));
    network.training.learning_rate = Of(candidate, "learning-rate");
    network.training.batch_size = whole("batch-size");
    network.training.seed = options_.seed;
    const int part = static_cast<int>(kRungs - rung);  // a third, a half, all of the epochs
    network.training.epochs = std::max(1, network.training.epochs / part);
    return network;
  }

  /// Mean over the series; the newest fold on the first rung, another one on each further.
  std::optional<double> LossOf(const tune::Candidate& candidate, std::size_t rung) const {
    double sum = 0;
    for (const backtest::Series& series : series_) {
      lstm::LstmLearner learner(NetworkOf(candidate, series.values.size(), rung));
      const std::vector<double> levels(std::begin(forecast::kQuantileLevels),
                                       std::end(forecast::kQuantileLevels));
      const backtest::Model model{"lstm", learner, lstm::LoadPredictor, levels, true};
      const auto loss =
          backtest::ValidationLoss(series, RunOf(candidate), model, rung + 1, [this] { return Stopped(); });
      if (!loss) return std::nullopt;
      sum += *loss;
    }
    return sum / static_cast<double>(series_.size());
  }

  void Tell(const tune::Trial& trial) const {
    if (trial.loss)
      std::fprintf(stderr, "round %zu, candidate %zu: %.4f of persistence's error\n", trial.rung + 1,
                   trial.candidate + 1, *trial.loss);
  }

  TuneOptions options_;
  const base::Clock& clock_;
  std::vector<backtest::Series> series_;
  std::vector<tune::Parameter> space_;
  std::vector<tune::Candidate> candidates_;
  base::Duration limit_{0};
};

std::string Text(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.4g", value);
  return text;
}

/// Trials on higher rungs first, the best of a rung first.
std::vector<tune::Trial> Ranked(const tune::Found& found) {
  std::vector<tune::Trial> ranked;
  for (const tune::Trial& trial : found.trials) {
    if (trial.loss) ranked.push_back(trial);
  }
  std::stable_sort(ranked.begin(), ranked.end(), [](const tune::Trial& one, const tune::Trial& other) {
    return one.rung != other.rung ? one.rung > other.rung : *one.loss < *other.loss;
  });
  return ranked;
}

void PrintTable(const Tuning& tuning, const tune::Found& found) {
  std::printf("%-6s %9s %8s", "ROUND", "CANDIDATE", "LOSS");
  for (const tune::Parameter& one : tuning.space()) std::printf(" %13s", one.name.c_str());
  for (const tune::Trial& trial : Ranked(found)) {
    std::printf("\n%-6zu %9zu %8.4f", trial.rung + 1, trial.candidate + 1, *trial.loss);
    for (const double value : tuning.candidates()[trial.candidate]) std::printf(" %13s", Text(value).c_str());
  }
  std::printf("\n");
}

void PrintJson(const Tuning& tuning, const tune::Found& found) {
  for (const tune::Trial& trial : Ranked(found)) {
    nlohmann::ordered_json json{
        {"round", trial.rung + 1}, {"candidate", trial.candidate + 1}, {"loss", *trial.loss}};
    for (std::size_t i = 0; i < tuning.space().size(); ++i)
      json["settings"][tuning.space()[i].name] = tuning.candidates()[trial.candidate][i];
    std::printf("%s\n", json.dump().c_str());
  }
}

/// Every key is an option of flowcast-trainer, too.
void Write(const std::string& path, const Tuning& tuning, const tune::Trial& best) {
  const tune::Candidate& candidate = tuning.candidates()[best.candidate];
  const std::string length = Text(tuning.Of(candidate, "length"));
  std::ofstream file(path);
  file << "# Found by flowcast tune: " << Text(*best.loss) << " of persistence's error on the newest "
       << best.rung + 1 << " folds of " << tuning.series_count() << " series.\n"
       << "# For flowcast-trainer --config and flowcast backtest --config. The sequences come from\n"
       << "# flowcast-features --sequence-length " << length << ".\n";
  for (const tune::Parameter& one : tuning.space()) {
    const double value = tuning.Of(candidate, one.name);
    file << one.name << " = " << (one.name == "attention" ? (value != 0 ? "true" : "false") : Text(value))
         << "\n";
  }
  file.close();
  if (!file)
    throw base::RuntimeError("cannot write " + path + "; name a file that can be written with --out");
}

int Tune(const TuneOptions& options) {
  const base::SystemClock clock;
  Tuning tuning(options, clock);
  const tune::Found found = tuning.Search();
  if (!found.best) {
    std::fprintf(stderr, "no candidate was evaluated; %s\n",
                 found.ended_early ? "raise --time-limit" : "the series may be too short or constant");
    return app::kFailed;
  }
  options.json ? PrintJson(tuning, found) : PrintTable(tuning, found);
  const tune::Trial& best = found.trials[*found.best];
  Write(options.out, tuning, best);
  std::fprintf(stderr, "%sthe best, candidate %zu, is in %s\n", found.ended_early ? "ended early; " : "",
               best.candidate + 1, options.out.c_str());
  return app::kOk;
}

}  // namespace

void AddTuneCommand(CLI::App& app, Command& chosen) {
  const auto options = std::make_shared<TuneOptions>();
  CLI::App* command = app.add_subcommand("tune", "search the network's settings on recorded series");
  command->add_option("--csv", options->csv,
                      "CSV file with a header line, .gz and .zst too; may be repeated");
  command->add_option("--pcap", options->pcap, "capture file, .gz and .zst too; may be repeated");
  AddSeriesOptions(*command, options->input);
  command->add_option("--season", options->run.season, "steps of a season; 0 for none")
      ->capture_default_str();
  command->add_option("--horizons", options->run.horizons, "steps ahead")
      ->delimiter(',')
      ->capture_default_str();
  command
      ->add_option("--train-fraction", options->run.train_fraction,
                   "the part of the series that is looked at; the folds are its newest part")
      ->capture_default_str();
  command->add_option("--normalization", options->normalization, "of the sequences")->capture_default_str();
  for (Setting& setting : options->settings)
    command
        ->add_option(std::string("--") + setting.name, setting.range,
                     std::string(setting.text) + ": a,b,c or a..b")
        ->capture_default_str()
        ->group("Ranges");
  command->add_option("--trials", options->trials, "candidates that are tried")
      ->capture_default_str()
      ->check(CLI::Range(1, 10'000));
  command->add_option("--time-limit", options->time_limit, "then the best so far is taken, as at Ctrl-C")
      ->capture_default_str();
  command->add_option("--seed", options->seed, "of the candidates and the networks")->capture_default_str();
  command->add_option("--out", options->out, "configuration file to write")->capture_default_str();
  command->add_flag("--json", options->json, "one JSON object a trial instead of a table");
  command->callback([&chosen, options] { chosen = [options](const auto&) { return Tune(*options); }; });
}

}  // namespace flowcast::tools
