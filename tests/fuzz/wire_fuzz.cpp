// Feeds every decoder of messages any bytes; the first byte chooses. What is taken can be encoded
// and taken again.
#include <cstdlib>
#include <string_view>

#include "libs/wire/alert_wire.h"
#include "libs/wire/commit_note.h"
#include "libs/wire/features_state_wire.h"
#include "libs/wire/forecast_wire.h"
#include "libs/wire/inference_state_wire.h"
#include "libs/wire/model_wire.h"
#include "libs/wire/packet_wire.h"
#include "libs/wire/window_wire.h"

namespace {

namespace wire = flowcast::wire;

template <typename Decode, typename Encode>
void Try(std::string_view bytes, const Decode& decode, const Encode& encode) {
  const auto decoded = decode(bytes);
  if (decoded && !decode(encode(*decoded))) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  const auto encode = [](const auto& message) { return wire::Encode(message); };
  switch (data[0] % 12) {
    case 0:
      Try(bytes, wire::DecodePacketBatch, encode);
      break;
    case 1:
      Try(bytes, wire::DecodeWindow, encode);
      break;
    case 2:
      Try(bytes, wire::DecodeSequence, encode);
      break;
    case 3:
      Try(bytes, wire::DecodeForecast, encode);
      break;
    case 4:
      Try(bytes, wire::DecodeModel, encode);
      break;
    case 5:
      Try(bytes, wire::DecodeCurrentModel, wire::EncodeCurrentModel);
      break;
    case 6:
      static_cast<void>(wire::DecodeAlertJson(bytes));
      break;  // null is no number, so NaN does not come back
    case 7:
      Try(bytes, wire::DecodeFeaturesProgress, encode);
      break;
    case 8:
      Try(bytes, wire::DecodeLinkSnapshot, encode);
      break;
    case 9:
      Try(bytes, wire::DecodeInferenceProgress, encode);
      break;
    case 10:
      Try(bytes, wire::DecodeInferenceLink, encode);
      break;
    default:
      Try(bytes, wire::DecodeCommitNote, encode);
      break;
  }
  return 0;
}
