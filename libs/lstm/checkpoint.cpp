// Checkpoints as bytes.
#include "libs/lstm/internal/checkpoint.h"

#include <bit>

#include "libs/lstm/internal/bytes.h"

namespace flowcast::lstm {
namespace {

constexpr std::string_view kMagic = "FLOWCKPT";
constexpr std::uint32_t kMostEpochs = 1'000'000;

void PutDouble(std::string& out, double value) { Put(out, std::bit_cast<std::uint64_t>(value)); }
double GetDouble(Cursor& cursor) { return std::bit_cast<double>(cursor.Get<std::uint64_t>()); }
void PutInt(std::string& out, int value) { Put(out, static_cast<std::uint32_t>(value)); }
int GetInt(Cursor& cursor) { return static_cast<int>(cursor.Get<std::uint32_t>()); }

std::uint64_t HashOf(const std::vector<float>& values, std::uint64_t hash) {
  const std::string_view bytes(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float));
  return base::Fnv1a64(bytes, hash);
}

std::uint64_t HashOf(const training::Examples& examples, std::uint64_t hash) {
  for (const auto* values : {&examples.inputs, &examples.context, &examples.targets, &examples.weights}) {
    hash = HashOf(*values, hash);
  }
  return hash;
}

void PutMember(std::string& out, const MemberState& state) {
  for (const Parameters* parameters :
       {&state.current, &state.best, &state.moments.first, &state.moments.second}) {
    PutParameters(out, *parameters);
  }
  Put(out, state.moments.steps);
  PutDouble(out, state.best_loss);
  PutInt(out, state.best_epoch);
  PutInt(out, state.finished ? 1 : 0);
  PutDouble(out, state.training_loss);
  PutDouble(out, state.validation_loss);
}

MemberState GetMember(Cursor& cursor, const NetworkShape& shape) {
  MemberState state;
  for (Parameters* parameters : {&state.current, &state.best, &state.moments.first, &state.moments.second}) {
    *parameters = GetParameters(cursor, shape);
  }
  state.moments.steps = cursor.Get<std::uint64_t>();
  state.best_loss = GetDouble(cursor);
  state.best_epoch = GetInt(cursor);
  state.finished = GetInt(cursor) != 0;
  state.training_loss = GetDouble(cursor);
  state.validation_loss = GetDouble(cursor);
  return state;
}

}  // namespace

std::uint64_t Fingerprint(const NetworkShape& shape, const LearnerOptions& options,
                          const training::Examples& training, const training::Examples& validation) {
  std::string facts = EncodeWeights({shape, {}});
  const TrainingOptions& training_options = options.training;
  PutInt(facts, options.members);
  PutInt(facts, training_options.epochs);
  PutInt(facts, training_options.patience);
  PutDouble(facts, training_options.learning_rate);
  PutInt(facts, static_cast<int>(training_options.optimizer));
  Put(facts, static_cast<std::uint64_t>(training_options.batch_size));
  PutDouble(facts, training_options.gradient_clip);
  Put(facts, training_options.seed);
  return HashOf(validation, HashOf(training, base::Fnv1a64(facts)));
}

std::string EncodeCheckpoint(const Checkpoint& checkpoint, std::uint64_t fingerprint) {
  std::string out(kMagic);
  Put(out, fingerprint);
  PutInt(out, static_cast<int>(checkpoint.history.size()));
  for (const training::EpochResult& epoch : checkpoint.history) {
    PutInt(out, epoch.number);
    PutDouble(out, epoch.training_loss);
    PutDouble(out, epoch.validation_loss);
  }
  PutInt(out, static_cast<int>(checkpoint.members.size()));
  for (const MemberState& member : checkpoint.members) PutMember(out, member);
  Seal(out);
  return out;
}

std::optional<Checkpoint> DecodeCheckpoint(std::string_view bytes, const NetworkShape& shape,
                                           std::uint64_t fingerprint) {
  try {
    Cursor cursor(Unseal(bytes, kMagic));
    cursor.Take(kMagic.size());
    if (cursor.Get<std::uint64_t>() != fingerprint) return std::nullopt;
    Checkpoint checkpoint;
    const auto epochs = cursor.Get<std::uint32_t>();
    if (epochs == 0 || epochs > kMostEpochs) return std::nullopt;
    for (std::uint32_t i = 0; i < epochs; ++i) {
      const int number = GetInt(cursor);
      const double training_loss = GetDouble(cursor);
      checkpoint.history.push_back({number, training_loss, GetDouble(cursor)});
    }
    const auto members = cursor.Get<std::uint32_t>();
    for (std::uint32_t i = 0; i < members; ++i) checkpoint.members.push_back(GetMember(cursor, shape));
    if (members == 0 || cursor.left() != 0) return std::nullopt;
    return checkpoint;
  } catch (const BadBytes&) {
    return std::nullopt;
  }
}

}  // namespace flowcast::lstm
