"""One client segment: plays its link's applications and bursts from inside the segment's namespace.

segment.py LINK START_EPOCH_S DURATION_S SEED FOLDER ROUTER_NAMESPACE CLIENT_NAMESPACE
"""

import json
import random
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import applications
import bursts
import pattern


class Segment:
    """What every application of the segment shares: its clock, its intensity and its child processes."""

    def __init__(self, link, start_epoch_s, duration_s, seed, folder, router, namespace):
        self.link, self.folder = link, Path(folder)
        self.router, self.namespace = router, namespace
        self.duration_s, self.seed = duration_s, seed
        self.profile = pattern.PROFILES[link]
        self._start_epoch_s = start_epoch_s
        self._intensity = pattern.Intensity(self.profile, duration_s, seed)
        self._children, self._lock = [], threading.Lock()

    def now_s(self):
        """Seconds since the recording's start."""
        return time.time() - self._start_epoch_s

    def epoch_s(self, at_s):
        return self._start_epoch_s + at_s

    def running(self):
        return self.now_s() < self.duration_s

    def intensity(self, at_s=None):
        return self._intensity.at(self.now_s() if at_s is None else at_s)

    def rng(self, purpose):
        return random.Random(f"{self.seed}/{self.link}/{purpose}")

    def start(self, *command, **options):
        """Starts a program that ends with the segment at the latest."""
        child = subprocess.Popen([str(word) for word in command], **{
            "stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, **options})
        with self._lock:
            self._children = [other for other in self._children if other.poll() is None] + [child]
        return child

    def wait_while_events(self, rng, rate_per_s, tick_s=0.2):
        """Yields at random moments, rate_per_s of them a second at intensity 1, until the end."""
        while self.running():
            time.sleep(tick_s)
            if rng.random() < rate_per_s * self.intensity() * tick_s:
                yield

    def record(self, event):
        with self._lock, open(self.folder / f"events-{self.link}.jsonl", "a", encoding="ascii") as events:
            events.write(json.dumps(event) + "\n")

    def stop(self):
        with self._lock:
            for child in self._children:
                if child.poll() is None:
                    child.kill()


def main(arguments):
    link, start_epoch_s, duration_s, seed, folder, router, namespace = arguments
    segment = Segment(link, float(start_epoch_s), float(duration_s), int(seed), folder, router, namespace)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    time.sleep(max(0.0, -segment.now_s()))
    try:
        for work in (*applications.all_of(segment), bursts.play_all):
            threading.Thread(target=work, args=(segment,), daemon=True).start()
        while segment.running():
            time.sleep(0.2)
    finally:
        segment.stop()


if __name__ == "__main__":
    main(sys.argv[1:])
