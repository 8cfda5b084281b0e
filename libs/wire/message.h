// What all decoders share.
#pragma once

#include <google/protobuf/stubs/logging.h>

#include <limits>
#include <string_view>
#include <tl/expected.hpp>

#include "libs/base/sane_time.h"
#include "libs/wire/wire_error.h"

namespace flowcast::wire {

/// Parses a message of version 1.
template <typename Message>
tl::expected<Message, WireError> Parse(std::string_view bytes) {
  constexpr std::uint32_t kVersion = 1;
  const google::protobuf::LogSilencer silencer;  // the caller counts and logs at a limited rate
  Message message;
  if (bytes.size() > std::numeric_limits<int>::max() ||
      !message.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    return tl::unexpected(WireError::kNotOurs);
  }
  if (message.version() != kVersion) return tl::unexpected(WireError::kUnknownVersion);
  return message;
}

/// An empty message to fill. Each thread keeps one of a kind, so that there is memory from the one before;
/// do not hold on to it.
template <typename Message>
Message& EmptyMessage() {
  thread_local Message message;
  message.Clear();
  return message;
}

using base::IsSaneTime;

}  // namespace flowcast::wire
