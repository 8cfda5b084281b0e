// Names by pattern, as a shell has them.
#pragma once

#include <string_view>

namespace flowcast::base {

/// `*` is any text (also with a `/` in it), `?` any character, `[abc]`, `[a-z]` and `[!a-z]` one of a set; a
/// `[` without its `]` stands for itself. Takes time in the product of the lengths at most.
bool MatchesPattern(std::string_view pattern, std::string_view text);

/// Whether there is anything in it that does not stand for itself.
bool IsPattern(std::string_view pattern);

}  // namespace flowcast::base
