// Follows models.v1 and holds the newest model that fits.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>

#include "libs/base/log.h"
#include "libs/bus/bus.h"
#include "libs/feature/schema.h"
#include "libs/model_store/model_folder.h"
#include "libs/training/learner.h"

namespace flowcast::services {

/// A model that passed every check, ready to be asked.
struct LiveModel {
  model_store::Manifest manifest;
  std::unique_ptr<training::Predictor> predictor;
};

struct ModelDemands {
  std::string name = "default";
  feature::Index target = feature::kPackets;
  int horizon_windows = 1;
  feature::Schema schema = feature::Schema::Default();
};

/// A model that does not fit (schema, target, horizon, shape, weights, a trial run that is not
/// finite) is refused with a logged reason, and the one before stays.
class ModelWatcher {
 public:
  ModelWatcher(const ModelDemands& demands, training::PredictorLoader load, base::Log log)
      : demands_(demands), load_(std::move(load)), log_(std::move(log)) {}

  /// A record of models.v1, in order.
  void OnRecord(const bus::InRecord& record);

  /// Null while there is none.
  const LiveModel* current() const { return current_.get(); }
  std::uint64_t refused() const { return refused_; }

 private:
  void TryCurrent();
  /// Why a model cannot be used; nothing when it can.
  std::optional<std::string> Objection(const model_store::Manifest& manifest) const;
  std::optional<std::string> TryOut(training::Predictor& predictor,
                                    const model_store::Manifest& manifest) const;
  void Refuse(const std::string& what, const std::string& reason);

  ModelDemands demands_;
  training::PredictorLoader load_;
  base::Log log_;
  std::string wanted_version_;
  std::map<std::string, model_store::Model> waiting_;  // by version, until one is pointed at
  std::unique_ptr<LiveModel> current_;
  std::uint64_t refused_ = 0;
};

}  // namespace flowcast::services
