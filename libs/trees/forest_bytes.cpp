// Trees to and from bytes.
#include <bit>

#include "libs/base/error.h"
#include "libs/trees/forest.h"

namespace flowcast::trees {
namespace {

constexpr std::size_t kNodeBytes = 16;

}  // namespace

void AppendNumber(std::uint32_t number, std::string& bytes) {
  for (unsigned shift = 0; shift < 32; shift += 8) bytes.push_back(static_cast<char>(number >> shift & 0xff));
}

std::uint32_t TakeNumber(std::string_view& bytes) {
  if (bytes.size() < 4) throw base::RuntimeError("the trees are cut short; fit them again");
  std::uint32_t number = 0;
  for (std::size_t i = 0; i < 4; ++i) {
    number |= static_cast<std::uint32_t>(static_cast<unsigned char>(bytes[i])) << (8 * i);
  }
  bytes.remove_prefix(4);
  return number;
}

void AppendForest(const Forest& forest, std::string& bytes) {
  AppendNumber(static_cast<std::uint32_t>(forest.columns()), bytes);
  AppendNumber(static_cast<std::uint32_t>(forest.trees().size()), bytes);
  for (const Tree& tree : forest.trees()) {
    AppendNumber(static_cast<std::uint32_t>(tree.size()), bytes);
    for (const Node& node : tree) {
      AppendNumber(node.column, bytes);
      AppendNumber(std::bit_cast<std::uint32_t>(node.value), bytes);
      AppendNumber(node.left, bytes);
      AppendNumber(node.right, bytes);
    }
  }
}

Forest TakeForest(std::string_view& bytes) {
  const std::uint32_t columns = TakeNumber(bytes);
  const std::uint32_t count = TakeNumber(bytes);
  if (count > bytes.size() / 4) throw base::RuntimeError("the trees are cut short; fit them again");
  std::vector<Tree> trees(count);
  for (Tree& tree : trees) {
    const std::uint32_t nodes = TakeNumber(bytes);
    if (nodes > bytes.size() / kNodeBytes) throw base::RuntimeError("the trees are cut short; fit them again");
    tree.resize(nodes);
    for (Node& node : tree) {
      node.column = TakeNumber(bytes);
      node.value = std::bit_cast<float>(TakeNumber(bytes));
      node.left = TakeNumber(bytes);
      node.right = TakeNumber(bytes);
    }
  }
  return Forest(columns, std::move(trees));
}

}  // namespace flowcast::trees
