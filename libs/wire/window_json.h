// Windows as JSON, for windows-json.v1 and whoever reads no protobuf. docs/schemas/window.schema.json
// specifies it.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "libs/feature/window.h"

namespace flowcast::wire {

/// A feature's name and its place in Window::features.
struct NamedFeature {
  std::string name;
  std::size_t place = 0;
  bool operator==(const NamedFeature&) const = default;
};

/// All features of a window, in their order.
std::vector<NamedFeature> AllFeatures();
/// Those of a list with commas between, in the list's order. Throws base::ConfigError that names those there
/// are.
std::vector<NamedFeature> ChooseFeatures(std::string_view list);

/// One JSON object with these of the window's features; every value reads back as the same double.
std::string EncodeJson(const feature::Window& window, const std::vector<NamedFeature>& features);

}  // namespace flowcast::wire
