// Models as bytes.
#pragma once

#include <string>
#include <string_view>
#include <tl/expected.hpp>

#include "libs/model_store/model_folder.h"
#include "libs/wire/wire_error.h"

namespace flowcast::wire {

std::string Encode(const model_store::Model& model);
/// Leaves percentiles of links out until the model's message has at most so many bytes, as far as that helps:
/// first those of the smallest loads, since what stays for them, the percentiles of all links together, would
/// have a large one above its threshold all the time. Returns how many links it were.
std::size_t FitInto(std::size_t most_bytes, model_store::Model& model);
/// The hashes of the weights are checked, there is at least one network, and the manifest can be read.
tl::expected<model_store::Model, WireError> DecodeModel(std::string_view bytes);

/// The record that points at the model in use; `version` of it.
std::string EncodeCurrentModel(const std::string& version);
tl::expected<std::string, WireError> DecodeCurrentModel(std::string_view bytes);

/// Keys on models.v1.
std::string ModelKey(const std::string& name, const std::string& version);
std::string CurrentModelKey(const std::string& name);

}  // namespace flowcast::wire
