// Feeds every decoder of messages any bytes; the first byte chooses. What is taken can be encoded
// and taken again; an alert can be told.
#include <cstdlib>
#include <string_view>

#include "libs/notify/payload.h"
#include "libs/notify/syslog_message.h"
#include "libs/wire/alert_wire.h"
#include "libs/wire/commit_note.h"
#include "libs/wire/features_state_wire.h"
#include "libs/wire/forecast_wire.h"
#include "libs/wire/inference_state_wire.h"
#include "libs/wire/model_wire.h"
#include "libs/wire/packet_wire.h"
#include "libs/wire/window_wire.h"

namespace {

namespace notify = flowcast::notify;
namespace wire = flowcast::wire;

template <typename Decode, typename Encode>
void Try(std::string_view bytes, const Decode& decode, const Encode& encode) {
  const auto decoded = decode(bytes);
  if (decoded && !decode(encode(*decoded))) std::abort();
}

/// What is told of an alert; null is no number, so one with a NaN does not come back.
void Tell(const flowcast::alert::Alert& alert) {
  static_cast<void>(wire::EncodeJson(alert));
  static_cast<void>(wire::CloudEventHeaders(alert));
  static_cast<void>(notify::WebhookBody(alert));
  static_cast<void>(notify::AlertmanagerBody({&alert, 1}, alert.made_at));
  static_cast<void>(notify::SyslogMessage(alert, "host", 1));
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
      if (const auto alert = wire::DecodeAlertJson(bytes)) Tell(*alert);
      break;
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
