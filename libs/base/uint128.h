// Exact sums of squares.
#pragma once

namespace flowcast::base {

/// An extension of g++ and clang; sums of squared nanoseconds do not fit 64 bits.
__extension__ using Uint128 = unsigned __int128;

}  // namespace flowcast::base
