// Alerts over HTTP: to web-hooks, and to an Alertmanager.
#pragma once

#include <functional>
#include <string>

#include "libs/base/clock.h"
#include "libs/notify/http_poster.h"
#include "libs/notify/sender.h"

namespace flowcast::notify {

/// HMAC-SHA256 of a text in lower-case hexadecimal digits, under a key that it knows.
using Sign = std::function<std::string(const std::string& text)>;

/// One alert a request, as WebhookBody has it. With `sign`, X-Flowcast-Timestamp (seconds since 1970) and
/// X-Flowcast-Signature ("sha256=" and the signature of SignedText) say where it comes from and when.
class WebhookSender : public Sender {
 public:
  /// Poster and clock must outlive it; `sign` may be empty.
  WebhookSender(HttpPoster& poster, std::string path, Sign sign, const base::Clock& clock)
      : poster_(poster), path_(std::move(path)), sign_(std::move(sign)), clock_(clock) {}
  Outcome Send(std::span<const alert::Alert> alerts) override;
  void Interrupt() override { poster_.Interrupt(); }

 private:
  Outcome SendOne(const alert::Alert& alert);

  HttpPoster& poster_;
  std::string path_;
  Sign sign_;
  const base::Clock& clock_;
};

/// POST of AlertmanagerBody to api/v2/alerts under `path`, which is that of its web pages.
class AlertmanagerSender : public Sender {
 public:
  AlertmanagerSender(HttpPoster& poster, const std::string& path, const base::Clock& clock);
  Outcome Send(std::span<const alert::Alert> alerts) override;
  void Interrupt() override { poster_.Interrupt(); }

 private:
  HttpPoster& poster_;
  std::string path_;
  const base::Clock& clock_;
};

}  // namespace flowcast::notify
