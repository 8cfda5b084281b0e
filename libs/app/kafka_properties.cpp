// Lines, files and what is unsafe about them.
#include "libs/app/kafka_properties.h"

#include <algorithm>
#include <sstream>

#include "libs/app/secret_file.h"
#include "libs/base/error.h"
#include "libs/kafka/secrets.h"

namespace flowcast::app {
namespace {

using Properties = std::map<std::string, std::string>;

struct Property {
  std::string name;
  std::string value;
};

std::optional<Property> Split(const std::string& text) {
  const auto equals = text.find('=');
  if (equals == std::string::npos || equals == 0) return std::nullopt;
  return Property{text.substr(0, equals), text.substr(equals + 1)};
}

bool NamesFile(const std::string& value) { return value.starts_with('@') && !value.starts_with("@@"); }

bool IsWrittenOut(const Property& property) {
  return kafka::IsSecret(property.name) && !property.value.empty() && !NamesFile(property.value);
}

std::string Trimmed(const std::string& text) {
  constexpr const char* kWhite = " \t\r";
  const auto first = text.find_first_not_of(kWhite);
  if (first == std::string::npos) return "";
  return text.substr(first, text.find_last_not_of(kWhite) - first + 1);
}

class Reader {
 public:
  /// Later ones stand above earlier ones.
  void Take(const Property& property, const std::string& where) {
    const std::string& value = property.value;
    std::string& place = read_.values[property.name];
    if (!NamesFile(value)) {
      place = value.starts_with("@@") ? value.substr(1) : value;
      return;
    }
    const std::string path = value.substr(1);
    place = ReadSecretFile(where + ": the file of " + property.name, path);
    if (kafka::IsSecret(property.name)) Warn(path);
  }

  void TakeFile(const std::string& path) {
    std::istringstream lines(ReadSecretFile("--kafka-file", path));
    bool secret = false;
    int number = 0;
    for (std::string line; std::getline(lines, line);) {
      ++number;
      line = Trimmed(line);
      if (line.empty() || line.front() == '#') continue;
      auto property = Split(line);
      const std::string where = path + " line " + std::to_string(number);
      if (!property) throw base::ConfigError(where + " is no property; write key=value");
      property->name = Trimmed(property->name);
      property->value = Trimmed(property->value);
      secret = secret || IsWrittenOut(*property);
      Take(*property, where);
    }
    if (secret) Warn(path);
  }

  void WarnOfUnsafeValues() {
    const auto is = [this](const char* name, const char* value) {
      const auto found = read_.values.find(name);
      return found != read_.values.end() && found->second == value;
    };
    if (is("security.protocol", "sasl_plaintext"))
      read_.warnings.emplace_back(
          "security.protocol=sasl_plaintext: who listens on the wire reads everything; sasl_ssl encrypts");
    if (is("enable.ssl.certificate.verification", "false") ||
        is("ssl.endpoint.identification.algorithm", "none"))
      read_.warnings.emplace_back(
          "the broker's certificate or name is not checked: anybody in between can pass for it; name its "
          "authority with ssl.ca.location instead");
    if (is("enable.sasl.oauthbearer.unsecure.jwt", "true"))
      read_.warnings.emplace_back(
          "enable.sasl.oauthbearer.unsecure.jwt=true: the token is not signed, anybody can make one; for "
          "tests only");
    if (const auto key = read_.values.find("ssl.key.location"); key != read_.values.end()) Warn(key->second);
  }

  KafkaProperties Read() && { return std::move(read_); }

 private:
  void Warn(const std::string& path) {
    if (auto warning = WarnOfOthers(path)) read_.warnings.push_back(std::move(*warning));
  }

  KafkaProperties read_;
};

}  // namespace

KafkaProperties ReadKafkaProperties(const std::vector<std::string>& given, const std::string& file) {
  Reader reader;
  if (!file.empty()) reader.TakeFile(file);
  for (const std::string& text : given) {
    const auto property = Split(text);
    if (!property) {
      // Not the text: it may be the half of a secret.
      throw base::ConfigError(
          "a value of --kafka is no property; write key=value, like security.protocol=ssl");
    }
    reader.Take(*property, "--kafka");
  }
  reader.WarnOfUnsafeValues();
  return std::move(reader).Read();
}

std::optional<std::string> SecretIn(const std::string& argument) {
  const std::string prefix = "--kafka=";
  const auto property = Split(argument.starts_with(prefix) ? argument.substr(prefix.size()) : argument);
  if (!property || !IsWrittenOut(*property)) return std::nullopt;
  return property->name;
}

bool HoldSecret(const std::vector<std::string>& given) {
  return std::any_of(given.begin(), given.end(), [](const std::string& text) {
    const auto property = Split(text);
    return property && IsWrittenOut(*property);
  });
}

std::string Shown(const std::string& given) {
  const auto property = Split(given);
  if (!property) return kafka::kHidden;
  return IsWrittenOut(*property) ? property->name + "=" + kafka::kHidden : given;
}

}  // namespace flowcast::app
