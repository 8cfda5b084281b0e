// Second by second, slot by slot, link by link; then in order of time.
#include "libs/synthetic/synthetic_source.h"

#include <algorithm>
#include <limits>

#include "libs/synthetic/arithmetic.h"

namespace flowcast::synthetic {
namespace {

using capture::PollState;

constexpr double kSecondNs = 1e9;
constexpr double kFewestSlotPackets = 4'096;
constexpr double kMostSlotPackets = 65'536;
constexpr double kSlotPacketsOfLink =
    8;                              // fewer, and fetching a link from memory costs more than its packets
constexpr double kMostSlots = 1e5;  // of a second
constexpr std::size_t kAhead = 64;  // packets between the choice of a flow and its use
constexpr double kNever = std::numeric_limits<double>::infinity();

}  // namespace

SyntheticSource::SyntheticSource(const Scenario& scenario)
    : second_(scenario.start), end_(scenario.start + scenario.duration) {
  Validate(scenario);
  for (std::size_t group = 0; group < scenario.groups.size(); ++group) AddLinks(scenario, group);
  next_ns_.resize(links_.size());
  slot_packets_ = std::clamp(kSlotPacketsOfLink * static_cast<double>(links_.size()), kFewestSlotPackets,
                             kMostSlotPackets);
}

void SyntheticSource::AddLinks(const Scenario& scenario, std::size_t group) {
  const LinkGroup& links = scenario.groups[group];
  const MixTable& mix =
      *mixes_.emplace_back(std::make_unique<MixTable>(MixOf(scenario, links.mix), links.flows));
  for (int i = 0; i < LinksOf(links); ++i) {
    const std::string name = LinkName(links, i);
    base::Random arrivals = StreamOf(scenario.seed, name, "arrivals");
    base::Random flows = StreamOf(scenario.seed, name, "flows");
    const LinkAddresses addresses{NetworkOf(scenario, group, i), links.hosts, links.servers,
                                  links.ipv6_share};
    PacketMaker maker(mix, addresses, static_cast<std::uint16_t>(names_.size()), flows);
    const double owed = ExponentialTable()(arrivals);
    rates_.emplace_back(scenario, links, i);
    links_.push_back({arrivals, flows, 0, owed, std::move(maker)});
    names_.push_back(name);
  }
}

PollState SyntheticSource::Poll(std::size_t limit, std::vector<packet::Packet>& packets) {
  while (next_ == ordered_.size()) {
    if (slot_to_ns_ == second_ns_) {
      EndSecond();
      if (second_ >= end_) return PollState::kEnd;
      BeginSecond();
    }
    MakeSlot();
  }
  const std::size_t count = std::min(limit, ordered_.size() - next_);
  for (std::size_t i = next_; i < next_ + count; ++i) packets.push_back(made_[ordered_[i].index]);
  next_ += count;
  received_ += count;
  return PollState::kPackets;
}

base::EventTime SyntheticSource::LowerBound() const {
  if (next_ < ordered_.size()) return made_[ordered_[next_].index].time;
  return second_ + base::Duration(slot_to_ns_);
}

void SyntheticSource::BeginSecond() {
  double expected = 0;
  for (std::size_t i = 0; i < links_.size(); ++i) {
    Link& link = links_[i];
    const double rate = rates_[i].Next();
    expected += rate;
    link.gap_ns = rate > 0 ? kSecondNs / rate : 0;
    next_ns_[i] = rate > 0 ? link.owed * link.gap_ns : kNever;
  }
  second_ns_ = std::min<std::int64_t>(1'000'000'000, (end_ - second_).count());
  const double slots = std::clamp(expected / slot_packets_, 1.0, kMostSlots);
  slot_ns_ = static_cast<std::int64_t>(kSecondNs / slots);
  slot_to_ns_ = 0;
}

void SyntheticSource::EndSecond() {
  const auto length_ns = static_cast<double>(second_ns_);
  for (std::size_t i = 0; i < links_.size(); ++i) {
    if (links_[i].gap_ns > 0) links_[i].owed = (next_ns_[i] - length_ns) / links_[i].gap_ns;
  }
  second_ += base::Duration(second_ns_);
  second_ns_ = slot_to_ns_ = 0;
}

void SyntheticSource::MakeSlot() {
  slot_from_ns_ = slot_to_ns_;
  slot_to_ns_ = std::min(slot_from_ns_ + slot_ns_, second_ns_);
  const auto until_ns = static_cast<double>(slot_to_ns_);
  made_.clear();
  entries_.clear();
  chosen_.clear();
  next_ = 0;
  std::size_t links = 0;
  for (std::size_t i = 0; i < links_.size(); ++i) {
    if (next_ns_[i] >= until_ns) continue;
    Fill(i, until_ns);
    ++links;
  }
  MakeChosen();
  if (links > 1) {
    Sort();
  } else {
    ordered_.swap(entries_);
  }
}

void SyntheticSource::Fill(std::size_t number, double until_ns) {
  Link& link = links_[number];
  const Exponential& exponential = ExponentialTable();
  base::Random arrivals = link.arrivals;
  double next_ns = next_ns_[number];
  while (next_ns < until_ns) {
    while (next_ns < until_ns && entries_.size() < made_.size() + kAhead) {
      const std::int64_t since_ns = static_cast<std::int64_t>(next_ns) - slot_from_ns_;
      entries_.push_back({static_cast<std::uint32_t>(since_ns), static_cast<std::uint32_t>(entries_.size())});
      chosen_.push_back(arrivals.Next());
      link.maker.Prefetch(chosen_.back());
      next_ns += exponential(arrivals) * link.gap_ns;
    }
    runs_.push_back({number, entries_.size()});
    if (entries_.size() >= made_.size() + kAhead) MakeChosen();
  }
  next_ns_[number] = next_ns;
  link.arrivals = arrivals;
}

void SyntheticSource::MakeChosen() {
  const base::EventTime slot = second_ + base::Duration(slot_from_ns_);
  std::size_t i = made_.size();
  made_.resize(entries_.size());
  for (const Run& run : runs_) {
    Link& link = links_[run.link];
    base::Random flows = link.flows;
    for (; i < run.until; ++i)
      link.maker.Make(slot + base::Duration(entries_[i].since_ns), chosen_[i], flows, made_[i]);
    link.flows = flows;
  }
  runs_.clear();
}

/// Into as many buckets as there are packets, by time; what is left is a short way to go.
void SyntheticSource::Sort() {
  const std::size_t count = entries_.size();
  const std::uint64_t scale =
      (static_cast<std::uint64_t>(count) << 32) / static_cast<std::uint64_t>(slot_ns_);
  const auto bucket_of = [scale](const Entry& entry) { return entry.since_ns * scale >> 32; };
  buckets_.assign(count + 1, 0);
  for (const Entry& entry : entries_) ++buckets_[bucket_of(entry) + 1];
  for (std::size_t i = 1; i < count; ++i) buckets_[i] += buckets_[i - 1];
  ordered_.resize(count);
  for (const Entry& entry : entries_) ordered_[buckets_[bucket_of(entry)]++] = entry;
  for (std::size_t i = 1; i < count; ++i) {
    const Entry entry = ordered_[i];
    std::size_t to = i;
    for (; to > 0 && ordered_[to - 1].since_ns > entry.since_ns; --to) ordered_[to] = ordered_[to - 1];
    ordered_[to] = entry;
  }
}

}  // namespace flowcast::synthetic
