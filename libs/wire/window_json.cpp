// The features are written by hand: they are most of the text, and a feature service may write many.
#include "libs/wire/window_json.h"

#include <array>
#include <charconv>
#include <nlohmann/json.hpp>
#include <utility>

#include "libs/base/hash.h"
#include "libs/feature/accumulator.h"
#include "libs/trace/trace.h"

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

}  // namespace

std::vector<NamedFeature> AllFeatures(const feature::Schema& schema) {
  std::vector<NamedFeature> all;
  for (const feature::Column& column : schema.columns()) all.push_back({column.name, all.size()});
  return all;
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
                  {"schema_hash", base::Hex(window.schema_hash)},
                  {"trace_id", trace::IdOf(window.link, window.start, window.length)}};
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
