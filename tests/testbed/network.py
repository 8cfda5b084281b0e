"""The network: a router namespace between the client segments and the servers, with paced links."""

import subprocess

import addresses
import processes

DEFAULT_CLASS, BULK_CLASS = "1:10", "1:20"
LINK_RATE_KBIT = 12000
BULK_APPLICATIONS = ("iperf", "rsync")
FULL_FRAME_BYTES = 1514
# Two full segments are answered by one acknowledgement.
DATA_SHARE_OF_PACKETS = 2 / 3
IDLE_BULK_KBIT = 256
CLIENT_DEVICE = "eth0"


def run(*arguments):
    subprocess.run(arguments, check=True, stdout=subprocess.DEVNULL)


class Network:
    """Makes the namespaces on entry and removes them, with all that runs in them, on exit."""

    def __init__(self, name, links):
        self._name, self._links, self._made = name, links, []
        self.router = f"{name}-router"
        self.servers = f"{name}-servers"

    def clients(self, link):
        return f"{self._name}-{link}"

    def __enter__(self):
        try:
            self._build()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        for namespace in self._made:
            processes.kill_all_in(namespace)
            run("ip", "netns", "delete", namespace)
        self._made.clear()

    def _build(self):
        for namespace in (self.router, self.servers, *map(self.clients, self._links)):
            run("ip", "netns", "add", namespace)
            self._made.append(namespace)
            run("ip", "-n", namespace, "link", "set", "lo", "up")
        self._connect("servers", self.servers, 9)
        for link in self._links:
            self._connect(link, self.clients(link), addresses.HOME_LINKS[link])
        self._address()
        for setting in ("net.ipv4.ip_forward=1", "net.ipv6.conf.all.forwarding=1"):
            run("ip", "netns", "exec", self.router, "sysctl", "-w", setting)
        for link in self._links:
            shape(self.router, link, "src")
            shape(self.clients(link), CLIENT_DEVICE, "dst")

    def _connect(self, router_device, namespace, number):
        run("ip", "-n", self.router, "link", "add", "name", router_device,
            "address", f"02:00:00:00:{number:02x}:01", "type", "veth", "peer", "name", CLIENT_DEVICE,
            "address", f"02:00:00:00:{number:02x}:02", "netns", namespace)
        for owner, device in ((self.router, router_device), (namespace, CLIENT_DEVICE)):
            disable_offloads(owner, device)
            run("ip", "-n", owner, "link", "set", device, "up")

    def _address(self):
        for link in self._links:
            number = addresses.HOME_LINKS[link]
            self._attach(link, self.clients(link), f"10.{number}.0.1", f"fd10:0:{number}::1",
                         addresses.clients(link), addresses.clients(link, ipv6=True))
        self._attach("servers", self.servers, "198.18.0.1", "2001:2:0:1::1",
                     [addresses.server(name) for name in addresses.SERVERS],
                     [addresses.server(name, ipv6=True) for name in addresses.SERVERS])

    def _attach(self, router_device, namespace, gateway_v4, gateway_v6, hosts_v4, hosts_v6):
        add_address(self.router, router_device, f"{gateway_v4}/24")
        add_address(self.router, router_device, f"{gateway_v6}/64")
        for host in hosts_v4:
            add_address(namespace, CLIENT_DEVICE, f"{host}/24")
        for host in hosts_v6:
            add_address(namespace, CLIENT_DEVICE, f"{host}/64")
        # Loss-based control fills the shaper's queue, so a transfer follows the shaper's rate at once.
        for gateway, family in ((gateway_v4, "-4"), (gateway_v6, "-6")):
            run("ip", "-n", namespace, family, "route", "add", "default", "via", gateway, "congctl", "reno")


def add_address(namespace, device, address):
    nodad = ["nodad"] if ":" in address else []
    run("ip", "-n", namespace, "address", "add", address, "dev", device, *nodad)


def disable_offloads(namespace, device):
    """Without this the capture would show segments that never were on a wire."""
    off = [word for feature in ("tso", "gso", "gro", "sg", "tx", "rx") for word in (feature, "off")]
    run("ip", "netns", "exec", namespace, "ethtool", "-K", device, *off)


def shape(namespace, device, server_side):
    """A capped link whose bulk transfers are a class of their own; `server_side` is src or dst."""
    tc = ("tc", "-n", namespace)
    run(*tc, "qdisc", "add", "dev", device, "root", "handle", "1:", "htb", "default", "10")
    for classid, kbit, queue in ((DEFAULT_CLASS, LINK_RATE_KBIT, 200), (BULK_CLASS, IDLE_BULK_KBIT, 40)):
        set_class(namespace, device, "add", classid, kbit)
        run(*tc, "qdisc", "add", "dev", device, "parent", classid, "pfifo", "limit", str(queue))
    for application in BULK_APPLICATIONS:
        run(*tc, "filter", "add", "dev", device, "parent", "1:", "protocol", "ip", "u32",
            "match", "ip", server_side, f"{addresses.server(application)}/32", "flowid", BULK_CLASS)


def set_class(namespace, device, verb, classid, kbit):
    run("tc", "-n", namespace, "class", verb, "dev", device, "parent", "1:", "classid", classid,
        "htb", "rate", f"{kbit}kbit", "burst", "12000", "cburst", "12000", "quantum", "3100")


def set_bulk_rate(namespace, device, packets_per_s):
    """Limits bulk data so that it and its acknowledgements come to this many packets a second."""
    kbit = packets_per_s * DATA_SHARE_OF_PACKETS * FULL_FRAME_BYTES * 8 / 1000
    set_class(namespace, device, "change", BULK_CLASS, max(IDLE_BULK_KBIT, round(kbit)))
