// Reading models.v1.
#include "services/inference/model_reader.h"

#include "libs/bus/read_to_end.h"
#include "libs/model_topic/model_topic.h"

namespace flowcast::services {
namespace {

using namespace std::chrono_literals;
constexpr std::size_t kPollRecords = 16;

}  // namespace

ModelReader::ModelReader(bus::Bus& bus, const std::string& topic, ModelWatcher& watcher)
    : topic_(topic), consumer_(bus.MakeConsumer({})), watcher_(watcher) {
  watcher_.FetchWith(
      [&bus, topic](std::int64_t offset) { return model_topic::RecordAt(bus, topic, offset); });
}

void ModelReader::ReadToEnd() {
  constexpr std::int32_t kPartitions = 1;
  bus::ReadToEnd(*consumer_, bus::FromStart(topic_, kPartitions),
                 [this](const bus::InRecord& record) { watcher_.OnRecord(record); });
}

void ModelReader::Poll() {
  for (const bus::InRecord& record : consumer_->Poll(0ms, kPollRecords)) watcher_.OnRecord(record);
}

}  // namespace flowcast::services
