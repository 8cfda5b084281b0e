// Which of librdkafka's properties are secrets.
#pragma once

#include <map>
#include <string>

namespace flowcast::kafka {

/// What stands in place of a secret.
inline constexpr const char* kHidden = "(hidden)";

/// Whether the value of the property is for nobody's eyes: passwords, private keys, tokens.
bool IsSecret(const std::string& property);

/// The text without the values of the secrets among the properties. Values of less than four characters stay:
/// they would be found in every word.
std::string Hide(std::string text, const std::map<std::string, std::string>& properties);

}  // namespace flowcast::kafka
