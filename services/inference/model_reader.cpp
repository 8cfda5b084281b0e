// Reading models.v1.
#include "services/inference/model_reader.h"

namespace flowcast::services {
namespace {

using namespace std::chrono_literals;
constexpr std::size_t kPollRecords = 16;

}  // namespace

ModelReader::ModelReader(bus::Bus& bus, const std::string& topic, ModelWatcher& watcher)
    : models_{topic, 0}, consumer_(bus.MakeConsumer({})), watcher_(watcher) {
  consumer_->Assign({{models_, bus::kNoOffset, ""}});
}

void ModelReader::ReadToEnd() {
  const std::int64_t end = consumer_->EndOffset(models_);
  while (end > 0 && consumer_->NextOffset(models_) < end) {
    for (const bus::InRecord& record : consumer_->Poll(100ms, kPollRecords)) watcher_.OnRecord(record);
  }
}

void ModelReader::Poll() {
  for (const bus::InRecord& record : consumer_->Poll(0ms, kPollRecords)) watcher_.OnRecord(record);
}

}  // namespace flowcast::services
