// Weights as bytes: what comes back, what is refused.
#include "libs/lstm/internal/weights.h"

#include <gtest/gtest.h>

#include <cmath>

#include "libs/base/error.h"
#include "libs/base/hash.h"
#include "libs/lstm/learner.h"

namespace flowcast::lstm {
namespace {

NetworkShape SmallShape() {
  return {.io = {.length = 4,
                 .features = 3,
                 .context = 2,
                 .targets = {1, 0},
                 .horizons = {1, 12},
                 .levels = {0.05, 0.5, 0.95}},
          .hidden = 5,
          .layers = 2,
          .head_size = 6,
          .attention = true};
}

Weights MakeWeights() {
  const NetworkShape shape = SmallShape();
  const std::vector<float> gaps(shape.io.answer_size(), 0.5F);
  return {shape, {DrawParameters(shape, 1, gaps), DrawParameters(shape, 2, gaps)}};
}

class SavedNetwork : public testing::Test {
 protected:
  static std::string Sealed(std::string bytes) {
    const std::uint64_t hash = base::Fnv1a64(bytes);
    for (std::size_t i = 0; i < 8; ++i) bytes.push_back(static_cast<char>(hash >> (8 * i)));
    return bytes;
  }
  // Writes four bytes and makes the checksum right again.
  std::string Patched(std::size_t position, std::uint32_t value) const {
    std::string bytes = bytes_.substr(0, bytes_.size() - 8);
    for (std::size_t i = 0; i < 4; ++i) bytes[position + i] = static_cast<char>(value >> (8 * i));
    return Sealed(bytes);
  }
  static void ExpectRefused(const std::string& bytes, const std::string& reason) {
    try {
      LoadPredictor(bytes);
      ADD_FAILURE() << "accepted; expected: " << reason;
    } catch (const base::RuntimeError& error) {
      EXPECT_NE(std::string(error.what()).find(reason), std::string::npos) << error.what();
    }
  }

  std::string bytes_ = EncodeWeights(MakeWeights());
};

TEST_F(SavedNetwork, ComesBackAsItWas) {
  const Weights made = MakeWeights();
  const Weights decoded = DecodeWeights(bytes_);
  EXPECT_EQ(decoded.shape, made.shape);
  EXPECT_EQ(decoded.members, made.members);
  EXPECT_EQ(EncodeWeights(decoded), bytes_);
}

TEST_F(SavedNetwork, CutShortIsRefused) {
  for (std::size_t size = 0; size < bytes_.size(); size += 97) {
    ExpectRefused(bytes_.substr(0, size), "model weights refused");
    ExpectRefused(Sealed(bytes_.substr(0, size)), "model weights refused");
  }
  ExpectRefused(Sealed(bytes_), "bytes follow the last parameter");
}

TEST_F(SavedNetwork, DamagedIsRefused) {
  for (std::size_t position = 0; position < bytes_.size(); position += 61) {
    std::string damaged = bytes_;
    damaged[position] ^= 0x10;
    ExpectRefused(damaged, "model weights refused");
  }
}

TEST_F(SavedNetwork, OfAnotherVersionOrAnImpossibleShapeIsRefused) {
  ExpectRefused(Patched(8, 1), "version 1 is unknown, 2 is known");
  ExpectRefused(Patched(12, 0), "features");
  ExpectRefused(Patched(16, 1U << 31), "length");
  ExpectRefused(Patched(20, 4097), "context columns");
  ExpectRefused(Patched(24, 0), "hidden units");
  ExpectRefused(Patched(28, 17), "layers");
  ExpectRefused(Patched(32, 1U << 20), "head's hidden units");
  ExpectRefused(Patched(36, 2), "attention");
  ExpectRefused(Patched(44, 0x7ff80000), "dropout");
  ExpectRefused(Patched(48, 0xffffffff), "a list is longer");
  ExpectRefused(Patched(52, 3), "every target must be one of the features");
  ExpectRefused(Patched(64, 13), "horizons");
  ExpectRefused(Patched(68, 0), "horizons");
}

TEST_F(SavedNetwork, OfAShapeThatItsParametersDoNotFitIsRefused) {
  ExpectRefused(Patched(24, 6), "do not fit the shape");
  ExpectRefused(Patched(24, 4096), "do not fit the shape");
  ExpectRefused(Patched(28, 1), "does not fit the shape");
  ExpectRefused(Patched(36, 0), "does not fit the shape");
}

TEST_F(SavedNetwork, WithAValueThatIsNotFiniteIsRefused) {
  Weights weights = MakeWeights();
  for (const float value : {std::nanf(""), INFINITY, -INFINITY}) {
    weights.members[1].back()[2] = value;
    ExpectRefused(EncodeWeights(weights), "head.bias holds a value that is not finite");
  }
}

}  // namespace
}  // namespace flowcast::lstm
