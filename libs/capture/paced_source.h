// Hands out another source's packets at the speed of their time stamps, or a multiple of it.
#pragma once

#include <memory>
#include <vector>

#include "libs/base/clock.h"
#include "libs/capture/packet_source.h"

namespace flowcast::capture {

/// Time stamps stay as they are; only when a packet is handed out is decided by the clock. Waits
/// at most `kBlock` in Poll and then gives kIdle, like a live source; in real time to the next multiple of
/// it.
class PacedSource : public PacketSource {
 public:
  static constexpr base::Duration kBlock = std::chrono::milliseconds(50);

  /// What the clock is compared with.
  enum class Anchor {
    kFirstPacket,  // the first packet is handed out at once, whatever its time
    kClock,        // a packet is handed out at the time that it bears, as if it was captured then
  };

  /// `speed` 1 is real time. `clock` must outlive the source.
  PacedSource(std::unique_ptr<PacketSource> source, double speed, base::Clock& clock,
              Anchor anchor = Anchor::kFirstPacket);

  PollState Poll(std::size_t limit, std::vector<packet::Packet>& packets) override;
  const std::vector<std::string>& interfaces() const override { return source_->interfaces(); }
  /// Where the replay stands in event time, while it knows what comes next; else, as after the last packet,
  /// at most the time of the newest that it handed out: windows after it would otherwise depend on the speed.
  base::EventTime LowerBound() const override;
  /// Without what was read ahead and not handed out yet.
  SourceStatistics statistics() const override;
  std::string Complaint() const override { return source_->Complaint(); }
  bool Failed() const override { return source_->Failed(); }

 private:
  bool Refill();
  base::EventTime ReplayTime() const;
  base::EventTime EndOfBlock(base::EventTime time) const;

  std::unique_ptr<PacketSource> source_;
  double speed_;
  base::Clock& clock_;
  Anchor anchor_;
  bool started_ = false;
  base::EventTime newest_ = base::kBeginningOfTime;  // of those handed out
  base::EventTime from_ = base::kBeginningOfTime;    // where the replay stood at began_
  base::Duration began_{};
  std::vector<packet::Packet> waiting_;
  std::size_t next_ = 0;
};

}  // namespace flowcast::capture
