// Secrets among Kafka's properties: where they may come from, and that nobody is shown them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <CLI/CLI.hpp>
#include <filesystem>
#include <fstream>
#include <mutex>

#include "libs/app/app.h"
#include "libs/app/secret_file.h"
#include "libs/base/error.h"
#include "libs/kafka/kafka_bus.h"
#include "libs/kafka/secrets.h"

namespace flowcast::app {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::Pair;
using ::testing::UnorderedElementsAre;

constexpr const char* kPassword = "hunter2-is-long";

class SecretFiles : public ::testing::Test {
 protected:
  SecretFiles() {
    std::string name = std::filesystem::temp_directory_path() / "secrets-XXXXXX";
    folder_ = mkdtemp(name.data());
  }
  ~SecretFiles() override { std::filesystem::remove_all(folder_); }

  std::string Write(const std::string& name, const std::string& text, mode_t mode = 0600) const {
    const std::filesystem::path path = folder_ / name;
    std::ofstream(path) << text;
    chmod(path.c_str(), mode);
    return path;
  }
  static std::string ErrorOf(const std::vector<std::string>& given, const std::string& file = "") {
    try {
      ReadKafkaProperties(given, file);
    } catch (const base::ConfigError& error) {
      return error.what();
    }
    return "";
  }

  std::filesystem::path folder_;
};

TEST_F(SecretFiles, APropertyMayComeFromAFile) {
  const std::string password = Write("password", std::string(kPassword) + "\n");
  const KafkaProperties read =
      ReadKafkaProperties({"sasl.username=me", "sasl.password=@" + password, "client.rack=@@home"}, "");
  EXPECT_THAT(read.values, UnorderedElementsAre(Pair("sasl.username", "me"), Pair("sasl.password", kPassword),
                                                Pair("client.rack", "@home")));
  EXPECT_THAT(read.warnings, IsEmpty());
}

TEST_F(SecretFiles, AFileOfPropertiesHasALineForEachAndGivenOnesStandAboveIt) {
  const std::string password = Write("password", kPassword);
  const std::string file =
      Write("client.properties", "# how to get in\n\n  sasl.username = me \r\nsasl.password=@" + password +
                                     "\nssl.ca.location=/etc/ca=1.pem\nlinger.ms=5\n");
  EXPECT_THAT(ReadKafkaProperties({"linger.ms=7"}, file).values,
              UnorderedElementsAre(Pair("sasl.username", "me"), Pair("sasl.password", kPassword),
                                   Pair("ssl.ca.location", "/etc/ca=1.pem"), Pair("linger.ms", "7")));
}

TEST_F(SecretFiles, WhatCannotBeReadIsNamedAndNoValueIs) {
  EXPECT_THAT(ErrorOf({}, "/nonexistent"), HasSubstr("--kafka-file /nonexistent can't be read"));
  EXPECT_THAT(ErrorOf({"sasl.password=@/nonexistent"}),
              AllOf(HasSubstr("sasl.password"), HasSubstr("/nonexistent can't be read")));
  EXPECT_THAT(ErrorOf({kPassword}), AllOf(HasSubstr("write key=value"), Not(HasSubstr(kPassword))));
  const std::string file = Write("client.properties", std::string("a=b\n") + kPassword + "\n");
  EXPECT_THAT(ErrorOf({}, file), AllOf(HasSubstr(file + " line 2"), Not(HasSubstr(kPassword))));
  EXPECT_THAT(ErrorOf({}, Write("large", std::string(100'000, 'x'))), HasSubstr("more than 64 KiB"));
}

TEST_F(SecretFiles, ThoseThatOthersMayReadAreWarnedOf) {
  const std::string open = Write("open", kPassword, 0644);
  EXPECT_THAT(ReadKafkaProperties({"sasl.password=@" + open}, "").warnings,
              ElementsAre(AllOf(HasSubstr(open), HasSubstr("chmod o-rwx " + open))));
  EXPECT_THAT(ReadKafkaProperties({"ssl.key.location=" + open}, "").warnings, ElementsAre(HasSubstr(open)));
  const std::string file = Write("client.properties", "sasl.password=word", 0644);
  EXPECT_THAT(ReadKafkaProperties({}, file).warnings, ElementsAre(HasSubstr(file)));
  EXPECT_THAT(ReadKafkaProperties({}, Write("harmless", "linger.ms=5", 0644)).warnings, IsEmpty());
  EXPECT_THAT(ReadKafkaProperties({}, Write("group", "sasl.password=word", 0640)).warnings, IsEmpty());
}

TEST_F(SecretFiles, WhatMakesTlsOrTokensWorthlessIsWarnedOf) {
  const auto warnings = [](const std::string& property) {
    return ReadKafkaProperties({property}, "").warnings;
  };
  EXPECT_THAT(warnings("security.protocol=sasl_plaintext"), ElementsAre(HasSubstr("sasl_ssl")));
  EXPECT_THAT(warnings("enable.ssl.certificate.verification=false"),
              ElementsAre(HasSubstr("ssl.ca.location")));
  EXPECT_THAT(warnings("ssl.endpoint.identification.algorithm=none"),
              ElementsAre(HasSubstr("name is not checked")));
  EXPECT_THAT(warnings("enable.sasl.oauthbearer.unsecure.jwt=true"),
              ElementsAre(HasSubstr("for tests only")));
  EXPECT_THAT(warnings("security.protocol=sasl_ssl"), IsEmpty());
}

/// Runs a program with these arguments and gives its exit code and what it printed.
struct Ran {
  int code = 0;
  std::string out, err;
};

Ran RunProgram(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), "program");
  std::vector<char*> argv;
  for (std::string& argument : arguments) argv.push_back(argument.data());
  CLI::App app;
  CommonOptions options;
  AddCommonOptions(app, options);
  ::testing::internal::CaptureStdout();
  ::testing::internal::CaptureStderr();
  Ran ran;
  ran.code = RunMain(app, static_cast<int>(argv.size()), argv.data(), [] { return 0; });
  ran.out = ::testing::internal::GetCapturedStdout();
  ran.err = ::testing::internal::GetCapturedStderr();
  return ran;
}

TEST_F(SecretFiles, ASecretOnTheCommandLineIsRefusedWithTheRemedyAndNotRepeated) {
  for (const char* name : {"sasl.password", "ssl.key.password", "ssl.key.pem", "ssl.keystore.password",
                           "sasl.oauthbearer.client.secret", "sasl.oauthbearer.config"}) {
    const std::string property = std::string(name) + "=" + kPassword;
    for (const std::vector<std::string>& arguments : {std::vector<std::string>{"--kafka", property},
                                                      {"--kafka=" + property},
                                                      {"--kafka", "linger.ms=5", property}}) {
      const Ran ran = RunProgram(arguments);
      EXPECT_EQ(ran.code, kUsage);
      EXPECT_THAT(ran.err, AllOf(HasSubstr(std::string(name) + "=@FILE"), HasSubstr("--kafka-file"),
                                 Not(HasSubstr(kPassword))));
    }
  }
}

TEST_F(SecretFiles, ThePrintedConfigurationHasNoSecretsAndCanBeReadAgain) {
  const std::string secret =
      Write("flowcast.toml", std::string("prefix = \"x.\"\nkafka = [\"sasl.username=me\", \"sasl.password=") +
                                 kPassword + "\"]\n");
  const Ran printed = RunProgram({"--config", secret, "--log-json", "--print-config"});
  EXPECT_EQ(printed.code, kOk) << printed.err;
  EXPECT_THAT(printed.out, AllOf(HasSubstr("prefix = \"x.\"\n"), HasSubstr("log-json = true\n"),
                                 HasSubstr("broker-timeout = \"60s\"\n"), Not(HasSubstr(kPassword)),
                                 HasSubstr("kafka = [\"sasl.username=me\", \"sasl.password=(hidden)\"]\n")));
  EXPECT_EQ(RunProgram({"--config", Write("again.toml", printed.out), "--print-config"}).out, printed.out);
}

TEST_F(SecretFiles, AConfigurationFileWithASecretThatOthersMayReadIsWarnedOf) {
  const std::string path = Write("flowcast.toml", "kafka = [\"sasl.password=word\"]\n", 0644);
  CLI::App app;
  CommonOptions options;
  AddCommonOptions(app, options);
  app.parse("--config " + path);
  EXPECT_THAT(options.properties.value().warnings, ElementsAre(HasSubstr(path)));
}

TEST(Secrets, AreHiddenInWhateverLibrdkafkaSays) {
  std::mutex mutex;
  std::vector<std::string> lines;
  {
    const auto bus = kafka::Connect({.brokers = "127.0.0.1:1",
                                     .properties = {{"debug", "all"},
                                                    {"security.protocol", "sasl_plaintext"},
                                                    {"sasl.mechanism", "PLAIN"},
                                                    {"sasl.username", "me"},
                                                    {"sasl.password", kPassword}},
                                     .timeout = std::chrono::seconds(1),
                                     .log = [&](int, const std::string& line) {
                                       const std::lock_guard lock(mutex);
                                       lines.push_back(line);
                                     }});
    EXPECT_THROW(bus->MakeAdmin()->PartitionCount("t"), bus::BusError);
  }
  const std::lock_guard lock(mutex);
  EXPECT_THAT(lines, Contains(HasSubstr("sasl.password"))) << "librdkafka lists its properties";
  EXPECT_THAT(lines, Not(Contains(HasSubstr(kPassword))));
}

TEST(Secrets, AreHiddenInErrorsAboutThem) {
  try {
    kafka::Connect({.properties = {{"security.protocol", "ssl"}, {"ssl.key.pem", kPassword}}})
        ->MakeProducer({});
    FAIL() << "that is no key";
  } catch (const base::ConfigError& error) {
    EXPECT_THAT(error.what(), AllOf(HasSubstr("ssl.key.pem"), Not(HasSubstr(kPassword))));
  }
}

TEST(Secrets, OfLessThanFourCharactersAreNotSoughtInEveryWord) {
  const std::map<std::string, std::string> properties{{"sasl.password", "a"},
                                                      {"ssl.key.password", "key word"}};
  EXPECT_EQ(kafka::Hide("a line, and the key word of a key word", properties),
            "a line, and the (hidden) of a (hidden)");
}

}  // namespace
}  // namespace flowcast::app
