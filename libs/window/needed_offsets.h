// Which records are needed still, known without a look at everything that needs them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <utility>

namespace flowcast::window {

class NeededOffsets {
  using Counts = std::map<std::int64_t, std::size_t>;

 public:
  /// While it lives, its record is needed. It may outlive the NeededOffsets it came from.
  class Hold {
   public:
    Hold() = default;
    Hold(std::shared_ptr<Counts> counts, std::int64_t offset)
        : counts_(std::move(counts)), entry_(counts_->try_emplace(offset, 0).first) {
      ++entry_->second;
    }
    ~Hold() { Release(); }
    Hold(Hold&& other) noexcept : counts_(std::move(other.counts_)), entry_(other.entry_) {}
    Hold& operator=(Hold&& other) noexcept {
      if (this == &other) return *this;
      Release();
      counts_ = std::move(other.counts_);
      entry_ = other.entry_;
      return *this;
    }

   private:
    void Release() {
      if (counts_ && --entry_->second == 0) counts_->erase(entry_);
      counts_.reset();
    }

    std::shared_ptr<Counts> counts_;
    Counts::iterator entry_;
  };

  Hold Need(std::int64_t offset) const { return {counts_, offset}; }
  /// Nothing when no record is needed.
  std::optional<std::int64_t> Oldest() const {
    return counts_->empty() ? std::nullopt : std::optional(counts_->begin()->first);
  }

 private:
  std::shared_ptr<Counts> counts_ = std::make_shared<Counts>();
};

}  // namespace flowcast::window
