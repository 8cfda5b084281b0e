// By the ends of their names, so that those of later versions are known, too.
#include "libs/kafka/secrets.h"

#include <algorithm>
#include <array>
#include <string_view>

namespace flowcast::kafka {
namespace {

constexpr std::array<std::string_view, 4> kEnds{"password", "secret", "key.pem", "sasl.oauthbearer.config"};
constexpr std::size_t kShortest = 4;

void Replace(std::string& text, const std::string& secret) {
  const std::string_view hidden = kHidden;
  for (std::size_t at = text.find(secret); at != std::string::npos;
       at = text.find(secret, at + hidden.size())) {
    text.replace(at, secret.size(), hidden);
  }
}

}  // namespace

bool IsSecret(const std::string& property) {
  if (!property.starts_with("sasl.") && !property.starts_with("ssl.")) return false;
  return std::any_of(kEnds.begin(), kEnds.end(),
                     [&](const std::string_view end) { return property.ends_with(end); });
}

std::string Hide(std::string text, const std::map<std::string, std::string>& properties) {
  for (const auto& [name, value] : properties) {
    if (IsSecret(name) && value.size() >= kShortest) Replace(text, value);
  }
  return text;
}

}  // namespace flowcast::kafka
