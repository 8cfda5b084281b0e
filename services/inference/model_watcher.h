// Follows models.v1 and holds the newest model that fits.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "libs/base/log.h"
#include "libs/bus/bus.h"
#include "libs/feature/schema.h"
#include "libs/model_store/model_folder.h"
#include "libs/training/learner.h"

namespace flowcast::services {

/// One of a model's networks, by the expert that it is.
struct LiveNetwork {
  std::string name;
  std::unique_ptr<training::Predictor> predictor;
};

/// A model that passed every check, ready to be asked.
struct LiveModel {
  model_store::Manifest manifest;
  std::vector<LiveNetwork> networks;  // at least one
};

struct ModelDemands {
  std::string name = "default";
  std::vector<std::string> targets{"packets"};  // features; the model must forecast one of them
  std::vector<int> horizons{1};                 // likewise
  feature::Schema schema = feature::Schema::Default();
};

/// A model that does not fit (schema, target, horizons, shape, weights, a trial run that is not
/// finite) is refused with a logged reason, and the one before stays. Networks that nobody here can load
/// (of a later version) are left out. In memory are the models that are in use and the one that was read
/// last; of all others on the topic it knows where they are, and reads them again when they are asked for.
class ModelWatcher {
 public:
  /// Gives the record of models.v1 at an offset; nothing when it is gone.
  using Fetch = std::function<std::optional<bus::InRecord>(std::int64_t)>;

  ModelWatcher(const ModelDemands& demands, training::PredictorLoaders loaders, base::Log log)
      : demands_(demands), loaders_(std::move(loaders)), log_(std::move(log)) {}

  /// Without it only the model that was read last can be used.
  void FetchWith(Fetch fetch) { fetch_ = std::move(fetch); }
  /// A record of models.v1, in order. Throws what `fetch` throws.
  void OnRecord(const bus::InRecord& record);

  /// Null while there is none.
  const LiveModel* current() const { return current_.get(); }
  /// One that was current before, for what is forecast again after a restart; null when it is not on the
  /// topic any more, or does not fit. Valid until ForgetOthers. Throws what `fetch` throws.
  const LiveModel* Find(const std::string& version);
  void ForgetOthers() { others_.clear(); }
  std::uint64_t refused() const { return refused_; }

 private:
  void TakePointer(const bus::InRecord& record);
  void TakeModel(const bus::InRecord& record);
  bool IsCurrent(const std::string& version) const;
  void TryCurrent();
  /// One that is on the topic. Refused with a logged reason when it is null.
  std::unique_ptr<LiveModel> Load(const std::string& version);
  /// Refused with a logged reason when it is null.
  std::unique_ptr<LiveModel> TryModel(const model_store::Model& model);
  /// Why a model cannot be used; nothing when it can.
  std::optional<std::string> Objection(const model_store::Manifest& manifest) const;
  /// Throws base::RuntimeError when one of them cannot be used.
  std::vector<LiveNetwork> LoadNetworks(const model_store::Model& model) const;
  std::optional<std::string> TryOut(training::Predictor& predictor,
                                    const model_store::Manifest& manifest) const;
  void Refuse(const std::string& what, const std::string& reason);

  ModelDemands demands_;
  training::PredictorLoaders loaders_;
  base::Log log_;
  std::string wanted_version_;
  Fetch fetch_;
  std::map<std::string, std::int64_t> offsets_;  // by version, of those on the topic that may be used
  std::optional<model_store::Model> newest_;     // the one read last, until it is pointed at
  std::unique_ptr<LiveModel> current_;
  std::map<std::string, std::unique_ptr<LiveModel>> others_;  // null: it does not fit
  std::uint64_t refused_ = 0;
};

}  // namespace flowcast::services
