// Windows and sequences as bytes.
#pragma once

#include <string>
#include <string_view>
#include <tl/expected.hpp>

#include "libs/feature/schema.h"
#include "libs/feature/window.h"
#include "libs/wire/wire_error.h"

namespace flowcast::wire {

/// `schema` is feature::Schema::Text, for readers who know nothing but the message.
std::string Encode(const feature::Window& window, std::string_view schema = {});
/// A window of any schema decodes (its hash tells which); packets and bytes are its first two features.
tl::expected<feature::Window, WireError> DecodeWindow(std::string_view bytes);
/// What the window's features are. Inconsistent where the text makes no schema, or one of another hash or
/// size.
tl::expected<feature::Schema, WireError> DecodeWindowSchema(std::string_view bytes);

std::string Encode(const feature::Sequence& sequence, std::string_view schema = {});
/// Sizes agree, values are finite, scales positive.
tl::expected<feature::Sequence, WireError> DecodeSequence(std::string_view bytes);
/// As DecodeWindowSchema.
tl::expected<feature::Schema, WireError> DecodeSequenceSchema(std::string_view bytes);

}  // namespace flowcast::wire
