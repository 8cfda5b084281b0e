// The options in effect as a configuration file.
#pragma once

#include <functional>
#include <map>
#include <string>

namespace CLI {
class App;
}

namespace flowcast::app {

/// How a value of an option is shown, by the option's name without dashes.
using ShownAs = std::map<std::string, std::function<std::string(const std::string&)>>;

/// TOML that --config takes: every option that a file may have and that has a value, given or by default,
/// with the values that `shown` lets through. Call once the command line is parsed.
std::string ConfigText(const CLI::App& app, const ShownAs& shown);

}  // namespace flowcast::app
