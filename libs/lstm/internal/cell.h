// The LSTM cell (Hochreiter & Schmidhuber 1997, with Gers's forget gate) over plain memory.
#pragma once

#include <cstdint>

namespace flowcast::lstm {

/// One step of `rows` sequences. Row-major, contiguous; gates are [rows][4 x hidden] in the order
/// input, forget, cell, output, everything else [rows][hidden]. Cells and hidden values are before
/// this step (null at the first step) and after it.
///   c' = sigmoid(f) c + sigmoid(i) tanh(g),  h' = sigmoid(o) tanh(c')
/// Gates come as sums and leave activated, which is what the backward step needs. The exponential is
/// a polynomial of ours (relative error below 3e-7) that the compiler can vectorize; torch 1.13 makes
/// a dozen passes over memory for the same.
void CellForward(float* gates, const float* cells_before, float* cells, float* hidden, std::int64_t rows,
                 std::int64_t hidden_size);

/// Gradients of one step. `gates` are the activated ones and leave as the gradients of the sums.
/// `hidden_gradient` is of h'; `cell_gradient` comes as that of c' from the step after and leaves as
/// that of c.
void CellBackward(float* gates, const float* cells_before, const float* cells, const float* hidden_gradient,
                  float* cell_gradient, std::int64_t rows, std::int64_t hidden_size);

}  // namespace flowcast::lstm
