// FeaturesProgress and LinkSnapshot to and from protobuf.
#include "libs/wire/features_state_wire.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <limits>

#include "flowcast/v1/state.pb.h"
#include "libs/wire/internal/window_message.h"
#include "libs/wire/message.h"

namespace flowcast::wire {
namespace {

void Write(const window::Progress& progress,
           google::protobuf::RepeatedPtrField<v1::SourceProgress>& messages) {
  for (const auto& [name, source] : progress) {
    v1::SourceProgress& message = *messages.Add();
    message.set_source(name);
    message.set_epoch(source.epoch);
    message.set_content(source.content);
    message.set_next_sequence(source.next_sequence);
    if (source.started != base::kBeginningOfTime)
      message.set_started_ns(base::ToUnixNanoseconds(source.started));
    if (source.watermark != base::kBeginningOfTime)
      message.set_watermark_ns(base::ToUnixNanoseconds(source.watermark));
    message.set_final(source.final);
    if (source.closed_to != base::kBeginningOfTime)
      message.set_closed_to_ns(base::ToUnixNanoseconds(source.closed_to));
    message.set_ending(source.ending);
  }
}

bool IsSane(const v1::SourceProgress& message) {
  return IsSaneTime(message.started_ns()) && IsSaneTime(message.watermark_ns()) &&
         IsSaneTime(message.closed_to_ns());
}

template <typename Messages>
bool AreSane(const Messages& messages) {
  return std::all_of(messages.begin(), messages.end(), IsSane);
}

window::Progress Read(const google::protobuf::RepeatedPtrField<v1::SourceProgress>& messages) {
  window::Progress progress;
  for (const v1::SourceProgress& message : messages) {
    window::SourceProgress& source = progress[message.source()];
    source.epoch = message.epoch();
    source.content = message.content();
    source.next_sequence = message.next_sequence();
    if (message.has_started_ns()) source.started = base::FromUnixNanoseconds(message.started_ns());
    if (message.has_watermark_ns()) source.watermark = base::FromUnixNanoseconds(message.watermark_ns());
    source.final = message.final();
    if (message.has_closed_to_ns()) source.closed_to = base::FromUnixNanoseconds(message.closed_to_ns());
    source.ending = message.ending();
  }
  return progress;
}

void WriteProfile(const feature::SeasonalProfile::State& profile, v1::FeaturesLink& message) {
  for (const feature::SeasonalProfile::Quarter& quarter : profile.quarters) {
    v1::SeasonalQuarter& written = *message.add_profile();
    written.set_number(quarter.number);
    written.set_days(quarter.days);
    written.set_log_packets(quarter.log_mean[0]);
    written.set_log_bytes(quarter.log_mean[1]);
  }
  message.set_open_quarter(profile.open.since_epoch);
  message.set_open_windows(profile.open.windows);
  message.set_open_log_packets(profile.open.log_sum[0]);
  message.set_open_log_bytes(profile.open.log_sum[1]);
}

bool HasSaneProfile(const v1::FeaturesLink& message) {
  constexpr std::uint32_t kQuarters = 2 * feature::SeasonalProfile::kQuartersOfDay;
  constexpr std::int64_t kLastQuarter = std::int64_t{1} << 23;  // beyond every sane time
  std::int64_t before = -1;
  for (const v1::SeasonalQuarter& quarter : message.profile()) {
    if (std::int64_t{quarter.number()} <= before || quarter.number() >= kQuarters || quarter.days() == 0 ||
        quarter.days() > std::numeric_limits<std::uint16_t>::max() || !std::isfinite(quarter.log_packets()) ||
        !std::isfinite(quarter.log_bytes()))
      return false;
    before = quarter.number();
  }
  return std::abs(message.open_quarter()) < kLastQuarter && std::isfinite(message.open_log_packets()) &&
         std::isfinite(message.open_log_bytes());
}

feature::SeasonalProfile::State ReadProfile(const v1::FeaturesLink& message) {
  feature::SeasonalProfile::State profile;
  for (const v1::SeasonalQuarter& quarter : message.profile()) {
    profile.quarters.push_back({.number = static_cast<std::uint16_t>(quarter.number()),
                                .days = static_cast<std::uint16_t>(quarter.days()),
                                .log_mean = {quarter.log_packets(), quarter.log_bytes()}});
  }
  profile.open = {.since_epoch = message.open_quarter(),
                  .windows = message.open_windows(),
                  .log_sum = {message.open_log_packets(), message.open_log_bytes()}};
  return profile;
}

}  // namespace

std::string Encode(const FeaturesProgress& progress) {
  v1::FeaturesProgress message;
  message.set_version(1);
  message.set_next_offset(progress.next_offset);
  Write(progress.before, *message.mutable_before());
  Write(progress.now, *message.mutable_now());
  message.set_windows_from(progress.windows_from);
  message.set_windows_to(progress.windows_to);
  message.set_owed_windows(progress.owed);
  message.set_last_link(progress.last.link);
  if (!progress.last.link.empty()) message.set_last_start_ns(base::ToUnixNanoseconds(progress.last.start));
  return message.SerializeAsString();
}

tl::expected<FeaturesProgress, WireError> DecodeFeaturesProgress(std::string_view bytes) {
  const auto message = Parse<v1::FeaturesProgress>(bytes);
  if (!message) return tl::unexpected(message.error());
  if (message->next_offset() < 0 || message->windows_from() < 0 ||
      message->windows_to() < message->windows_from() || !AreSane(message->before()) ||
      !AreSane(message->now()) || !IsSaneTime(message->last_start_ns())) {
    return tl::unexpected(WireError::kInconsistent);
  }
  return FeaturesProgress{
      .next_offset = message->next_offset(),
      .before = Read(message->before()),
      .now = Read(message->now()),
      .windows_from = message->windows_from(),
      .windows_to = message->windows_to(),
      .owed = message->owed_windows(),
      .last = {message->last_link(), base::FromUnixNanoseconds(message->last_start_ns())}};
}

std::string Encode(const window::LinkSnapshot& snapshot) {
  v1::FeaturesLink message;
  message.set_version(1);
  message.set_source(snapshot.source);
  message.set_next_start_ns(base::ToUnixNanoseconds(snapshot.next_start));
  message.set_idle_since_ns(base::ToUnixNanoseconds(snapshot.idle_since));
  for (const feature::Window& window : snapshot.windows) internal::Write(window, *message.add_windows());
  WriteProfile(snapshot.profile, message);
  message.set_ended(snapshot.ended);
  return message.SerializeAsString();
}

tl::expected<window::LinkSnapshot, WireError> DecodeLinkSnapshot(std::string_view bytes) {
  const auto message = Parse<v1::FeaturesLink>(bytes);
  if (!message) return tl::unexpected(message.error());
  if (!IsSaneTime(message->next_start_ns()) || !IsSaneTime(message->idle_since_ns()))
    return tl::unexpected(WireError::kInconsistent);
  window::LinkSnapshot snapshot{.source = message->source(),
                                .next_start = base::FromUnixNanoseconds(message->next_start_ns()),
                                .idle_since = base::FromUnixNanoseconds(message->idle_since_ns())};
  if (!HasSaneProfile(*message)) return tl::unexpected(WireError::kInconsistent);
  snapshot.profile = ReadProfile(*message);
  snapshot.ended = message->ended();
  for (const v1::Window& window : message->windows()) {
    if (!internal::IsConsistent(window)) return tl::unexpected(WireError::kInconsistent);
    snapshot.windows.push_back(internal::Read(window));
  }
  return snapshot;
}

}  // namespace flowcast::wire
