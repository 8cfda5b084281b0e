// Packets out of capture files, one file after the other.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "libs/capfile/reader.h"
#include "libs/capture/packet_source.h"
#include "libs/packet/tunnels.h"

namespace flowcast::capture {

/// Says whether a frame passes the filter.
using FrameFilter = std::function<bool(std::span<const std::byte> frame, std::uint32_t wire_length_bytes)>;
/// Makes the filter of one interface of the file (a BPF program depends on the link type).
using FrameFilterFactory = std::function<FrameFilter(const capfile::Interface&)>;

/// Reads a whole capture file as fast as it is polled. Of a reader that does not wait for its bytes it gives
/// what there is, and is idle where there is none.
class FileSource : public PacketSource {
 public:
  /// `filters` may be empty: everything passes. It is called once an interface, here and, as a
  /// pcapng file declares more of them, in Poll; what it throws passes through.
  FileSource(std::unique_ptr<capfile::Reader> reader, FrameFilterFactory filters,
             packet::Tunnels tunnels = {});

  /// Reads up to `limit` frames, whether they pass or not.
  PollState Poll(std::size_t limit, std::vector<packet::Packet>& packets) override;
  const std::vector<std::string>& interfaces() const override { return names_; }
  /// The newest time stamp read so far, but for one that is more than an hour ahead of all before and after
  /// it.
  base::EventTime LowerBound() const override { return newest_; }
  SourceStatistics statistics() const override { return statistics_; }
  /// Damage of the file, and frames that could not be decoded.
  std::string Complaint() const override;
  bool Failed() const override { return reader_->damage().has_value(); }

 private:
  PollState AtEndOrBehind();
  void LearnInterfaces();
  void SeeTime(base::EventTime time);
  void Take(const capfile::Frame& frame, std::vector<packet::Packet>& packets);
  std::string UnknownLinkTypes() const;

  std::unique_ptr<capfile::Reader> reader_;
  FrameFilterFactory make_filter_;
  packet::Tunnels tunnels_;
  std::vector<std::string> names_;
  std::vector<FrameFilter> filters_;
  SourceStatistics statistics_;
  base::EventTime newest_ = base::kBeginningOfTime;
  bool last_was_far_ = false;
};

}  // namespace flowcast::capture
