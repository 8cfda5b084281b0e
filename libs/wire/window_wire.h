// Windows and sequences as bytes.
#pragma once

#include <string>
#include <string_view>
#include <tl/expected.hpp>

#include "libs/feature/window.h"
#include "libs/wire/wire_error.h"

namespace flowcast::wire {

std::string Encode(const feature::Window& window);
/// A window of another schema decodes too (its hash tells), if it has as many features.
tl::expected<feature::Window, WireError> DecodeWindow(std::string_view bytes);

std::string Encode(const feature::Sequence& sequence);
/// Sizes agree, values are finite, scales positive.
tl::expected<feature::Sequence, WireError> DecodeSequence(std::string_view bytes);

}  // namespace flowcast::wire
