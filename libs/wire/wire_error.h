// Why the bytes of a record were refused; a reason is a label of a counter.
#pragma once

#include <string_view>

namespace flowcast::wire {

enum class WireError {
  kNotOurs,         // no protobuf message of this kind
  kUnknownVersion,  // a later format
  kInconsistent,    // columns, indexes or values that contradict each other
};

constexpr std::string_view ToString(WireError error) {
  switch (error) {
    case WireError::kNotOurs:
      return "not a message of ours";
    case WireError::kUnknownVersion:
      return "unknown version";
    case WireError::kInconsistent:
      return "inconsistent content";
  }
  return "";
}

}  // namespace flowcast::wire
