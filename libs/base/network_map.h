// Networks with a name each, and the one that an address belongs to.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "libs/base/ip_address.h"

namespace flowcast::base {

/// Longest prefix match over named networks. Not thread-safe to fill, thread-safe to ask.
class NetworkMap {
 public:
  struct Match {
    const std::string* name = nullptr;  // null: no network has it
    int prefix_bits = -1;
  };

  NetworkMap() = default;
  /// Each as "10.1.0.0/16=lab", or without a name, which is then the network itself. Throws
  /// ConfigError naming the one that is wrong or given twice.
  explicit NetworkMap(const std::vector<std::string>& networks);

  /// The longest network that contains `address`. Costs a look-up for each prefix length in use.
  Match Find(const IpAddress& address) const;
  bool empty() const { return names_by_length_.empty(); }

 private:
  void Add(const std::string& text);

  // From long prefixes to short ones, each with the names of its masked addresses.
  std::map<int, std::map<IpAddress, std::string>, std::greater<>> names_by_length_;
};

}  // namespace flowcast::base
