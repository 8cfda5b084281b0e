// A fold with a source "demo" and verbs for it.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "libs/window/partition_fold.h"
#include "tests/support/stream.h"

namespace flowcast::window {

class WindowFixture : public testing::Test {
 protected:
  void Restart(const FoldOptions& options) { fold_ = PartitionFold(options); }
  /// One batch with a packet on link "a" at each of these seconds; the watermark stays.
  void Feed(const std::vector<double>& seconds, const std::string& link = "a") {
    for (const double second : seconds) stream_.Add(link, support::At(second));
    Apply(stream_.Next(watermark_));
  }
  void AdvanceTo(double seconds) {
    watermark_ = support::At(seconds);
    Apply(stream_.Next(watermark_));
  }
  void End(double seconds) { Apply(stream_.Next(support::At(seconds), true)); }
  void Apply(const packet::PacketBatch& batch) {
    FoldOutput output;
    fold_.Apply(batch, offset_++, output);
    Take(std::move(output));
  }
  void Vanish() {
    FoldOutput output;
    fold_.Vanish("demo", output);
    Take(std::move(output));
  }
  void Take(FoldOutput output) {
    for (ClosedWindow& window : output.closed) closed_.push_back(std::move(window));
    changed_ = std::move(output.changed);
  }

  std::vector<ClosedWindow> TakeClosed() { return std::exchange(closed_, {}); }
  /// The oldest window not looked at yet.
  void ExpectWindow(double start, std::uint64_t packets, bool partial = false,
                    const std::string& link = "demo/a") {
    ASSERT_FALSE(closed_.empty()) << "no window at " << start;
    const feature::Window window = closed_.front().window;
    closed_.erase(closed_.begin());
    EXPECT_EQ(window.link, link);
    EXPECT_EQ(base::ToSeconds(window.start - support::At(0)), start);
    EXPECT_EQ(window.packets, packets) << "window at " << start;
    EXPECT_EQ(window.partial, partial) << "window at " << start;
    late_ += window.late_packets;
  }
  void ExpectNothingMore() { EXPECT_THAT(closed_, testing::IsEmpty()); }

  FoldOptions options_{.window_length = std::chrono::seconds(5), .sequence_length = 3};
  PartitionFold fold_{options_};
  support::Stream stream_;
  base::EventTime watermark_ = support::At(0);
  std::int64_t offset_ = 0;
  std::vector<ClosedWindow> closed_;
  std::map<std::string, std::optional<LinkSnapshot>> changed_;  // by the last call
  std::uint64_t late_ = 0;
};

}  // namespace flowcast::window
