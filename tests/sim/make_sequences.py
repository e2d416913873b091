"""Writes what the simulator plays: tests/sim/make_sequences.py FILE

Random sets and events, with the trees that they must lead to. The trees come from the independent model (tests/model),
never from the C. Always the same bytes.

The file, little-endian: u32 count of sequences; each is u32 count of streams (one for each sender), u32 count of
milestones, the milestones, the streams.
    milestone  u32 length and bytes of gzip (the tree as JSON, shaped as FULL_AST's `ast`) ·
               for each stream u32 how many of its events have led there
    stream     u32 count of events; each u16 count of messages (0: a silence, in which order_settled comes);
               each of those u16 length and bytes of the path, the same of the type tags, u32 and the arguments' bytes
The first stream plays everything; the others only what the transport does, which the first then leaves alone, so that
the tree is the same however the streams interleave.
"""

import gzip
import json
import random
import struct
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from model.generate import Generator  # noqa: E402
from model.invalid_makers import INVALID_MAKERS  # noqa: E402

SEQUENCES = 16
LONG_EVERY = 4  # of the sequences, one in so many is long enough to overflow the hold
MILESTONES, MILESTONES_LONG = 12, 36
CHUNK_EVENTS = 250
CHUNK_OTHERS = 30  # rounds of events of each other stream
QUIET = [("/live/cursor/scene", [("i", 0)])]
TRANSPORT = "/live/transport/"


def main():
    sequences = [write_sequence(seed) for seed in range(SEQUENCES)]
    Path(sys.argv[1]).write_bytes(u32(len(sequences)) + b"".join(sequences))


def write_sequence(seed):
    player = Player(seed, stream_count=1 + seed % 3)
    milestones = [player.milestone()]
    for _ in range(MILESTONES_LONG if seed % LONG_EVERY == 0 else MILESTONES):
        player.play_chunk()
        milestones.append(player.milestone())
    streams = [u32(len(stream)) + b"".join(map(write_event, stream)) for stream in player.streams]
    return b"".join([u32(len(streams)), u32(len(milestones)), *milestones, *streams])


class Player(Generator):
    """Generates valid and refused events that never make the tree stale, and ends each chunk with a quiet one."""

    def __init__(self, seed, stream_count):
        super().__init__(seed, tracks=6, scenes=6, settles=True)
        self.transport = random.Random(-seed - 1)
        self.streams = [[] for _ in range(stream_count)]

    def play_chunk(self):
        end = len(self.streams[0]) + CHUNK_EVENTS
        while len(self.streams[0]) < end:
            for event in self._next_sequence():
                self._play(event)
        self._play(QUIET)
        for stream in self.streams[1:]:
            self._play_transport(stream, is_last=stream is self.streams[-1])
        assert not self.tree.is_stale

    def milestone(self):
        tree = json.dumps(self.tree.to_ast()).encode()
        packed = gzip.compress(tree, mtime=0)
        return u32(len(packed)) + packed + b"".join(u32(len(stream)) for stream in self.streams)

    def _play(self, event):
        """Plays what the first stream may play: its heartbeats are the simulator's to send."""
        unwanted = ("/symlog/", TRANSPORT) if len(self.streams) > 1 else ("/symlog/",)
        kept = [message for message in event if not message[0].startswith(unwanted)]
        if kept or not event:
            self._add_quiet_after_silence(kept)
            self._follow(kept)
            self.streams[0].append(kept)

    def _add_quiet_after_silence(self, event):
        """A silence in the middle of what is held cannot be heard; what comes then must not be taken for one run."""
        is_after_silence = self.streams[0] and not self.streams[0][-1]
        if is_after_silence and (not event or event[0][0].startswith("/live/scene/")):
            self._follow(QUIET)
            self.streams[0].append(QUIET)

    def _play_transport(self, stream, is_last):
        """The last two events of a chunk say all that the stream ever changes."""
        choose = self.transport
        for _ in range(CHUNK_OTHERS):
            value = ("f", choose.uniform(60.0, 180.0))
            play = choose.choice(("T", "F"))
            if is_last:
                events = [[(TRANSPORT + "position", [value])], [(TRANSPORT + "play", [(play, play == "T")])]]
            else:
                events = [[("/live/cursor/track", [("i", 0)])], [(TRANSPORT + "tempo", [value])]]
            for event in events:
                self._follow_as(stream, event)

    def _follow_as(self, stream, event):
        self.tree.apply(*event[0], source_key=id(stream))
        stream.append(event)

    def _invalid(self):
        """All but the order that makes the tree stale: there a picture would be the only cure."""
        yield self.rng.choice([maker for maker in INVALID_MAKERS if maker.__name__ != "_bad_order"])(self)
        yield self.quiet()


def write_event(event):
    return u16(len(event)) + b"".join(write_message(path, args) for path, args in event)


def write_message(path, args):
    tags = "".join(tag for tag, _ in args)
    data = b"".join(ARGUMENTS.get(tag, lambda _: b"")(value) for tag, value in args)
    return u16(len(path)) + path.encode() + u16(len(tags)) + tags.encode() + u32(len(data)) + data


def u16(value):
    return struct.pack("<H", value)


def u32(value):
    return struct.pack("<I", value)


def padded(data):
    return data + bytes(-len(data) % 4)


ARGUMENTS = {
    "i": lambda value: struct.pack(">i", value),
    "h": lambda value: struct.pack(">q", value),
    "f": lambda value: struct.pack(">f", value),
    "d": lambda value: struct.pack(">d", value),
    "s": lambda value: padded(value.encode() + b"\0"),
    "b": lambda value: struct.pack(">I", len(value)) + padded(value),
}


if __name__ == "__main__":
    main()
