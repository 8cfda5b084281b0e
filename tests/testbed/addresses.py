"""The testbed's address plan: who lives where, and which server is which application."""

HOME_LINKS = {"office": 1, "lab": 2}
CLIENTS_PER_LINK = 8
SERVER_PREFIX_V4 = "198.18.0"
SERVER_PREFIX_V6 = "2001:2:0:1:"

# Last part of the server's address (the same digits in IPv4 and IPv6).
SERVERS = {"web": 10, "video": 20, "voip": 30, "ssh": 40, "dns": 53, "iperf": 60, "rsync": 70, "ping": 80}

TLS_PORT = 443
RTP_PORT = 16384
SSH_PORT = 22
DNS_PORT = 53
RSYNC_PORT = 873
# An iperf3 server takes one test at a time, so every link has its own.
IPERF_PORTS = {"office": 5201, "lab": 5202}


def server(application, ipv6=False):
    number = SERVERS[application]
    return f"{SERVER_PREFIX_V6}:{number}" if ipv6 else f"{SERVER_PREFIX_V4}.{number}"


def client(link, index, ipv6=False):
    number = 11 + index
    return f"fd10:0:{HOME_LINKS[link]}::{number}" if ipv6 else f"10.{HOME_LINKS[link]}.0.{number}"


def clients(link, ipv6=False):
    return [client(link, index, ipv6) for index in range(CLIENTS_PER_LINK)]


def home_networks(link):
    number = HOME_LINKS[link]
    return [f"10.{number}.0.0/24", f"fd10:0:{number}::/64"]


def applications(links):
    """The `applications` part of the labels: server addresses and ports tell them apart."""
    plan = [
        ("web", "tcp", [TLS_PORT]),
        ("video", "tcp", [TLS_PORT]),
        ("voip", "udp", [RTP_PORT]),
        ("ssh", "tcp", [SSH_PORT]),
        ("dns", "udp", [DNS_PORT]),
        ("iperf", "tcp", [IPERF_PORTS[link] for link in links]),
        ("rsync", "tcp", [RSYNC_PORT]),
        ("ping", "icmp", []),
    ]
    return [
        {"name": name, "links": list(links), "protocol": protocol,
         "addresses": [server(name), server(name, ipv6=True)], "ports": ports}
        for name, protocol, ports in plan
    ]
