"""The everyday applications of a segment. Each function plays one application until the recording ends."""

import functools
import subprocess
import sys
import time
from pathlib import Path

import addresses
from services import PAGE_OBJECT_KILOBYTES, VIDEO_BYTES

SHARE_OF_IPV6 = 0.3
OBJECT_WEIGHTS = (30, 30, 25, 12, 3)
VIDEO_SEGMENT_S = 4
# nginx lets the first second's bytes go at once, so four seconds' bytes take three at their own rate.
VIDEO_LIMIT_SHARE = 0.8
SHELL_COMMANDS = ("ls -l /usr/lib", "uptime", "ls /usr/bin | head -40", "date", "cat /proc/loadavg",
                  "ls -l /etc | tail -20", "echo done", "cat /proc/meminfo", "pwd")


def all_of(segment):
    profile = segment.profile
    return ([browse, call, look_up, ping]
            + [functools.partial(watch_video, number=number) for number in range(profile.viewers)]
            + [functools.partial(use_shell, number=number) for number in range(profile.typists)])


def pick_path(segment, rng, application):
    """A client of the segment and the server of the application, both of one address family."""
    ipv6 = rng.random() < SHARE_OF_IPV6
    index = rng.randrange(addresses.CLIENTS_PER_LINK)
    return addresses.client(segment.link, index, ipv6), addresses.server(application, ipv6)


def url(server, path):
    return f"https://[{server}]/{path}" if ":" in server else f"https://{server}/{path}"


def curl(segment, client, requests):
    """Fetches the requests, lists of curl arguments, one after the other over one connection."""
    command = ["curl", "--silent", "--insecure", "--http1.1", "--globoff", "--max-time", "90"]
    for number, request in enumerate(requests):
        command += ["--next", "--silent", "--insecure", "--globoff", "--max-time", "90"] if number else []
        command += ["--interface", client, "--output", "/dev/null", *request]
    return segment.start(*command)


def dig(segment, rng, client, name):
    server = addresses.server("dns", ipv6=":" in client)
    record = rng.choice(("A", "AAAA"))
    return segment.start("dig", "+tries=1", "+time=2", "-b", client, f"@{server}", name, record)


def load_page(segment, rng, objects=None):
    """A name looked up, then a document and what it refers to."""
    client, server = pick_path(segment, rng, "web")
    dig(segment, rng, client, f"www{rng.randrange(50)}.example.test")
    sizes = rng.choices(PAGE_OBJECT_KILOBYTES, OBJECT_WEIGHTS, k=objects or rng.randint(2, 6))
    return curl(segment, client, [[url(server, f"{size}k")] for size in sizes])


def browse(segment):
    rng = segment.rng("web")
    for _ in segment.wait_while_events(rng, segment.profile.pages_per_s):
        load_page(segment, rng)


def watch_video(segment, number):
    """Viewing sessions of several segments; each segment's quality follows the link's intensity."""
    rng = segment.rng(f"video{number}")
    while segment.running():
        client, server = pick_path(segment, rng, "video")
        requests = []
        for index in range(rng.randint(5, 12)):
            intensity = segment.intensity(segment.now_s() + index * VIDEO_SEGMENT_S)
            rate_bytes_per_s = round(segment.profile.video_bytes_per_s * intensity)
            first = rng.randrange(VIDEO_BYTES // 2)
            last = first + rate_bytes_per_s * VIDEO_SEGMENT_S - 1
            limit = round(rate_bytes_per_s * VIDEO_LIMIT_SHARE)
            requests.append(["--range", f"{first}-{last}", url(server, f"video?rate={limit}")])
        curl(segment, client, requests).wait()
        time.sleep(rng.uniform(0.5, 6))


def call(segment):
    rng = segment.rng("voip")
    program = Path(__file__).with_name("rtp.py")
    for _ in segment.wait_while_events(rng, segment.profile.calls_per_s):
        client = addresses.client(segment.link, rng.randrange(addresses.CLIENTS_PER_LINK))
        segment.start(sys.executable, program, "call", client, addresses.server("voip"), addresses.RTP_PORT,
                      round(rng.uniform(15, 40)), rng.random()).wait()


def look_up(segment):
    rng = segment.rng("dns")
    for _ in segment.wait_while_events(rng, segment.profile.lookups_per_s):
        client, _ = pick_path(segment, rng, "dns")
        dig(segment, rng, client, f"host{rng.randrange(500)}.example.test")


def ping(segment):
    for ipv6, interval_s in ((False, 2), (True, 5)):
        segment.start("ping", "-n", "-i", interval_s, "-I", addresses.client(segment.link, 0, ipv6),
                      addresses.server("ping", ipv6))


def use_shell(segment, number):
    """Interactive sessions, typed key by key."""
    rng = segment.rng(f"ssh{number}")
    while segment.running():
        time.sleep(rng.uniform(3, 25))
        client, server = pick_path(segment, rng, "ssh")
        shell = segment.start(
            "ssh", "-tt", "-F", "/dev/null", "-b", client, "-i", segment.folder / "ssh-user-key",
            "-o", "IdentitiesOnly=yes", "-o", "BatchMode=yes", "-o", "StrictHostKeyChecking=no",
            "-o", "UserKnownHostsFile=/dev/null", f"root@{server}", stdin=subprocess.PIPE, bufsize=0)
        try:
            for _ in range(rng.randint(4, 10)):
                type_line(segment, rng, shell.stdin, rng.choice(SHELL_COMMANDS))
            type_line(segment, rng, shell.stdin, "exit")
        except BrokenPipeError:
            continue
        finally:
            shell.stdin.close()
        shell.wait()


def type_line(segment, rng, keyboard, line):
    time.sleep(rng.uniform(1, 5) / segment.intensity())
    for key in line + "\r":
        keyboard.write(key.encode())
        time.sleep(rng.uniform(0.08, 0.3))
