// The LSTM over libtorch: what it learns, what it saves, what it refuses.
#include "libs/lstm/network.h"

#include <gtest/gtest.h>

#include <cmath>
#include <utility>

#include "libs/base/error.h"
#include "libs/base/hash.h"
#include "libs/base/random.h"

namespace flowcast::lstm {
namespace {

constexpr NetworkShape kSmall{.features = 2, .length = 6, .hidden = 8, .layers = 2, .dropout = 0.1};

// A sequence of period 4 (0, 1, 0, -1) from every phase; the second feature is noise.
Examples PeriodicExamples(std::size_t count, std::uint64_t seed) {
  constexpr float kPattern[] = {0, 1, 0, -1};
  base::Random random(seed);
  Examples examples;
  for (std::size_t i = 0; i < count; ++i) {
    const std::uint64_t phase = random.Below(4);
    for (std::uint64_t step = 0; step < 6; ++step) {
      examples.inputs.push_back(kPattern[(phase + step) % 4]);
      examples.inputs.push_back(static_cast<float>(random.Normal()));
    }
    examples.targets.push_back(kPattern[(phase + 6) % 4]);
  }
  return examples;
}

double MeanAbsoluteError(const std::vector<float>& forecasts, const std::vector<float>& targets) {
  double sum = 0;
  for (std::size_t i = 0; i < targets.size(); ++i) sum += std::abs(forecasts[i] - targets[i]);
  return sum / static_cast<double>(targets.size());
}

TrainingOptions QuickTraining() {
  TrainingOptions options;
  options.epochs = 30;
  options.learning_rate = 1e-2;
  return options;
}

TEST(Network, UntrainedIsPersistence) {
  const NetworkShape shape{.features = 3, .length = 5, .hidden = 8, .skip_feature = 1};
  const Network network(shape, 7);
  base::Random random(1);
  std::vector<float> inputs(700 * 15);
  for (float& value : inputs) value = static_cast<float>(random.Normal());
  const std::vector<float> forecasts = network.Predict(inputs);
  ASSERT_EQ(forecasts.size(), 700U);
  for (std::size_t i = 0; i < forecasts.size(); ++i) EXPECT_EQ(forecasts[i], inputs[i * 15 + 4 * 3 + 1]);
}

TEST(Network, CountsItsParameters) {
  EXPECT_EQ(Network(NetworkShape{.features = 5, .length = 10}, 1).parameter_count(), 51'521);
}

TEST(Network, RefusesShapesThatCannotBe) {
  for (const NetworkShape& shape :
       {NetworkShape{}, NetworkShape{.features = 1, .length = 0}, NetworkShape{.features = -1, .length = 1},
        NetworkShape{.features = 1, .length = 1, .hidden = 0},
        NetworkShape{.features = 1, .length = 1, .layers = 1000},
        NetworkShape{.features = 1, .length = 1, .dropout = 1},
        NetworkShape{.features = 1, .length = 1, .dropout = std::nan("")},
        NetworkShape{.features = 2, .length = 1, .skip_feature = 2}}) {
    EXPECT_THROW(Network(shape, 1), base::ConfigError);
  }
}

TEST(Network, RefusesInputsThatAreNoWholeSequencesAndTakesNone) {
  const Network network(kSmall, 1);
  EXPECT_THROW(network.Predict(std::vector<float>(13)), base::ConfigError);
  EXPECT_TRUE(network.Predict({}).empty());
}

TEST(Training, LearnsAPatternThatPersistenceCannotSee) {
  const Examples training = PeriodicExamples(512, 1);
  const Examples validation = PeriodicExamples(128, 2);
  const Examples test = PeriodicExamples(256, 3);
  Network network(kSmall, 1);
  const double persistence = MeanAbsoluteError(network.Predict(test.inputs), test.targets);
  const std::vector<Epoch> history = Train(network, training, validation, QuickTraining(), {});
  EXPECT_LT(MeanAbsoluteError(network.Predict(test.inputs), test.targets), 0.1 * persistence);
  ASSERT_GT(history.size(), 1U);
  EXPECT_EQ(history.front().number, 0);
  EXPECT_LT(history.back().training_loss, history.front().training_loss);
}

TEST(Training, WorksWithEveryOptimizer) {
  for (const auto& [optimizer, rate] :
       {std::pair{Optimizer::kAdam, 0.01}, {Optimizer::kAdamW, 0.01}, {Optimizer::kSgd, 0.05}}) {
    Network network(kSmall, 1);
    TrainingOptions options = QuickTraining();
    options.optimizer = optimizer;
    options.learning_rate = rate;
    options.patience = options.epochs;  // SGD leaves the zero head slowly
    const Examples validation = PeriodicExamples(64, 2);
    const double before = MeanAbsoluteError(network.Predict(validation.inputs), validation.targets);
    Train(network, PeriodicExamples(256, 1), validation, options, {});
    EXPECT_LT(MeanAbsoluteError(network.Predict(validation.inputs), validation.targets), 0.5 * before)
        << rate;
  }
}

// Nothing to learn: the targets are what persistence says, so epoch 0 is the best.
TEST(Training, StopsWhenPatienceEndsAndKeepsTheBestEpoch) {
  Examples training = PeriodicExamples(128, 1);
  for (std::size_t i = 0; i < training.count(); ++i) training.targets[i] = static_cast<float>(i % 3);
  Examples validation = PeriodicExamples(64, 2);
  for (std::size_t i = 0; i < validation.count(); ++i) validation.targets[i] = validation.inputs[i * 12 + 10];
  Network network(kSmall, 1);
  const std::vector<float> before = network.Predict(validation.inputs);
  TrainingOptions options = QuickTraining();
  options.patience = 3;
  const std::vector<Epoch> history = Train(network, training, validation, options, {});
  EXPECT_EQ(history.size(), 4U);
  EXPECT_EQ(network.Predict(validation.inputs), before);
}

TEST(Training, EndsWhenTheListenerSaysSo) {
  Network network(kSmall, 1);
  std::vector<int> heard;
  const auto history = Train(network, PeriodicExamples(64, 1), PeriodicExamples(64, 2), QuickTraining(),
                             [&](const Epoch& epoch) {
                               heard.push_back(epoch.number);
                               return epoch.number < 2;
                             });
  EXPECT_EQ(heard, (std::vector<int>{1, 2}));
  EXPECT_EQ(history.size(), 3U);
}

TEST(Training, OfTheSameSeedOptionsAndExamplesGivesTheSameBytes) {
  const auto train = [](std::uint64_t seed) {
    Network network(kSmall, 1);
    TrainingOptions options = QuickTraining();
    options.epochs = 4;
    options.seed = seed;
    Train(network, PeriodicExamples(200, 1), PeriodicExamples(50, 2), options, {});
    return network.Save();
  };
  EXPECT_EQ(train(1), train(1));
  EXPECT_NE(train(1), train(2));
}

TEST(Training, ThatDivergesEndsWithTheBestSoFar) {
  Network network(kSmall, 1);
  TrainingOptions options = QuickTraining();
  options.learning_rate = 1e38;
  Train(network, PeriodicExamples(200, 1), PeriodicExamples(50, 2), options, {});
  for (const float value : network.Predict(PeriodicExamples(50, 3).inputs)) EXPECT_TRUE(std::isfinite(value));
}

TEST(Training, RefusesExamplesThatDoNotFit) {
  Network network(kSmall, 1);
  const Examples good = PeriodicExamples(8, 1);
  Examples shorter = good;
  shorter.inputs.pop_back();
  Examples broken = good;
  broken.inputs[3] = std::nanf("");
  for (const Examples& bad : {Examples{}, shorter, broken}) {
    EXPECT_THROW(Train(network, bad, good, {}, {}), base::ConfigError);
    EXPECT_THROW(Train(network, good, bad, {}, {}), base::ConfigError);
  }
}

TEST(Training, RefusesOptionsThatCannotBe) {
  Network network(kSmall, 1);
  const Examples examples = PeriodicExamples(8, 1);
  for (const TrainingOptions& options :
       {TrainingOptions{.epochs = -1}, TrainingOptions{.patience = 0}, TrainingOptions{.learning_rate = 0},
        TrainingOptions{.batch_size = 0}, TrainingOptions{.gradient_clip = std::nan("")},
        TrainingOptions{.huber_delta = -1}, TrainingOptions{.threads = 0}}) {
    EXPECT_THROW(Train(network, examples, examples, options, {}), base::ConfigError);
  }
}

class SavedNetwork : public testing::Test {
 protected:
  SavedNetwork() {
    Network network(kSmall, 5);
    TrainingOptions options = QuickTraining();
    options.epochs = 2;
    Train(network, PeriodicExamples(64, 1), PeriodicExamples(64, 2), options, {});
    forecasts_ = network.Predict(inputs_);
    bytes_ = network.Save();
  }

  // Writes four bytes and makes the checksum right again.
  std::string Patched(std::size_t position, std::uint32_t value) const {
    std::string bytes = bytes_.substr(0, bytes_.size() - 8);
    for (std::size_t i = 0; i < 4; ++i) bytes[position + i] = static_cast<char>(value >> (8 * i));
    return Sealed(bytes);
  }

  static std::string Sealed(std::string bytes) {
    const std::uint64_t hash = base::Fnv1a64(bytes);
    for (std::size_t i = 0; i < 8; ++i) bytes.push_back(static_cast<char>(hash >> (8 * i)));
    return bytes;
  }

  static void ExpectRefused(const std::string& bytes, const std::string& reason) {
    try {
      Network::Load(bytes);
      ADD_FAILURE() << "accepted; expected: " << reason;
    } catch (const base::RuntimeError& error) {
      EXPECT_NE(std::string(error.what()).find(reason), std::string::npos) << error.what();
    }
  }

  std::vector<float> inputs_ = PeriodicExamples(40, 3).inputs;
  std::vector<float> forecasts_;
  std::string bytes_;
};

TEST_F(SavedNetwork, ForecastsTheSameAfterLoading) {
  const Network loaded = Network::Load(bytes_);
  EXPECT_EQ(loaded.shape(), kSmall);
  EXPECT_EQ(loaded.Predict(inputs_), forecasts_);
  EXPECT_EQ(loaded.Save(), bytes_);
}

TEST_F(SavedNetwork, CutShortIsRefused) {
  for (std::size_t size = 0; size < bytes_.size(); size += 97) {
    ExpectRefused(bytes_.substr(0, size), "model weights refused");
    ExpectRefused(Sealed(bytes_.substr(0, size)), "model weights refused");
  }
}

TEST_F(SavedNetwork, WithAnyByteChangedIsRefused) {
  for (std::size_t position = 0; position < bytes_.size(); position += 61) {
    std::string bytes = bytes_;
    bytes[position] = static_cast<char>(bytes[position] ^ 0x10);
    ExpectRefused(bytes, "model weights refused");
  }
}

TEST_F(SavedNetwork, WithAWrongFieldIsRefusedByNameThoughItsChecksumIsRight) {
  ExpectRefused(Patched(0, 0), "FLOWLSTM");
  ExpectRefused(Patched(8, 2), "version 2");
  ExpectRefused(Patched(12, 0), "features");
  ExpectRefused(Patched(12, 3), "dimensions of lstm.weight_ih_l0");
  ExpectRefused(Patched(16, 0xffffffff), "length");
  ExpectRefused(Patched(20, 4096), "dimensions");
  ExpectRefused(Patched(24, 3), "number of parameters");
  ExpectRefused(Patched(28, 2), "skip feature");
  ExpectRefused(Patched(36, 0x7ff80000), "dropout");
}

TEST_F(SavedNetwork, WithAValueThatIsNotFiniteIsRefused) {
  const std::size_t first_value = bytes_.find("lstm.weight_ih_l0") + 17 + 1 + 2 * 4;
  ExpectRefused(Patched(first_value, 0x7fc00000), "not finite");
  ExpectRefused(Patched(bytes_.size() - 12, 0x7f800000), "not finite");
}

TEST_F(SavedNetwork, WithBytesLeftOverIsRefused) {
  ExpectRefused(Sealed(bytes_.substr(0, bytes_.size() - 8) + "more"), "follow the last parameter");
}

TEST(LibraryVersion, NamesTorchAndItsBlas) {
  EXPECT_NE(LibraryVersion().find("libtorch 1.13"), std::string::npos);
  EXPECT_EQ(UsesSlowBlas(), LibraryVersion().find("slow") != std::string::npos);
}

}  // namespace
}  // namespace flowcast::lstm
