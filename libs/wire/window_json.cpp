// The features are written by hand: they are most of the text, and a feature service may write many.
#include "libs/wire/window_json.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <nlohmann/json.hpp>
#include <utility>

#include "libs/base/error.h"
#include "libs/base/hash.h"
#include "libs/feature/accumulator.h"

namespace flowcast::wire {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::array<std::pair<std::uint32_t, const char*>, 3> kEstimates{{
    {feature::kPercentilesApproximate, "percentiles"},
    {feature::kFlowsApproximate, "flows"},
    {feature::kHandshakesApproximate, "handshakes"},
}};

Json Estimates(std::uint32_t bits) {
  Json names = Json::array();
  for (const auto& [bit, name] : kEstimates) {
    if ((bits & bit) != 0) names.push_back(name);
  }
  return names;
}

void AppendNumber(double value, std::string& text) {
  std::array<char, 32> digits;
  const auto [end, error] = std::to_chars(digits.data(), digits.data() + digits.size(), value);
  text.append(digits.data(), end);
}

std::string Names(const std::vector<NamedFeature>& features) {
  std::string names;
  for (const NamedFeature& feature : features) names += (names.empty() ? "" : ", ") + feature.name;
  return names;
}

}  // namespace

std::vector<NamedFeature> AllFeatures() {
  std::vector<NamedFeature> all;
  for (const auto& feature : feature::Schema()) all.push_back({std::string(feature.name), all.size()});
  return all;
}

std::vector<NamedFeature> ChooseFeatures(std::string_view list) {
  const std::vector<NamedFeature> all = AllFeatures();
  std::vector<NamedFeature> chosen;
  for (std::size_t begin = 0; begin <= list.size();) {
    const std::size_t end = std::min(list.find(',', begin), list.size());
    const std::string_view name = list.substr(begin, end - begin);
    const auto found =
        std::find_if(all.begin(), all.end(), [name](const auto& one) { return one.name == name; });
    if (found == all.end())
      throw base::ConfigError("there is no feature '" + std::string(name) + "'; there are: " + Names(all));
    chosen.push_back(*found);
    begin = end + 1;
  }
  return chosen;
}

std::string EncodeJson(const feature::Window& window, const std::vector<NamedFeature>& features) {
  const Json head{{"version", 1},
                  {"link", window.link},
                  {"start", base::FormatTime(window.start)},
                  {"start_ns", base::ToUnixNanoseconds(window.start)},
                  {"window_ns", window.length.count()},
                  {"partial", window.partial},
                  {"packets", window.packets},
                  {"bytes", window.bytes},
                  {"late_packets", window.late_packets},
                  {"approximate", Estimates(window.approximate)},
                  {"schema_hash", base::Hex(window.schema_hash)}};
  // A link is named after what a capture file says; what is no UTF-8 in it is replaced.
  std::string text = head.dump(-1, ' ', false, Json::error_handler_t::replace);
  text.back() = ',';
  text += "\"features\":{";
  const char* separator = "";
  for (const NamedFeature& feature : features) {
    text.append(separator).append("\"").append(feature.name).append("\":");
    AppendNumber(window.features[feature.place], text);
    separator = ",";
  }
  return text += "}}";
}

}  // namespace flowcast::wire
