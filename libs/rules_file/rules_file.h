// Alert rules from TOML text; docs/alerts.md specifies it.
#pragma once

#include <string>
#include <string_view>

#include "libs/alert/rule_set.h"

namespace flowcast::rules_file {

/// `name` is what errors call the text: "NAME:LINE:COLUMN: what is wrong; remedy". Throws base::ConfigError
/// for text that is no TOML, unknown keys, wrong types, rules that make no sense and names that come twice.
alert::Rulebook Parse(std::string_view text, const std::string& name);

/// Throws base::ConfigError also when the file cannot be read.
alert::Rulebook Read(const std::string& path);

}  // namespace flowcast::rules_file
