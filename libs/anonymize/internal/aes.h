// AES-128, block by block; the only includer of OpenSSL is behind it.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>

struct evp_cipher_ctx_st;

namespace flowcast::anonymize::internal {

using Block = std::array<std::uint8_t, 16>;

/// Not thread-safe.
class Aes128 {
 public:
  /// Throws base::RuntimeError when libcrypto has no AES (a provider configured away).
  explicit Aes128(std::span<const std::uint8_t, 16> key);
  ~Aes128();

  /// Each block by itself, in place; all in one call, which is what makes it fast.
  void Encrypt(std::span<Block> blocks);

 private:
  struct Free {
    void operator()(evp_cipher_ctx_st* context) const;
  };
  std::unique_ptr<evp_cipher_ctx_st, Free> context_;
};

}  // namespace flowcast::anonymize::internal
