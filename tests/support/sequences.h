// Sequences of a link out of a series of packet counts.
#pragma once

#include <string>
#include <vector>

#include "libs/feature/accumulator.h"
#include "libs/feature/sequence_builder.h"
#include "tests/support/stream.h"

namespace flowcast::support {

/// The window number `index` of `link`, 5 s long, with this many packets of 100 bytes.
inline feature::Window MakeWindow(const std::string& link, int index, double packets) {
  feature::Window window{.link = link,
                         .start = At(5 * index),
                         .length = std::chrono::seconds(5),
                         .schema_hash = feature::Schema::Default().hash(),
                         .packets = static_cast<std::uint64_t>(packets)};
  window.features =
      feature::Schema::Default().Select(feature::Accumulator().Features(window.start, window.length));
  window.features[feature::kPackets] = packets;
  window.features[feature::kBytes] = 100 * packets;
  return window;
}

/// Every sequence of `length` windows of these counts; the first window is number `first`.
inline std::vector<feature::Sequence> MakeSequences(const std::string& link,
                                                    const std::vector<double>& packets,
                                                    std::size_t length = 3, int first = 0) {
  feature::SequenceBuilder builder(length);
  std::vector<feature::Sequence> sequences;
  for (const double count : packets) {
    if (auto sequence = builder.Add(MakeWindow(link, first++, count)))
      sequences.push_back(std::move(*sequence));
  }
  return sequences;
}

}  // namespace flowcast::support
