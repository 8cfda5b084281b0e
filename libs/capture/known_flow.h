// What a source's earlier packets say about the next one of the same flow.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "libs/packet/kind.h"
#include "libs/packet/packet.h"

namespace flowcast::capture {

/// A flow that was silent for so long begins anew with its next packet.
inline constexpr base::Duration kFlowTimeout = std::chrono::seconds(60);

/// What is known of a flow, so that a further packet of it costs one look-up. Two cache lines: the first
/// finds it and enters its packets in batches, the second says what it did before.
struct alignas(64) KnownFlow {
  packet::FlowKey key;
  std::uint16_t interface = 0;
  std::uint16_t vlan = 0;
  packet::Kind kind{};
  packet::Cast cast = packet::Cast::kUnicast;
  std::uint32_t link = 0;   // number of the link
  std::uint32_t index = 0;  // in the flows of the batch numbered `batch`
  std::uint64_t batch = 0;  // of its partition; batches are numbered from 1

  base::EventTime started = base::kBeginningOfTime;
  base::EventTime newest = base::kBeginningOfTime;
  std::uint32_t tcp_next = 0;  // sequence number behind the newest data sent
  std::uint32_t hole_begin =
      0;  // the newest stretch before that which was not seen; empty when these are equal
  std::uint32_t hole_end = 0;
  base::IpAddress source;  // as batches carry them
  base::IpAddress destination;
  packet::Direction direction = packet::Direction::kUnknown;
  bool has_tcp_next = false;

  packet::BatchFlow ToSend() const {
    packet::BatchFlow sent{.key = key, .direction = direction, .cast = cast};
    sent.started = base::AlignDown(started, packet::kStartResolution);
    sent.key.source = source;
    sent.key.destination = destination;
    return sent;
  }

  /// Takes note of the next packet of the flow and returns its packet::Mark bits. The first packet begins
  /// the flow, and so does one after kFlowTimeout without any, and one with SYN that is not sent again.
  std::uint8_t Follow(const packet::Packet& packet, bool first) {
    bool begins = first || packet.time - newest >= kFlowTimeout;
    bool repeats = false;
    if (packet.tcp_length != 0) {
      const bool syn = (packet.tcp_flags & packet::kTcpSyn) != 0;
      const bool afresh = begins || !has_tcp_next || (syn && EndOf(packet) != tcp_next);
      if (afresh) {
        begins = begins || (syn && has_tcp_next);
        tcp_next = EndOf(packet);
        hole_begin = hole_end = 0;
        has_tcp_next = true;
      } else {
        repeats = Repeats(packet);
      }
    }
    newest = begins ? packet.time : std::max(newest, packet.time);
    if (!begins) return repeats ? packet::kRepeats : 0;
    if (packet.tcp_length == 0) has_tcp_next = false;
    started = packet.time;
    batch = 0;  // it enters the batch again
    return packet::kBegins;
  }

 private:
  static std::uint32_t EndOf(const packet::Packet& packet) { return packet.tcp_sequence + packet.tcp_length; }
  /// Sequence numbers wrap around (RFC 9293, section 3.4).
  static bool IsBefore(std::uint32_t left, std::uint32_t right) {
    return static_cast<std::int32_t>(left - right) < 0;
  }

  bool Repeats(const packet::Packet& packet) {
    const std::uint32_t begin = packet.tcp_sequence;
    const std::uint32_t end = EndOf(packet);
    if (!IsBefore(begin, tcp_next)) {
      if (begin != tcp_next) {
        hole_begin = tcp_next;
        hole_end = begin;
      }
      tcp_next = end;
      return false;
    }
    const bool fills = hole_begin != hole_end && !IsBefore(begin, hole_begin) && IsBefore(begin, hole_end);
    const bool keeps_alive = end == tcp_next && packet.tcp_length == 1 &&
                             (packet.tcp_flags & (packet::kTcpSyn | packet::kTcpFin)) == 0;
    if (fills) {
      if (begin != hole_begin) {
        hole_end = begin;
      } else {
        hole_begin = IsBefore(end, hole_end) ? end : hole_end;
      }
    }
    if (IsBefore(tcp_next, end)) tcp_next = end;
    return !fills && !keeps_alive;
  }
};
static_assert(offsetof(KnownFlow, started) == 64 && sizeof(KnownFlow) == 128);

}  // namespace flowcast::capture
