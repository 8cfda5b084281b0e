// Scenarios of made-up traffic from TOML text.
#pragma once

#include <string>
#include <string_view>

#include "libs/synthetic/scenario.h"

namespace flowcast::scenario_file {

/// `name` is what errors call the text: "NAME:LINE:COLUMN: what is wrong; remedy". Throws base::ConfigError
/// for text that is no TOML, unknown keys, wrong types and values that make no sense.
synthetic::Scenario ParseScenario(std::string_view text, const std::string& name);

/// Throws base::ConfigError also when the file cannot be read.
synthetic::Scenario ReadScenario(const std::string& path);

}  // namespace flowcast::scenario_file
