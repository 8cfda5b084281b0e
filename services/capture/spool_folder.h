// Where a live capture keeps the batches that Kafka has not acknowledged.
#pragma once

#include <functional>
#include <string>

namespace flowcast::services {

/// The value of an environment variable, empty when it is not set.
using Environment = std::function<std::string(const std::string& name)>;

/// systemd's state directory when there is one; for root /var/lib/flowcast-capture, else flowcast-capture
/// in the user's state directory. Never a folder that other users may write to, such as /var/tmp. Throws
/// base::ConfigError when there is none.
std::string DefaultSpool(const Environment& environment, bool is_root);

/// Within it one folder for each topic and source, so that nothing goes where it does not belong.
std::string SpoolFolder(const std::string& spool, const std::string& topic, const std::string& source);

}  // namespace flowcast::services
