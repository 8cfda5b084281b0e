// A window within other messages.
#pragma once

#include "flowcast/v1/windows.pb.h"
#include "libs/feature/window.h"

namespace flowcast::wire::internal {

void Write(const feature::Window& window, v1::Window& message);
bool IsConsistent(const v1::Window& message);
/// Of a consistent message.
feature::Window Read(const v1::Window& message);

}  // namespace flowcast::wire::internal
