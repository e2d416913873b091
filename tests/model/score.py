"""Scores, written from core/score.h's words and never from its C: encoding, and what notes they give.

A program is a list of operations, each a tuple: ("note", pitch, ticks, velocity, style), ("rest", ticks),
("loop", count, [...]), ("stack", [...]), ("transpose", semitones, [...]), ("dynamics", from, to, ticks),
("swing", amount), ("quantize", grid, strength), ("euclid", hits, steps, rotation, repeat, pitch, velocity, ticks).
"""
import struct
from fractions import Fraction

BEAT = 20160
ONE = 10000
OPCODES = {"note": 1, "rest": 2, "loop": 3, "stack": 4, "transpose": 5, "dynamics": 8, "swing": 9, "quantize": 10, "euclid": 11}
LENGTHS = {1: Fraction(1, 2), 2: Fraction(105, 100), 5: Fraction(8, 10)}
FACTORS = {3: Fraction(12, 10), 5: Fraction(13, 10)}


def varint(value):
    out = b""
    while value >= 0x80:
        out += bytes([value & 0x7F | 0x80])
        value >>= 7
    return out + bytes([value])


def text(value):
    return struct.pack("<I", len(value)) + value


def encode_operations(program):
    out = b""
    for kind, *operands in program:
        out += bytes([OPCODES[kind]])
        if kind == "note":
            pitch, ticks, velocity, style = operands
            out += bytes([pitch]) + varint(ticks) + struct.pack("<HB", velocity, style)
        elif kind in ("rest", "loop"):
            out += varint(operands[0])
        elif kind == "transpose":
            out += struct.pack("<b", operands[0])
        elif kind == "dynamics":
            out += struct.pack("<HH", *operands[:2]) + varint(operands[2])
        elif kind == "swing":
            out += struct.pack("<H", operands[0])
        elif kind == "quantize":
            out += varint(operands[0]) + struct.pack("<H", operands[1])
        elif kind == "euclid":
            hits, steps, rotation, repeat, pitch, velocity, ticks = operands
            out += varint(hits) + varint(steps) + varint(rotation) + varint(repeat)
            out += bytes([pitch]) + struct.pack("<H", velocity) + varint(ticks)
        if kind in ("loop", "stack", "transpose"):
            out += encode_operations(operands[-1]) + b"\0"
    return out


def encode_track(name, clips):
    out = text(name) + b"\0" + text(b"") + text(b"") + b"\0" + struct.pack("<H", len(clips))
    for clip in clips:
        out += text(b"") + text(encode_operations(clip))
    return struct.pack("<I", len(out)) + out


def encode(tracks):
    """A score that replaces the session; tracks: (name, clips)."""
    head = struct.pack("<QBB", 0, 2, 1) + text(b"") + struct.pack("<H", len(tracks))
    return head + b"".join(encode_track(*track) for track in tracks)


def euclid(hits, steps, rotation):
    """Bjorklund's algorithm, as it is told: lists of lists, the rest dealt out over the first."""
    front, back = [[1]] * hits, [[0]] * (steps - hits)
    while hits > 0 and len(back) > 1:
        count = min(len(front), len(back))
        joined = [a + b for a, b in zip(front, back)]
        front, back = joined, front[count:] + back[count:]
    pattern = [step for part in front + back for step in part]
    turn = rotation % steps if steps else 0
    return pattern[steps - turn :] + pattern[: steps - turn]


def half_up(value):
    return (value + Fraction(1, 2)).__floor__()


class Clip:
    """Carries a program out, in exact fractions."""

    def __init__(self, origin):
        self.origin, self.time, self.notes = origin, 0, []
        self.semitones, self.swing, self.grid, self.strength = 0, 0, 0, 0
        self.ramp = (Fraction(1), Fraction(1), 0, 0)  # from, to, begin, ticks
        self.tied = {}

    def level(self):
        first, last, begin, ticks = self.ramp
        begun = max(0, self.time - begin)  # a stack steps back in time
        return last if begun >= ticks else first + (last - first) * Fraction(begun, ticks)

    def start(self):
        time = self.time
        if self.grid:
            near = (time + self.grid // 2) // self.grid * self.grid
            moved = half_up(Fraction(abs(near - time) * self.strength, ONE))
            time += moved if near >= time else -moved
        if self.swing and time % BEAT == BEAT // 2:
            time += half_up(Fraction(self.swing, ONE) * BEAT / 4)
        return self.origin + time

    def note(self, pitch, ticks, velocity, style):
        pitch += self.semitones
        if not 0 <= pitch <= 127:
            return
        articulation, tie = style & 15, style >> 4
        before = self.tied.pop(pitch, None)
        if before and tie in (2, 3) and before[1] == self.time:
            note = before[0]
            note["written"] += ticks
        else:
            loud = Fraction(velocity, ONE) * self.level() * FACTORS.get(articulation, 1)
            note = {"start": self.start(), "pitch": pitch, "written": ticks, "articulation": articulation}
            note["velocity"] = max(1, half_up(min(loud, Fraction(1)) * 127))
            self.notes.append(note)
        if tie in (1, 3):
            self.tied[pitch] = (note, self.time + ticks)

    def run(self, program, is_stack=False):
        begin = end = self.time
        for operation in program:
            self.operate(*operation)
            end = max(end, self.time)
            if is_stack:
                self.time = begin
        self.time = end

    def operate(self, kind, *operands):
        if kind == "note":
            self.note(*operands)
            self.time += operands[1]
        elif kind == "rest":
            self.time += operands[0]
        elif kind == "loop":
            for _ in range(operands[0]):
                self.run(operands[1])
        elif kind == "stack":
            self.run(operands[0], is_stack=True)
        elif kind == "transpose":
            self.semitones += operands[0]
            self.run(operands[1])
            self.semitones -= operands[0]
        elif kind == "dynamics":
            first, last, ticks = operands
            first = half_up(self.level() * ONE) if first == 65535 else first
            self.ramp = (Fraction(first, ONE), Fraction(last, ONE), self.time, ticks)
        elif kind == "swing":
            self.swing = operands[0]
        elif kind == "quantize":
            self.grid, self.strength = operands
        elif kind == "euclid":
            hits, steps, rotation, repeat, pitch, velocity, ticks = operands
            for step in euclid(hits, steps, rotation) * repeat:
                if step:
                    self.note(pitch, ticks, velocity, 0)
                self.time += ticks


def compile_track(clips):
    """The track's length, and its notes (start, pitch, length, velocity) in order."""
    origin, notes = 0, []
    for program in clips:
        clip = Clip(origin)
        clip.run(program)
        notes += clip.notes
        origin += clip.time
    for note in notes:
        note["length"] = max(1, half_up(note["written"] * LENGTHS.get(note["articulation"], Fraction(1))))
    notes.sort(key=lambda note: (note["start"], note["pitch"]))
    return origin, [(note["start"], note["pitch"], note["length"], note["velocity"]) for note in notes]
