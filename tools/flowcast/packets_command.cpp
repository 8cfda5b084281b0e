// flowcast packets: what is seen of each packet of capture files, as CSV, or how many there are of each kind.
#include <CLI/CLI.hpp>
#include <array>
#include <memory>

#include "libs/archive/archive.h"
#include "libs/capfile/reader.h"
#include "libs/packet/decoder.h"
#include "libs/packet/kind.h"
#include "tools/flowcast/commands.h"
#include "tools/flowcast/csv.h"

namespace flowcast::tools {
namespace {

constexpr std::string_view kUndecodable = "undecodable";
constexpr std::string_view kHeader =
    "number,interface,time_ns,wire_length,vlan,ether_type,ip_version,protocol,source,destination,"
    "source_port,destination_port,tcp_flags,traffic_class,ttl,kind,cast,"
    "tcp_sequence,tcp_length\n";

struct PacketsOptions {
  std::vector<std::string> files;
  std::string decapsulate;
  bool count = false;
};

Csv& Address(const base::IpAddress& address, Csv& csv) {
  return address.version == 0 ? csv : csv.Text(base::FormatIpAddress(address));
}

void PrintDecoded(const packet::Packet& packet, Csv& csv) {
  const packet::FlowKey& flow = packet.flow;
  csv.Number(packet.vlan).Comma().Text("0x").Number(flow.ether_type, 16).Comma();
  csv.Number(flow.source.version).Comma().Number(flow.protocol).Comma();
  Address(flow.source, csv).Comma();
  Address(flow.destination, csv).Comma();
  csv.Number(flow.source_port).Comma().Number(flow.destination_port).Comma();
  csv.Text("0x").Number(packet.tcp_flags, 16).Comma().Number(packet.traffic_class).Comma();
  csv.Number(packet.ttl).Comma().Text(Name(packet::KindOf(packet))).Comma();
  csv.Text(Name(packet.cast)).Comma().Number(packet.tcp_sequence).Comma().Number(packet.tcp_length);
}

// Takes the frames of all files, one after the other.
class Lister {
 public:
  explicit Lister(const PacketsOptions& options)
      : tunnels_(packet::Tunnels::Parse(options.decapsulate)), count_(options.count) {
    if (!count_) csv_.Text(kHeader);
  }

  /// Returns false when the file is damaged; what is whole was taken.
  bool Read(const std::string& path, const base::Log& log) {
    capfile::Reader reader(archive::Open(path), path);
    std::vector<std::string> names;
    std::uint64_t number = 0;
    while (const auto frame = app::StopRequested() ? std::nullopt : reader.Next()) {
      for (std::size_t i = names.size(); i < reader.interfaces().size(); ++i)
        names.push_back(Quoted(reader.interfaces()[i].name));
      Take(++number, *frame, reader.interfaces()[frame->interface].link_type, names[frame->interface]);
    }
    if (!reader.damage()) return true;
    log(base::LogLevel::kWarning, path + " is damaged at byte " + std::to_string(reader.damage()->offset) +
                                      ": " + reader.damage()->reason + "; everything before was read");
    return false;
  }

  void Finish() {
    if (count_) PrintCounts();
    csv_.Write();
  }

 private:
  void Take(std::uint64_t number, const capfile::Frame& frame, packet::LinkType link_type,
            const std::string& interface) {
    const bool decoded = packet::Decode(link_type, frame.bytes, packet_, tunnels_).has_value();
    ++(decoded ? kinds_[static_cast<std::size_t>(packet::KindOf(packet_))] : undecodable_);
    if (count_) return;
    csv_.Number(number).Comma().Text(interface).Comma();
    csv_.Number(base::ToUnixNanoseconds(frame.time)).Comma().Number(frame.wire_length_bytes).Comma();
    if (decoded) {
      PrintDecoded(packet_, csv_);
    } else {
      csv_.Text(",,,,,,,,,,,").Text(kUndecodable).Text(",,,");
    }
    csv_.EndLine();
  }

  void PrintCounts() {
    std::uint64_t total = undecodable_;
    for (std::size_t i = 0; i < packet::kKinds; ++i) {
      total += kinds_[i];
      PrintCount(Name(static_cast<packet::Kind>(i)), kinds_[i]);
    }
    PrintCount(kUndecodable, undecodable_);
    PrintCount("total", total);
  }

  void PrintCount(std::string_view name, std::uint64_t packets) {
    const std::string digits = std::to_string(packets);
    csv_.Text(name).Text(std::string(32 - name.size() - digits.size(), ' ')).Text(digits).EndLine();
  }

  packet::Tunnels tunnels_;
  bool count_;
  Csv csv_;
  packet::Packet packet_;
  std::array<std::uint64_t, packet::kKinds> kinds_{};
  std::uint64_t undecodable_ = 0;
};

int Packets(const app::CommonOptions& common, const PacketsOptions& options) {
  const base::Log log = app::MakeLog("packets", common);
  Lister lister(options);
  bool whole = true;
  for (const std::string& file : options.files) whole = lister.Read(file, log) && whole;
  lister.Finish();
  return whole ? app::kOk : app::kFailed;
}

}  // namespace

void AddPacketsCommand(CLI::App& app, Command& chosen) {
  const auto options = std::make_shared<PacketsOptions>();
  CLI::App* packets =
      app.add_subcommand("packets", "print what is seen of each packet of capture files, as CSV");
  packets->add_option("files", options->files, "pcap or pcapng, also in gzip or zstd; - is standard input")
      ->required()
      ->type_name("FILE");
  packets->add_option("--decapsulate", options->decapsulate,
                      "look into tunnels: all, or some of gre,vxlan,gtp,ipip,geneve");
  packets->add_flag("--count", options->count, "print only how many packets there are of each kind");
  packets->callback(
      [&chosen, options] { chosen = [options](const auto& common) { return Packets(common, *options); }; });
}

}  // namespace flowcast::tools
