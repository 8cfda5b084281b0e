"""A small RTP speaker: constant 40 ms packets while it talks, comfort noise while it listens.

rtp.py answer ADDRESS PORT                      answers every caller until it is stopped
rtp.py call FROM TO PORT SECONDS SEED           one call
"""

import random
import select
import socket
import struct
import sys
import time

PACKET_INTERVAL_S = 0.04
SAMPLES_PER_PACKET = 320
COMFORT_NOISE_EVERY = 10  # packets
PAYLOAD_TYPE_PCMU, PAYLOAD_TYPE_COMFORT_NOISE = 0, 13
SILENT_PEER_S = 2.0


class Talker:
    """One direction of a call, alternating between talk spurts and silence."""

    def __init__(self, rng):
        self._rng = rng
        self._ssrc = rng.getrandbits(32)
        self._sequence = rng.getrandbits(16)
        self._timestamp = rng.getrandbits(32)
        self._talking, self._left = True, 0
        self.next_at = self.heard_at = time.monotonic()

    def next_packet(self):
        """The packet due now, or None in silence; moves on by one interval."""
        if self._left <= 0:
            self._talking = not self._talking
            self._left = 1 + round(self._rng.expovariate(1 / 1.2) / PACKET_INTERVAL_S)
        self._left -= 1
        self.next_at += PACKET_INTERVAL_S
        self._sequence = (self._sequence + 1) & 0xFFFF
        self._timestamp = (self._timestamp + SAMPLES_PER_PACKET) & 0xFFFFFFFF
        if self._talking:
            return self._header(PAYLOAD_TYPE_PCMU) + bytes(SAMPLES_PER_PACKET)
        if self._left % COMFORT_NOISE_EVERY == 0:
            return self._header(PAYLOAD_TYPE_COMFORT_NOISE) + bytes(1)
        return None

    def _header(self, payload_type):
        return struct.pack("!BBHII", 0x80, payload_type, self._sequence, self._timestamp, self._ssrc)


def speak(sock, talkers, until, answer=None):
    """Sends what is due to every peer; `answer` makes a talker for an unknown peer."""
    while time.monotonic() < until:
        wake_at = min([talker.next_at for talker in talkers.values()], default=until)
        readable, _, _ = select.select([sock], [], [], max(0.0, min(wake_at - time.monotonic(), 1.0)))
        if readable:
            _hear(sock, talkers, answer)
        now = time.monotonic()
        for peer, talker in list(talkers.items()):
            if answer and now - talker.heard_at > SILENT_PEER_S:
                del talkers[peer]
            elif talker.next_at <= now:
                packet = talker.next_packet()
                if packet:
                    sock.sendto(packet, peer)


def _hear(sock, talkers, answer):
    try:
        _, peer = sock.recvfrom(2048)
    except ConnectionError:  # an ICMP error for an earlier packet
        return
    if answer and peer not in talkers:
        talkers[peer] = answer()
    if peer in talkers:
        talkers[peer].heard_at = time.monotonic()


def bind(address, port):
    sock = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_DGRAM)
    sock.bind((address, port))
    return sock


def main(arguments):
    if arguments[0] == "answer":
        address, port = arguments[1:]
        speak(bind(address, int(port)), {}, float("inf"), answer=lambda: Talker(random.Random()))
    else:
        source, target, port, seconds, seed = arguments[1:]
        talkers = {(target, int(port)): Talker(random.Random(seed))}
        speak(bind(source, 0), talkers, time.monotonic() + float(seconds))


if __name__ == "__main__":
    main(sys.argv[1:])
