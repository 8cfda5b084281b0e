// Walking down trees.
#include "libs/trees/forest.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "libs/base/error.h"

namespace flowcast::trees {
namespace {

constexpr std::size_t kAbreast = 8;

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

/// The steps from the root to the leaf that is farthest away.
std::size_t DepthOf(const Tree& tree) {
  std::vector<std::size_t> depths(tree.size());
  for (std::size_t i = 0; i < tree.size(); ++i) {
    if (tree[i].column == Node::kLeaf) continue;
    for (const std::uint32_t child : {tree[i].left, tree[i].right})
      depths[child] = std::max(depths[child], depths[i] + 1);
  }
  return *std::max_element(depths.begin(), depths.end());
}

}  // namespace

Forest::Forest(std::size_t columns, std::vector<Tree> trees) : columns_(columns), trees_(std::move(trees)) {
  for (const Tree& tree : trees_) {
    if (!IsSound(tree, columns)) throw base::RuntimeError("the trees are damaged; fit them again");
    Lay(tree);
  }
}

void Forest::Lay(const Tree& tree) {
  if (groups_.empty() || groups_.back().roots.size() == kAbreast) groups_.emplace_back();
  const auto root = static_cast<std::uint32_t>(steps_.size());
  groups_.back().roots.push_back(root);
  groups_.back().depth = std::max(groups_.back().depth, DepthOf(tree));
  for (const Node& node : tree) {
    const auto self = static_cast<std::uint32_t>(steps_.size());
    if (node.column == Node::kLeaf) {
      steps_.push_back({0, node.value, {self, self}});
    } else {
      steps_.push_back({node.column, node.value, {root + node.left, root + node.right}});
    }
  }
}

std::size_t LeafOf(const Tree& tree, std::span<const float> row) {
  std::size_t at = 0;
  while (tree[at].column != Node::kLeaf)
    at = row[tree[at].column] < tree[at].value ? tree[at].left : tree[at].right;
  return at;
}

// A guess where a walk goes next is wrong half of the time, so that there is none to make: every step is one
// look-up, and several walks abreast hide its wait.
float Forest::Predict(std::span<const float> row) const {
  float sum = 0;
  for (const Group& group : groups_) {
    std::array<std::uint32_t, kAbreast> at{};
    std::copy(group.roots.begin(), group.roots.end(), at.begin());
    for (std::size_t level = 0; level < group.depth; ++level) {
      for (std::uint32_t& position : at) {
        const Step& step = steps_[position];
        position = step.next[row[step.column] < step.value ? 0 : 1];
      }
    }
    for (std::size_t i = 0; i < group.roots.size(); ++i) sum += steps_[at[i]].value;
  }
  return sum;
}

}  // namespace flowcast::trees
