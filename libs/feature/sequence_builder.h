// Normalized sequences out of a link's windows.
#pragma once

#include <deque>
#include <optional>

#include "libs/feature/window.h"

namespace flowcast::feature {

/// Windows of a sequence where nothing else is asked for: in the services and in back-tests.
inline constexpr std::size_t kDefaultSequenceLength = 16;

/// The last windows of one link. Not thread-safe.
class SequenceBuilder {
 public:
  /// `schema` is that of the windows and must outlive the builder.
  explicit SequenceBuilder(std::size_t length, const Schema& schema = Schema::Default())
      : length_(length), schema_(&schema) {}

  /// Adds a window; gives a sequence when `length` windows follow each other without a hole or a
  /// partial one. A hole starts the history afresh.
  std::optional<Sequence> Add(Window window);
  /// What the next sequence is made of; added to a new builder it goes on from here.
  const std::deque<Window>& history() const { return history_; }

 private:
  Sequence Build() const;

  std::size_t length_;
  const Schema* schema_;
  std::deque<Window> history_;
};

}  // namespace flowcast::feature
