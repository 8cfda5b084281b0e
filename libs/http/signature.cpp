// Over OpenSSL.
#include "libs/http/signature.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "libs/base/error.h"

namespace flowcast::http {

std::string HmacSha256(const std::string& key, const std::string& text) {
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  const auto* bytes = reinterpret_cast<const unsigned char*>(text.data());
  if (HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), bytes, text.size(), digest, &size) ==
      nullptr) {
    throw base::RuntimeError("OpenSSL has no HMAC-SHA256 here");
  }
  std::string hex;
  for (unsigned int i = 0; i < size; ++i) {
    hex += "0123456789abcdef"[digest[i] >> 4];
    hex += "0123456789abcdef"[digest[i] & 15];
  }
  return hex;
}

}  // namespace flowcast::http
