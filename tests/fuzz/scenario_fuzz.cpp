// Reads any text as a scenario: what is taken makes sense and is the same when written and read again.
#include <cstdlib>

#include "libs/base/error.h"
#include "libs/scenario_file/scenario_file.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace flowcast;
  synthetic::Scenario scenario;
  try {
    scenario = scenario_file::ParseScenario({reinterpret_cast<const char*>(data), size}, "fuzz");
  } catch (const base::ConfigError&) {
    return 0;
  }
  const std::string text = synthetic::ToToml(scenario);
  if (synthetic::ToToml(scenario_file::ParseScenario(text, "again")) != text) std::abort();
  return 0;
}
