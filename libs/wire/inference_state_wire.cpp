// InferenceProgress and InferenceLink to and from protobuf.
#include "libs/wire/inference_state_wire.h"

#include <algorithm>

#include "flowcast/v1/state.pb.h"
#include "libs/base/hash.h"
#include "libs/wire/message.h"

namespace flowcast::wire {

std::string Encode(const InferenceProgress& progress) {
  v1::InferenceProgress message;
  message.set_version(1);
  message.set_next_offset(progress.next_offset);
  for (const TakeOver& model : progress.models) {
    v1::TakeOver& written = *message.add_models();
    written.set_from_offset(model.from_offset);
    written.set_model_version(model.model_version);
  }
  return message.SerializeAsString();
}

tl::expected<InferenceProgress, WireError> DecodeInferenceProgress(std::string_view bytes) {
  const auto message = Parse<v1::InferenceProgress>(bytes);
  if (!message) return tl::unexpected(message.error());
  InferenceProgress progress{.next_offset = message->next_offset(), .models = {}};
  for (const v1::TakeOver& model : message->models())
    progress.models.push_back({model.from_offset(), model.model_version()});
  const bool ascends = std::is_sorted(
      progress.models.begin(), progress.models.end(),
      [](const TakeOver& one, const TakeOver& other) { return one.from_offset < other.from_offset; });
  if (progress.next_offset < 0 || !ascends) return tl::unexpected(WireError::kInconsistent);
  return progress;
}

std::string Encode(const InferenceLink& link) {
  v1::InferenceLink message;
  message.set_version(1);
  message.set_offset(link.offset);
  message.set_last_end_ns(base::ToUnixNanoseconds(link.last_end));
  message.set_window_ns(link.window_length.count());
  for (const std::string& forecaster : link.forecasters) {
    message.add_forecasters(forecaster);
    message.add_forecaster_hashes(base::Fnv1a64(forecaster));
  }
  message.set_firing(link.alert.firing);
  message.set_firing_since_ns(base::ToUnixNanoseconds(link.alert.started_at));
  return message.SerializeAsString();
}

tl::expected<InferenceLink, WireError> DecodeInferenceLink(std::string_view bytes) {
  const auto message = Parse<v1::InferenceLink>(bytes);
  if (!message) return tl::unexpected(message.error());
  const bool intact =
      message->forecasters_size() > 0 &&
      std::equal(message->forecasters().begin(), message->forecasters().end(),
                 message->forecaster_hashes().begin(), message->forecaster_hashes().end(),
                 [](const std::string& one, std::uint64_t hash) { return base::Fnv1a64(one) == hash; });
  const bool sound =
      message->offset() >= 0 && IsSaneTime(message->last_end_ns()) && message->window_ns() > 0 && intact;
  if (!sound) return tl::unexpected(WireError::kInconsistent);
  return InferenceLink{.offset = message->offset(),
                       .last_end = base::FromUnixNanoseconds(message->last_end_ns()),
                       .window_length = base::Duration(message->window_ns()),
                       .forecasters = {message->forecasters().begin(), message->forecasters().end()},
                       .alert = {message->firing(), base::FromUnixNanoseconds(message->firing_since_ns())}};
}

}  // namespace flowcast::wire
