// Choosing and checking models.
#include "services/inference/model_watcher.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "libs/base/error.h"
#include "libs/wire/model_wire.h"

namespace flowcast::services {
namespace {
constexpr std::size_t kMostWaiting = 8;
}

void ModelWatcher::OnRecord(const bus::InRecord& record) {
  if (record.tombstone) return;
  if (record.key == wire::CurrentModelKey(demands_.name)) {
    const auto version = wire::DecodeCurrentModel(record.value);
    if (!version) return Refuse(record.key, std::string(ToString(version.error())));
    wanted_version_ = *version;
    const bool known = waiting_.count(*version) > 0 || (current_ && current_->manifest.version == *version);
    if (!known)
      return Refuse("model " + *version,
                    "it is not among the last " + std::to_string(kMostWaiting) + " on the topic");
  } else if (record.key.rfind(demands_.name + "/", 0) == 0) {
    auto model = wire::DecodeModel(record.value);
    if (!model) return Refuse(record.key, std::string(ToString(model.error())));
    const std::string version = model->manifest.version;
    waiting_[version] = std::move(*model);
    if (waiting_.size() > kMostWaiting) waiting_.erase(waiting_.begin());
  }
  TryCurrent();
}

void ModelWatcher::TryCurrent() {
  const auto found = waiting_.find(wanted_version_);
  if (found == waiting_.end() || (current_ && current_->manifest.version == wanted_version_)) return;
  const model_store::Model& model = found->second;
  auto objection = Objection(model.manifest);
  std::unique_ptr<training::Predictor> predictor;
  try {
    if (!objection) predictor = load_(model.networks.at("lstm"));
    if (predictor) objection = TryOut(*predictor, model.manifest);
  } catch (const std::exception& error) {
    objection = error.what();
  }
  if (objection) {
    waiting_.erase(found);
    return Refuse("model " + wanted_version_, *objection);
  }
  current_ = std::make_unique<LiveModel>(LiveModel{model.manifest, std::move(predictor)});
  log_(base::LogLevel::kInfo, "using model " + wanted_version_ + ", trained until " +
                                  base::FormatTime(current_->manifest.trained_until));
}

std::optional<std::string> ModelWatcher::Objection(const model_store::Manifest& manifest) const {
  const std::string target(feature::Catalogue()[demands_.target].name);
  if (manifest.schema_hash != demands_.schema.sequence_hash())
    return "it was trained on another feature schema; train it again, with the same --features and "
           "--normalization";
  if (manifest.target != target) return "it forecasts " + manifest.target + ", not " + target + " (--target)";
  const auto& horizons = manifest.horizons;
  if (std::find(horizons.begin(), horizons.end(), demands_.horizon_windows) == horizons.end()) {
    std::string list;
    for (const int horizon : horizons) list += (list.empty() ? "" : ", ") + std::to_string(horizon);
    return "it forecasts " + list + " windows ahead, not " + std::to_string(demands_.horizon_windows) +
           " (--horizon)";
  }
  return std::nullopt;
}

std::optional<std::string> ModelWatcher::TryOut(training::Predictor& predictor,
                                                const model_store::Manifest& manifest) const {
  if (predictor.shape().features != static_cast<std::int64_t>(demands_.schema.size()) ||
      predictor.shape().length != manifest.sequence_length) {
    return "its network has another shape than its manifest says";
  }
  const training::Shape& shape = predictor.shape();
  if (!shape.AnswerOf(demands_.target, demands_.horizon_windows))
    return "its network has no answer for what its manifest says it forecasts";
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
