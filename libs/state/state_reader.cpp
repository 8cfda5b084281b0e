// To the end, and beyond it where something is missing.
#include "libs/state/state_reader.h"

#include <algorithm>

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
  ReadToEnd({{parts_.topic, partition}, bus::kNoOffset, ""}, take);
  const bool whole = WaitUntil([&] {
    for (const bus::InRecord& record : Consumer().Poll(std::chrono::milliseconds(0), kPollRecords))
      take(record);
    return is_whole(kept);
  });
  Consumer().Assign({});  // else it would go on asking
  if (whole) return kept;
  if (kept.progress.empty()) return {};
  throw bus::BusError(
      bus::BusError::Kind::kUnreachable,
      parts_.topic + " partition " + std::to_string(partition) +
          " does not tell what belongs to the committed position: a transaction hides it still, or "
          "two groups of " +
          parts_.service + " write to it (give the second one another --prefix)");
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

std::optional<bus::InRecord> StateReader::First(const bus::TopicPartition& at, std::int64_t offset) {
  const std::int64_t end = EndOffset(at);
  if (offset >= end) return {};
  std::vector<bus::InRecord> found;
  Consumer().Assign({{at, offset, ""}});
  WaitUntil([&] {
    found = Consumer().Poll(std::chrono::milliseconds(0), 1);
    return !found.empty() || Consumer().NextOffset(at) >= end;
  });
  Consumer().Assign({});  // else it would go on asking
  if (found.empty()) return {};
  return std::move(found.front());
}

std::optional<std::int64_t> StateReader::Follow(const bus::TopicPartition& at, std::int64_t from,
                                                std::int64_t to,
                                                const std::function<void(const bus::InRecord&)>& take,
                                                const std::function<bool()>& is_whole) {
  const bool visible = WaitUntil([&] { return Consumer().EndOffset(at) >= to; });
  ReadToEnd({at, from, ""}, take);
  const bool whole =
      visible && WaitUntil([&] {
        if (is_whole()) return true;
        for (const bus::InRecord& record : Consumer().Poll(std::chrono::milliseconds(0), kPollRecords))
          take(record);
        return is_whole();
      });
  const std::int64_t end = std::max(Consumer().NextOffset(at), to);
  Consumer().Assign({});  // else it would go on asking
  if (!whole) return {};
  return end;
}

void StateReader::ReadToEnd(const bus::Position& from,
                            const std::function<void(const bus::InRecord&)>& take) {
  bus::ReadToEnd(Consumer(), {from}, take, parts_.stop_requested);
  ThrowWhenStopped();
}

/// What was read until then is not what the position belongs to, and nobody must go on from it.
void StateReader::ThrowWhenStopped() const {
  if (!parts_.stop_requested()) return;
  throw bus::BusError(bus::BusError::Kind::kStopped, "stopped while reading " + parts_.topic);
}

bool StateReader::WaitUntil(const std::function<bool()>& done) {
  const base::Duration deadline = parts_.clock.Steady() + patience_;
  while (!done()) {
    ThrowWhenStopped();
    if (parts_.clock.Steady() >= deadline) return false;
    parts_.clock.SleepFor(kPoll);
  }
  return true;
}

bus::Consumer& StateReader::Consumer() {
  // Each partition costs some requests that would wait behind one for records that do not come.
  constexpr std::chrono::milliseconds kFetchWait{10};
  if (!consumer_) consumer_ = parts_.bus.MakeConsumer({.fetch_wait = kFetchWait});
  return *consumer_;
}

}  // namespace flowcast::state
