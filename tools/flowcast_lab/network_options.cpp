// Options of the network over the recipe.
#include "tools/flowcast_lab/network_options.h"

#include <CLI/CLI.hpp>
#include <algorithm>

namespace flowcast::tools {
namespace {

template <typename Said, typename Setting>
void Take(const std::optional<Said>& said, Setting& setting) {
  if (said) setting = *said;
}

lstm::Optimizer OptimizerNamed(const std::string& name) {
  if (name == "sgd") return lstm::Optimizer::kSgd;
  return name == "adamw" ? lstm::Optimizer::kAdamW : lstm::Optimizer::kAdam;
}

}  // namespace

lstm::LearnerOptions NetworkOptions::For(std::size_t steps) const {
  constexpr std::size_t kSequencesSeen = 200'000;
  lstm::LearnerOptions lstm;
  lstm::TrainingOptions& training = lstm.training;
  training.epochs = static_cast<int>(std::clamp<std::size_t>(kSequencesSeen / steps, 6, 40));
  training.batch_size = steps < 8000 ? 64 : 256;
  training.threads = 1;  // its products are too small for two: they would wait for each other
  Take(hidden, lstm.hidden);
  Take(layers, lstm.layers);
  Take(head_size, lstm.head_size);
  Take(members, lstm.members);
  Take(dropout, lstm.dropout);
  Take(attention, lstm.attention);
  Take(epochs, training.epochs);
  Take(patience, training.patience);
  Take(batch_size, training.batch_size);
  Take(learning_rate, training.learning_rate);
  if (optimizer) training.optimizer = OptimizerNamed(*optimizer);
  return lstm;
}

void AddNetworkOptions(CLI::App& command, NetworkOptions& options) {
  const std::string group =
      "Network (as flowcast-trainer has them; by default its recipe, with epochs and batches "
      "for the series' length)";
  const auto add = [&](const char* name, auto& setting, const char* text, const auto& check) {
    command.add_option(name, setting, text)->check(check)->group(group);
  };
  add("--hidden", options.hidden, "size of an LSTM layer", CLI::Range(1, 4096));
  add("--layers", options.layers, "LSTM layers", CLI::Range(1, 16));
  add("--head-size", options.head_size, "hidden units between the LSTM and the answers", CLI::Range(0, 4096));
  add("--members", options.members, "networks whose answers are averaged", CLI::Range(1, 64));
  add("--dropout", options.dropout, "between the layers, while training", CLI::Range(0.0, 0.9));
  command.add_option("--attention", options.attention, "over the steps: true or false")->group(group);
  add("--epochs", options.epochs, "most epochs", CLI::Range(1, 100'000));
  add("--patience", options.patience, "epochs without a better validation loss", CLI::Range(1, 100'000));
  add("--batch-size", options.batch_size, "sequences a step", CLI::Range(1, 65536));
  add("--learning-rate", options.learning_rate, "of the optimizer", CLI::PositiveNumber);
  add("--optimizer", options.optimizer, "adam, adamw or sgd", CLI::IsMember({"adam", "adamw", "sgd"}));
}

}  // namespace flowcast::tools
