// What a path would need is refused.
#include "libs/model_store/plain_name.h"

#include "libs/base/printable.h"

namespace flowcast::model_store {

bool IsPlainName(std::string_view name) {
  constexpr std::size_t kLongest = 128;
  return !name.empty() && name.size() <= kLongest && name.front() != '.' &&
         name.find('/') == std::string_view::npos && base::Printable(name) == name;
}

}  // namespace flowcast::model_store
