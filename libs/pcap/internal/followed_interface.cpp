// Notices that an interface went away or came back, and keeps its counts.
#include "libs/pcap/internal/followed_interface.h"

#include <utility>

#include "libs/base/error.h"

namespace flowcast::pcap::internal {
namespace {

constexpr base::Duration kLookEvery = std::chrono::seconds(1);
// libpcap opens and reads two files of the interface for it, which would be a fifth of a busy capture's time.
constexpr base::Duration kReadDropsEvery = std::chrono::milliseconds(100);

}  // namespace

FollowedInterface::FollowedInterface(const std::string& name, std::uint16_t index, const LiveOptions& options,
                                     base::Clock& clock)
    : name_(name),
      index_(index),
      options_(options),
      clock_(clock),
      handle_(std::make_unique<CaptureHandle>(name, index, options)),
      next_look_(clock.Steady() + kLookEvery) {}

std::size_t FollowedInterface::Take(std::size_t limit, std::vector<packet::Packet>& packets) {
  if (clock_.Steady() >= next_look_) Look();
  if (handle_ == nullptr) return 0;
  const std::size_t taken = handle_->Take(limit, packets);
  if (taken > 0) {
    newest_ = handle_->newest();
    took_since_asked_ = true;
  }
  if (state_ != State::kGone && !handle_->failure().empty()) NoteGone();
  // The block that was being filled is handed over after the block time-out; twice that, to be sure.
  const base::Duration left = gone_at_ + 2 * options_.block_timeout - clock_.Steady();
  if (state_ == State::kGone && taken == 0 && left <= base::Duration::zero()) Close();
  return taken;
}

void FollowedInterface::Look() {
  next_look_ = clock_.Steady() + kLookEvery;
  const InterfaceState now = LookAt(name_);
  if (state_ == State::kAway) {
    if (failure_.empty()) TryToReopen(now);
  } else if (state_ != State::kGone) {
    LookForChange(now);
  }
}

void FollowedInterface::LookForChange(const InterfaceState& now) {
  if (now.index != handle_->interface_number()) {
    NoteGone();
  } else if (state_ == State::kThere && !now.up) {
    state_ = State::kDown;
    Say(base::LogLevel::kWarning, "went down; waiting for it to come back");
  } else if (state_ == State::kDown && now.up) {
    state_ = State::kThere;
    Say(base::LogLevel::kInfo, "is back");
  }
}

void FollowedInterface::NoteGone() {
  state_ = State::kGone;
  gone_at_ = clock_.Steady();
  const bool exists = LookAt(name_).index == handle_->interface_number();
  what_happened_ = exists ? "failed (" + handle_->failure() + ")" : "went away";
  if (options_.keep_reopening)
    Say(base::LogLevel::kWarning, what_happened_ + "; waiting for it to come back");
}

void FollowedInterface::Close() {
  took_since_asked_ = false;
  closed_ = ReadStatistics();
  handle_.reset();
  drops_ = {};
  state_ = State::kAway;
  if (!options_.keep_reopening) {
    failure_ = "interface " + name_ + " " + what_happened_ +
               ", and without CAP_NET_RAW it can't be opened again; start the capture again once the "
               "interface is back";
  }
}

void FollowedInterface::TryToReopen(const InterfaceState& now) {
  if (now.index == 0 || !now.up) return;
  try {
    handle_ = std::make_unique<CaptureHandle>(name_, index_, options_);
    state_ = State::kThere;
    why_not_reopened_.clear();
    Say(base::LogLevel::kInfo, "is back");
  } catch (const base::ConfigError& error) {
    if (std::exchange(why_not_reopened_, error.what()) == error.what()) return;
    Say(base::LogLevel::kError, std::string("is back, but: ") + error.what());
  }
}

void FollowedInterface::Say(base::LogLevel level, const std::string& what) {
  if (options_.log) options_.log(level, "interface " + name_ + " " + what);
}

capture::SourceStatistics FollowedInterface::ReadStatistics() {
  if (handle_ == nullptr) return closed_;
  const base::Duration now = clock_.Steady();
  if (!std::exchange(took_since_asked_, false) || now - drops_read_at_ >= kReadDropsEvery) {
    drops_ = handle_->ReadDrops();
    drops_read_at_ = now;
  }
  return {.received = closed_.received + handle_->taken() + drops_.kernel + drops_.interface,
          .dropped_by_kernel = closed_.dropped_by_kernel + drops_.kernel,
          .dropped_by_interface = closed_.dropped_by_interface + drops_.interface,
          .undecodable = closed_.undecodable + handle_->undecodable()};
}

}  // namespace flowcast::pcap::internal
