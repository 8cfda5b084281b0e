// Numbers as a scenario has them.
#pragma once

#include <charconv>
#include <string>

namespace flowcast::synthetic {

/// As few digits as tell the number from every other one.
template <class T>
std::string Digits(T value) {
  char text[32];
  return {text, std::to_chars(text, text + sizeof text, value).ptr};
}

}  // namespace flowcast::synthetic
