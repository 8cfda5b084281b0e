// Requests and what their answers mean.
#include "libs/notify/http_senders.h"

#include "libs/notify/payload.h"

namespace flowcast::notify {
namespace {

Outcome Post(HttpPoster& poster, HttpRequest request, const base::Clock& clock) {
  request.headers.emplace_back("User-Agent", "flowcast-notifier/" FLOWCAST_VERSION);
  const HttpAnswer answer = poster.Post(request);
  if (answer.status == 0) return {.kind = Outcome::Kind::kRetry, .reason = answer.error};
  return JudgeStatus(answer.status, answer.retry_after, clock.Now());
}

}  // namespace

Outcome WebhookSender::Send(std::span<const alert::Alert> alerts) {
  Outcome outcome;
  for (const alert::Alert& alert : alerts) {
    outcome = SendOne(alert);
    if (outcome.kind != Outcome::Kind::kTaken) break;
  }
  return outcome;
}

Outcome WebhookSender::SendOne(const alert::Alert& alert) {
  HttpRequest request{.path = path_, .body = WebhookBody(alert)};
  if (sign_) {
    const auto seconds = std::chrono::floor<std::chrono::seconds>(clock_.Now()).time_since_epoch().count();
    const std::string timestamp = std::to_string(seconds);
    request.headers = {{"X-Flowcast-Timestamp", timestamp},
                       {"X-Flowcast-Signature", "sha256=" + sign_(SignedText(timestamp, request.body))}};
  }
  return Post(poster_, std::move(request), clock_);
}

AlertmanagerSender::AlertmanagerSender(HttpPoster& poster, const std::string& path, const base::Clock& clock)
    : poster_(poster), path_(path + (path.ends_with('/') ? "" : "/") + "api/v2/alerts"), clock_(clock) {}

Outcome AlertmanagerSender::Send(std::span<const alert::Alert> alerts) {
  return Post(poster_, {.path = path_, .body = AlertmanagerBody(alerts, clock_.Now())}, clock_);
}

}  // namespace flowcast::notify
