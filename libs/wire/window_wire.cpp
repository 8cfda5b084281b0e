// Window and Sequence to and from protobuf.
#include "libs/wire/window_wire.h"

#include <algorithm>
#include <cmath>
#include <optional>

#include "libs/base/error.h"
#include "libs/wire/internal/window_message.h"
#include "libs/wire/message.h"

namespace flowcast::wire {
namespace {

template <typename Values>
bool AllFinite(const Values& values) {
  return std::all_of(values.begin(), values.end(), [](auto value) { return std::isfinite(value); });
}

/// Packets and bytes, and what else was asked for.
bool IsColumnCount(int count) { return count >= 2 && count <= 4096; }

bool IsConsistent(const v1::Sequence& message) {
  const int columns = message.last_size();
  constexpr std::uint32_t kLongest = 100'000;
  return IsColumnCount(columns) && message.length() > 0 && message.length() <= kLongest &&
         message.window_ns() > 0 && IsSaneTime(message.end_ns()) && IsSaneTime(message.window_ns()) &&
         message.centre_size() == columns && message.scale_size() == columns &&
         message.values_size() == static_cast<std::int64_t>(message.length()) * columns &&
         AllFinite(message.centre()) && AllFinite(message.scale()) && AllFinite(message.values()) &&
         AllFinite(message.last()) &&
         std::all_of(message.scale().begin(), message.scale().end(), [](double scale) { return scale > 0; });
}

bool HasKnownNormalization(const v1::Sequence& message) {
  return message.normalization() <= static_cast<std::uint32_t>(feature::Scaling::kNone);
}

bool HasConsistentUsual(const v1::Sequence& message) {
  const auto not_negative = [](double value) { return value >= 0; };
  return message.usual_bytes_size() == message.usual_packets_size() &&
         message.usual_days_size() == message.usual_packets_size() && AllFinite(message.usual_packets()) &&
         AllFinite(message.usual_bytes()) &&
         std::all_of(message.usual_packets().begin(), message.usual_packets().end(), not_negative) &&
         std::all_of(message.usual_bytes().begin(), message.usual_bytes().end(), not_negative);
}

/// Nothing where the text makes none with so many columns.
std::optional<feature::Schema> SchemaOf(const std::string& text, feature::Scaling scaling, int columns) {
  try {
    auto schema = feature::Schema::Parse(text.empty() ? "default" : text, scaling);
    if (static_cast<int>(schema.size()) == columns) return schema;
  } catch (const base::ConfigError&) {
  }
  return std::nullopt;
}

std::vector<feature::Usual> ReadUsual(const v1::Sequence& message) {
  std::vector<feature::Usual> usual;
  for (int i = 0; i < message.usual_packets_size(); ++i)
    usual.push_back({message.usual_packets(i), message.usual_bytes(i), message.usual_days(i)});
  return usual;
}

}  // namespace

namespace internal {

void Write(const feature::Window& window, v1::Window& message) {
  message.set_version(1);
  message.set_link(window.link);
  message.set_start_ns(base::ToUnixNanoseconds(window.start));
  message.set_length_ns(window.length.count());
  message.set_schema_hash(window.schema_hash);
  message.set_partial(window.partial);
  message.set_packets(window.packets);
  message.set_bytes(window.bytes);
  message.set_late_packets(window.late_packets);
  message.set_approximate(window.approximate);
  message.mutable_features()->Add(window.features.begin(), window.features.end());
}

bool IsConsistent(const v1::Window& message) {
  return IsColumnCount(message.features_size()) && AllFinite(message.features()) &&
         IsSaneTime(message.start_ns()) && IsSaneTime(message.length_ns()) && message.length_ns() > 0;
}

feature::Window Read(const v1::Window& message) {
  return {.link = message.link(),
          .start = base::FromUnixNanoseconds(message.start_ns()),
          .length = base::Duration(message.length_ns()),
          .schema_hash = message.schema_hash(),
          .partial = message.partial(),
          .packets = message.packets(),
          .bytes = message.bytes(),
          .late_packets = message.late_packets(),
          .approximate = message.approximate(),
          .features = {message.features().begin(), message.features().end()}};
}

}  // namespace internal

std::string Encode(const feature::Window& window, std::string_view schema) {
  auto& message = EmptyMessage<v1::Window>();
  internal::Write(window, message);
  message.set_schema(std::string(schema));
  return message.SerializeAsString();
}

tl::expected<feature::Window, WireError> DecodeWindow(std::string_view bytes) {
  const auto message = Parse<v1::Window>(bytes);
  if (!message) return tl::unexpected(message.error());
  if (!internal::IsConsistent(*message)) return tl::unexpected(WireError::kInconsistent);
  return internal::Read(*message);
}

tl::expected<feature::Schema, WireError> DecodeWindowSchema(std::string_view bytes) {
  const auto message = Parse<v1::Window>(bytes);
  if (!message) return tl::unexpected(message.error());
  auto schema = SchemaOf(message->schema(), feature::Scaling::kRobust, message->features_size());
  if (!schema || schema->hash() != message->schema_hash()) return tl::unexpected(WireError::kInconsistent);
  return *schema;
}

tl::expected<feature::Schema, WireError> DecodeSequenceSchema(std::string_view bytes) {
  const auto message = Parse<v1::Sequence>(bytes);
  if (!message) return tl::unexpected(message.error());
  if (!HasKnownNormalization(*message)) return tl::unexpected(WireError::kInconsistent);
  const auto scaling = static_cast<feature::Scaling>(message->normalization());
  auto schema = SchemaOf(message->schema(), scaling, message->last_size());
  if (!schema || schema->sequence_hash() != message->schema_hash())
    return tl::unexpected(WireError::kInconsistent);
  return *schema;
}

std::string Encode(const feature::Sequence& sequence, std::string_view schema) {
  auto& message = EmptyMessage<v1::Sequence>();
  message.set_version(1);
  message.set_schema(std::string(schema));
  message.set_link(sequence.link);
  message.set_end_ns(base::ToUnixNanoseconds(sequence.end));
  message.set_window_ns(sequence.window_length.count());
  message.set_schema_hash(sequence.schema_hash);
  message.set_normalization(static_cast<std::uint32_t>(sequence.scaling));
  message.set_length(sequence.length);
  message.mutable_centre()->Add(sequence.centre.begin(), sequence.centre.end());
  message.mutable_scale()->Add(sequence.scale.begin(), sequence.scale.end());
  message.mutable_values()->Add(sequence.values.begin(), sequence.values.end());
  message.mutable_last()->Add(sequence.last.begin(), sequence.last.end());
  for (const feature::Usual& usual : sequence.usual) {
    message.add_usual_packets(usual.packets);
    message.add_usual_bytes(usual.bytes);
    message.add_usual_days(usual.days);
  }
  return message.SerializeAsString();
}

tl::expected<feature::Sequence, WireError> DecodeSequence(std::string_view bytes) {
  const auto message = Parse<v1::Sequence>(bytes);
  if (!message) return tl::unexpected(message.error());
  if (!IsConsistent(*message) || !HasKnownNormalization(*message) || !HasConsistentUsual(*message))
    return tl::unexpected(WireError::kInconsistent);
  return feature::Sequence{.link = message->link(),
                           .end = base::FromUnixNanoseconds(message->end_ns()),
                           .window_length = base::Duration(message->window_ns()),
                           .schema_hash = message->schema_hash(),
                           .scaling = static_cast<feature::Scaling>(message->normalization()),
                           .length = message->length(),
                           .centre = {message->centre().begin(), message->centre().end()},
                           .scale = {message->scale().begin(), message->scale().end()},
                           .values = {message->values().begin(), message->values().end()},
                           .last = {message->last().begin(), message->last().end()},
                           .usual = ReadUsual(*message)};
}

}  // namespace flowcast::wire
