// What libpcap knows about the host's interfaces.
#include <net/if.h>
#include <netinet/in.h>
#include <pcap/pcap.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <fstream>

#include "libs/base/error.h"
#include "libs/base/ip_address.h"
#include "libs/base/text.h"
#include "libs/pcap/internal/filter_program.h"
#include "libs/pcap/internal/interface_state.h"
#include "libs/pcap/live_source.h"

namespace flowcast::pcap {
namespace {

struct FreeList {
  void operator()(pcap_if_t* list) const { pcap_freealldevs(list); }
};
using List = std::unique_ptr<pcap_if_t, FreeList>;

List FindAll() {
  char error[PCAP_ERRBUF_SIZE] = "";
  pcap_if_t* first = nullptr;
  if (pcap_findalldevs(&first, error) != 0) {
    throw base::RuntimeError(std::string("interfaces can't be listed: ") + error);
  }
  return List(first);
}

// libpcap also lists buses and logs (usbmon0, nflog, dbus-system), which are no network interfaces.
bool IsNetwork(const pcap_if_t& device) { return if_nametoindex(device.name) != 0; }

std::string FormatAddress(const sockaddr* address) {
  base::IpAddress ip;
  if (address == nullptr) return "";
  if (address->sa_family == AF_INET) {
    ip.version = 4;
    std::memcpy(ip.bytes.data(), &reinterpret_cast<const sockaddr_in*>(address)->sin_addr, 4);
  } else if (address->sa_family == AF_INET6) {
    ip.version = 6;
    std::memcpy(ip.bytes.data(), &reinterpret_cast<const sockaddr_in6*>(address)->sin6_addr, 16);
  } else {
    return "";
  }
  return base::FormatIpAddress(ip);
}

std::string LinkTypeOf(const char* name) {
  char error[PCAP_ERRBUF_SIZE];
  const internal::Handle handle(pcap_create(name, error));
  if (handle == nullptr || pcap_activate(handle.get()) < 0) return "?";
  const char* link_type = pcap_datalink_val_to_name(pcap_datalink(handle.get()));
  return link_type == nullptr ? "?" : link_type;
}

// The kernel says -1, or refuses the reading, where it does not know.
std::int64_t SpeedOf(const std::string& name) {
  std::int64_t mbit_s = 0;
  std::ifstream("/sys/class/net/" + name + "/speed") >> mbit_s;
  return std::max<std::int64_t>(mbit_s, 0);
}

InterfaceInfo Describe(const pcap_if_t& device) {
  InterfaceInfo info;
  info.name = device.name;
  info.description = device.description == nullptr ? "" : device.description;
  info.up = (device.flags & PCAP_IF_UP) != 0;
  info.carrier = info.up && (device.flags & PCAP_IF_RUNNING) != 0;
  info.speed_mbit_s = SpeedOf(info.name);
  info.link_type = LinkTypeOf(device.name);
  for (const pcap_addr* address = device.addresses; address != nullptr; address = address->next) {
    const std::string text = FormatAddress(address->addr);
    if (!text.empty()) info.addresses.push_back(text);
  }
  return info;
}

}  // namespace

std::vector<InterfaceInfo> ListInterfaces() {
  std::vector<InterfaceInfo> interfaces;
  const List list = FindAll();
  for (const pcap_if_t* device = list.get(); device != nullptr; device = device->next) {
    if (IsNetwork(*device)) interfaces.push_back(Describe(*device));
  }
  std::ranges::sort(interfaces, {}, &InterfaceInfo::name);
  return interfaces;
}

namespace internal {

bool InterfaceExists(const std::string& name) {
  const List list = FindAll();
  for (const pcap_if_t* device = list.get(); device != nullptr; device = device->next) {
    if (name == device->name) return true;
  }
  return if_nametoindex(name.c_str()) != 0;
}

InterfaceState LookAt(const std::string& name) {
  ifreq request{};
  if (name.size() >= sizeof request.ifr_name) return {};
  const int descriptor = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (descriptor < 0) return {};
  std::memcpy(request.ifr_name, name.c_str(), name.size() + 1);
  InterfaceState state;
  if (ioctl(descriptor, SIOCGIFFLAGS, &request) == 0) {
    state.up = (request.ifr_flags & IFF_UP) != 0;
    if (ioctl(descriptor, SIOCGIFINDEX, &request) == 0) state.index = request.ifr_ifindex;
  }
  close(descriptor);
  return state;
}

std::string InterfaceNames() {
  std::vector<std::string> names;
  const List list = FindAll();
  for (const pcap_if_t* device = list.get(); device != nullptr; device = device->next) {
    if (IsNetwork(*device)) names.emplace_back(device->name);
  }
  std::ranges::sort(names);
  return base::Join(names);
}

}  // namespace internal
}  // namespace flowcast::pcap
