// To the end, and beyond it where something is missing.
#include "libs/state/state_reader.h"

#include "libs/bus/read_to_end.h"

namespace flowcast::state {
namespace {

constexpr std::chrono::milliseconds kPoll{20};
constexpr std::size_t kPollRecords = 2000;

}  // namespace

std::string ProgressKey(const std::string& service) { return service + "/progress"; }

std::string LinkKey(const std::string& service, const std::string& link) { return service + "/link/" + link; }

std::optional<Kept> StateReader::Read(std::int32_t partition,
                                      const std::function<bool(const Kept&)>& is_whole) {
  Kept kept;
  const auto take = [&](const bus::InRecord& record) { Take(record, kept); };
  bus::ReadToEnd(Consumer(), {{{parts_.topic, partition}, bus::kNoOffset, ""}}, take, parts_.stop_requested);
  if (!PollUntil([&] { return is_whole(kept); }, take)) return {};
  return kept;
}

void StateReader::Take(const bus::InRecord& record, Kept& kept) const {
  if (record.key == ProgressKey(parts_.service)) {
    kept.progress = record.value;
    return;
  }
  const std::string prefix = LinkKey(parts_.service, "");
  if (!record.key.starts_with(prefix)) return;
  const std::string link = record.key.substr(prefix.size());
  if (record.tombstone) {
    kept.links.erase(link);
  } else {
    kept.links[link] = record.value;
  }
}

std::optional<std::int64_t> StateReader::Follow(const bus::TopicPartition& at, std::int64_t from,
                                                std::int64_t to,
                                                const std::function<void(const bus::InRecord&)>& take) {
  bus::ReadToEnd(Consumer(), {{at, from, ""}}, take, parts_.stop_requested);
  std::int64_t end = 0;
  const auto is_visible = [&] {
    end = Consumer().EndOffset(at);
    return end >= to;
  };
  if (!PollUntil(is_visible, take)) return {};
  return end;
}

bool StateReader::PollUntil(const std::function<bool()>& done,
                            const std::function<void(const bus::InRecord&)>& take) {
  const base::Duration deadline = parts_.clock.Steady() + patience_;
  while (!done()) {
    if (parts_.stop_requested() || parts_.clock.Steady() >= deadline) return false;
    const auto records = Consumer().Poll(kPoll, kPollRecords);
    for (const bus::InRecord& record : records) take(record);
    if (records.empty()) parts_.clock.SleepFor(kPoll);
  }
  return true;
}

bus::Consumer& StateReader::Consumer() {
  if (!consumer_) consumer_ = parts_.bus.MakeConsumer({});
  return *consumer_;
}

}  // namespace flowcast::state
