// /proc into numbers.
#include "libs/app/process_metrics.h"

#include <sys/resource.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>

namespace flowcast::app {
namespace {

/// The fields of /proc/self/stat from the third on (proc(5)); the second may hold anything.
std::vector<double> StatFields() {
  std::ifstream file("/proc/self/stat");
  std::string text;
  std::getline(file, text);
  const auto name_end = text.rfind(')');
  std::vector<double> fields;
  if (name_end == std::string::npos) return fields;
  std::istringstream rest(text.substr(name_end + 1));
  std::string state;
  rest >> state;
  for (double value = 0; rest >> value;) fields.push_back(value);
  return fields;
}

std::optional<double> BootSeconds() {
  std::ifstream file("/proc/stat");
  for (std::string word; file >> word;) {
    double seconds = 0;
    if (word == "btime" && file >> seconds) return seconds;
  }
  return std::nullopt;
}

std::optional<double> OpenDescriptors() {
  std::error_code error;
  double count = 0;
  const std::filesystem::directory_iterator end;
  for (auto entry = std::filesystem::directory_iterator("/proc/self/fd", error); !error && entry != end;
       entry.increment(error)) {
    ++count;
  }
  return error ? std::nullopt : std::optional(count - 1);  // but for the folder's own
}

std::optional<double> MostDescriptors() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return std::nullopt;
  return static_cast<double>(limit.rlim_cur);
}

}  // namespace

ProcessFacts ReadProcessFacts() {
  // Positions among the fields after the state: utime, stime, starttime, vsize, rss.
  constexpr std::size_t kUserTicks = 10, kSystemTicks = 11, kStartTicks = 18, kVirtualBytes = 19, kPages = 20;
  ProcessFacts facts{.open_descriptors = OpenDescriptors(), .most_descriptors = MostDescriptors()};
  const std::vector<double> fields = StatFields();
  if (fields.size() <= kPages) return facts;
  const auto ticks_per_second = static_cast<double>(sysconf(_SC_CLK_TCK));
  facts.cpu_seconds = (fields[kUserTicks] + fields[kSystemTicks]) / ticks_per_second;
  facts.virtual_bytes = fields[kVirtualBytes];
  facts.resident_bytes = fields[kPages] * static_cast<double>(sysconf(_SC_PAGESIZE));
  if (const auto boot = BootSeconds()) facts.start_seconds = *boot + fields[kStartTicks] / ticks_per_second;
  return facts;
}

const telemetry::Table<ProcessFacts>& ProcessMetrics() {
  using Facts = ProcessFacts;
  static const auto table =
      telemetry::Table<Facts>()
          .Counter("process_cpu_seconds_total", "CPU time of the process, user and system.",
                   [](const Facts& facts) { return facts.cpu_seconds; })
          .Gauge("process_resident_memory_bytes", "Memory that the process has in RAM.",
                 [](const Facts& facts) { return facts.resident_bytes; })
          .Gauge("process_virtual_memory_bytes", "Address space of the process.",
                 [](const Facts& facts) { return facts.virtual_bytes; })
          .Gauge("process_open_fds", "Open file descriptors.",
                 [](const Facts& facts) { return facts.open_descriptors; })
          .Gauge("process_max_fds", "How many file descriptors may be open.",
                 [](const Facts& facts) { return facts.most_descriptors; })
          .Gauge("process_start_time_seconds", "When the process began, in seconds since 1970.",
                 [](const Facts& facts) { return facts.start_seconds; });
  return table;
}

}  // namespace flowcast::app
