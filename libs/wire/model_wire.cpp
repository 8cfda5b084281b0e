// Model to and from protobuf.
#include "libs/wire/model_wire.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <set>
#include <utility>
#include <vector>

#include "flowcast/v1/models.pb.h"
#include "libs/base/error.h"
#include "libs/base/hash.h"
#include "libs/model_store/plain_name.h"
#include "libs/wire/message.h"

namespace flowcast::wire {
namespace {

using model_store::Manifest;

/// A manifest that has no percentiles, as the message has it: their table takes a third of the room.
Manifest WithoutPercentiles(Manifest manifest) {
  for (const std::string& target : manifest.targets()) manifest.percentiles_of(target)->clear();
  return manifest;
}

std::set<std::string> LinksOf(const Manifest& manifest) {
  std::set<std::string> links;
  for (const std::string& target : manifest.targets()) {
    for (const auto& [link, percentiles] : *manifest.percentiles_of(target)) links.insert(link);
  }
  return links;
}

std::set<std::string> LevelsOf(const Manifest& manifest) {
  std::set<std::string> levels;
  for (const std::string& target : manifest.targets()) {
    for (const auto& [link, percentiles] : *manifest.percentiles_of(target)) {
      for (const auto& [level, value] : percentiles) levels.insert(level);
    }
  }
  return levels;
}

using ByLink = std::map<std::string, model_store::Percentiles>;

/// Not-a-number where it is not known.
double PercentileOf(const ByLink& by_link, const std::string& link, const std::string& level) {
  const auto of_link = by_link.find(link);
  if (of_link == by_link.end()) return std::numeric_limits<double>::quiet_NaN();
  const auto value = of_link->second.find(level);
  return value == of_link->second.end() ? std::numeric_limits<double>::quiet_NaN() : value->second;
}

void Write(const Manifest& manifest, v1::Percentiles& table) {
  const std::set<std::string> levels = LevelsOf(manifest);
  std::vector<const ByLink*> all;
  for (const std::string& target : manifest.targets()) {
    table.add_targets(target);
    all.push_back(manifest.percentiles_of(target));
  }
  for (const std::string& level : levels) table.add_levels(level);
  for (const std::string& link : LinksOf(manifest)) {
    v1::LinkPercentiles& row = *table.add_links();
    row.set_link(link);
    for (const ByLink* const by_link : all) {
      for (const std::string& level : levels) row.add_values(PercentileOf(*by_link, link, level));
    }
  }
}

/// False when the table contradicts itself or the manifest.
bool Read(const v1::Percentiles& table, Manifest& manifest) {
  for (const v1::LinkPercentiles& row : table.links()) {
    if (row.values_size() != table.targets_size() * table.levels_size()) return false;
    int at = 0;
    for (const std::string& target : table.targets()) {
      auto* const by_link = manifest.percentiles_of(target);
      if (by_link == nullptr) return false;
      for (const std::string& level : table.levels()) {
        const double value = row.values(at++);
        if (std::isinf(value)) return false;
        if (!std::isnan(value)) (*by_link)[row.link()][level] = value;
      }
    }
  }
  return true;
}

/// Links but the one that stands for all, those of the smallest loads first.
std::vector<std::string> BySize(const Manifest& manifest) {
  std::vector<std::pair<double, std::string>> sized;
  for (const std::string& link : LinksOf(manifest)) {
    const double load = PercentileOf(manifest.percentiles, link, "p99");
    if (!link.empty()) sized.emplace_back(std::isnan(load) ? 0 : load, link);
  }
  std::sort(sized.begin(), sized.end());
  std::vector<std::string> links;
  for (auto& [load, link] : sized) links.push_back(std::move(link));
  return links;
}

}  // namespace

std::size_t FitInto(std::size_t most_bytes, model_store::Model& model) {
  Manifest& manifest = model.manifest;
  std::size_t size = Encode(model).size();
  if (size <= most_bytes) return 0;
  const std::size_t values = sizeof(double) * manifest.targets().size() * LevelsOf(manifest).size();
  std::size_t left_out = 0;
  for (const std::string& link : BySize(manifest)) {
    if (size <= most_bytes) break;
    size -= std::min(size, link.size() + values);
    for (const std::string& target : manifest.targets()) manifest.percentiles_of(target)->erase(link);
    ++left_out;
  }
  return left_out;
}

std::string Encode(const model_store::Model& model) {
  v1::Model message;
  message.set_version(1);
  message.set_manifest(model_store::ToJson(WithoutPercentiles(model.manifest)));
  Write(model.manifest, *message.mutable_percentiles());
  for (const auto& [name, weights] : model.networks) {
    v1::Network& network = *message.add_networks();
    network.set_name(name);
    network.set_weights(weights);
    network.set_weights_hash(base::Fnv1a64(weights));
  }
  return message.SerializeAsString();
}

tl::expected<model_store::Model, WireError> DecodeModel(std::string_view bytes) {
  const auto message = Parse<v1::Model>(bytes);
  if (!message) return tl::unexpected(message.error());
  model_store::Model model;
  for (const v1::Network& network : message->networks()) {
    if (base::Fnv1a64(network.weights()) != network.weights_hash())
      return tl::unexpected(WireError::kInconsistent);
    if (!model_store::IsPlainName(network.name())) return tl::unexpected(WireError::kInconsistent);
    model.networks[network.name()] = network.weights();
  }
  if (model.networks.empty()) return tl::unexpected(WireError::kInconsistent);
  try {
    model.manifest = model_store::FromJson(message->manifest());
    if (!Read(message->percentiles(), model.manifest)) return tl::unexpected(WireError::kInconsistent);
  } catch (const base::RuntimeError&) {
    return tl::unexpected(WireError::kInconsistent);
  }
  // They become names of folders, and stand in the log.
  if (!model_store::IsPlainName(model.manifest.name) || !model_store::IsPlainName(model.manifest.version))
    return tl::unexpected(WireError::kInconsistent);
  return model;
}

std::string EncodeCurrentModel(const std::string& version) {
  v1::CurrentModel message;
  message.set_version(1);
  message.set_model_version(version);
  return message.SerializeAsString();
}

tl::expected<std::string, WireError> DecodeCurrentModel(std::string_view bytes) {
  const auto message = Parse<v1::CurrentModel>(bytes);
  if (!message) return tl::unexpected(message.error());
  if (!model_store::IsPlainName(message->model_version())) return tl::unexpected(WireError::kInconsistent);
  return message->model_version();
}

std::string ModelKey(const std::string& name, const std::string& version) { return name + "/" + version; }

std::string CurrentModelKey(const std::string& name) { return name + "/current"; }

}  // namespace flowcast::wire
