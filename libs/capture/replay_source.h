// A recording played again and again, or as if it began at another time.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "libs/capture/packet_source.h"

namespace flowcast::capture {

struct ReplayOptions {
  bool loop = false;                         // start over at the end, for ever
  std::optional<base::EventTime> rebase_to;  // where the first packet's time stamp goes
};

/// Shifts time stamps, all of one pass by the same. Each further pass follows the newest packet of
/// the one before at the recording's mean distance between packets (1 s where it has only one), so
/// that event time goes on. A recording without packets ends a loop.
class ReplaySource : public PacketSource {
 public:
  using Opener = std::function<std::unique_ptr<PacketSource>()>;

  /// `open` is called once a pass, first here.
  ReplaySource(Opener open, const ReplayOptions& options);

  PollState Poll(std::size_t limit, std::vector<packet::Packet>& packets) override;
  const std::vector<std::string>& interfaces() const override { return names_; }
  base::EventTime LowerBound() const override;
  SourceStatistics statistics() const override;
  std::string Complaint() const override;
  bool Failed() const override { return failed_ || source_->Failed(); }

 private:
  void BeginPass(const packet::Packet& first);
  bool NextPass();
  void LearnNames();

  Opener open_;
  ReplayOptions options_;
  std::unique_ptr<PacketSource> source_;
  std::vector<std::string> names_;
  bool first_pass_ = true;
  std::uint64_t packets_in_pass_ = 0;
  base::Duration shift_{0};
  base::EventTime pass_began_ = base::kBeginningOfTime;  // shifted
  base::EventTime newest_ = base::kBeginningOfTime;      // shifted
  SourceStatistics before_;                              // of the passes before this one
  std::string complaint_;                                // of one of them
  bool failed_ = false;
};

}  // namespace flowcast::capture
