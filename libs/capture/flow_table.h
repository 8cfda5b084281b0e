// The flows of one batch, each found again by its key.
#pragma once

#include <cstdint>
#include <vector>

#include "libs/packet/packet.h"

namespace flowcast::capture {

/// A hash table from flow to its index in the batch's table; open addressing, emptied without
/// giving up its memory. Not thread-safe.
class FlowTable {
 public:
  FlowTable() : slots_(kSmallest, kEmpty) {}

  /// The index of (link, key) in `flows`, appended when it is new.
  std::uint32_t FindOrAdd(std::uint32_t link, const packet::FlowKey& key,
                          std::vector<packet::BatchFlow>& flows);
  void Clear();

 private:
  static constexpr std::size_t kSmallest = 256;  // a power of two, as every size is
  static constexpr std::uint32_t kEmpty = ~std::uint32_t{0};

  std::size_t SlotOf(const packet::BatchFlow& flow) const;
  void Grow(const std::vector<packet::BatchFlow>& flows);

  std::vector<std::uint32_t> slots_;
  std::size_t used_ = 0;
};

}  // namespace flowcast::capture
