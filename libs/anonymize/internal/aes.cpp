// Over libcrypto's EVP: ECB is right here, since the blocks are inputs of a pseudo-random function.
#include "libs/anonymize/internal/aes.h"

#include <openssl/evp.h>

#include "libs/base/error.h"

namespace flowcast::anonymize::internal {

void Aes128::Free::operator()(evp_cipher_ctx_st* context) const { EVP_CIPHER_CTX_free(context); }

Aes128::Aes128(std::span<const std::uint8_t, 16> key) : context_(EVP_CIPHER_CTX_new()) {
  if (context_ == nullptr ||
      EVP_EncryptInit_ex(context_.get(), EVP_aes_128_ecb(), nullptr, key.data(), nullptr) != 1) {
    throw base::RuntimeError("libcrypto has no AES-128; check its configuration (openssl list -providers)");
  }
  EVP_CIPHER_CTX_set_padding(context_.get(), 0);
}

Aes128::~Aes128() = default;

void Aes128::Encrypt(std::span<Block> blocks) {
  auto* bytes = reinterpret_cast<unsigned char*>(blocks.data());
  const int size = static_cast<int>(blocks.size_bytes());
  int written = 0;
  if (EVP_EncryptUpdate(context_.get(), bytes, &written, bytes, size) != 1 || written != size) {
    throw base::RuntimeError(
        "libcrypto could not encrypt; check its configuration (openssl list -providers)");
  }
}

}  // namespace flowcast::anonymize::internal
