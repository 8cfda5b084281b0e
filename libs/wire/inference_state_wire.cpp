// InferenceProgress and InferenceLink to and from protobuf.
#include "libs/wire/inference_state_wire.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "flowcast/v1/state.pb.h"
#include "libs/base/hash.h"
#include "libs/wire/alert_wire.h"
#include "libs/wire/message.h"

namespace flowcast::wire {
namespace {

template <typename FromOffsets>
bool Ascends(const FromOffsets& all) {
  return std::is_sorted(all.begin(), all.end(), [](const auto& one, const auto& other) {
    return one.from_offset < other.from_offset;
  });
}

void Write(const alert::ActiveAlert& active, v1::ActiveAlert& message) {
  message.set_rule(active.rule);
  message.set_firing(active.life.phase == alert::Phase::kFiring);
  message.set_held(active.life.held);
  message.set_started_at_ns(base::ToUnixNanoseconds(active.life.started_at));
  message.set_fired_at_ns(base::ToUnixNanoseconds(active.life.fired_at));
  message.set_kept_at_ns(base::ToUnixNanoseconds(active.life.kept_at));
  message.set_told(active.told);
  message.set_published(EncodeJson(active.published));
}

/// Nothing when it contradicts itself.
std::optional<alert::ActiveAlert> Read(const v1::ActiveAlert& message) {
  const auto published = DecodeAlertJson(message.published());
  const bool sound = published && IsSaneTime(message.started_at_ns()) &&
                     (!message.firing() || IsSaneTime(message.kept_at_ns()));
  if (!sound) return std::nullopt;
  return alert::ActiveAlert{
      .rule = message.rule(),
      .life = {.phase = message.firing() ? alert::Phase::kFiring : alert::Phase::kPending,
               .held = message.held(),
               .started_at = base::FromUnixNanoseconds(message.started_at_ns()),
               .fired_at = base::FromUnixNanoseconds(message.fired_at_ns()),
               .kept_at = base::FromUnixNanoseconds(message.kept_at_ns())},
      .told = message.told(),
      .published = *published};
}

}  // namespace

std::string Encode(const InferenceProgress& progress) {
  v1::InferenceProgress message;
  message.set_version(1);
  message.set_next_offset(progress.next_offset);
  for (const TakeOver& model : progress.models) {
    v1::TakeOver& written = *message.add_models();
    written.set_from_offset(model.from_offset);
    written.set_model_version(model.model_version);
  }
  for (const RulesInForce& rules : progress.rules) {
    v1::RulesInForce& written = *message.add_rules();
    written.set_from_offset(rules.from_offset);
    written.mutable_marks()->Add(rules.marks.begin(), rules.marks.end());
  }
  return message.SerializeAsString();
}

tl::expected<InferenceProgress, WireError> DecodeInferenceProgress(std::string_view bytes) {
  const auto message = Parse<v1::InferenceProgress>(bytes);
  if (!message) return tl::unexpected(message.error());
  InferenceProgress progress{.next_offset = message->next_offset(), .models = {}, .rules = {}};
  for (const v1::TakeOver& model : message->models())
    progress.models.push_back({model.from_offset(), model.model_version()});
  for (const v1::RulesInForce& rules : message->rules())
    progress.rules.push_back({rules.from_offset(), {rules.marks().begin(), rules.marks().end()}});
  const bool ascends = Ascends(progress.models) && Ascends(progress.rules);
  if (progress.next_offset < 0 || !ascends) return tl::unexpected(WireError::kInconsistent);
  return progress;
}

std::string Encode(const InferenceLink& link) {
  v1::InferenceLink message;
  message.set_version(1);
  message.set_offset(link.offset);
  message.set_last_end_ns(base::ToUnixNanoseconds(link.last_end));
  if (link.astray != base::kBeginningOfTime) message.set_astray_ns(base::ToUnixNanoseconds(link.astray));
  message.set_window_ns(link.window_length.count());
  for (const std::string& forecaster : link.forecasters) {
    message.add_forecasters(forecaster);
    message.add_forecaster_hashes(base::Fnv1a64(forecaster));
  }
  for (const alert::ActiveAlert& active : link.alerts) Write(active, *message.add_alerts());
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
  const bool sound = message->offset() >= 0 && IsSaneTime(message->last_end_ns()) &&
                     IsSaneTime(message->astray_ns()) && message->window_ns() > 0 && intact;
  if (!sound) return tl::unexpected(WireError::kInconsistent);
  InferenceLink link{.offset = message->offset(),
                     .last_end = base::FromUnixNanoseconds(message->last_end_ns()),
                     .astray = message->has_astray_ns() ? base::FromUnixNanoseconds(message->astray_ns())
                                                        : base::kBeginningOfTime,
                     .window_length = base::Duration(message->window_ns()),
                     .forecasters = {message->forecasters().begin(), message->forecasters().end()},
                     .alerts = {}};
  for (const v1::ActiveAlert& message_of_one : message->alerts()) {
    auto active = Read(message_of_one);
    if (!active) return tl::unexpected(WireError::kInconsistent);
    link.alerts.push_back(std::move(*active));
  }
  return link;
}

}  // namespace flowcast::wire
