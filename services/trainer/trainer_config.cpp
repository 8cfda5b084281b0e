// Options of the trainer and what they default to.
#include "services/trainer/trainer_config.h"

#include <CLI/CLI.hpp>
#include <sstream>

#include "libs/base/error.h"
#include "libs/forecast/forecast.h"
#include "services/trainer/trainer_metrics.h"

namespace flowcast::services {

namespace {

void AddDataOptions(CLI::App& app, TrainerConfig& config) {
  app.add_flag("--once", config.once, "learn from what is on Kafka now, publish the model and exit");
  app.add_option("--every", config.every, "without --once: time between trainings")->capture_default_str();
  app.add_option("--after-sequences", config.trainer.retrain.after_sequences,
                 "without --once: also train when so many are new; 0: their number is no reason")
      ->capture_default_str();
  app.add_option(
         "--drift", config.trainer.retrain.drift_ratio,
         "without --once: also train when the live error is so many times what it was at first; 0: never")
      ->capture_default_str()
      ->check(CLI::Range(0.0, 100.0));
  app.add_option("--train-fraction", config.trainer.dataset.train_fraction,
                 "share of the event time to learn from; the rest is left for watching")
      ->capture_default_str()
      ->check(CLI::Range(0.05, 1.0));
  app.add_option("--validation-fraction", config.trainer.dataset.validation_fraction,
                 "share of the learning part, its newest, for early stopping")
      ->capture_default_str()
      ->check(CLI::Range(0.05, 0.5));
  app.add_option("--target", config.targets,
                 "what is forecast, one or several: packets, bytes, and any other of the features")
      ->delimiter(',')
      ->capture_default_str();
  app.add_option("--features", config.features,
                 "as flowcast-features was told: the sequences must have these")
      ->capture_default_str();
  app.add_option("--normalization", config.normalization, "as flowcast-features was told")
      ->capture_default_str();
  app.add_option("--length", config.trainer.sequence_length,
                 "windows of a sequence, as flowcast-features --sequence-length makes them; others are left "
                 "out. 0: as the first has")
      ->capture_default_str()
      ->check(CLI::Range(0, 100'000));
  app.add_option("--horizons,--horizon", config.trainer.dataset.horizons, "windows ahead, ascending")
      ->delimiter(',')
      ->capture_default_str()
      ->check(CLI::Range(1, 1000));
}

void AddNetworkOptions(CLI::App& app, TrainerConfig& config) {
  lstm::TrainingOptions& training = config.learner.training;
  app.add_option("--hidden", config.learner.hidden, "size of an LSTM layer")
      ->capture_default_str()
      ->check(CLI::Range(1, 4096));
  app.add_option("--layers", config.learner.layers, "LSTM layers")
      ->capture_default_str()
      ->check(CLI::Range(1, 16));
  app.add_option("--head-size", config.learner.head_size,
                 "hidden units between the LSTM and the answers; 0: none")
      ->capture_default_str()
      ->check(CLI::Range(0, 4096));
  app.add_flag("--attention", config.learner.attention, "over the steps of the last layer");
  app.add_option("--members", config.learner.members,
                 "networks of different seeds, whose answers are averaged")
      ->capture_default_str()
      ->check(CLI::Range(1, 64));
  app.add_option("--dropout", config.learner.dropout, "between the layers, while training")
      ->capture_default_str()
      ->check(CLI::Range(0.0, 0.9));
  app.add_option("--epochs", training.epochs, "most epochs")
      ->capture_default_str()
      ->check(CLI::Range(1, 100'000));
  app.add_option("--patience", training.patience, "epochs without a better validation loss before it stops")
      ->capture_default_str()
      ->check(CLI::Range(1, 100'000));
  app.add_option("--learning-rate", training.learning_rate, "of the optimizer")
      ->capture_default_str()
      ->check(CLI::PositiveNumber);
  app.add_option("--optimizer", config.optimizer, "adam, adamw or sgd")
      ->capture_default_str()
      ->check(CLI::IsMember({"adam", "adamw", "sgd"}));
  app.add_option("--batch-size", training.batch_size, "sequences a step")
      ->capture_default_str()
      ->check(CLI::Range(1, 65536));
  app.add_option("--gradient-clip", training.gradient_clip, "largest norm of a gradient")
      ->capture_default_str()
      ->check(CLI::PositiveNumber);
  app.add_option("--seed", training.seed,
                 "the same seed, options and sequences give the same model on the same machine")
      ->capture_default_str();
  app.add_option("--threads", training.threads,
                 "members and trees learn side by side on so many; one member gains little from more")
      ->capture_default_str()
      ->check(CLI::Range(1, 64));
}

std::string RecipeOf(const TrainerConfig& config) {
  const lstm::LearnerOptions& network = config.learner;
  const lstm::TrainingOptions& training = network.training;
  std::ostringstream text;
  text << network.layers << 'x' << network.hidden << ' ' << network.head_size << ' ' << network.attention
       << ' ' << network.members << ' ' << network.dropout << ' ' << training.epochs << ' '
       << training.patience << ' ' << training.learning_rate << ' ' << config.optimizer << ' '
       << training.batch_size << ' ' << training.gradient_clip << ' ' << training.seed;
  return text.str();
}

}  // namespace

void AddTrainerOptions(CLI::App& app, TrainerConfig& config) {
  AddDataOptions(app, config);
  AddNetworkOptions(app, config);
  app.add_option("--models", config.models, "what a model consists of: xgboost, lstm")
      ->delimiter(',')
      ->capture_default_str()
      ->check(CLI::IsMember({"xgboost", "lstm"}));
  app.add_option("--max-sequences", config.trainer.limits.per_link, "newest sequences kept of a link")
      ->capture_default_str()
      ->check(CLI::Range(100, 10'000'000));
  app.add_option(
         "--max-memory", config.trainer.limits.bytes,
         "bytes of all sequences and the examples made of them, about (512MB, 2GB); of more, each link "
         "keeps an even sample")
      ->capture_default_str()
      ->transform(CLI::AsSizeValue(true))
      ->check(CLI::Range(std::uint64_t{1'000'000}, std::uint64_t{1'000'000'000'000}));
  app.add_option("--keep-models", config.trainer.keep_models, "newest versions kept on models.v1")
      ->capture_default_str()
      ->check(CLI::Range(2, 1000));
  app.add_option("--model-dir", config.model_dir, "folder the models are kept in")->capture_default_str();
  app.add_option("--model", config.trainer.model_name, "name of the model")->capture_default_str();
  config.common.describe = [] { return TrainerMetrics().Describe(); };
  AddCommonOptions(app, config.common);
}

void TrainerConfig::Resolve() {
  trainer.schema = feature::Schema::Parse(features, feature::ParseScaling(normalization));
  trainer.dataset.targets = training::TargetsOf(trainer.schema, targets);
  trainer.dataset.levels.assign(std::begin(forecast::kQuantileLevels), std::end(forecast::kQuantileLevels));
  training::ShapeOf({.length = 1, .last = std::vector<double>(trainer.schema.size())},
                    trainer.dataset.targets, trainer.dataset.horizons,
                    trainer.dataset.levels);  // refuses what cannot be
  trainer.retrain.every = base::ParseDuration(every);
  if (trainer.retrain.drift_ratio > 0 && trainer.retrain.drift_ratio <= 1) {
    throw base::ConfigError("--drift must be above 1, such as 1.2 for 20 % worse, or 0 for never");
  }
  trainer.seed = learner.training.seed;
  trainer.recipe = RecipeOf(*this);
  trainer.network = {.layers = learner.layers,
                     .hidden = learner.hidden,
                     .dropout = learner.dropout,
                     .head_size = learner.head_size,
                     .attention = learner.attention,
                     .members = learner.members};
  learner.training.optimizer = optimizer == "sgd"     ? lstm::Optimizer::kSgd
                               : optimizer == "adamw" ? lstm::Optimizer::kAdamW
                                                      : lstm::Optimizer::kAdam;
  if (trainer.model_name.empty() || trainer.model_name.find('/') != std::string::npos) {
    throw base::ConfigError("--model '" + trainer.model_name + "' is no name; use letters, digits, - and _");
  }
}

std::function<void(const TrainingStep&)> Display(const TrainerConfig& config, app::ProgressBar& bar) {
  if (config.common.log_json || !app::ErrorIsTerminal()) return {};
  return [&bar](const TrainingStep& step) {
    const double share = step.of > 0 ? static_cast<double>(step.number) / step.of : 0;
    bar.Show(share, TextOf(step));
  };
}

}  // namespace flowcast::services
