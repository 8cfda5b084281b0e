// Options, signals and exit codes.
#include "libs/app/app.h"

#include <poll.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "libs/app/kafka_options.h"
#include "libs/app/options_page.h"
#include "libs/app/secret_file.h"
#include "libs/app/status.h"
#include "libs/base/error.h"
#include "libs/base/printable.h"
#include "libs/base/throttle.h"
#include "libs/kafka/kafka_bus.h"

namespace flowcast::app {
namespace {

volatile std::sig_atomic_t stop_requested = 0;
volatile std::sig_atomic_t hangup_came = 0;
volatile std::sig_atomic_t seconds_to_end = 0;  // after a stop was asked for; 0: as long as it takes

void RequestStop(int) {
  if (stop_requested == 0) alarm(static_cast<unsigned>(seconds_to_end));
  stop_requested = 1;
}
void NoteHangup(int) { hangup_came = 1; }

/// In a signal handler, where little more is allowed.
void EndAtOnce(int) {
  constexpr std::string_view kWords =
      "stopped without Kafka's answer; what was not committed is done again at the next start\n";
  static_cast<void>(!write(STDERR_FILENO, kWords.data(), kWords.size()));
  _exit(kOk);
}

std::string EnvironmentName(const std::string& option) {
  std::string name = "FLOWCAST_" + option;
  std::transform(name.begin(), name.end(), name.begin(),
                 [](unsigned char c) { return c == '-' ? '_' : static_cast<char>(std::toupper(c)); });
  return name;
}

/// Nobody reads standard output any more.
struct OutputClosed {};

bool IsOutputClosed() {
  pollfd output{.fd = STDOUT_FILENO, .events = 0, .revents = 0};
  return poll(&output, 1, 0) == 1 && (output.revents & POLLERR) != 0;
}

int Fail(ExitCode code, const char* text) {
  std::fprintf(stderr, "error: %s\n", base::Printable(text).c_str());
  return code;
}

bool IsNamed(const CLI::Option& option, const std::vector<std::string>& arguments) {
  return std::any_of(arguments.begin(), arguments.end(), [&option](const std::string& argument) {
    const std::string name = argument.substr(0, argument.find('='));
    return name.size() > 1 && name[0] == '-' && option.check_name(name);
  });
}

/// Everybody on this host sees the command line.
void RefuseSecrets(const std::vector<std::string>& arguments) {
  for (const std::string& argument : arguments) {
    const auto name = SecretIn(argument);
    if (!name) continue;
    throw base::ConfigError(
        "the command line holds " + *name + ", which every user of this host can read there; write " + *name +
        "=@FILE with the file that holds it, or put the line into the file of --kafka-file");
  }
}

/// The command line, and behind it as flags what only the environment says: so that the environment
/// stands above the configuration file, which CLI11 by itself would have the other way round.
std::vector<std::string> Arguments(const CLI::App& app, int argc, char** argv) {
  std::vector<std::string> arguments(argv + 1, argv + argc);
  RefuseSecrets(arguments);
  const std::vector<std::string> given = arguments;
  for (const CLI::Option* option : app.get_options()) {
    const char* value = option->get_envname().empty() ? nullptr : std::getenv(option->get_envname().c_str());
    if (value == nullptr || IsNamed(*option, given)) continue;
    arguments.push_back("--" + option->get_lnames().front() + "=" + value);
  }
  std::reverse(arguments.begin(), arguments.end());  // as CLI11 wants them
  return arguments;
}

void AddStatusOptions(CLI::App& app, CommonOptions& options, const std::string& group) {
  app.add_option("--http", options.http,
                 "where /metrics, /healthz and /readyz are: ADDRESS:PORT (port 0: any), or off")
      ->capture_default_str()
      ->each([&options](const std::string&) { options.http_given = true; })
      ->group(group);
  const auto print = [&options] {
    PrintMetrics(options.describe ? options.describe() : std::vector<telemetry::Metric>());
    throw CLI::Success();
  };
  app.add_flag_callback("--print-metrics", print, "list the metrics as rows of a Markdown table and exit")
      ->group(group)
      ->configurable(false);
}

/// The warning is about the configuration file, as the command line holds no secrets.
void ReadProperties(const CLI::App& app, CommonOptions& options) {
  options.properties = ReadKafkaProperties(options.kafka, options.kafka_file);
  if (auto warning = WarnOfOthers(options.kafka_token_file))
    options.properties->warnings.push_back(std::move(*warning));
  const CLI::Option* file = app.get_config_ptr();
  if (file->count() == 0 || !HoldSecret(options.kafka) || std::getenv("FLOWCAST_KAFKA") != nullptr) return;
  if (auto warning = WarnOfOthers(file->results().back()))
    options.properties->warnings.push_back(std::move(*warning));
}

void AddKafkaOptions(CLI::App& app, CommonOptions& options, const std::string& group) {
  app.add_option("--kafka", options.kafka,
                 "a librdkafka property, key=value, or key=@FILE for the content of a file; may be repeated")
      ->group(group);
  app.add_option("--kafka-file", options.kafka_file,
                 "file of librdkafka properties, key=value a line; --kafka stands above it")
      ->group(group);
  app.add_option("--kafka-token-file", options.kafka_token_file,
                 "file of the token for SASL/OAUTHBEARER, read again every minute")
      ->group(group);
  options.shown["kafka"] = Shown;
}

KafkaProperties PropertiesOf(const CommonOptions& options) {
  return options.properties ? *options.properties : ReadKafkaProperties(options.kafka, options.kafka_file);
}

}  // namespace

void AddCommonOptions(CLI::App& app, CommonOptions& options) {
  const std::string group = kCommonGroup;
  if (!options.http.empty()) AddStatusOptions(app, options, group);
  app.add_option("--brokers", options.brokers, "Kafka brokers, HOST:PORT, separated by commas")
      ->capture_default_str()
      ->group(group);
  app.add_option("--prefix", options.prefix, "what the topics' names begin with")
      ->capture_default_str()
      ->group(group);
  AddKafkaOptions(app, options, group);
  app.add_option("--broker-timeout", options.broker_timeout,
                 "how long to wait for Kafka, and at the start for its topics, before ending with 3")
      ->capture_default_str()
      ->group(group);
  app.add_option("--log-level", options.log_level, "debug, info, warning or error")
      ->capture_default_str()
      ->check(CLI::IsMember({"debug", "info", "warning", "error"}))
      ->group(group);
  app.add_flag("--log-json", options.log_json, "log as JSON, one object a line")->group(group);
  app.add_flag("--check", options.check, "check the configuration and exit")
      ->group(group)
      ->configurable(false);
  app.add_flag("--print-config", options.print_config,
               "print the options in effect as a TOML file, without secrets, and exit")
      ->group(group)
      ->configurable(false);
  app.parse_complete_callback([&app, &options] {
    ReadProperties(app, options);
    if (!options.print_config) return;
    std::fputs(ConfigText(app, options.shown).c_str(), stdout);
    throw CLI::Success();
  });
  const auto print = [&app] {
    PrintOptions(app);
    throw CLI::Success();
  };
  app.add_flag_callback("--print-options", print, "list all options as Markdown and exit")
      ->group(group)
      ->configurable(false);
  app.set_config("--config", "", "read options from this TOML file")->group(group);
  app.allow_config_extras(CLI::config_extras_mode::error);
  app.set_version_flag(
      "--version", std::string("flowcast ") + FLOWCAST_VERSION + ", librdkafka " + kafka::LibraryVersion());
  for (CLI::Option* option : app.get_options()) {
    const auto& names = option->get_lnames();
    if (!names.empty() && option->get_configurable() && option->get_envname().empty()) {
      option->envname(EnvironmentName(names.front()));
    }
  }
}

kafka::KafkaOptions KafkaOptionsOf(const CommonOptions& options, const std::string& client_id) {
  kafka::KafkaOptions kafka_options;
  kafka_options.brokers = options.brokers;
  kafka_options.client_id = client_id;
  kafka_options.properties = PropertiesOf(options).values;
  kafka_options.token_file = options.kafka_token_file;
  kafka_options.timeout =
      std::chrono::duration_cast<std::chrono::milliseconds>(base::ParseDuration(options.broker_timeout));
  kafka_options.stop_requested = StopRequested;
  return kafka_options;
}

std::unique_ptr<bus::Bus> ConnectBus(const CommonOptions& options, const std::string& client_id,
                                     const base::Log& log) {
  constexpr int kSyslogWarning = 4;
  for (const std::string& warning : PropertiesOf(options).warnings) log(base::LogLevel::kWarning, warning);
  kafka::KafkaOptions kafka_options = KafkaOptionsOf(options, client_id);
  kafka_options.log = [log](int level, const std::string& line) {
    log(level <= kSyslogWarning ? base::LogLevel::kWarning : base::LogLevel::kDebug, "kafka: " + line);
  };
  return kafka::Connect(kafka_options);
}

bool WaitForTopics(bus::Bus& bus, const std::vector<std::string>& topics, const CommonOptions& options,
                   base::Clock& clock, const base::Log& log) {
  constexpr base::Duration kPause = std::chrono::milliseconds(250);
  constexpr base::Duration kReminder = std::chrono::seconds(5);
  const base::Duration deadline = clock.Steady() + base::ParseDuration(options.broker_timeout);
  base::Throttle reminder(clock, kReminder);
  const auto admin = bus.MakeAdmin();
  for (const std::string& topic : topics) {
    while (admin->PartitionCount(topic) == 0) {
      if (StopRequested()) return false;
      if (clock.Steady() >= deadline) {
        throw bus::BusError(bus::BusError::Kind::kMissingTopic,
                            "topic " + topic + " does not exist on " + options.brokers +
                                "; create the topics with: flowcast topics create --brokers " +
                                options.brokers);
      }
      if (reminder.IsDue())
        log(base::LogLevel::kInfo, "waiting for topic " + topic + " (flowcast topics create makes it)");
      clock.SleepFor(kPause);
    }
  }
  return !StopRequested();
}

void FlushOutput() {
  if (std::fflush(stdout) == 0 && std::ferror(stdout) == 0) return;
  if (IsOutputClosed()) throw OutputClosed();
  throw base::RuntimeError("standard output can't be written; is its disk full?");
}

bool StopRequested() { return stop_requested != 0; }

void EndWithin(std::chrono::seconds limit) {
  std::signal(SIGALRM, EndAtOnce);
  seconds_to_end = static_cast<int>(limit.count());
  if (StopRequested()) alarm(static_cast<unsigned>(seconds_to_end));
}

void NoteHangups() { std::signal(SIGHUP, NoteHangup); }

bool HangupCame() {
  if (hangup_came == 0) return false;
  hangup_came = 0;  // one that comes now is about files that will be read after it
  return true;
}

int RunMain(CLI::App& app, int argc, char** argv, const std::function<int()>& body) {
  std::signal(SIGTERM, RequestStop);
  std::signal(SIGINT, RequestStop);
  std::signal(SIGPIPE, SIG_IGN);
  try {
    app.parse(Arguments(app, argc, argv));
    const int code = body();
    FlushOutput();
    return code;
  } catch (const OutputClosed&) {
    return kOk;
  } catch (const CLI::Success& success) {
    return app.exit(success);
  } catch (const CLI::ParseError& error) {
    return Fail(kUsage, (std::string(error.what()) + "; --help lists the options").c_str());
  } catch (const base::ConfigError& error) {
    return Fail(kUsage, error.what());
  } catch (const bus::BusError& error) {
    // Nothing is lost: what was not committed is done again after the next start.
    if (error.kind() == bus::BusError::Kind::kStopped) return kOk;
    const bool waiting_failed = error.kind() == bus::BusError::Kind::kUnreachable ||
                                error.kind() == bus::BusError::Kind::kMissingTopic;
    return Fail(waiting_failed ? kNoBroker : kFailed, error.what());
  } catch (const std::exception& error) {
    return Fail(kFailed, error.what());
  }
}

}  // namespace flowcast::app
