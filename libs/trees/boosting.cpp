// XGBoost grows each tree by the gradients of ours; the leaves are ours, too.
#include "libs/trees/boosting.h"

#include <xgboost/c_api.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <map>
#include <memory>
#include <string>

#include "libs/base/error.h"

namespace flowcast::trees {
namespace {

void Check(int result) {
  if (result != 0) throw base::RuntimeError(std::string("XGBoost refused: ") + XGBGetLastError());
}

struct FreeMatrix {
  void operator()(void* handle) const { XGDMatrixFree(handle); }
};
struct FreeBooster {
  void operator()(void* handle) const { XGBoosterFree(handle); }
};
using Matrix = std::unique_ptr<void, FreeMatrix>;
using Booster = std::unique_ptr<void, FreeBooster>;

Matrix MakeMatrix(const Sample& sample) {
  DMatrixHandle handle = nullptr;
  const std::size_t count = sample.targets.size();
  Check(XGDMatrixCreateFromMat(sample.rows.data(), count, sample.columns,
                               std::numeric_limits<float>::quiet_NaN(), &handle));
  Matrix matrix(handle);
  Check(XGDMatrixSetFloatInfo(handle, "label", sample.targets.data(), count));
  return matrix;
}

Booster MakeBooster(void* matrix, const BoostingOptions& options, int round) {
  BoosterHandle handle = nullptr;
  Check(XGBoosterCreate(&matrix, 1, &handle));
  Booster booster(handle);
  const auto seed = options.seed + static_cast<std::uint32_t>(round);
  const std::map<const char*, std::string> settings{{"tree_method", "hist"},
                                                    {"base_score", "0"},
                                                    {"verbosity", "0"},
                                                    {"max_depth", std::to_string(options.depth)},
                                                    {"subsample", std::to_string(options.subsample)},
                                                    {"nthread", "1"},
                                                    {"seed", std::to_string(seed)}};
  for (const auto& [name, value] : settings) Check(XGBoosterSetParam(handle, name, value.c_str()));
  return booster;
}

/// The number after `key`, up to where it ends.
template <typename T>
T NumberAfter(std::string_view text, std::string_view key) {
  const auto at = text.find(key);
  T number{};
  if (at == std::string_view::npos)
    throw base::RuntimeError("XGBoost's trees have another form than expected");
  const char* begin = text.data() + at + key.size();
  if (std::from_chars(begin, text.data() + text.size(), number).ec != std::errc())
    throw base::RuntimeError("XGBoost's trees have another form than expected");
  return number;
}

/// A line of XGBoost's text: "3:[f12<0.5] yes=7,no=8,missing=7" or "7:leaf=0.25".
struct Line {
  std::uint32_t id;
  Node node;
};

Line ParseLine(std::string_view text) {
  while (!text.empty() && text.front() == '\t') text.remove_prefix(1);
  Line line{NumberAfter<std::uint32_t>(text, ""), {}};
  if (text.find("leaf=") != std::string_view::npos) {
    line.node.value = NumberAfter<float>(text, "leaf=");
    return line;
  }
  line.node = {.column = NumberAfter<std::uint32_t>(text, "[f"),
               .value = NumberAfter<float>(text, "<"),
               .left = NumberAfter<std::uint32_t>(text, "yes="),
               .right = NumberAfter<std::uint32_t>(text, "no=")};
  return line;
}

/// Nodes are numbered level by level there, with numbers left out; here by their order.
Tree ParseTree(std::string_view text) {
  std::map<std::uint32_t, Node> nodes;
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size());
    if (end > 0) {
      const Line line = ParseLine(text.substr(0, end));
      nodes.emplace(line.id, line.node);
    }
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  std::map<std::uint32_t, std::uint32_t> place;
  for (const auto& [id, node] : nodes) place.emplace(id, static_cast<std::uint32_t>(place.size()));
  Tree tree;
  for (auto [id, node] : nodes) {
    if (node.column != Node::kLeaf) {
      node.left = place.at(node.left);
      node.right = place.at(node.right);
    }
    tree.push_back(node);
  }
  return tree;
}

Tree ReadTree(BoosterHandle booster) {
  bst_ulong count = 0;
  const char** texts = nullptr;
  Check(XGBoosterDumpModel(booster, "", 0, &count, &texts));
  if (count != 1) throw base::RuntimeError("XGBoost made " + std::to_string(count) + " trees instead of one");
  return ParseTree(texts[0]);
}

struct Weighted {
  float value;
  float weight;
};

/// Where half of the weight is below; `values` are reordered. Halves the range that it lies in, step by step.
float MedianOf(std::vector<Weighted>& values) {
  if (values.empty()) return 0;
  double rest = 0;
  for (const Weighted& value : values) rest += static_cast<double>(value.weight) / 2;
  auto begin = values.begin();
  auto end = values.end();
  while (end - begin > 1) {
    const auto middle = begin + (end - begin) / 2;
    std::nth_element(begin, middle, end,
                     [](const Weighted& a, const Weighted& b) { return a.value < b.value; });
    double below = 0;
    for (auto at = begin; at != middle; ++at) below += static_cast<double>(at->weight);
    if (below >= rest) {
      end = middle;
    } else {
      rest -= below;
      begin = middle;
    }
  }
  return begin->value;
}

/// A sample and what the trees so far say of it.
class Fit {
 public:
  explicit Fit(const Sample& sample) : sample_(sample), said_(sample.targets.size()) {}

  /// Downhill for the absolute error.
  void Slopes(std::vector<float>& gradient, std::vector<float>& curvature) const {
    gradient.resize(said_.size());
    curvature.resize(said_.size());
    for (std::size_t i = 0; i < said_.size(); ++i) {
      const float error = said_[i] - sample_.targets[i];
      const float sign = error > 0 ? 1.0F : error < 0 ? -1.0F : 0.0F;
      gradient[i] = sign * WeightOf(i);
      curvature[i] = WeightOf(i);
    }
  }

  /// Each leaf becomes the median of what is left in it, times the learning rate.
  void AddWithMedians(Tree& tree, double learning_rate) {
    std::vector<std::vector<Weighted>> left(tree.size());
    std::vector<std::uint32_t> leaves(said_.size());
    for (std::size_t i = 0; i < said_.size(); ++i) {
      leaves[i] = static_cast<std::uint32_t>(LeafOf(tree, RowOf(i)));
      left[leaves[i]].push_back({sample_.targets[i] - said_[i], WeightOf(i)});
    }
    for (std::size_t node = 0; node < tree.size(); ++node) {
      if (tree[node].column == Node::kLeaf)
        tree[node].value = MedianOf(left[node]) * static_cast<float>(learning_rate);
    }
    for (std::size_t i = 0; i < said_.size(); ++i) said_[i] += tree[leaves[i]].value;
  }

  void Add(const Tree& tree) {
    for (std::size_t i = 0; i < said_.size(); ++i) said_[i] += tree[LeafOf(tree, RowOf(i))].value;
  }

  double Loss() const {
    double sum = 0;
    double weights = 0;
    for (std::size_t i = 0; i < said_.size(); ++i) {
      const auto weight = static_cast<double>(WeightOf(i));
      sum += weight * std::abs(static_cast<double>(said_[i] - sample_.targets[i]));
      weights += weight;
    }
    return weights > 0 ? sum / weights : 0;
  }

 private:
  std::span<const float> RowOf(std::size_t i) const {
    return sample_.rows.subspan(i * sample_.columns, sample_.columns);
  }
  float WeightOf(std::size_t i) const { return sample_.weights.empty() ? 1 : sample_.weights[i]; }

  const Sample& sample_;
  std::vector<float> said_;
};

}  // namespace

Boosted Boost(const Sample& sample, const Sample& validation, const BoostingOptions& options) {
  const Matrix matrix = MakeMatrix(sample);
  Fit fit(sample);
  Fit watched(validation);
  const bool watches = !validation.targets.empty();
  std::vector<Tree> trees;
  std::vector<double> training_losses;
  std::vector<double> losses;
  std::size_t best = 0;
  std::vector<float> gradient;
  std::vector<float> curvature;
  for (int round = 0; round < options.rounds; ++round) {
    const Booster booster = MakeBooster(matrix.get(), options, round);
    fit.Slopes(gradient, curvature);
    Check(XGBoosterBoostOneIter(booster.get(), matrix.get(), gradient.data(), curvature.data(),
                                gradient.size()));
    trees.push_back(ReadTree(booster.get()));
    fit.AddWithMedians(trees.back(), options.learning_rate);
    training_losses.push_back(fit.Loss());
    if (!watches) continue;
    watched.Add(trees.back());
    losses.push_back(watched.Loss());
    if (losses.back() < losses[best]) best = losses.size() - 1;
    if (losses.size() - best > static_cast<std::size_t>(options.patience)) break;
  }
  if (watches) trees.resize(best + 1);
  return {Forest(sample.columns, std::move(trees)), std::move(training_losses), std::move(losses)};
}

}  // namespace flowcast::trees
