// Text from elsewhere, fit to be shown.
#pragma once

#include <string>
#include <string_view>

namespace flowcast::base {

/// The text as UTF-8 without characters that steer a terminal or begin a line: control characters (C0, DEL
/// and C1), the marks that turn the direction of writing, and bytes that are no UTF-8 become '?', each.
std::string Printable(std::string_view text);

/// JSON of the same value with such characters escaped: what a valid JSON text may hold of them stands within
/// strings, or is white space between tokens, which becomes a blank; ends of lines stay.
std::string PrintableJson(std::string_view json);

}  // namespace flowcast::base
