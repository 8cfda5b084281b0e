// An interface through its comings and goings.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "libs/pcap/internal/capture_handle.h"
#include "libs/pcap/internal/interface_state.h"

namespace flowcast::pcap::internal {

/// Has a handle while the interface is there, and counts that outlive it.
class FollowedInterface {
 public:
  /// Opens it; throws as OpenLive. `options` and `clock` must outlive it. Packets will carry `index`.
  FollowedInterface(const std::string& name, std::uint16_t index, const LiveOptions& options,
                    base::Clock& clock);

  /// As CaptureHandle; once a second it first looks what became of the interface.
  std::size_t Take(std::size_t limit, std::vector<packet::Packet>& packets);

  /// -1 while there is nothing to wait on.
  int descriptor() const { return handle_ == nullptr ? -1 : handle_->descriptor(); }
  /// Why it will not come back, empty while it is there or waited for.
  const std::string& failure() const { return failure_; }
  /// Of the last packet taken.
  base::EventTime newest() const { return newest_; }
  /// Since the start, over all handles; never goes back. While packets are taken the kernel is asked
  /// for its drops ten times a second; asked again without a Take that took any, it tells what is so now.
  capture::SourceStatistics ReadStatistics();

 private:
  enum class State {
    kThere,
    kDown,  // exists; the kernel goes on filling the ring when it is up again
    kGone,  // deleted; the ring may hold packets
    kAway,  // no handle
  };

  void Look();
  void LookForChange(const InterfaceState& now);
  void NoteGone();
  void Close();
  void TryToReopen(const InterfaceState& now);
  void Say(base::LogLevel level, const std::string& what);

  std::string name_;
  std::uint16_t index_;
  const LiveOptions& options_;
  base::Clock& clock_;
  std::unique_ptr<CaptureHandle> handle_;
  State state_ = State::kThere;
  base::Duration next_look_;
  base::Duration gone_at_{};
  std::string what_happened_;     // to the last handle
  std::string why_not_reopened_;  // said last, so that it is said once
  std::string failure_;
  base::EventTime newest_ = base::kBeginningOfTime;
  bool took_since_asked_ = false;
  base::Duration drops_read_at_{};
  CaptureHandle::Drops drops_;        // of the handle that is open
  capture::SourceStatistics closed_;  // of the handles before this one
};

}  // namespace flowcast::pcap::internal
