// Frames of a file to packets, with the counts kept.
#include "libs/capture/file_source.h"

#include <algorithm>
#include <utility>

#include "libs/packet/decoder.h"
#include "libs/packet/far_ahead.h"

namespace flowcast::capture {

FileSource::FileSource(std::unique_ptr<capfile::Reader> reader, FrameFilterFactory filters,
                       packet::Tunnels tunnels)
    : reader_(std::move(reader)), make_filter_(std::move(filters)), tunnels_(tunnels) {
  LearnInterfaces();
}

PollState FileSource::Poll(std::size_t limit, std::vector<packet::Packet>& packets) {
  for (std::size_t i = 0; i < limit; ++i) {
    const auto frame = reader_->Next();
    if (!frame) return i > 0 && reader_->IsBehind() ? PollState::kPackets : AtEndOrBehind();
    Take(*frame, packets);
  }
  return PollState::kPackets;
}

PollState FileSource::AtEndOrBehind() {
  constexpr std::chrono::milliseconds kBlock{50};
  if (!reader_->IsBehind()) return PollState::kEnd;
  return reader_->Await(kBlock) ? PollState::kPackets : PollState::kIdle;
}

void FileSource::SeeTime(base::EventTime time) {
  const bool is_far = packet::IsFarAhead(time, newest_);
  if (!is_far || last_was_far_) newest_ = std::max(newest_, time);
  last_was_far_ = is_far;
}

void FileSource::Take(const capfile::Frame& frame, std::vector<packet::Packet>& packets) {
  if (frame.interface >= names_.size()) LearnInterfaces();
  ++statistics_.received;
  SeeTime(frame.time);
  const FrameFilter& passes = filters_[frame.interface];
  if (passes && !passes(frame.bytes, frame.wire_length_bytes)) {
    ++statistics_.filtered;
    return;
  }
  packet::Packet& packet = packets.emplace_back();
  if (!packet::Decode(reader_->interfaces()[frame.interface].link_type, frame.bytes, packet, tunnels_)) {
    packets.pop_back();
    ++statistics_.undecodable;
    return;
  }
  packet.time = frame.time;
  packet.wire_length_bytes = frame.wire_length_bytes;
  packet.interface = static_cast<std::uint16_t>(frame.interface);
}

void FileSource::LearnInterfaces() {
  const auto& interfaces = reader_->interfaces();
  for (std::size_t i = names_.size(); i < interfaces.size(); ++i) {
    names_.push_back(interfaces[i].name);
    // No filter compiles for a link type that nobody can decode; its frames are counted as that.
    const bool filtered = make_filter_ && packet::IsDecodable(interfaces[i].link_type);
    filters_.push_back(filtered ? make_filter_(interfaces[i]) : FrameFilter());
  }
}

std::string FileSource::Complaint() const {
  std::string complaint;
  if (const auto& damage = reader_->damage()) {
    complaint = reader_->name() + " is damaged at byte " + std::to_string(damage->offset) + ": " +
                damage->reason + "; everything before was read (copy the file again if there should be more)";
  }
  if (statistics_.undecodable != 0) {
    complaint += (complaint.empty() ? reader_->name() + ": " : "; ") +
                 std::to_string(statistics_.undecodable) + " of " + std::to_string(statistics_.received) +
                 " frames could not be decoded" + UnknownLinkTypes();
  }
  return complaint;
}

std::string FileSource::UnknownLinkTypes() const {
  for (const capfile::Interface& interface : reader_->interfaces()) {
    if (packet::IsDecodable(interface.link_type)) continue;
    return " (interface " + interface.name + " has link type " +
           std::to_string(static_cast<int>(interface.link_type)) + ", which flowcast does not know)";
  }
  return " (their link-layer headers are cut short)";
}

}  // namespace flowcast::capture
