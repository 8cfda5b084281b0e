// As C's %g has them.
#include "libs/notify/number.h"

#include <cstdio>

namespace flowcast::notify {

std::string Number(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.6g", value);
  return text;
}

}  // namespace flowcast::notify
