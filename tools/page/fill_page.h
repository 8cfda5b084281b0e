// Pages that are compiled in: a template with a place for its data.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

namespace flowcast::page {

/// A template's text, out of the pieces that flowcast_page() made of it (cmake/flowcast_targets.cmake).
std::string Join(const char* const* pieces);

/// The page with the data in place of `/*FLOWCAST_DATA*/null`. Strings may be foreign: none ends the script
/// that the data stands in. Throws base::RuntimeError when the template has no such place.
std::string Fill(const std::string& page, const nlohmann::ordered_json& data);

}  // namespace flowcast::page
