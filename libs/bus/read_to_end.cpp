// Reading up to the end offsets.
#include "libs/bus/read_to_end.h"

#include <algorithm>

namespace flowcast::bus {
namespace {

using namespace std::chrono_literals;
constexpr std::chrono::milliseconds kPoll = 100ms;
constexpr std::size_t kPollRecords = 2000;

}  // namespace

std::vector<Position> FromStart(const std::string& topic, std::int32_t partitions) {
  std::vector<Position> positions;
  for (std::int32_t p = 0; p < partitions; ++p) positions.push_back({{topic, p}, kNoOffset, ""});
  return positions;
}

void ReadToEnd(Consumer& consumer, const std::vector<Position>& partitions,
               const std::function<void(const InRecord&)>& take, const std::function<bool()>& stop) {
  consumer.Assign(partitions);
  std::map<TopicPartition, std::int64_t> ends;
  for (const Position& position : partitions) ends[position.at] = consumer.EndOffset(position.at);
  const auto is_read = [&consumer](const auto& end) {
    return end.second == 0 || consumer.NextOffset(end.first) >= end.second;
  };
  while (!std::all_of(ends.begin(), ends.end(), is_read) && !(stop && stop())) {
    for (const InRecord& record : consumer.Poll(kPoll, kPollRecords)) take(record);
  }
}

}  // namespace flowcast::bus
