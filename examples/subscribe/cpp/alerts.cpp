// Prints alerts that fire and are resolved. usage: alerts [BROKERS [TOPIC [GROUP]]]
#include <librdkafka/rdkafkacpp.h>

#include <csignal>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>

namespace {

volatile std::sig_atomic_t stop = 0;

void Set(RdKafka::Conf& conf, const std::string& name, const std::string& value) {
  std::string error;
  if (conf.set(name, value, error) != RdKafka::Conf::CONF_OK) throw std::runtime_error(error);
}

std::unique_ptr<RdKafka::KafkaConsumer> Connect(const std::string& brokers, const std::string& group) {
  const std::unique_ptr<RdKafka::Conf> conf(RdKafka::Conf::create(RdKafka::Conf::CONF_GLOBAL));
  Set(*conf, "bootstrap.servers", brokers);
  Set(*conf, "group.id", group);
  Set(*conf, "isolation.level", "read_committed");
  Set(*conf, "auto.offset.reset", "earliest");
  Set(*conf, "enable.auto.commit", "false");
  std::string error;
  std::unique_ptr<RdKafka::KafkaConsumer> consumer(RdKafka::KafkaConsumer::create(conf.get(), error));
  if (!consumer) throw std::runtime_error(error);
  return consumer;
}

std::string HeaderOf(RdKafka::Message& message, const std::string& name) {
  if (message.headers() == nullptr) return "";
  const RdKafka::Headers::Header header = message.headers()->get_last(name);
  if (header.err() != RdKafka::ERR_NO_ERROR) return "";
  return {static_cast<const char*>(header.value()), header.value_size()};
}

void Handle(const nlohmann::json& alert) {
  if (alert.at("silenced").get<bool>() || !alert.contains("fired_at")) return;
  const char* separator = "";
  for (const char* field : {"made_at", "state", "severity", "summary"}) {
    std::cout << separator << alert.at(field).get<std::string>();
    separator = "  ";
  }
  std::cout << std::endl;
}

void Take(RdKafka::Message& message) {
  const std::string type = HeaderOf(message, "ce_type");
  if (type != "io.flowcast.alert.firing" && type != "io.flowcast.alert.resolved") return;
  const auto* text = static_cast<const char*>(message.payload());
  Handle(nlohmann::json::parse(text, text + message.len()));
}

void Follow(RdKafka::KafkaConsumer& consumer) {
  while (stop == 0) {
    const std::unique_ptr<RdKafka::Message> message(consumer.consume(1000));
    if (message->err() == RdKafka::ERR__TIMED_OUT) continue;
    if (message->err() != RdKafka::ERR_NO_ERROR) throw std::runtime_error(message->errstr());
    Take(*message);
    consumer.commitSync(message.get());  // only now: after a crash it comes again
  }
}

}  // namespace

int main(int argc, char** argv) try {
  const auto argument = [&](int i, const char* otherwise) {
    return std::string(argc > i ? argv[i] : otherwise);
  };
  std::signal(SIGTERM, [](int) { stop = 1; });
  std::signal(SIGINT, [](int) { stop = 1; });
  const auto consumer = Connect(argument(1, "localhost:9092"), argument(3, "alert-printer"));
  const RdKafka::ErrorCode error = consumer->subscribe({argument(2, "flowcast.alerts.v1")});
  if (error != RdKafka::ERR_NO_ERROR) throw std::runtime_error(RdKafka::err2str(error));
  Follow(*consumer);
  consumer->close();
  return EXIT_SUCCESS;
} catch (const std::exception& error) {
  std::cerr << "error: " << error.what() << "\n";
  return EXIT_FAILURE;
}
