// How what a forecaster has learned becomes bytes and comes back.
#pragma once

#include <array>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace flowcast::forecast {

/// Is shown every part of a state in a fixed order; a writer takes the parts, a reader sets them. Lists keep
/// their lengths, which follow from the options.
class StateVisitor {
 public:
  virtual ~StateVisitor() = default;

  /// Numbers that are finite in every sound state.
  void operator()(float& number) { Numbers({&number, 1}); }
  void operator()(double& number) { Doubles({&number, 1}); }
  template <std::size_t N>
  void operator()(std::array<float, N>& numbers) {
    Numbers(numbers);
  }
  template <std::size_t N>
  void operator()(std::span<std::array<float, N>> rows) {
    for (std::array<float, N>& row : rows) Numbers(row);
  }
  void operator()(std::vector<float>& numbers) { Numbers(numbers); }

  void operator()(bool& flag) {
    auto byte = static_cast<std::uint8_t>(flag ? 1 : 0);
    Raw(byte);
    flag = byte != 0;
  }

  /// Whatever else is bytes, of any value.
  template <typename T>
  void Raw(T& part) {
    static_assert(std::is_trivially_copyable_v<T>);
    Bytes(&part, sizeof part);
  }
  template <typename T>
  void Raw(std::vector<T>& parts) {
    Raw(std::span<T>(parts));
  }
  template <typename T>
  void Raw(std::span<T> parts) {
    static_assert(std::is_trivially_copyable_v<T>);
    Bytes(parts.data(), parts.size_bytes());
  }

 private:
  virtual void Numbers(std::span<float> numbers) = 0;
  virtual void Doubles(std::span<double> numbers) = 0;
  virtual void Bytes(void* part, std::size_t size) = 0;
};

class StateOutput : public StateVisitor {
 public:
  std::string bytes;

 private:
  void Numbers(std::span<float> numbers) override { Bytes(numbers.data(), numbers.size_bytes()); }
  void Doubles(std::span<double> numbers) override { Bytes(numbers.data(), numbers.size_bytes()); }
  void Bytes(void* part, std::size_t size) override { bytes.append(static_cast<const char*>(part), size); }
};

/// Sets nothing any more once the bytes have run out or a number is not finite.
class StateInput : public StateVisitor {
 public:
  explicit StateInput(std::string_view bytes) : bytes_(bytes) {}
  /// Everything was there, sound, and nothing was left.
  bool IsWhole() const { return sound_ && bytes_.empty(); }

 private:
  void Numbers(std::span<float> numbers) override { TakeFinite(numbers); }
  void Doubles(std::span<double> numbers) override { TakeFinite(numbers); }
  template <typename T>
  void TakeFinite(std::span<T> numbers) {
    Bytes(numbers.data(), numbers.size_bytes());
    for (T& number : numbers) {
      if (std::isfinite(number)) continue;
      sound_ = false;
      number = 0;
    }
  }
  void Bytes(void* part, std::size_t size) override {
    sound_ = sound_ && size <= bytes_.size();
    if (!sound_) return;
    std::memcpy(part, bytes_.data(), size);
    bytes_.remove_prefix(size);
  }

  std::string_view bytes_;
  bool sound_ = true;
};

}  // namespace flowcast::forecast
