"""Makes logs without serve: the lines that `symlog log import` reads. Standard library only, so that the OSC encoder
and the payloads here are written independently of the program's."""

import json
import struct

KINDS = {
    "start": 1,
    "counters": 2,
    "session": 3,
    "osc": 4,
    "picture": 5,
    "refused": 6,
    "checkpoint": 7,
    "mark": 8,
    "order_settled": 9,
    "gave_up": 10,
    "base": 11,
    "lost": 12,
    "paused": 13,
    "sysex": 14,
    "sysex_sent": 15,
    "groove_edit": 16,
    "setlists": 17,
    "code": 19,
    "score": 20,
    "transport": 21,
    "applied": 22,
    "parameter": 23,
    "player": 24,
    "heard": 25,
}
LOG_ID = "00112233445566778899aabbccddeeff"
SOURCE = 1
SOURCE_NAME = "127.0.0.1:50000"
NS_PER_S = 1_000_000_000


class LogLines:
    """Collects events, numbered from 1, as the objects of an exported log."""

    def __init__(self, log_id=LOG_ID):
        self.head = {"symlog_log": 1, "log_id": log_id}
        self.events = []
        self.next_number = 0  # of the sender

    def add(self, kind, payload=b"", seconds=0.0, source=0, session=0, number=None):
        self.events.append(
            {
                "seq": len(self.events) + 1,
                "time_ns": round(seconds * NS_PER_S),
                "kind": KINDS[kind],
                "version": 1,
                "source": source,
                "session": session,
                "source_seq": number,
                "payload": payload.hex(),
            }
        )

    def start(self, wall_ns, seconds=0.0):
        boot_id = bytes(16)
        payload = struct.pack("<qI", wall_ns, 1) + boot_id + text("symlog test") + text("")
        self.add("start", payload, seconds)

    def session(self, name=SOURCE_NAME, source=SOURCE, session=7, seconds=0.0):
        self.add("session", bytes([1]) + text(name), seconds, source, session)

    def osc(self, path, *arguments, seconds=0.0, session=7):
        """One message in Live's wrapper, with the sender's next number."""
        number, self.next_number = self.next_number, self.next_number + 1
        datagram = message("/live/seq", ("i", number), ("f", 0.0), ("s", path), *arguments)
        self.add("osc", datagram, seconds, SOURCE, session, number)

    def mark(self, words, seconds=0.0):
        self.add("mark", words.encode(), seconds)

    def checkpoint(self, through, digest, reducer_version=1):
        low_first = bytes.fromhex(digest)[::-1]  # shown most significant first, stored least significant first
        self.add("checkpoint", struct.pack("<QI", through, reducer_version) + low_first)

    def write(self, path):
        path.write_text("".join(json.dumps(line) + "\n" for line in [self.head, *self.events]))
        return path


def small_set():
    """A start, a session, two tracks, a mark between them, a volume, a refused message: eight events."""
    lines = LogLines()
    lines.start(wall_ns=1_700_000_000 * NS_PER_S)
    lines.session()
    lines.osc("/live/track/added", ("i", 0), ("s", "Drums"), seconds=1)
    lines.osc("/live/track/added", ("i", 1), ("s", "Bass"), seconds=2)
    lines.mark("chorus", seconds=2.5)
    lines.osc("/live/track/volume", ("i", 1), ("f", 0.5), seconds=3)
    lines.osc("/live/track/renamed", ("i", 9), ("s", "Nobody"), seconds=4)
    lines.osc("/live/track/renamed", ("i", 0), ("s", "Kit"), seconds=5)
    return lines


def message(path, *arguments):
    """An OSC 1.0 message of (tag, value) pairs with the tags i h f s T F."""
    packed = b"".join(argument(tag, value) for tag, value in arguments)
    return padded(path) + padded("," + "".join(tag for tag, _ in arguments)) + packed


def argument(tag, value):
    if tag in "TF":
        return b""
    return padded(value) if tag == "s" else struct.pack(">q" if tag == "h" else ">" + tag, value)


def padded(words):
    data = words.encode() + b"\0"
    return data + bytes(-len(data) % 4)


def text(words):
    data = words.encode()
    return struct.pack("<I", len(data)) + data
