// Sequences that are made after the windows: the same ones, wherever a restart comes in between.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <utility>

#include "libs/window/partition_fold.h"
#include "tests/support/kept_snapshots.h"
#include "tests/support/traffic.h"
#include "tests/unit/window_fixture.h"

namespace flowcast::window {
namespace {

using namespace std::chrono_literals;
using support::At;
using support::Stream;
using testing::IsEmpty;
using testing::SizeIs;

using Log = std::vector<packet::PacketBatch>;

/// What a service that uses the fold has committed.
struct Committed {
  std::vector<feature::Window> windows;
  std::vector<feature::Sequence> sequences;
  support::KeptSnapshots snapshots;

  void Take(FoldOutput output) {
    for (ClosedWindow& closed : output.closed) {
      windows.push_back(std::move(closed.window));
      if (closed.sequence) sequences.push_back(std::move(*closed.sequence));
    }
    for (feature::Sequence& sequence : output.sequences) sequences.push_back(std::move(sequence));
    snapshots.Take(std::move(output.changed));
  }
  /// As a restarted service puts them together when so many windows are owed.
  std::map<std::string, RestoredLinks> Links(std::uint64_t needed, std::size_t owed,
                                             const FoldOptions& options) const {
    return snapshots.Restore(
        needed, windows.size() - owed, [this](std::size_t i) -> const auto& { return windows[i]; }, options);
  }
};

/// A service that is killed now and then.
class Service {
 public:
  Service(const FoldOptions& options, const Log& log) : options_(options), log_(log), fold_(options) {}

  /// Reads the next record, unless that waits for something to be closed.
  void Read() {
    if (Close()) return;
    if (!fold_.Take(log_.at(next_), static_cast<std::int64_t>(next_))) return;
    ++next_;
    Close();
  }
  bool Close() {
    FoldOutput output;
    const bool more = fold_.Close(output);
    committed.Take(std::move(output));
    return more;
  }
  bool MakeSequences(std::size_t windows) {
    FoldOutput output;
    const bool more = fold_.MakeSequences(windows, output);
    committed.Take(std::move(output));
    return more;
  }
  void Restart() {
    const auto from = fold_.OldestNeededOffset().value_or(static_cast<std::int64_t>(next_));
    PartitionFold fresh(options_);
    fresh.BeginRefold(fold_.ProgressBefore(from), fold_.ProgressNow());
    for (auto i = static_cast<std::size_t>(from); i < next_; ++i)
      EXPECT_TRUE(fresh.Take(log_[i], static_cast<std::int64_t>(i)));
    const std::uint64_t needed = fold_.OldestNeededWindow();
    const auto owed = static_cast<std::ptrdiff_t>(fold_.owed());
    fresh.EndRefold(committed.Links(needed, fold_.owed(), options_),
                    {needed,
                     committed.windows.size(),
                     fold_.last_window(),
                     {committed.windows.end() - owed, committed.windows.end()}});
    EXPECT_EQ(fresh.owed(), fold_.owed());
    EXPECT_EQ(fresh.link_count(), fold_.link_count());
    fold_ = std::move(fresh);
  }
  void Finish() {
    while (next_ < log_.size()) Read();
    for (bool more = true; more;) more = Close() || MakeSequences(7);
  }
  bool HasMore() const { return next_ < log_.size(); }
  const PartitionFold& fold() const { return fold_; }

  Committed committed;

 private:
  FoldOptions options_;
  const Log& log_;
  PartitionFold fold_;
  std::size_t next_ = 0;
};

void ExpectSame(const Committed& actual, const Committed& wanted) {
  ASSERT_EQ(actual.windows.size(), wanted.windows.size());
  for (std::size_t i = 0; i < wanted.windows.size(); ++i)
    ASSERT_EQ(actual.windows[i], wanted.windows[i]) << i;
  ASSERT_EQ(actual.sequences.size(), wanted.sequences.size());
  for (std::size_t i = 0; i < wanted.sequences.size(); ++i)
    ASSERT_EQ(actual.sequences[i], wanted.sequences[i]) << i;
}

class SequenceProperties : public testing::TestWithParam<std::uint64_t> {
 protected:
  Log MakeLog() {
    Log one = MakeBatches(random_, "one", support::MakeSightings(random_, 300), {.disorder_s = 3});
    Log two = MakeBatches(random_, "two", support::MakeSightings(random_, 100), {});
    Log again = MakeBatches(random_, "two", support::MakeSightings(random_, 60), {.ends = false});
    for (packet::PacketBatch& batch : again) batch.epoch += 1;  // began afresh
    Log log = support::Merge(std::move(one), two);
    return support::Merge(std::move(log), again);
  }
  void ExpectTheSameSequences(const Log& log, FoldOptions options, std::uint64_t restart_one_in) {
    Service straight(options, log);
    straight.Finish();
    options.sequences_at_once = random_.Below(3);
    Service later(options, log);
    std::size_t most_owed = 0;
    while (later.HasMore()) {
      later.Read();
      most_owed = std::max(most_owed, later.fold().owed());
      if (random_.Below(4) == 0) later.MakeSequences(random_.Below(12));
      if (restart_one_in > 0 && random_.Below(restart_one_in) == 0) later.Restart();
    }
    later.Finish();
    EXPECT_GT(most_owed, 2u);
    EXPECT_EQ(later.fold().owed(), 0u);
    ExpectSame(later.committed, straight.committed);
    EXPECT_EQ(later.fold().ProgressNow(), straight.fold().ProgressNow());
  }

  base::Random random_{GetParam()};
  const FoldOptions options_{
      .window_length = 5s, .link_expiry = 40s, .sequence_length = 3, .snapshot_every = 4};
};

TEST_P(SequenceProperties, LaterSequencesAreTheSameInTheSameOrder) {
  ExpectTheSameSequences(MakeLog(), options_, 0);
}

TEST_P(SequenceProperties, ARestartWhileSomeAreOwedChangesNothing) {
  for (int i = 0; i < 4; ++i) ExpectTheSameSequences(MakeLog(), options_, 10);
}

TEST_P(SequenceProperties, AmongWindowsThatOverlapToo) {
  FoldOptions options = options_;
  options.hop = 1s;
  ExpectTheSameSequences(MakeLog(), options, 15);
}

TEST_P(SequenceProperties, WindowsWaitForSequencesWhenTheyAreTooFarBehind) {
  FoldOptions options = options_;
  options.close_at_once = 4;
  ExpectTheSameSequences(MakeLog(), options, 25);
}

INSTANTIATE_TEST_SUITE_P(Seeds, SequenceProperties, testing::Range<std::uint64_t>(1, 9));

class LaterSequencesTest : public WindowFixture {
 protected:
  LaterSequencesTest() {
    options_.sequences_at_once = 0;
    Restart(options_);
  }
  std::vector<feature::Sequence> MakeSequences(std::size_t windows) {
    FoldOutput output;
    fold_.MakeSequences(windows, output);
    changed_ = std::move(output.changed);
    return std::move(output.sequences);
  }
};

TEST_F(LaterSequencesTest, ComeOfTheOldestWindowsFirst) {
  Feed({0, 6, 11, 16});
  AdvanceTo(20);
  EXPECT_THAT(closed_, SizeIs(4));
  EXPECT_EQ(fold_.owed(), 4u);
  EXPECT_THAT(MakeSequences(2), IsEmpty()) << "two of three";
  EXPECT_EQ(MakeSequences(1).at(0).end, At(15));
  EXPECT_EQ(MakeSequences(10).at(0).end, At(20));
  EXPECT_EQ(fold_.owed(), 0u);
  EXPECT_EQ(fold_.counters().sequences, 2u);
}

TEST_F(LaterSequencesTest, ASourceEndsOnceTheyAreMade) {
  Feed({0, 6, 11});
  End(16);
  EXPECT_EQ(fold_.RunningSources(), std::vector<std::string>{"demo"});
  EXPECT_THAT(closed_, SizeIs(4));
  EXPECT_THAT(MakeSequences(10), SizeIs(1));
  EXPECT_THAT(fold_.RunningSources(), IsEmpty());
  EXPECT_EQ(fold_.link_count(), 0u);
}

TEST_F(LaterSequencesTest, ASourceThatBeginsAfreshDoesNotWaitForSpareTime) {
  Feed({0, 6, 11});
  End(16);
  Stream next("demo");
  packet::PacketBatch batch = next.Add("a", At(31)).Next(At(32));
  batch.epoch += 1;
  ASSERT_FALSE(fold_.Take(batch, offset_));
  FoldOutput output;
  while (fold_.Close(output)) continue;
  EXPECT_THAT(output.sequences, SizeIs(1));
  EXPECT_TRUE(fold_.Take(batch, offset_));
  EXPECT_EQ(fold_.counters().restarted_sources, 0u) << "it had ended";
}

TEST_F(LaterSequencesTest, OneWindowOfEachLinkMayBeOwed) {
  options_.close_at_once = 3;
  Restart(options_);
  for (int i = 0; i < 10; ++i) stream_.Add("link" + std::to_string(i), At(0));
  Apply(stream_.Next(At(0)));
  AdvanceTo(5);
  EXPECT_EQ(fold_.owed(), 10u);
  AdvanceTo(30);
  EXPECT_LE(fold_.owed(), 20u);
  EXPECT_THAT(closed_, SizeIs(60));
}

}  // namespace
}  // namespace flowcast::window
