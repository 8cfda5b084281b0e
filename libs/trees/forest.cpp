// Walking down trees.
#include "libs/trees/forest.h"

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
  while (tree[at].column != Node::kLeaf) at = row[tree[at].column] < tree[at].value ? tree[at].left : tree[at].right;
  return at;
}

float Forest::Predict(std::span<const float> row) const {
  float sum = 0;
  for (const Tree& tree : trees_) sum += tree[LeafOf(tree, row)].value;
  return sum;
}

}  // namespace flowcast::trees
