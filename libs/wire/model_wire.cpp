// Model to and from protobuf.
#include "libs/wire/model_wire.h"

#include "flowcast/v1/models.pb.h"
#include "libs/base/error.h"
#include "libs/base/hash.h"
#include "libs/model_store/plain_name.h"
#include "libs/wire/message.h"

namespace flowcast::wire {

std::string Encode(const model_store::Model& model) {
  v1::Model message;
  message.set_version(1);
  message.set_manifest(model_store::ToJson(model.manifest));
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
