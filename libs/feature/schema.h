// The features there are, and which of them a window and a sequence have. docs/features.md is the
// specification.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "libs/feature/catalogue.h"
#include "libs/feature/normalization.h"

namespace flowcast::feature {

/// The values of a window, one a column of its schema.
using FeatureVector = std::vector<double>;

/// One column: a feature of the catalogue, or two of them with an operator between.
struct Column {
  std::string name;
  std::string unit;
  Transform transform = Transform::kLinear;
  double scale_floor = 1;  // smallest scale, in units of z
  Index left = kPackets;
  char op = 0;  // '/' or '-' for a derived one; x / 0 is 0
  Index right = kPackets;

  double Of(const FeatureValues& values) const;
  bool operator==(const Column&) const = default;
};

/// Which columns there are, in which order, and how sequences of them are normalized. The first two are
/// always packets and bytes, since these are what is forecast: they have the same positions in every schema.
/// Immutable.
class Schema {
 public:
  /// The first kFeatureCount features of the catalogue.
  static const Schema& Default();
  /// A list with commas between: features, groups (see Groups), "default", "all", NAME=LEFT/RIGHT,
  /// NAME=LEFT-RIGHT. What comes twice counts once. Throws base::ConfigError that names the remedy.
  static Schema Parse(std::string_view text, Scaling scaling = Scaling::kRobust);
  /// "default: packets, ...; sizes: ..." for help texts.
  static std::string Groups();

  const std::vector<Column>& columns() const { return columns_; }
  std::size_t size() const { return columns_.size(); }
  /// FNV-1a of the names, units, transforms, floors and formulas in their order; travels with windows.
  std::uint64_t hash() const { return hash_; }
  /// Of sequences: how they are normalized belongs to it.
  Scaling scaling() const { return scaling_; }
  std::uint64_t sequence_hash() const;
  /// What Parse makes the same schema of: names and formulas with commas between; empty for the default.
  std::string Text() const;
  bool is_default() const { return hash_ == Default().hash_; }

  FeatureVector Select(const FeatureValues& values) const;

  bool operator==(const Schema&) const = default;

 private:
  explicit Schema(std::vector<Column> columns, Scaling scaling = Scaling::kRobust);

  std::vector<Column> columns_;
  std::uint64_t hash_ = 0;
  Scaling scaling_ = Scaling::kRobust;
};

/// Rows of a table in Markdown: name, unit, formula, range, value of an empty window, source.
std::string Explain(const Schema& schema);

}  // namespace flowcast::feature
