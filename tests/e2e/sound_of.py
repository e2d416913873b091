"""What a log says of its sound: which seconds were heard, marks, what `symlog render` makes of it, what it proves."""

import array
import json
import os
import re
import struct
import subprocess
from dataclasses import dataclass

from log_lines import KINDS
from serving import BINARY, run_symlog

FRAME_BYTES = 8
RENDER_TIMEOUT_S = 300  # A build that watches its memory is slow.
HEARD = struct.Struct("<QIIII16s")
APPLIED = struct.Struct("<QQI?")


@dataclass
class Heard:
    """A stretch that was heard, as the log says."""

    seq: int
    frame: int
    frames: int
    rate: int
    missed: int
    digest: str


def events_of(db, *kinds):
    """Those of some kinds: (seq, payload)."""
    ended = run_symlog("log", "--db", db, "--json")
    assert ended.returncode == 0, ended.stderr
    events = map(json.loads, ended.stdout.splitlines())
    wanted = [KINDS[kind] for kind in kinds]
    return [(one["seq"], bytes.fromhex(one["payload"])) for one in events if one["kind"] in wanted]


def heard_of(db):
    """In the order of frames."""
    heard = []
    for seq, payload in events_of(db, "heard"):
        frame, frames, rate, missed, _, digest = HEARD.unpack(payload)
        heard.append(Heard(seq, frame, frames, rate, missed, digest.hex()))
    return sorted(heard, key=lambda one: one.frame)


def late_share(db):
    """(marks, those that say that the one before was late)."""
    late = [APPLIED.unpack(payload)[3] for _, payload in events_of(db, "applied")]
    return len(late), sum(late)


def proof_of(db, binary=BINARY):
    """The verdict of `verify --audio`, and its exit status; what is wrong is in `wrong`."""
    command = [binary, "verify", "--db", str(db), "--audio", "--json"]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=RENDER_TIMEOUT_S, check=False)
    *wrong, verdict = map(json.loads, ended.stdout.splitlines())
    assert ended.stderr == "", ended.stderr
    return {**verdict, "status": ended.returncode, "wrong": [one["wrong"] for one in wrong]}


class Rendered:
    """The log's sound, by the log's frames; silence before it begins and behind its end."""

    def __init__(self, db, folder):
        out = folder / f"rendered-{os.getpid()}.f32"
        ended = subprocess.run(
            [BINARY, "render", out, "--db", db], capture_output=True, text=True, timeout=RENDER_TIMEOUT_S, check=False
        )
        assert ended.returncode == 0, ended.stderr
        self.summary = ended.stdout.strip()
        self.begin = int(re.search(r" from frame (\d+) on", ended.stdout)[1])
        self.data = out.read_bytes()

    def part(self, frame, frames):
        begin, end = (frame - self.begin) * FRAME_BYTES, (frame + frames - self.begin) * FRAME_BYTES
        part = bytes(-min(begin, 0))[: frames * FRAME_BYTES] + self.data[max(begin, 0) : max(end, 0)]
        return part + bytes(frames * FRAME_BYTES - len(part))


@dataclass
class Comparison:
    """What a capture has of the log's sound."""

    same: list  # Stretches that are equal, byte for byte.
    silenced: list  # Equal where anything was heard; silence in other places, which the log says were missed.
    other: list  # Differing, or nowhere to be found.
    placings: int  # How often they had to be looked for.

    def __str__(self):
        said = [f"{one.frame}+{one.frames} missed {one.missed}" for one in self.other]
        return (
            f"{len(self.same)} stretches equal, {len(self.silenced)} with silence for what was missed, "
            f"{len(self.other)} otherwise: {said}; looked for {self.placings} times"
        )


def compare(capture, rendered, heard):
    """One stretch is looked for, the others are where they must be then; another is looked for where that fails."""
    found = Comparison([], [], [], 1)
    first = next(i for i, one in enumerate(heard) if not one.missed and any(rendered.part(one.frame, one.frames)))
    offset = place_of(capture, rendered, heard[first:], None)
    for index, one in enumerate(heard):
        part = rendered.part(one.frame, one.frames)
        if offset is not None and part_at(capture, one, offset) == part:
            found.same.append(one)
            continue
        if one.missed:
            is_there = offset is not None and is_silenced(part_at(capture, one, offset), part, one.missed)
            (found.silenced if is_there else found.other).append(one)
            continue
        place = place_of(capture, rendered, heard[index:], offset) if any(part) else None
        if place is None:
            found.other.append(one)
            continue
        offset = place
        found.placings += 1
        found.same.append(one)
    return found


def part_at(capture, one, offset):
    """What was captured of a stretch; nothing, if the capture begins behind it."""
    return capture.part(one.frame + offset, one.frames) if one.frame + offset >= 0 else b""


def place_of(capture, rendered, heard, offset):
    """Music repeats itself: of the places where the first stretch lies, that in which most of the next ones are right."""
    first = heard[0]
    part = rendered.part(first.frame, first.frames)
    places, at = [], 0 if offset is None else max(first.frame + offset - first.rate, 0)
    while (at := capture.find(part, at)) is not None:
        places.append(at - first.frame)
        at += 1

    def count(place):
        return sum(part_at(capture, one, place) == rendered.part(one.frame, one.frames) for one in heard[:8])

    return max(places, key=count, default=None)


def is_silenced(captured, rendered, missed):
    """Where the two differ, the first is silent, in no more frames than were missed (in this second or its neighbours)."""
    left, right = array.array("Q", captured), array.array("Q", rendered)
    differing = [one for one, other in zip(left, right) if one != other]
    return len(left) == len(right) and not any(differing) and len(differing) <= missed


def peaks_of(part):
    """Left and right, of interleaved samples."""
    samples = array.array("f", part)
    return tuple(max(map(abs, samples[channel::2]), default=0.0) for channel in (0, 1))


def rms_of(part):
    samples = array.array("f", part)
    count = max(len(samples) // 2, 1)
    return tuple((sum(x * x for x in samples[channel::2]) / count) ** 0.5 for channel in (0, 1))
