// The truth as JSON, in the names of the bundled capture's labels.
#include "libs/synthetic/truth.h"

#include <algorithm>
#include <charconv>
#include <tuple>

#include "libs/synthetic/link_rate.h"

namespace flowcast::synthetic {
namespace {

struct Found {
  std::size_t link;
  TrueEpisode episode;
};

TrueEpisode Describe(const Scenario& scenario, const LinkRate& rate, const Lift& lift,
                     const Episode& episode) {
  const auto at = [&scenario](std::int64_t second) { return scenario.start + std::chrono::seconds(second); };
  TrueEpisode told{.kind = lift.kind,
                   .start = at(episode.start),
                   .top = at(episode.top),
                   .fall = at(episode.fall),
                   .end = at(episode.end)};
  double sum = 0;
  for (std::int64_t second = episode.start; second < episode.end; ++second) {
    const double expected = rate.Expected(second);
    sum += expected;
    told.peak_packets_per_s =
        std::max(told.peak_packets_per_s, expected + episode.HeightAt(second) * lift.Above(expected));
  }
  told.expected_packets_per_s = sum / static_cast<double>(episode.end - episode.start);
  return told;
}

void AddEpisodes(const Scenario& scenario, const LinkGroup& group, int index, std::size_t link,
                 std::vector<Found>& found) {
  const std::string name = LinkName(group, index);
  const LinkRate rate(scenario, group, index);
  for (Lift& lift : LiftsOf(scenario, group, name)) {
    while (const auto episode = lift.episodes.Next()) {
      if (std::chrono::seconds(episode->start) >= scenario.duration) break;
      found.push_back({link, Describe(scenario, rate, lift, *episode)});
      found.back().episode.link = name;
    }
  }
}

/// With three digits after the point at most.
std::string Number(double value) {
  char text[64];
  const auto end = std::to_chars(text, text + sizeof text, value, std::chars_format::fixed, 3).ptr;
  std::string digits(text, end);
  digits.erase(digits.find_last_not_of('0') + 1);
  if (digits.back() == '.') digits.pop_back();
  return digits;
}

std::string Number(base::EventTime time) {
  const auto second = base::AlignDown(time, std::chrono::seconds(1));
  std::string digits = std::to_string(second.time_since_epoch() / std::chrono::seconds(1));
  const std::string fraction = std::to_string(1'000'000'000 + (time - second).count()).substr(1);
  if (time != second) digits.append(".").append(fraction, 0, fraction.find_last_not_of('0') + 1);
  return digits;
}

std::string HomeNetworks(int network) {
  const std::string high = std::to_string(network / 256);
  const std::string low = std::to_string(network % 256);
  char hex[8];
  const std::string subnet(hex, std::to_chars(hex, hex + sizeof hex, network, 16).ptr);
  return R"(["10.)" + high + "." + low + R"(.0/24", "fd10:0:)" + subnet + R"(::/64"])";
}

void WriteLinks(const Scenario& scenario, std::ostream& out) {
  const char* separator = "\n";
  for (std::size_t group = 0; group < scenario.groups.size(); ++group) {
    const LinkGroup& links = scenario.groups[group];
    for (int i = 0; i < LinksOf(links); ++i) {
      out << separator << R"(    {"name": ")" << LinkName(links, i) << R"(", "home_networks": )"
          << HomeNetworks(NetworkOf(scenario, group, i)) << "}";
      separator = ",\n";
    }
  }
}

}  // namespace

std::vector<TrueEpisode> TrueEpisodes(const Scenario& scenario) {
  std::vector<Found> found;
  std::size_t link = 0;
  for (const LinkGroup& group : scenario.groups) {
    for (int i = 0; i < LinksOf(group); ++i) AddEpisodes(scenario, group, i, link++, found);
  }
  std::stable_sort(found.begin(), found.end(), [](const Found& a, const Found& b) {
    return std::tie(a.episode.start, a.link) < std::tie(b.episode.start, b.link);
  });
  std::vector<TrueEpisode> episodes;
  episodes.reserve(found.size());
  for (Found& one : found) episodes.push_back(std::move(one.episode));
  return episodes;
}

void WriteTruth(const Scenario& scenario, std::ostream& out) {
  Validate(scenario);
  out << "{\n  \"start\": " << Number(scenario.start)
      << ",\n  \"duration_s\": " << Number(base::ToSeconds(scenario.duration))
      << ",\n  \"seed\": " << scenario.seed << ",\n  \"links\": [";
  WriteLinks(scenario, out);
  out << "\n  ],\n  \"bursts\": [";
  const char* separator = "\n";
  for (const TrueEpisode& episode : TrueEpisodes(scenario)) {
    out << separator << R"(    {"link": ")" << episode.link << R"(", "kind": ")" << episode.kind
        << R"(", "start": )" << Number(episode.start) << R"(, "top": )" << Number(episode.top)
        << R"(, "fall": )" << Number(episode.fall) << R"(, "end": )" << Number(episode.end)
        << R"(, "peak_packets_per_s": )" << Number(episode.peak_packets_per_s)
        << R"(, "expected_packets_per_s": )" << Number(episode.expected_packets_per_s) << "}";
    separator = ",\n";
  }
  out << "\n  ]\n}\n";
}

}  // namespace flowcast::synthetic
