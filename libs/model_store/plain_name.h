// Names that may become those of folders and files.
#pragma once

#include <string_view>

namespace flowcast::model_store {

/// Whether a name that came from elsewhere may be that of a model, a version or a network, each a folder or a
/// file beside others: 1 to 128 bytes that can be shown, without a / and not beginning with a dot.
bool IsPlainName(std::string_view name);

}  // namespace flowcast::model_store
