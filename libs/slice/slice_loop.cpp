// One transaction a slice.
#include "libs/slice/slice_loop.h"

#include <algorithm>
#include <utility>

namespace flowcast::slice {

using std::chrono::milliseconds;

namespace {

std::vector<bus::Position> Known(std::vector<bus::Position> positions) {
  std::erase_if(positions, [](const bus::Position& position) { return position.offset == bus::kNoOffset; });
  return positions;
}

std::vector<bus::TopicPartition> PartitionsOf(const std::vector<bus::Position>& positions) {
  std::vector<bus::TopicPartition> partitions;
  for (const bus::Position& position : positions) partitions.push_back(position.at);
  return partitions;
}

}  // namespace

SliceLoop::SliceLoop(bus::Consumer& consumer, bus::Producer& producer, base::Clock& clock, Task& task,
                     SliceOptions options)
    : consumer_(consumer),
      producer_(producer),
      clock_(clock),
      task_(task),
      options_(std::move(options)),
      part_(options_.live_limit) {}

void SliceLoop::Start() {
  producer_.InitTransactions();
  consumer_.Subscribe(options_.topics, *this);
}

std::size_t SliceLoop::RunOnce(milliseconds wait) {
  if (roll_back_is_due_) RollBack();
  const auto records = consumer_.Poll(TimeToWait(wait), options_.poll_limit);
  if (consumer_.Unread() < options_.poll_limit) caught_up_at_ = clock_.Steady();
  roll_back_is_due_ = true;  // should the task throw
  Work(records);
  if (records.empty()) {
    Idle();
    if (outbox_.empty() && !in_transaction_ && clock_.Steady() >= spare_from_) Spare();
  }
  const bool at_once =
      slice_open_ && (records.empty() || KeepsUp()) && (in_transaction_ || task_.WantsCommit(outbox_));
  if (SliceIsDue() || (at_once && HasGathered(records.empty()))) {
    Commit();
    part_ = options_.live_limit;
  }
  roll_back_is_due_ = false;
  if (!slice_open_) counters_.unread = consumer_.Unread();
  return records.size();
}

milliseconds SliceLoop::TimeToWait(milliseconds wait) const {
  if (idle_is_due_ || gathering_) return std::min(options_.gather, wait);
  const base::Duration never = base::Duration::max();
  const base::Duration due = std::min(slice_open_ ? slice_began_ + options_.slice_length : never,
                                      task_.HasSpareWork() ? spare_from_ : never);
  if (due == never) return wait;
  const base::Duration left = due - clock_.Steady();
  return std::clamp(std::chrono::ceil<milliseconds>(left), milliseconds(0), wait);
}

void SliceLoop::Work(const std::vector<bus::InRecord>& records) {
  for (const bus::InRecord& record : records) {
    ++counters_.records_in;
    counters_.produced_at = std::max(counters_.produced_at, record.produced_at);
    idle_is_due_ = true;
    for (bool done = false; !done;) {
      OpenSlice();
      done = task_.OnRecord(record, outbox_);
      const bool went_well = SliceIsDue() ? CommitPart() : outbox_.size() < options_.send_at || SendAhead();
      if (!went_well) return;  // the rest of the batch is delivered again
    }
  }
}

void SliceLoop::Idle() {
  idle_is_due_ = false;
  task_.OnIdle(outbox_);
  if (!outbox_.empty() || task_.HasMoved()) OpenSlice();
}

void SliceLoop::Spare() {
  for (int part = 0; part < options_.spare_parts && task_.HasSpareWork(); ++part) {
    task_.OnSpare(outbox_);
    if (outbox_.empty()) continue;
    spared_ = true;
    OpenSlice();
    if (outbox_.size() >= options_.send_at && !SendAhead()) return;
  }
}

void SliceLoop::OpenSlice() {
  if (slice_open_) return;
  slice_open_ = true;
  slice_began_ = clock_.Steady();
}

bool SliceLoop::SliceIsDue() const {
  if (!slice_open_) return false;
  return sent_ + outbox_.size() >= Limit() || clock_.Steady() - slice_began_ >= options_.slice_length;
}

/// A loop that is behind, say because commits take long, would stay so if it waited for one at the end of
/// each window: it commits by time and size alone until it has caught up. The record's age alone would be
/// that of this host's clock beside the broker's.
bool SliceLoop::KeepsUp() const {
  if (clock_.Now().time_since_epoch() - counters_.produced_at < options_.keeps_up) return true;
  return caught_up_at_ && clock_.Steady() - *caught_up_at_ < options_.keeps_up;
}

std::size_t SliceLoop::Limit() const {
  return KeepsUp() ? std::min(part_, options_.outbox_limit) : options_.outbox_limit;
}

/// What many links close together is committed in parts, each of which the next service works on while this
/// one makes the following. They grow, as a commit takes its time; a loop that is behind makes large ones.
bool SliceLoop::CommitPart() {
  part_ = std::min(2 * part_, options_.outbox_limit);
  return Commit();
}

/// A window ends in all partitions at the same time, but their records do not come in one piece; a
/// transaction for each piece would take longer than to wait for the rest.
bool SliceLoop::HasGathered(bool nothing_came) {
  if (nothing_came || options_.gather == milliseconds(0)) return true;
  if (!std::exchange(gathering_, true)) gathering_since_ = clock_.Steady();
  return clock_.Steady() - gathering_since_ >= options_.gather_at_most;
}

bool SliceLoop::Commit() {
  Idle();
  const auto positions = Known(task_.Positions());
  const bool spared = std::exchange(spared_, false);
  gathering_ = false;
  if (!spared && sent_ + outbox_.size() > 0) spare_from_ = clock_.Steady() + options_.spare_after;
  slice_open_ = false;
  if (outbox_.empty() && !in_transaction_ && positions == committed_) return true;
  task_.OnCommit(outbox_);
  const bool went_well = Try([&] {
    Send();
    producer_.Commit(positions, *consumer_.Token());
    in_transaction_ = false;
  });
  if (!went_well) return false;
  counters_.records_out += std::exchange(sent_, 0);
  ++counters_.commits;
  committed_ = positions;
  return true;
}

bool SliceLoop::SendAhead() {
  return Try([this] { Send(); });
}

void SliceLoop::Send() {
  if (!in_transaction_) producer_.Begin();
  in_transaction_ = true;
  sent_ += outbox_.size();
  for (bus::OutRecord& record : outbox_) producer_.Send(std::move(record));
  outbox_.clear();
}

bool SliceLoop::Try(const std::function<void()>& action) {
  const bool was_due = std::exchange(roll_back_is_due_, true);
  try {
    action();
  } catch (const bus::BusError& error) {
    if (error.kind() != bus::BusError::Kind::kAbort) throw;
    RollBack();
    return false;
  }
  roll_back_is_due_ = was_due;
  return true;
}

void SliceLoop::RollBack() {
  Drop();
  consumer_.Rewind();
  roll_back_is_due_ = false;
}

/// All that is not committed, with the transaction that some of it may be in.
void SliceLoop::Drop() {
  Forget();
  if (!in_transaction_) return;
  producer_.Abort();
  in_transaction_ = false;
  ++counters_.aborts;
}

void SliceLoop::Forget() {
  outbox_.clear();
  sent_ = 0;
  slice_open_ = false;
  idle_is_due_ = false;
  spared_ = false;
  gathering_ = false;
}

/// Kafka may keep positions of topics that were deleted. Used for others of the same name they would
/// lose what comes before them.
void SliceLoop::ForgetStrangers(std::vector<bus::Position>& partitions) {
  for (bus::Position& position : partitions) {
    if (position.offset == bus::kNoOffset) continue;
    if (position.offset <= consumer_.EndOffset(position.at) && task_.IsOfThisTopic(position)) continue;
    options_.log(base::LogLevel::kWarning,
                 position.at.topic + " partition " + std::to_string(position.at.partition) +
                     ": the topic was emptied or made anew since position " +
                     std::to_string(position.offset) +
                     " was committed; it is read from its beginning, and all of it counts as new");
    position = {position.at, bus::kNoOffset, ""};
  }
}

void SliceLoop::OnAssigned(std::vector<bus::Position>& partitions) {
  ForgetStrangers(partitions);
  Forget();
  committed_ = Known(partitions);
  try {
    task_.OnAssigned(partitions);
  } catch (const bus::BusError&) {
    // What it took up before it failed may belong to another when it is asked again.
    task_.OnRevoked(PartitionsOf(partitions));
    throw;
  }
  if (!roll_back_is_due_) ++counters_.rebalances;
}

/// The next owner reads from what is committed. A transaction left open would hide what it writes, and be
/// committed with our next one.
void SliceLoop::OnRevoked(const std::vector<bus::TopicPartition>& partitions, bool) {
  task_.OnRevoked(partitions);
  const bool was_due = std::exchange(roll_back_is_due_, true);  // should the abort fail
  Drop();
  roll_back_is_due_ = was_due;
}

void SliceLoop::Stop() {
  try {
    if (roll_back_is_due_) RollBack();
    if (task_.HasMoved()) OpenSlice();
    bool went_well = !slice_open_ || Commit();
    while (went_well && task_.HasSpareWork()) {
      Spare();
      went_well = !slice_open_ || Commit();
    }
  } catch (const bus::BusError&) {
    in_transaction_ = false;  // ended by Kafka, as that of a killed service is
    consumer_.Close();
    throw;
  }
  consumer_.Close();
}

}  // namespace flowcast::slice
