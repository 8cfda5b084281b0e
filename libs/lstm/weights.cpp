// The weights of networks as bytes.
#include "libs/lstm/internal/weights.h"

#include <bit>
#include <cmath>

#include "libs/base/error.h"
#include "libs/lstm/internal/bytes.h"

namespace flowcast::lstm {
namespace {

constexpr std::string_view kMagic = "FLOWLSTM";
constexpr std::uint32_t kVersion = 2;
constexpr std::uint32_t kMostMembers = 64;
constexpr std::uint32_t kLongestList = 4096;

std::uint32_t Narrow(std::int64_t value) { return static_cast<std::uint32_t>(value); }

template <typename T>
void PutList(std::string& out, const std::vector<T>& values) {
  Put(out, static_cast<std::uint32_t>(values.size()));
  for (const T value : values) Put(out, Narrow(value));
}

template <typename T>
std::vector<T> GetList(Cursor& cursor) {
  const auto size = cursor.Get<std::uint32_t>();
  if (size > kLongestList) throw BadBytes("a list is longer than " + std::to_string(kLongestList));
  std::vector<T> values;
  for (std::uint32_t i = 0; i < size; ++i) values.push_back(static_cast<T>(cursor.Get<std::uint32_t>()));
  return values;
}

void PutShape(std::string& out, const NetworkShape& shape) {
  for (const std::int64_t value : {shape.io.features, shape.io.length, shape.io.context, shape.hidden,
                                   shape.layers, shape.head_size, std::int64_t{shape.attention}}) {
    Put(out, Narrow(value));
  }
  Put(out, std::bit_cast<std::uint64_t>(shape.dropout));
  PutList(out, shape.io.targets);
  PutList(out, shape.io.horizons);
  Put(out, static_cast<std::uint32_t>(shape.io.levels.size()));
  for (const double level : shape.io.levels) Put(out, std::bit_cast<std::uint64_t>(level));
}

NetworkShape GetShape(Cursor& cursor) {
  NetworkShape shape;
  for (std::int64_t* value : {&shape.io.features, &shape.io.length, &shape.io.context, &shape.hidden,
                              &shape.layers, &shape.head_size}) {
    *value = cursor.Get<std::uint32_t>();
  }
  const auto attention = cursor.Get<std::uint32_t>();
  if (attention > 1) throw BadBytes("attention must be 0 or 1");
  shape.attention = attention == 1;
  shape.dropout = std::bit_cast<double>(cursor.Get<std::uint64_t>());
  shape.io.targets = GetList<std::int64_t>(cursor);
  shape.io.horizons = GetList<int>(cursor);
  const auto levels = cursor.Get<std::uint32_t>();
  if (levels > kLongestList) throw BadBytes("a list is longer than " + std::to_string(kLongestList));
  shape.io.levels.clear();
  for (std::uint32_t i = 0; i < levels; ++i) {
    shape.io.levels.push_back(std::bit_cast<double>(cursor.Get<std::uint64_t>()));
  }
  try {
    CheckShape(shape);
  } catch (const base::ConfigError& error) {
    throw BadBytes(error.what());
  }
  return shape;
}

std::vector<float> GetValues(Cursor& cursor, const ParameterLayout& layout) {
  const auto count = static_cast<std::size_t>(layout.count());
  if (count > cursor.left() / sizeof(float)) throw BadBytes("the bytes end within " + layout.name);
  std::vector<float> values(count);
  for (float& value : values) {
    value = std::bit_cast<float>(cursor.Get<std::uint32_t>());
    if (!std::isfinite(value)) throw BadBytes(layout.name + " holds a value that is not finite");
  }
  return values;
}

void PutParameter(std::string& out, const ParameterLayout& layout, const std::vector<float>& values) {
  Put(out, static_cast<std::uint16_t>(layout.name.size()));
  out += layout.name;
  Put(out, static_cast<std::uint8_t>(layout.dimensions.size()));
  for (const std::int64_t dimension : layout.dimensions) Put(out, Narrow(dimension));
  for (const float value : values) Put(out, std::bit_cast<std::uint32_t>(value));
}

std::vector<float> GetParameter(Cursor& cursor, const ParameterLayout& layout) {
  if (cursor.Take(cursor.Get<std::uint16_t>()) != layout.name)
    throw BadBytes("parameter " + layout.name + " expected");
  bool fits = cursor.Get<std::uint8_t>() == layout.dimensions.size();
  for (std::size_t i = 0; fits && i < layout.dimensions.size(); ++i) {
    fits = cursor.Get<std::uint32_t>() == layout.dimensions[i];
  }
  if (!fits) throw BadBytes("the dimensions of " + layout.name + " do not fit the shape");
  return GetValues(cursor, layout);
}

Weights Decode(std::string_view bytes) {
  Cursor cursor(Unseal(bytes, kMagic));
  cursor.Take(kMagic.size());
  const auto version = cursor.Get<std::uint32_t>();
  if (version != kVersion) {
    throw BadBytes("version " + std::to_string(version) + " is unknown, " + std::to_string(kVersion) +
                   " is known");
  }
  Weights weights{GetShape(cursor), {}};
  const auto members = cursor.Get<std::uint32_t>();
  if (members == 0 || members > kMostMembers) throw BadBytes("the number of members must be 1 to 64");
  const std::vector<ParameterLayout> layout = LayoutOf(weights.shape);
  if (cursor.Get<std::uint32_t>() != layout.size())
    throw BadBytes("the number of parameters does not fit the shape");
  for (std::uint32_t member = 0; member < members; ++member) {
    Parameters& parameters = weights.members.emplace_back();
    for (const ParameterLayout& parameter : layout) parameters.push_back(GetParameter(cursor, parameter));
  }
  if (cursor.left() != 0) throw BadBytes(std::to_string(cursor.left()) + " bytes follow the last parameter");
  return weights;
}

}  // namespace

std::string EncodeWeights(const Weights& weights) {
  const std::vector<ParameterLayout> layout = LayoutOf(weights.shape);
  std::string out(kMagic);
  Put(out, kVersion);
  PutShape(out, weights.shape);
  Put(out, static_cast<std::uint32_t>(weights.members.size()));
  Put(out, static_cast<std::uint32_t>(layout.size()));
  for (const Parameters& member : weights.members) {
    for (std::size_t i = 0; i < layout.size(); ++i) PutParameter(out, layout[i], member[i]);
  }
  Seal(out);
  return out;
}

Weights DecodeWeights(std::string_view bytes) {
  try {
    return Decode(bytes);
  } catch (const BadBytes& error) {
    throw base::RuntimeError("model weights refused: " + std::string(error.what()) +
                             "; publish the model again");
  }
}

void PutParameters(std::string& out, const Parameters& parameters) {
  for (const std::vector<float>& parameter : parameters) {
    for (const float value : parameter) Put(out, std::bit_cast<std::uint32_t>(value));
  }
}

Parameters GetParameters(Cursor& cursor, const NetworkShape& shape) {
  Parameters parameters;
  for (const ParameterLayout& layout : LayoutOf(shape)) parameters.push_back(GetValues(cursor, layout));
  return parameters;
}

}  // namespace flowcast::lstm
