// What a network must be like before anybody asks it: models come from whoever may write their topic.
#pragma once

#include <optional>
#include <string>

#include "libs/feature/schema.h"
#include "libs/model_store/manifest.h"
#include "libs/training/learner.h"

namespace flowcast::training {

/// Why a network of this shape cannot be asked for what its manifest says, of sequences of `schema`: half a
/// sentence that begins with "its". Nothing when AppendInputs and AppendContext give the rows that it wants,
/// and its rows of answers have a place for every target and horizon of the manifest.
std::optional<std::string> ObjectionTo(const Shape& shape, const model_store::Manifest& manifest,
                                       const feature::Schema& schema);

}  // namespace flowcast::training
