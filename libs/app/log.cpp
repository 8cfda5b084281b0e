// The logger over spdlog.
#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

#include "libs/app/app.h"
#include "libs/base/printable.h"

namespace flowcast::app {
namespace {

spdlog::level::level_enum ToSpdlog(base::LogLevel level) {
  switch (level) {
    case base::LogLevel::kDebug:
      return spdlog::level::debug;
    case base::LogLevel::kInfo:
      return spdlog::level::info;
    case base::LogLevel::kWarning:
      return spdlog::level::warn;
    case base::LogLevel::kError:
      return spdlog::level::err;
  }
  return spdlog::level::info;
}

/// The inside of a JSON string; of a printable line.
std::string Escape(const std::string& line) {
  std::string escaped;
  for (const char c : line) {
    if (c == '"' || c == '\\') escaped += '\\';
    escaped += c;
  }
  return escaped;
}

}  // namespace

base::Log MakeLog(const std::string& program, const CommonOptions& options) {
  auto logger =
      std::make_shared<spdlog::logger>(program, std::make_shared<spdlog::sinks::stderr_color_sink_mt>());
  logger->set_level(spdlog::level::from_str(options.log_level));
  const bool json = options.log_json;
  logger->set_pattern(json ? R"({"time":"%Y-%m-%dT%H:%M:%S.%eZ","level":"%l","program":"%n","text":"%v"})"
                           : "%H:%M:%S.%e %^%-7l%$ %v",
                      json ? spdlog::pattern_time_type::utc : spdlog::pattern_time_type::local);
  return [logger, json](base::LogLevel level, const std::string& line) {
    const std::string printable = base::Printable(line);  // names in it may come from anybody
    logger->log(ToSpdlog(level), "{}", json ? Escape(printable) : printable);
  };
}

}  // namespace flowcast::app
