// The settings of the network as options, by the names that flowcast-trainer has for them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "libs/lstm/learner.h"

namespace CLI {
class App;
}

namespace flowcast::tools {

/// What was said of the network; the rest is the recipe's.
struct NetworkOptions {
  std::optional<std::int64_t> hidden, layers, head_size, batch_size;
  std::optional<int> members, epochs, patience;
  std::optional<double> dropout, learning_rate;
  std::optional<bool> attention;
  std::optional<std::string> optimizer;

  /// For a series of so many steps: the defaults of flowcast-trainer, but as many epochs as see a fixed
  /// number of sequences, and larger batches for longer series, so that time is bounded; and what was said.
  lstm::LearnerOptions For(std::size_t steps) const;
};

void AddNetworkOptions(CLI::App& command, NetworkOptions& options);

}  // namespace flowcast::tools
