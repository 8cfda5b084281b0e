// How fast one core turns a capture file into batches, messages and windows, each step by itself in memory.
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "libs/archive/archive.h"
#include "libs/base/clock.h"
#include "libs/capture/batcher.h"
#include "libs/capture/file_source.h"
#include "libs/window/partition_fold.h"
#include "libs/wire/packet_wire.h"

namespace {

using namespace flowcast;
using Batches = std::vector<packet::PacketBatch>;

/// The best of some rounds: what the code can do when nothing disturbs it.
class Stopwatch {
 public:
  void Start() { began_ = clock_.Steady(); }
  void Stop() { best_ = std::min(best_, base::ToSeconds(clock_.Steady() - began_)); }
  double Rate(std::size_t packets) const { return static_cast<double>(packets) / best_; }

 private:
  base::SystemClock clock_;
  base::Duration began_{};
  double best_ = 1e9;
};

Batches MakeBatches(const std::vector<packet::Packet>& packets, const std::vector<std::string>& interfaces) {
  capture::Batcher batcher({.source = "bench", .reorder_tolerance = std::chrono::seconds(1)});
  std::vector<capture::AddressedBatch> ready;
  batcher.Add(packets, interfaces, ready);
  batcher.Finish(ready);
  Batches batches;
  for (capture::AddressedBatch& batch : ready) batches.push_back(std::move(batch.batch));
  return batches;
}

std::size_t Fold(const Batches& batches, base::Duration window_length) {
  window::PartitionFold fold({.window_length = window_length});
  window::FoldOutput output;
  std::size_t windows = 0;
  for (std::size_t i = 0; i < batches.size(); ++i) {
    fold.Apply(batches[i], static_cast<std::int64_t>(i), output);
    windows += output.closed.size();
    output = {};
  }
  return windows;
}

/// What the feature service does with the messages, Kafka apart.
std::size_t DecodeAndFold(const std::vector<std::string>& messages, base::Duration window_length) {
  window::PartitionFold fold({.window_length = window_length});
  window::FoldOutput output;
  std::size_t windows = 0;
  for (std::size_t i = 0; i < messages.size(); ++i) {
    const auto batch = wire::DecodePacketBatch(messages[i]);
    if (!batch) std::abort();
    fold.Apply(*batch, static_cast<std::int64_t>(i), output);
    windows += output.closed.size();
    output = {};
  }
  return windows;
}

}  // namespace

/// usage: fold_bench FILE [ROUNDS [WINDOW_MS [MESSAGES]]]; the encoded batches are written to MESSAGES.
int main(int count, char** arguments) {
  if (count < 2) return std::fprintf(stderr, "usage: fold_bench FILE [ROUNDS [WINDOW_MS [MESSAGES]]]\n"), 2;
  const int rounds = count > 2 ? std::atoi(arguments[2]) : 5;
  const std::chrono::milliseconds window_length(count > 3 ? std::atoi(arguments[3]) : 1000);
  const std::string path = arguments[1];

  Stopwatch read, batch, encode, decode, fold, both;
  read.Start();
  capture::FileSource source(std::make_unique<capfile::Reader>(archive::Open(path), path), {});
  std::vector<packet::Packet> packets;
  while (source.Poll(4096, packets) != capture::PollState::kEnd) continue;
  read.Stop();

  Batches batches;
  std::vector<std::string> messages;
  std::size_t windows = 0, bytes = 0;
  for (int round = 0; round < rounds; ++round) {
    batch.Start();
    batches = MakeBatches(packets, source.interfaces());
    batch.Stop();
    messages.clear();
    encode.Start();
    for (const packet::PacketBatch& made : batches) messages.push_back(wire::Encode(made));
    encode.Stop();
    decode.Start();
    for (const std::string& message : messages) {
      if (!wire::DecodePacketBatch(message)) return 1;
    }
    decode.Stop();
    fold.Start();
    windows = Fold(batches, window_length);
    fold.Stop();
    both.Start();
    if (DecodeAndFold(messages, window_length) != windows) return 1;
    both.Stop();
  }
  for (const std::string& message : messages) bytes += message.size();
  const std::size_t n = packets.size();
  std::printf(
      "{\"packets\": %zu, \"batches\": %zu, \"windows\": %zu, \"bytes_per_packet\": %.2f, "
      "\"read_packets_per_s\": %.0f, \"batch_packets_per_s\": %.0f, \"encode_packets_per_s\": %.0f, "
      "\"decode_packets_per_s\": %.0f, \"fold_packets_per_s\": %.0f, "
      "\"decode_and_fold_packets_per_s\": %.0f}\n",
      n, batches.size(), windows, static_cast<double>(bytes) / static_cast<double>(n), read.Rate(n),
      batch.Rate(n), encode.Rate(n), decode.Rate(n), fold.Rate(n), both.Rate(n));
  if (std::FILE* file = count > 4 ? std::fopen(arguments[4], "wb") : nullptr) {
    for (const std::string& message : messages) std::fwrite(message.data(), 1, message.size(), file);
    std::fclose(file);
  }
  return 0;
}
