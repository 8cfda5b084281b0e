// Made-up packets of all links in order of time.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "libs/capture/packet_source.h"
#include "libs/synthetic/link_rate.h"
#include "libs/synthetic/packet_maker.h"

namespace flowcast::synthetic {

/// Each link is a Poisson process with the rate of its LinkRate, which changes every second. The
/// packets depend on the scenario alone: not on how many are polled at a time, and those of a link
/// not on the other links. Within a nanosecond links come in the scenario's order.
class SyntheticSource : public capture::PacketSource {
 public:
  /// Throws base::ConfigError for a scenario that makes no sense.
  explicit SyntheticSource(const Scenario& scenario);

  capture::PollState Poll(std::size_t limit, std::vector<packet::Packet>& packets) override;
  const std::vector<std::string>& interfaces() const override { return names_; }
  base::EventTime LowerBound() const override;
  capture::SourceStatistics statistics() const override { return {.received = received_}; }

 private:
  struct Link {
    base::Random arrivals;  // when packets come and to which flow they belong
    base::Random flows;     // what flows are like, apart: packets are chosen ahead of being made
    double gap_ns = 0;      // mean in this second, 0: no packets
    double owed = 0;        // until the next packet, in mean gaps
    PacketMaker maker;
  };
  /// A packet of the slot: when, since the slot's start, and where in made_.
  struct Entry {
    std::uint32_t since_ns;
    std::uint32_t index;
  };

  /// Entries of one link, up to but without `until`.
  struct Run {
    std::size_t link;
    std::size_t until;
  };

  void AddLinks(const Scenario& scenario, std::size_t group);
  void BeginSecond();
  void EndSecond();
  void MakeSlot();
  void Fill(std::size_t link, double until_ns);
  void MakeChosen();
  void Sort();

  std::vector<std::unique_ptr<MixTable>> mixes_;
  std::vector<std::string> names_;
  std::vector<LinkRate> rates_;
  std::vector<Link> links_;
  std::vector<double> next_ns_;  // of each link's next packet, since the second's start

  // A second is made slot by slot, so short that a slot's packets stay in the cache.
  base::EventTime second_;
  base::EventTime end_;
  std::int64_t second_ns_ = 0;  // its length: the last one may be shorter
  std::int64_t slot_from_ns_ = 0;
  std::int64_t slot_to_ns_ = 0;
  std::int64_t slot_ns_ = 0;
  double slot_packets_ = 0;  // aimed at

  // Of the slot, link by link. What is chosen is made a while later: its flow must come from memory.
  std::vector<Entry> entries_;
  std::vector<std::uint64_t> chosen_;  // random bits, of each entry
  std::vector<Run> runs_;              // not made yet
  std::vector<packet::Packet> made_;

  std::vector<Entry> ordered_;  // by time
  std::vector<std::uint32_t> buckets_;
  std::size_t next_ = 0;  // in ordered_
  std::uint64_t received_ = 0;
};

}  // namespace flowcast::synthetic
