// Windows as JSON, for windows-json.v1 and whoever reads no protobuf. docs/schemas/window.schema.json
// specifies it.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "libs/feature/schema.h"
#include "libs/feature/window.h"

namespace flowcast::wire {

/// A feature's name and its place in Window::features.
struct NamedFeature {
  std::string name;
  std::size_t place = 0;
  bool operator==(const NamedFeature&) const = default;
};

/// All features of a schema's windows, in their order.
std::vector<NamedFeature> AllFeatures(const feature::Schema& schema);

/// One JSON object with these of the window's features; every value reads back as the same double.
std::string EncodeJson(const feature::Window& window, const std::vector<NamedFeature>& features);

}  // namespace flowcast::wire
