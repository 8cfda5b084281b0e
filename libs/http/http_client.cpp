// Over cpp-httplib.
#include "libs/http/http_client.h"

#include <httplib.h>

#include <atomic>
#include <fstream>

#include "libs/base/error.h"

namespace flowcast::http {
namespace {

constexpr std::size_t kMostBodyBytes = 64 << 10;

std::string InWords(httplib::Error error) {
  switch (error) {
    case httplib::Error::Connection:
      return "can't connect";
    case httplib::Error::ConnectionTimeout:
      return "connecting took too long";
    case httplib::Error::Read:
      return "no answer came, or not in time";
    case httplib::Error::Write:
      return "the connection broke";
    case httplib::Error::SSLConnection:
      return "TLS failed";
    case httplib::Error::SSLLoadingCerts:
      return "the authorities' certificates can't be loaded";
    case httplib::Error::SSLServerVerification:
      return "its certificate is not trusted (--ca-file names an authority)";
    default:
      return httplib::to_string(error);
  }
}

}  // namespace

class HttpClient::Impl {
 public:
  Impl(const std::string& server, const ClientOptions& options) : server_(server), client_(server) {
    client_.set_connection_timeout(options.timeout);
    client_.set_read_timeout(options.timeout);
    client_.set_write_timeout(options.timeout);
    if (options.ca_file.empty()) return;
    if (!std::ifstream(options.ca_file))
      throw base::ConfigError("--ca-file " + options.ca_file + " can't be read");
    client_.set_ca_cert_path(options.ca_file);
  }

  notify::HttpAnswer Post(const notify::HttpRequest& request) {
    if (interrupted_) return {.error = "interrupted"};
    notify::HttpAnswer answer;
    httplib::Request message = MessageOf(request);
    message.response_handler = [&answer](const httplib::Response& response) {
      answer.status = response.status;
      answer.retry_after = response.get_header_value("Retry-After");
      return true;
    };
    std::size_t read_bytes = 0;
    message.content_receiver = [&read_bytes](const char*, std::size_t size, std::uint64_t, std::uint64_t) {
      return (read_bytes += size) <= kMostBodyBytes;
    };
    const httplib::Result result = client_.send(message);
    // What follows the head does not matter.
    if (answer.status == 0) answer.error = server_ + ": " + InWords(result.error());
    return answer;
  }

  void Interrupt() {
    interrupted_ = true;
    client_.stop();
  }

 private:
  static httplib::Request MessageOf(const notify::HttpRequest& request) {
    httplib::Request message;
    message.method = "POST";
    message.path = request.path;
    message.body = request.body;
    message.headers = {request.headers.begin(), request.headers.end()};
    message.headers.emplace("Content-Type", "application/json");
    return message;
  }

  std::string server_;
  std::atomic<bool> interrupted_ = false;
  httplib::Client client_;
};

HttpClient::HttpClient(const std::string& server, const ClientOptions& options)
    : impl_(std::make_unique<Impl>(server, options)) {}

HttpClient::~HttpClient() = default;

notify::HttpAnswer HttpClient::Post(const notify::HttpRequest& request) { return impl_->Post(request); }

void HttpClient::Interrupt() { impl_->Interrupt(); }

}  // namespace flowcast::http
