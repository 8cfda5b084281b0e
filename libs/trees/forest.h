// Decision trees whose leaves are summed: how they are kept, and how they answer.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace flowcast::trees {

/// A node: an inner one goes to `left` when row[column] < value and to `right` otherwise (not-a-number goes
/// right); a leaf has column kLeaf and is worth `value`. Children stand behind their parent.
struct Node {
  static constexpr std::uint32_t kLeaf = 0xffffffff;

  std::uint32_t column = kLeaf;
  float value = 0;
  std::uint32_t left = 0;
  std::uint32_t right = 0;
  bool operator==(const Node&) const = default;
};

using Tree = std::vector<Node>;  // the first is the root

/// The position of the leaf that `row` comes to.
std::size_t LeafOf(const Tree& tree, std::span<const float> row);

/// The sum of the trees' leaves, in their order. Safe to ask from several threads.
class Forest {
 public:
  /// Throws base::RuntimeError when a tree is empty, or a node is not finite, has children before or beyond
  /// it, or asks for a column that rows of `columns` do not have.
  Forest(std::size_t columns, std::vector<Tree> trees);

  std::size_t columns() const { return columns_; }
  const std::vector<Tree>& trees() const { return trees_; }

  /// One value of one row.
  float Predict(std::span<const float> row) const;

 private:
  /// A node of all trees' nodes in a row, as a walk without a branch wants it: a leaf is its own child.
  struct Step {
    std::uint32_t column = 0;
    float value = 0;
    std::array<std::uint32_t, 2> next{};  // of smaller values, and of all others
  };
  /// Trees that are walked abreast, each to its leaf and there on the spot until the deepest has arrived.
  struct Group {
    std::vector<std::uint32_t> roots;
    std::size_t depth = 0;
  };

  void Lay(const Tree& tree);

  std::size_t columns_;
  std::vector<Tree> trees_;
  std::vector<Step> steps_;
  std::vector<Group> groups_;
};

/// Little-endian; docs/formats.md, "Tree weights". Appends to `bytes`.
void AppendForest(const Forest& forest, std::string& bytes);
/// Takes a forest off the front of `bytes`, checking every size before it allocates. Throws
/// base::RuntimeError.
Forest TakeForest(std::string_view& bytes);

void AppendNumber(std::uint32_t number, std::string& bytes);
std::uint32_t TakeNumber(std::string_view& bytes);

}  // namespace flowcast::trees
