// Our LSTM layer against torch's own: values and every gradient.
#include "libs/lstm/internal/layer.h"

#include <gtest/gtest.h>

namespace flowcast::lstm {
namespace {

struct Results {
  torch::Tensor outputs;
  std::vector<torch::Tensor> gradients;  // of inputs and of the four weights
};

template <typename Layer>
Results Differentiate(std::vector<torch::Tensor> leaves, const torch::Tensor& direction, Layer layer) {
  for (torch::Tensor& leaf : leaves) leaf = leaf.detach().clone().set_requires_grad(true);
  Results results;
  results.outputs = layer(leaves);
  (results.outputs * direction).sum().backward();
  for (const torch::Tensor& leaf : leaves) results.gradients.push_back(leaf.grad());
  return results;
}

void ExpectAgreement(std::int64_t length, std::int64_t count, std::int64_t inputs, std::int64_t hidden) {
  torch::manual_seed(1);
  const std::vector<torch::Tensor> leaves = {
      torch::randn({length, count, inputs}), 0.5 * torch::randn({4 * hidden, inputs}),
      0.5 * torch::randn({4 * hidden, hidden}), torch::randn({4 * hidden}), torch::randn({4 * hidden})};
  const torch::Tensor direction = torch::randn({length, count, hidden});
  const Results ours = Differentiate(leaves, direction, [](const auto& leaf) {
    return RunLayer(leaf[0], {leaf[1], leaf[2], leaf[3], leaf[4]});
  });
  const Results theirs = Differentiate(leaves, direction, [&](const auto& leaf) {
    const torch::Tensor zero = torch::zeros({1, count, hidden});
    return std::get<0>(torch::lstm(leaf[0], {zero, zero}, {leaf[1], leaf[2], leaf[3], leaf[4]}, true, 1, 0.0,
                                   true, false, false));
  });
  EXPECT_TRUE(torch::allclose(ours.outputs, theirs.outputs, 1e-5, 1e-5));
  for (std::size_t i = 0; i < leaves.size(); ++i) {
    EXPECT_TRUE(torch::allclose(ours.gradients[i], theirs.gradients[i], 1e-4, 1e-4)) << "leaf " << i;
  }
}

TEST(LstmLayer, AgreesWithTorchInValuesAndGradients) {
  ExpectAgreement(10, 32, 5, 64);
  ExpectAgreement(7, 3, 64, 64);
}

TEST(LstmLayer, AgreesWithTorchAtSizesThatFillNoVector) {
  ExpectAgreement(1, 1, 1, 1);
  ExpectAgreement(4, 19, 2, 13);
}

}  // namespace
}  // namespace flowcast::lstm
