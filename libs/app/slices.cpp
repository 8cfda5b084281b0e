// The loop around the loop.
#include "libs/app/slices.h"

#include <optional>

#include "libs/base/text.h"

namespace flowcast::app {
namespace {

using namespace std::chrono_literals;

// Large batches cost Kafka less; a commit does not wait for it.
constexpr std::chrono::milliseconds kLinger = 5ms;
constexpr std::chrono::milliseconds kGather = 2ms;
constexpr std::chrono::seconds kToEnd{15};  // half of what deploy/ grants

using EverySecond = std::function<void(const slice::SliceCounters&)>;

/// Says when nothing has come for a while after something had. What is worked on, or known to wait, is not
/// nothing.
class IdleWatch {
 public:
  IdleWatch(base::Duration limit, const base::Clock& clock) : clock_(clock), limit_(limit) {}

  void Saw(const slice::SliceCounters& counters) {
    const bool nothing = counters.records_in == seen_.records_in && counters.commits == seen_.commits;
    const bool begun = counters.records_in > 0;
    if (begun && (!nothing || counters.unread > 0)) last_ = clock_.Steady();
    seen_ = counters;
  }
  bool IsOver() const { return last_ && clock_.Steady() - *last_ > limit_; }

 private:
  const base::Clock& clock_;
  base::Duration limit_;
  slice::SliceCounters seen_;
  std::optional<base::Duration> last_;
};

void RunLoop(slice::SliceLoop& loop, base::Clock& clock, const SliceProgram& program, IdleWatch idle,
             const EverySecond& every_second) {
  constexpr std::chrono::milliseconds kWait = 50ms;
  base::Duration report_at = clock.Steady();
  while (!StopRequested() && !idle.IsOver()) {
    loop.RunOnce(kWait);
    idle.Saw(loop.counters());
    if (!loop.in_transaction()) program.between();  // which may take its time, while readers wait
    if (clock.Steady() < report_at) continue;
    every_second(loop.counters());
    report_at = clock.Steady() + 1s;
  }
  loop.Stop();
}

/// Told to stop while it waits for Kafka, in the middle of a slice, it leaves the slice undone.
void RunUntilStopped(slice::SliceLoop& loop, base::Clock& clock, const SliceProgram& program,
                     const IdleWatch& idle, const EverySecond& every_second) {
  try {
    RunLoop(loop, clock, program, idle, every_second);
  } catch (const bus::BusError& error) {
    if (error.kind() != bus::BusError::Kind::kStopped) throw;
  }
  every_second(loop.counters());
}

}  // namespace

int RunSlices(const SliceProgram& program, slice::Task& task, base::Clock& clock, const base::Log& log,
              const EverySecond& every_second) {
  const auto bus = ConnectBus(program.common, program.client_id, log);
  const std::string& limit = program.exit_when_idle;
  const IdleWatch idle(limit.empty() ? base::Duration::max() : base::ParseDuration(limit), clock);
  if (program.common.check) return kOk;
  EndWithin(kToEnd);
  program.status.Start();
  if (!WaitForTopics(*bus, program.needs, program.common, clock, log)) return kOk;
  const auto consumer = bus->MakeConsumer({.group = program.common.prefix + program.group});
  const auto producer =
      bus->MakeProducer({.transactional_id = program.common.prefix + program.group + "-" + program.instance,
                         .linger = kLinger});
  program.connected(*bus);
  slice::SliceLoop loop(*consumer, *producer, clock, task,
                        {.topics = {program.input}, .gather = kGather, .log = log});
  loop.Start();
  log(base::LogLevel::kInfo, "reading " + program.input + " from " + program.common.brokers);
  program.status.SetReady(true, "reading " + program.input);
  RunUntilStopped(loop, clock, program, idle, every_second);
  log(base::LogLevel::kInfo, "stopped after " + base::Grouped(loop.counters().records_in) + " records in, " +
                                 base::Grouped(loop.counters().records_out) + " out, " +
                                 base::Grouped(loop.counters().commits) + " commits");
  return kOk;
}

}  // namespace flowcast::app
