// Lines of CSV (RFC 4180) on their way to standard output.
#pragma once

#include <array>
#include <charconv>
#include <cstdio>
#include <string>
#include <string_view>

#include "libs/app/app.h"

namespace flowcast::tools {

inline std::string Quoted(std::string_view text) {
  if (text.find_first_of(",\"\r\n") == std::string_view::npos) return std::string(text);
  std::string quoted = "\"";
  for (const char letter : text) quoted += letter == '"' ? std::string("\"\"") : std::string(1, letter);
  return quoted + '"';
}

/// Written out when much has come together; Write does it at once. Not thread-safe.
class Csv {
 public:
  Csv() = default;
  ~Csv() { std::fwrite(text_.data(), 1, text_.size(), stdout); }  // left when an exception passes
  Csv(const Csv&) = delete;
  Csv& operator=(const Csv&) = delete;

  Csv& Text(std::string_view text) {
    text_ += text;
    return *this;
  }
  template <class Integer>
  Csv& Number(Integer value, int base = 10) {
    std::array<char, 24> digits;
    const auto [end, error] = std::to_chars(digits.data(), digits.data() + digits.size(), value, base);
    text_.append(digits.data(), end);
    return *this;
  }
  /// The shortest text that reads back as the same value.
  Csv& Value(double value) {
    std::array<char, 32> digits;
    const auto [end, error] = std::to_chars(digits.data(), digits.data() + digits.size(), value);
    text_.append(digits.data(), end);
    return *this;
  }
  Csv& Comma() {
    text_ += ',';
    return *this;
  }
  void EndLine() {
    text_ += '\n';
    if (text_.size() > kWriteBytes) Write();
  }
  /// As app::FlushOutput.
  void Write() {
    std::fwrite(text_.data(), 1, text_.size(), stdout);
    text_.clear();
    app::FlushOutput();
  }

 private:
  static constexpr std::size_t kWriteBytes = 1 << 16;

  std::string text_;
};

}  // namespace flowcast::tools
