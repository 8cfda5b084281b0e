// Choosing and checking models.
#include "services/inference/model_watcher.h"

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "libs/base/error.h"
#include "libs/base/text.h"
#include "libs/training/objection.h"
#include "libs/wire/model_wire.h"

namespace flowcast::services {
namespace {

std::vector<std::string> Texts(const std::vector<int>& numbers) {
  std::vector<std::string> texts;
  for (const int number : numbers) texts.push_back(std::to_string(number));
  return texts;
}

template <typename T>
bool Has(const std::vector<T>& list, const T& one) {
  return std::find(list.begin(), list.end(), one) != list.end();
}

template <typename T>
bool HaveCommon(const std::vector<T>& list, const std::vector<T>& other) {
  return std::any_of(list.begin(), list.end(), [&](const T& one) { return Has(other, one); });
}

}  // namespace

void ModelWatcher::OnRecord(const bus::InRecord& record) {
  if (record.key == wire::CurrentModelKey(demands_.name)) {
    if (!record.tombstone) TakePointer(record);
  } else if (record.key.starts_with(wire::ModelKey(demands_.name, ""))) {
    TakeModel(record);
  }
}

void ModelWatcher::TakePointer(const bus::InRecord& record) {
  const auto version = wire::DecodeCurrentModel(record.value);
  if (!version) return Refuse(record.key, std::string(ToString(version.error())));
  wanted_version_ = *version;
  if (!IsCurrent(wanted_version_) && !offsets_.contains(wanted_version_))
    return Refuse("model " + wanted_version_, "it is not on the topic");
  TryCurrent();
}

void ModelWatcher::TakeModel(const bus::InRecord& record) {
  const std::string version = record.key.substr(wire::ModelKey(demands_.name, "").size());
  if (newest_ && newest_->manifest.version == version) newest_.reset();
  offsets_.erase(version);
  if (record.tombstone) return;
  auto model = wire::DecodeModel(record.value);
  if (!model) return Refuse(record.key, std::string(ToString(model.error())));
  if (model->manifest.version != version)
    return Refuse(record.key, "it calls itself " + model->manifest.version);
  offsets_[version] = record.offset;
  newest_ = std::move(*model);
  TryCurrent();
}

bool ModelWatcher::IsCurrent(const std::string& version) const {
  return current_ && current_->manifest.version == version;
}

void ModelWatcher::TryCurrent() {
  if (IsCurrent(wanted_version_) || !offsets_.contains(wanted_version_)) return;
  auto model = Load(wanted_version_);
  if (!model) {
    offsets_.erase(wanted_version_);  // is not tried again
    return;
  }
  current_ = std::move(model);
  std::vector<std::string> names;
  for (const LiveNetwork& network : current_->networks) names.push_back(network.name);
  log_(base::LogLevel::kInfo, "using model " + wanted_version_ + " (" + base::Join(names) +
                                  "), trained until " + base::FormatTime(current_->manifest.trained_until) +
                                  ", " + base::Join(Texts(current_->manifest.horizons)) + " windows ahead");
  for (const std::string& target : demands_.targets) {
    if (!Has(current_->manifest.targets(), target))
      log_(base::LogLevel::kWarning, "model " + wanted_version_ + " does not forecast " + target +
                                         ": without it until one is trained for that, too (--target)");
  }
}

const LiveModel* ModelWatcher::Find(const std::string& version) {
  if (IsCurrent(version)) return current_.get();
  const auto loaded = others_.find(version);
  if (loaded != others_.end()) return loaded->second.get();
  if (!offsets_.contains(version)) return nullptr;
  return others_.emplace(version, Load(version)).first->second.get();
}

std::unique_ptr<LiveModel> ModelWatcher::Load(const std::string& version) {
  if (newest_ && newest_->manifest.version == version) {
    const model_store::Model model = *std::exchange(newest_, {});
    return TryModel(model);
  }
  const auto record = fetch_ ? fetch_(offsets_.at(version)) : std::nullopt;
  if (record) {
    if (const auto model = wire::DecodeModel(record->value)) return TryModel(*model);
  }
  Refuse("model " + version, "it is not on the topic any more");
  return nullptr;
}

std::unique_ptr<LiveModel> ModelWatcher::TryModel(const model_store::Model& model) {
  auto objection = Objection(model.manifest);
  std::vector<LiveNetwork> networks;
  try {
    if (!objection) networks = LoadNetworks(model);
  } catch (const std::exception& error) {
    objection = error.what();
  }
  if (objection) {
    Refuse("model " + model.manifest.version, *objection);
    return nullptr;
  }
  return std::make_unique<LiveModel>(LiveModel{model.manifest, std::move(networks)});
}

std::vector<LiveNetwork> ModelWatcher::LoadNetworks(const model_store::Model& model) const {
  std::vector<LiveNetwork> networks;
  for (const auto& [name, weights] : model.networks) {
    const auto loader = loaders_.find(name);
    if (loader == loaders_.end()) {
      log_(base::LogLevel::kInfo, "model " + model.manifest.version + " has a network '" + name +
                                      "' that this version does not know: it is not heard");
      continue;
    }
    LiveNetwork network{name, loader->second(weights)};
    if (const auto objection = TryOut(*network.predictor, model.manifest))
      throw base::RuntimeError(*objection);
    networks.push_back(std::move(network));
  }
  if (networks.empty()) throw base::RuntimeError("there is no network in it that this version knows");
  return networks;
}

std::optional<std::string> ModelWatcher::Objection(const model_store::Manifest& manifest) const {
  if (manifest.schema_hash != demands_.schema.sequence_hash())
    return "it was trained on another feature schema; train it again, with the same --features and "
           "--normalization";
  const auto targets = manifest.targets();
  if (!HaveCommon(targets, demands_.targets))
    return "it forecasts " + base::Join(targets) + ", not " + base::Join(demands_.targets) + " (--target)";
  const auto& horizons = manifest.horizons;
  if (!HaveCommon(horizons, demands_.horizons)) {
    return "it forecasts " + base::Join(Texts(horizons)) + " windows ahead, not " +
           base::Join(Texts(demands_.horizons)) + " (--horizons)";
  }
  return std::nullopt;
}

std::optional<std::string> ModelWatcher::TryOut(training::Predictor& predictor,
                                                const model_store::Manifest& manifest) const {
  const training::Shape& shape = predictor.shape();
  if (auto objection = training::ObjectionTo(shape, manifest, demands_.schema)) return objection;
  const std::vector<float> answers = predictor.Predict(std::vector<float>(shape.input_size(), 0.5F),
                                                       std::vector<float>(shape.context_size(), 0.5F));
  const bool finite = std::all_of(answers.begin(), answers.end(), [](float x) { return std::isfinite(x); });
  if (answers.size() != shape.answer_size() || !finite) return "its answer in a trial run is not finite";
  return std::nullopt;
}

void ModelWatcher::Refuse(const std::string& what, const std::string& reason) {
  ++refused_;
  const std::string stays = current_ ? "; " + current_->manifest.version + " stays in use" : "";
  log_(base::LogLevel::kWarning, what + " is refused: " + reason + stays);
}

}  // namespace flowcast::services
