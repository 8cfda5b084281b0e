// The forecasters of a link: one a target.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "libs/forecast/link_forecaster.h"

namespace flowcast::services {

/// One target costs no more than its forecaster and a pointer.
class LinkForecasters {
 public:
  /// By target; at least one. Links share them.
  using Options = std::vector<std::shared_ptr<const forecast::ForecasterOptions>>;

  explicit LinkForecasters(const Options& options);

  forecast::LinkForecaster& operator[](std::size_t target) {
    return target == 0 ? first_ : (*others_)[target - 1];
  }

  base::Duration window_length() const { return first_.window_length(); }

  /// What each has learned, by target.
  std::vector<std::string> Save();
  /// Goes on from what Save gave, of whatever targets that was; those that find nothing of theirs begin
  /// afresh. How many did find it.
  std::size_t Restore(const std::vector<std::string>& saved);

 private:
  std::size_t size() const { return 1 + (others_ ? others_->size() : 0); }

  forecast::LinkForecaster first_;
  std::unique_ptr<std::vector<forecast::LinkForecaster>> others_;  // null: there are none
};

}  // namespace flowcast::services
