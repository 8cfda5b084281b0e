// Packets, their watermark, windows and sequences.
#include <algorithm>

#include "libs/base/text.h"
#include "libs/diagnosis/internal/checks.h"

namespace flowcast::diagnosis::internal {
namespace {

using namespace std::chrono_literals;

// A live capture sends a batch every 50 ms, if only an empty one.
constexpr base::Duration kFresh = 10s;

bool HaveEnded(const std::vector<SourceSeen>& sources) {
  return !sources.empty() &&
         std::all_of(sources.begin(), sources.end(), [](const SourceSeen& source) { return source.ended; });
}

std::string NamesOf(const std::vector<SourceSeen>& sources) {
  constexpr std::size_t kMost = 5;
  std::vector<std::string> names;
  for (const SourceSeen& source : sources) {
    if (names.size() < kMost) names.push_back(source.name);
  }
  const std::string more =
      sources.size() > kMost ? " and " + std::to_string(sources.size() - kMost) + " more" : "";
  return base::Join(names) + more;
}

std::string StartFeatures(const GroupSeen& features) {
  return features.members == 0 && features.refused.empty()
             ? "start flowcast-features: no instance of it is running"
             : "look at the last lines of flowcast-features and at its /readyz";
}

}  // namespace

Finding CheckPackets(const Observation& seen) {
  const std::string check = "packets";
  if (auto refused = Refused(check, seen.packets)) return *refused;
  if (!seen.packets.has_records) {
    return Failed(
        check, "there is no record on " + seen.packets.topic,
        "start flowcast-capture --interface NAME or --pcap FILE; if it runs, look at its last line: "
        "filter, permission, Kafka");
  }
  if (seen.packets.came > 0) {
    return Ok(check, Records(seen.packets.came) + " came within " + Span(seen.watched) + ", from " +
                         NamesOf(seen.sources));
  }
  const base::EventTime newest = seen.packets.newest.value_or(base::kBeginningOfTime);
  const std::string text =
      "the newest record is of " + Ago(newest, seen.clock.now) + ", from " + NamesOf(seen.sources);
  if (HaveEnded(seen.sources)) {
    return Warning(check, text + "; its sources have ended", "nothing new comes until a capture is started");
  }
  if (seen.clock.now - newest <= kFresh) return Ok(check, text);
  return Failed(check, text,
                "see whether flowcast-capture still runs and what its last line says; a file that "
                "was stopped half-way is to be sent again");
}

Finding CheckWatermark(const Observation& seen) {
  const std::string check = "watermark";
  if (seen.sources.empty()) return Unknown(check, "there is no source to ask");
  const base::EventTime reached = *EventTimeOf(seen);
  const std::string text = "event time has come to " + base::FormatTime(base::AlignDown(reached, 1ms));
  if (HaveEnded(seen.sources)) return Ok(check, text + "; all sources have ended");
  const bool moves = std::any_of(seen.sources.begin(), seen.sources.end(),
                                 [](const SourceSeen& source) { return source.after > source.before; });
  if (moves) return Ok(check, text + " and moves");
  const std::string still = text + " and stood still for " + Span(seen.watched);
  if (seen.packets.came == 0) {
    return Failed(check, still, "no window closes before it moves; see packets above");
  }
  return Warning(
      check, still,
      "time stamps may go back, or a file is replayed slowly; see the capture's --reorder-tolerance "
      "and --speed");
}

Finding CheckWindows(const Observation& seen) {
  const std::string check = "windows";
  if (auto refused = Refused(check, seen.windows)) return *refused;
  if (!seen.windows.has_records) {
    if (!seen.packets.has_records) return Unknown(check, "none yet; they are made of packets");
    if (seen.features.members > 0 && seen.features.unread == 0) {
      return Warning(check, "none has closed yet",
                     "wait: a window closes when the watermark passes its end (--window, plus --lateness)");
    }
    return Failed(check, "there is no record on " + seen.windows.topic, StartFeatures(seen.features));
  }
  if (!seen.window)
    return Warning(check, "the newest records are no windows of ours", "find out who writes them");
  const auto reached = EventTimeOf(seen);
  const std::string text = "the newest, of " + seen.window->link + ", ends at " +
                           base::FormatTime(seen.window->end) + " (" +
                           base::FormatDuration(seen.window->length) + " each)";
  if (!reached || *reached - seen.window->end <= Tolerance(seen.window->length)) return Ok(check, text);
  const std::string behind = text + ", " + Span(*reached - seen.window->end) + " behind event time";
  if (seen.features.members > 0 && seen.features.unread == 0) {
    return Warning(check, behind, "a large --lateness of flowcast-features holds windows open");
  }
  return Failed(check, behind, StartFeatures(seen.features));
}

Finding CheckSequences(const Observation& seen) {
  const std::string check = "sequences";
  if (auto refused = Refused(check, seen.sequences)) return *refused;
  if (!seen.window) return Unknown(check, "none yet; they are made of windows");
  if (!seen.sequence) {
    return Warning(
        check, "there is none yet",
        "wait: a link needs as many whole windows in a row as --sequence-length of flowcast-features "
        "says (16); " +
            base::FormatDuration(seen.window->length) + " each here");
  }
  const std::string text = "the newest, of " + seen.sequence->link + ", ends at " +
                           base::FormatTime(seen.sequence->end) + " (" +
                           std::to_string(seen.sequence->length) + " windows of " +
                           base::FormatDuration(seen.sequence->window_length) + ")";
  if (seen.window->end - seen.sequence->end <= Tolerance(seen.sequence->window_length))
    return Ok(check, text);
  return Warning(check, text + ", " + Span(seen.window->end - seen.sequence->end) + " behind the windows",
                 "links that are younger than a sequence have none yet; after --window was changed, all are");
}

}  // namespace flowcast::diagnosis::internal
