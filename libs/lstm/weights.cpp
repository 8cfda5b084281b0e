// The weights of a network as bytes.
#include "libs/lstm/internal/weights.h"

#include <bit>
#include <cmath>
#include <concepts>
#include <cstring>
#include <numeric>

#include "libs/base/error.h"
#include "libs/base/hash.h"

namespace flowcast::lstm {
namespace {

constexpr std::string_view kMagic = "FLOWLSTM";
constexpr std::uint32_t kVersion = 1;
constexpr std::int64_t kMaxFeatures = 4096;
constexpr std::int64_t kMaxLength = 65536;
constexpr std::int64_t kMaxHidden = 4096;
constexpr std::int64_t kMaxLayers = 16;

template <std::unsigned_integral T>
void Put(std::string& out, T value) {
  for (std::size_t i = 0; i < sizeof(T); ++i) out.push_back(static_cast<char>((value >> (8 * i)) & 0xff));
}

[[noreturn]] void Refuse(const std::string& reason) {
  throw base::RuntimeError("model weights refused: " + reason + "; publish the model again");
}

class Cursor {
 public:
  explicit Cursor(std::string_view bytes) : bytes_(bytes) {}

  std::string_view Take(std::size_t size) {
    if (size > bytes_.size()) Refuse("the bytes end too early");
    const std::string_view taken = bytes_.substr(0, size);
    bytes_.remove_prefix(size);
    return taken;
  }

  template <std::unsigned_integral T>
  T Get() {
    T value = 0;
    const std::string_view taken = Take(sizeof(T));
    for (std::size_t i = 0; i < sizeof(T); ++i) {
      value = static_cast<T>(value | (static_cast<T>(static_cast<unsigned char>(taken[i])) << (8 * i)));
    }
    return value;
  }

  std::size_t left() const { return bytes_.size(); }

 private:
  std::string_view bytes_;
};

std::uint32_t Narrow(std::int64_t value) { return static_cast<std::uint32_t>(value); }

void PutShape(std::string& out, const NetworkShape& shape) {
  for (const std::int64_t value :
       {shape.features, shape.length, shape.hidden, shape.layers, shape.skip_feature}) {
    Put(out, Narrow(value));
  }
  Put(out, std::bit_cast<std::uint64_t>(shape.dropout));
}

NetworkShape GetShape(Cursor& cursor) {
  NetworkShape shape;
  for (std::int64_t* value :
       {&shape.features, &shape.length, &shape.hidden, &shape.layers, &shape.skip_feature}) {
    *value = cursor.Get<std::uint32_t>();
  }
  shape.dropout = std::bit_cast<double>(cursor.Get<std::uint64_t>());
  try {
    CheckShape(shape);
  } catch (const base::ConfigError& error) {
    Refuse(error.what());
  }
  return shape;
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
    Refuse("parameter " + layout.name + " expected");
  bool fits = cursor.Get<std::uint8_t>() == layout.dimensions.size();
  for (std::size_t i = 0; fits && i < layout.dimensions.size(); ++i) {
    fits = cursor.Get<std::uint32_t>() == layout.dimensions[i];
  }
  if (!fits) Refuse("the dimensions of " + layout.name + " do not fit the shape");
  const auto count = static_cast<std::size_t>(layout.count());
  if (count > cursor.left() / sizeof(float)) Refuse("the bytes end within " + layout.name);
  std::vector<float> values(count);
  for (float& value : values) {
    value = std::bit_cast<float>(cursor.Get<std::uint32_t>());
    if (!std::isfinite(value)) Refuse(layout.name + " holds a value that is not finite");
  }
  return values;
}

std::string_view WithoutChecksum(std::string_view bytes) {
  if (!bytes.starts_with(kMagic)) Refuse("they do not begin with FLOWLSTM");
  if (bytes.size() < kMagic.size() + sizeof(std::uint64_t)) Refuse("the bytes end too early");
  const std::string_view content = bytes.substr(0, bytes.size() - sizeof(std::uint64_t));
  if (Cursor(bytes.substr(content.size())).Get<std::uint64_t>() != base::Fnv1a64(content)) {
    Refuse("the checksum does not match: they are cut or damaged");
  }
  return content;
}

}  // namespace

std::int64_t ParameterLayout::count() const {
  return std::accumulate(dimensions.begin(), dimensions.end(), std::int64_t{1}, std::multiplies<>());
}

void CheckShape(const NetworkShape& shape) {
  const auto check = [](std::string_view name, std::int64_t value, std::int64_t low, std::int64_t high) {
    if (value >= low && value <= high) return;
    throw base::ConfigError("the network's " + std::string(name) + " must be between " + std::to_string(low) +
                            " and " + std::to_string(high) + ", not " + std::to_string(value));
  };
  check("features", shape.features, 1, kMaxFeatures);
  check("length", shape.length, 1, kMaxLength);
  check("hidden units", shape.hidden, 1, kMaxHidden);
  check("layers", shape.layers, 1, kMaxLayers);
  check("skip feature", shape.skip_feature, 0, shape.features - 1);
  if (!(shape.dropout >= 0 && shape.dropout < 1)) {
    throw base::ConfigError("the network's dropout must be at least 0 and below 1");
  }
}

std::vector<ParameterLayout> LayoutOf(const NetworkShape& shape) {
  std::vector<ParameterLayout> layout;
  const std::int64_t gates = 4 * shape.hidden;
  for (std::int64_t layer = 0; layer < shape.layers; ++layer) {
    const std::string suffix = "_l" + std::to_string(layer);
    layout.push_back({"lstm.weight_ih" + suffix, {gates, layer == 0 ? shape.features : shape.hidden}});
    layout.push_back({"lstm.weight_hh" + suffix, {gates, shape.hidden}});
    layout.push_back({"lstm.bias_ih" + suffix, {gates}});
    layout.push_back({"lstm.bias_hh" + suffix, {gates}});
  }
  layout.push_back({"head.weight", {1, shape.hidden}});
  layout.push_back({"head.bias", {1}});
  return layout;
}

std::string EncodeWeights(const Weights& weights) {
  const std::vector<ParameterLayout> layout = LayoutOf(weights.shape);
  std::string out(kMagic);
  Put(out, kVersion);
  PutShape(out, weights.shape);
  Put(out, static_cast<std::uint32_t>(layout.size()));
  for (std::size_t i = 0; i < layout.size(); ++i) PutParameter(out, layout[i], weights.values[i]);
  Put(out, base::Fnv1a64(out));
  return out;
}

Weights DecodeWeights(std::string_view bytes) {
  Cursor cursor(WithoutChecksum(bytes));
  cursor.Take(kMagic.size());
  const auto version = cursor.Get<std::uint32_t>();
  if (version != kVersion) Refuse("version " + std::to_string(version) + " is unknown, 1 is known");
  Weights weights{GetShape(cursor), {}};
  const std::vector<ParameterLayout> layout = LayoutOf(weights.shape);
  if (cursor.Get<std::uint32_t>() != layout.size()) Refuse("the number of parameters does not fit the shape");
  for (const ParameterLayout& parameter : layout) weights.values.push_back(GetParameter(cursor, parameter));
  if (cursor.left() != 0) Refuse(std::to_string(cursor.left()) + " bytes follow the last parameter");
  return weights;
}

}  // namespace flowcast::lstm
