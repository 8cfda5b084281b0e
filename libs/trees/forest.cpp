// Walking down trees.
#include "libs/trees/forest.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "libs/base/error.h"

namespace flowcast::trees {
namespace {

bool IsSound(const Tree& tree, std::size_t columns) {
  for (std::size_t i = 0; i < tree.size(); ++i) {
    const Node& node = tree[i];
    if (!std::isfinite(node.value)) return false;
    if (node.column == Node::kLeaf) continue;
    const bool has_children =
        node.left > i && node.right > i && node.left < tree.size() && node.right < tree.size();
    if (node.column >= columns || !has_children) return false;
  }
  return !tree.empty();
}

}  // namespace

Forest::Forest(std::size_t columns, std::vector<Tree> trees) : columns_(columns), trees_(std::move(trees)) {
  for (const Tree& tree : trees_) {
    if (!IsSound(tree, columns)) throw base::RuntimeError("the trees are damaged; fit them again");
  }
}

std::size_t LeafOf(const Tree& tree, std::span<const float> row) {
  std::size_t at = 0;
  while (tree[at].column != Node::kLeaf)
    at = row[tree[at].column] < tree[at].value ? tree[at].left : tree[at].right;
  return at;
}

// A walk waits for memory at every step, so that several abreast take little longer than one.
float Forest::Predict(std::span<const float> row) const {
  constexpr std::size_t kAbreast = 8;
  float sum = 0;
  for (std::size_t begin = 0; begin < trees_.size(); begin += kAbreast) {
    const std::size_t count = std::min(kAbreast, trees_.size() - begin);
    std::array<const Node*, kAbreast> at{};
    for (std::size_t i = 0; i < count; ++i) at[i] = trees_[begin + i].data();
    for (bool moved = true; moved;) {
      moved = false;
      for (std::size_t i = 0; i < count; ++i) {
        const Node& node = *at[i];
        if (node.column == Node::kLeaf) continue;
        at[i] = trees_[begin + i].data() + (row[node.column] < node.value ? node.left : node.right);
        moved = true;
      }
    }
    for (std::size_t i = 0; i < count; ++i) sum += at[i]->value;
  }
  return sum;
}

}  // namespace flowcast::trees
