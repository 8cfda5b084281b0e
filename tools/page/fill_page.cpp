// Puts data into a page.
#include "tools/page/fill_page.h"

#include "libs/base/error.h"

namespace flowcast::page {

std::string Join(const char* const* pieces) {
  std::string page;
  for (; *pieces != nullptr; ++pieces) page += *pieces;
  return page;
}

std::string Fill(const std::string& page, const nlohmann::ordered_json& data) {
  const std::string placeholder = "/*FLOWCAST_DATA*/null";
  const auto position = page.find(placeholder);
  if (position == std::string::npos) throw base::RuntimeError("the page has no place for its data");
  std::string json = data.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
  std::string safe;
  safe.reserve(json.size());
  for (const char c : json) {
    // The data stands inside a script element, which a name with "</script>" would end.
    if (c == '<') {
      safe += "\\u003c";
    } else {
      safe += c;
    }
  }
  return page.substr(0, position) + safe + page.substr(position + placeholder.size());
}

}  // namespace flowcast::page
