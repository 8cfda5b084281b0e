// Several sources of recorded packets as one, in order of time.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "libs/capture/packet_source.h"

namespace flowcast::capture {

/// One of the sources that are merged. `open` is called when the merge has come to `first`.
struct MergePart {
  base::EventTime first = base::kBeginningOfTime;  // time of its first packet
  std::function<std::unique_ptr<PacketSource>()> open;
};

/// Files that follow each other (a rotated capture) and files of the same time (one an interface)
/// alike: always the oldest packet that stands at the front of a part goes first; packets of one part
/// keep their order. Interfaces of the same name are one. What `open` throws passes through Poll.
class MergedSource : public PacketSource {
 public:
  explicit MergedSource(std::vector<MergePart> parts);

  PollState Poll(std::size_t limit, std::vector<packet::Packet>& packets) override;
  const std::vector<std::string>& interfaces() const override { return names_; }
  base::EventTime LowerBound() const override;
  /// Without what was read ahead and not handed out yet.
  SourceStatistics statistics() const override;
  /// Of the first parts that have one, and how many more there are.
  std::string Complaint() const override;
  bool Failed() const override;

 private:
  struct Open {
    std::unique_ptr<PacketSource> source;
    std::vector<packet::Packet> ahead;
    std::size_t next = 0;
    std::vector<std::uint16_t> interfaces;  // of the part's to ours

    base::EventTime front() const { return ahead[next].time; }
  };

  void OpenDue();
  bool Refill(Open& part);
  void MapInterfaces(Open& part);
  Open* Oldest();
  base::EventTime NextBest(const Open& chosen) const;
  void Retire(const PacketSource& source);

  std::vector<MergePart> parts_;  // by first packet; those before next_part_ were opened
  std::size_t next_part_ = 0;
  std::vector<std::unique_ptr<Open>> open_;
  std::vector<std::string> names_;
  base::EventTime newest_ = base::kBeginningOfTime;
  SourceStatistics retired_;
  std::vector<std::string> complaints_;
  bool failed_ = false;
};

}  // namespace flowcast::capture
