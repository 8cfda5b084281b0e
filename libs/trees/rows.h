// What trees see of a sequence.
#pragma once

#include <span>
#include <vector>

#include "libs/training/learner.h"

namespace flowcast::trees {

/// For one target of a shape: its values of all steps less its last one, the other features' values of the last
/// step, and the context (what is known of the usual load: less the last value, too, where the column beside it
/// says that it is known). So trees see movement, not level, and untrained they are persistence.
std::size_t ColumnsOf(const training::Shape& shape);

/// Appends ColumnsOf values and returns the target's last value, which the answer is added to.
float AppendRow(const training::Shape& shape, std::size_t target, std::span<const float> inputs,
                std::span<const float> context, std::vector<float>& row);

}  // namespace flowcast::trees
