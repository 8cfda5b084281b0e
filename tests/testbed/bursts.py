"""The bursts of a segment: bulk transfers behind a shaper that ramps, and crowds of browsers."""

import os
import signal
import sys
import threading
import time

import addresses
import applications
import network
import pattern

SHAPER_STEP_S = 0.5
CROWD_STEP_S = 0.05
OBJECTS_PER_PAGE, PACKETS_PER_PAGE = 4, 62
SEND_BUFFER_BYTES = 65536  # a larger one would go on after the transfer's end
UPLOADS = ("backup", "upload")


def play_all(segment):
    for burst in pattern.plan_bursts(segment.profile, segment.duration_s, segment.seed):
        time.sleep(max(0.0, burst.start_s - segment.now_s()))
        threading.Thread(target=play, args=(segment, burst), daemon=True).start()


def play(segment, burst):
    start_epoch_s = segment.epoch_s(segment.now_s())
    if burst.kind == "flash-crowd":
        crowd(segment, burst)
    else:
        transfer(segment, burst)
    segment.record({"link": burst.link, "kind": burst.kind, "start": start_epoch_s,
                    "end": segment.epoch_s(segment.now_s())})


def crowd(segment, burst):
    rng, due_pages, last_s = segment.rng(f"burst{burst.start_s}"), 0.0, segment.now_s()
    while (now_s := segment.now_s()) < burst.end_s:
        pages_per_s = burst.peak_packets_per_s * burst.share_of_peak(now_s) / PACKETS_PER_PAGE
        due_pages += pages_per_s * (now_s - last_s)
        last_s = now_s
        if due_pages >= 1:
            due_pages -= 1
            applications.load_page(segment, rng, OBJECTS_PER_PAGE)
        time.sleep(CROWD_STEP_S)


def transfer(segment, burst):
    """Starts the transfer and lets the shaper draw the burst; whatever is left at its end is cut off."""
    shaper = ((segment.namespace, network.CLIENT_DEVICE) if burst.kind in UPLOADS
              else (segment.router, segment.link))
    program = segment.start(*transfer_command(segment, burst), process_group=0)
    while segment.now_s() < burst.end_s:
        network.set_bulk_rate(*shaper, burst.peak_packets_per_s * burst.share_of_peak(segment.now_s()))
        time.sleep(SHAPER_STEP_S)
    network.set_bulk_rate(*shaper, 0)
    if program.poll() is not None:
        print(f"{burst.link}: the {burst.kind} at {burst.start_s:.0f} s ended early", file=sys.stderr)
        return
    # The whole group: rsync works in two processes, and the one left alone would go on.
    os.killpg(program.pid, signal.SIGKILL)


def transfer_command(segment, burst):
    client = segment.rng(f"client{burst.start_s}").choice(addresses.clients(segment.link))
    store = f"rsync://{addresses.server('rsync')}/data"
    rsync = ("rsync", "--whole-file", "--ignore-times", "--inplace", f"--address={client}",
             f"--sockopts=SO_SNDBUF={SEND_BUFFER_BYTES}")
    image, link = segment.folder / "data" / "image", segment.link
    if burst.kind == "backup":
        return (*rsync, image, f"{store}/backup-{link}")
    if burst.kind == "sync":
        return (*rsync, f"{store}/image", segment.folder / "uploads" / link)
    return ("iperf3", "--client", addresses.server("iperf"), "--port", addresses.IPERF_PORTS[link],
            "--bind", client, "--congestion", "reno", "--time", 60, "--window", SEND_BUFFER_BYTES,
            *(("--reverse",) if burst.kind == "download" else ()))
