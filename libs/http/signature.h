// Signatures of what is posted.
#pragma once

#include <string>

namespace flowcast::http {

/// HMAC-SHA256 (RFC 2104) in lower-case hexadecimal digits.
std::string HmacSha256(const std::string& key, const std::string& text);

}  // namespace flowcast::http
