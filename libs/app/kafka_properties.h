// From --kafka and --kafka-file to librdkafka's properties; secrets come from files.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace flowcast::app {

struct KafkaProperties {
  std::map<std::string, std::string> values;
  std::vector<std::string> warnings;  // of what is open to others, a line each with the remedy
};

/// `given`: "key=value" each; they stand above the lines of `file` (none: empty), which are the same, with
/// blank lines and lines that begin with # left out and white space around keys and values dropped. A value
/// that begins with @ names a file that holds the value; @@ stands for an @ at its beginning.
/// Throws base::ConfigError, which names what is wrong and never a value.
KafkaProperties ReadKafkaProperties(const std::vector<std::string>& given, const std::string& file);

/// The name of the secret that an argument of the command line gives away, in `ps` and in the shell's
/// history: "sasl.password" of "sasl.password=x" and of "--kafka=sasl.password=x".
std::optional<std::string> SecretIn(const std::string& argument);

/// Whether one of them, each "key=value", is a secret that is written out.
bool HoldSecret(const std::vector<std::string>& given);

/// "key=value" as it may be shown: secrets hidden, names of files as they are.
std::string Shown(const std::string& given);

}  // namespace flowcast::app
