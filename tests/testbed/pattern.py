"""What the load looks like: the periodic intensity of a link and its bursts. Pure and seeded."""

import math
import random
from dataclasses import dataclass


@dataclass(frozen=True)
class Profile:
    """The character of one link. Rates are those at intensity 1."""
    name: str
    phase: float  # of the intensity's period, 0 to 1
    amplitude: float
    pages_per_s: float
    viewers: int
    video_bytes_per_s: int
    calls_per_s: float
    typists: int
    lookups_per_s: float
    burst_peak_packets_per_s: tuple  # lowest, highest
    periodic_burst: str
    periodic_burst_every_s: int
    periodic_burst_offset_s: int
    random_bursts: tuple


@dataclass(frozen=True)
class Burst:
    """A load that climbs for ramp_s, stays for hold_s and falls for fall_s."""
    link: str
    kind: str
    start_s: float
    ramp_s: float
    hold_s: float
    fall_s: float
    peak_packets_per_s: int

    @property
    def end_s(self):
        return self.start_s + self.ramp_s + self.hold_s + self.fall_s

    def share_of_peak(self, at_s):
        since_start, until_end = at_s - self.start_s, self.end_s - at_s
        return max(0.0, min(1.0, since_start / self.ramp_s, until_end / self.fall_s))


PERIOD_S = 150

OFFICE = Profile("office", phase=0.0, amplitude=0.75, pages_per_s=0.16, viewers=3, video_bytes_per_s=6000,
                 calls_per_s=1 / 120, typists=1, lookups_per_s=0.3, burst_peak_packets_per_s=(550, 750),
                 periodic_burst="backup", periodic_burst_every_s=240, periodic_burst_offset_s=45,
                 random_bursts=("flash-crowd", "download", "flash-crowd"))

LAB = Profile("lab", phase=0.4, amplitude=0.6, pages_per_s=0.05, viewers=1, video_bytes_per_s=7000,
              calls_per_s=1 / 300, typists=3, lookups_per_s=0.15, burst_peak_packets_per_s=(540, 620),
              periodic_burst="sync", periodic_burst_every_s=300, periodic_burst_offset_s=75,
              random_bursts=("upload", "flash-crowd", "download"))

PROFILES = {profile.name: profile for profile in (OFFICE, LAB)}


class Intensity:
    """A sine around 1 with slow first-order noise, one value a second."""

    def __init__(self, profile, duration_s, seed):
        rng = random.Random(f"{seed}/{profile.name}/intensity")
        self._values, noise = [], 0.0
        for second in range(int(duration_s) + 1):
            noise = 0.9 * noise + rng.gauss(0, 0.05)
            angle = 2 * math.pi * (second / PERIOD_S + profile.phase)
            self._values.append(max(0.1, 1 + profile.amplitude * math.sin(angle) + noise))

    def at(self, at_s):
        return self._values[max(0, min(int(at_s), len(self._values) - 1))]


def plan_bursts(profile, duration_s, seed):
    """The link's bursts in time order: the scheduled ones, and random ones placed clear of them."""
    rng = random.Random(f"{seed}/{profile.name}/bursts")
    bursts = []
    for start_s in range(profile.periodic_burst_offset_s, int(duration_s) - 30, profile.periodic_burst_every_s):
        bursts.append(_make_burst(profile, profile.periodic_burst, start_s + rng.uniform(0, 3), rng))
    # At the full length (half an hour) all of them, in a trial in proportion. Each has a part of the
    # recording to itself, so that a forecaster's last, unseen part has some too.
    kinds = profile.random_bursts[:math.ceil(len(profile.random_bursts) * duration_s / 1800)]
    part_s = (duration_s - 40) / len(kinds)
    for number, kind in enumerate(kinds):
        start_s = _free_start(bursts, 10 + number * part_s, 10 + (number + 1) * part_s, rng)
        if start_s is not None:
            bursts.append(_make_burst(profile, kind, start_s, rng))
    return sorted(bursts, key=lambda burst: burst.start_s)


def _make_burst(profile, kind, start_s, rng):
    lowest, highest = profile.burst_peak_packets_per_s
    return Burst(profile.name, kind, start_s, ramp_s=rng.uniform(4, 7), hold_s=rng.uniform(4, 7),
                 fall_s=rng.uniform(1.5, 3), peak_packets_per_s=round(rng.uniform(lowest, highest)))


def _free_start(bursts, earliest_s, latest_s, rng, gap_s=25, attempts=200):
    for _ in range(attempts):
        start_s = rng.uniform(earliest_s, latest_s)
        if all(start_s > burst.end_s + gap_s or start_s + gap_s < burst.start_s for burst in bursts):
            return start_s
    return None
