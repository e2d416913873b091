"""Scores, written from core/score.h's words and never from its C: encoding, and what notes they give.

A program is a list of operations, each a tuple: ("note", pitch, ticks, velocity, style), ("rest", ticks),
("loop", count, [...]), ("stack", [...]), ("transpose", semitones, [...]), ("dynamics", from, to, ticks),
("swing", amount), ("quantize", grid, strength), ("euclid", hits, steps, rotation, repeat, pitch, velocity, ticks),
("tempo", bpm, ramp ticks, curve), ("signature", numerator, denominator).
"""
import struct
from fractions import Fraction

BEAT = 20160
ONE = 10000
OPCODES = {"note": 1, "rest": 2, "loop": 3, "stack": 4, "transpose": 5, "tempo": 6, "signature": 7}
OPCODES |= {"dynamics": 8, "swing": 9, "quantize": 10, "euclid": 11}
KINDS = {number: kind for kind, number in OPCODES.items()}
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
        elif kind == "tempo":
            out += struct.pack("<d", operands[0]) + varint(operands[1]) + bytes([operands[2]])
        elif kind == "signature":
            out += bytes(operands)
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


def encode_track(name, clips, channel=0, instrument=b"", params=b"", effects=()):
    out = text(name) + bytes([channel]) + text(instrument) + text(params) + bytes([len(effects)])
    out += b"".join(text(name) + text(params) for name, params in effects) + struct.pack("<H", len(clips))
    for clip in clips:
        out += text(b"") + text(encode_operations(clip))
    return struct.pack("<I", len(out)) + out


def encode(tracks, replaces=True, quantize=2, bpm=None, signature=None, code_seq=0):
    """A score; tracks: (name, clips[, channel, instrument, params, effects])."""
    flags = replaces | (bpm is not None) << 1 | (signature is not None) << 2
    head = struct.pack("<QBB", code_seq, quantize, flags) + text(b"")
    head += b"" if bpm is None else struct.pack("<d", bpm)
    head += b"" if signature is None else bytes(signature)
    return head + struct.pack("<H", len(tracks)) + b"".join(encode_track(*track) for track in tracks)


class Reader:
    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, form):
        values = struct.unpack_from("<" + form, self.data, self.at)
        self.at += struct.calcsize("<" + form)
        return values if len(values) > 1 else values[0]

    def text(self):
        length = self.take("I")
        self.at += length
        return self.data[self.at - length : self.at]

    def varint(self):
        value = shift = 0
        while True:
            byte = self.take("B")
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value


def decode_operations(reader):
    program = []
    while reader.at < len(reader.data):
        opcode = reader.take("B")
        if opcode == 0:
            break
        kind = KINDS[opcode]
        if kind == "note":
            program.append((kind, reader.take("B"), reader.varint(), *reader.take("HB")))
        elif kind in ("rest", "loop"):
            program.append((kind, reader.varint()))
        elif kind == "transpose":
            program.append((kind, reader.take("b")))
        elif kind == "tempo":
            program.append((kind, reader.take("d"), reader.varint(), reader.take("B")))
        elif kind == "signature":
            program.append((kind, *reader.take("BB")))
        elif kind == "dynamics":
            program.append((kind, *reader.take("HH"), reader.varint()))
        elif kind == "swing":
            program.append((kind, reader.take("H")))
        elif kind == "quantize":
            program.append((kind, reader.varint(), reader.take("H")))
        elif kind == "euclid":
            program.append((kind, *(reader.varint() for _ in range(4)), *reader.take("BH"), reader.varint()))
        else:
            program.append((kind,))
        if kind in ("loop", "stack", "transpose"):
            program[-1] += (decode_operations(reader),)
    return program


def decode_track(data):
    """A track as a dictionary; `music` and `head` are its bytes, which say whether two are the same."""
    reader = Reader(data)
    track = {"name": reader.text(), "channel": reader.take("B"), "instrument": reader.text(), "params": reader.text()}
    track["effects"] = [(reader.text(), reader.text()) for _ in range(reader.take("B"))]
    track["music"] = data[reader.at :]
    clips = []
    for _ in range(reader.take("H")):
        reader.text()
        clips.append(decode_operations(Reader(reader.text())))
    return track | {"clips": clips}


def decode(payload):
    """A score as a dictionary."""
    reader = Reader(payload)
    code_seq, quantize, flags = reader.take("QBB")
    score = {"code_seq": code_seq, "quantize": quantize, "replaces": bool(flags & 1), "buffer": reader.text()}
    score["bpm"] = reader.take("d") if flags & 2 else None
    score["signature"] = reader.take("BB") if flags & 4 else None
    score["tracks"] = [decode_track(reader.text()) for _ in range(reader.take("H"))]
    return score


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
        self.cues = []
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
        elif kind in ("tempo", "signature"):
            self.cues.append((self.origin + self.time, kind, *operands))
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


def carry_out(clips):
    """The track's length, its notes as dictionaries, by start and pitch, and its cues (start, kind, operands…)."""
    origin, notes, cues = 0, [], []
    for program in clips:
        clip = Clip(origin)
        clip.run(program)
        notes += clip.notes
        cues += clip.cues
        origin += clip.time
    for note in notes:
        note["length"] = max(1, half_up(note["written"] * LENGTHS.get(note["articulation"], Fraction(1))))
    notes.sort(key=lambda note: (note["start"], note["pitch"]))
    cues.sort(key=lambda cue: cue[0])
    return origin, notes, cues


def compile_track(clips):
    """The track's length, and its notes (start, pitch, length, velocity) in order."""
    length, notes, _ = carry_out(clips)
    return length, [(note["start"], note["pitch"], note["length"], note["velocity"]) for note in notes]


def sounding(length, notes):
    """How long each note sounds, where the track goes round: until its end, or until its key is pressed again; 0 where
    another of the same start and pitch, longer or before it, stands for both."""
    told = []
    for index, note in enumerate(notes):
        same = [other for other in notes if other["pitch"] == note["pitch"]]
        twins = [other for other in same if other["start"] == note["start"]]
        if twins[max(range(len(twins)), key=lambda i: (twins[i]["length"], -i))] is not note:
            told.append(0)
            continue
        gaps = [(other["start"] - note["start"]) % length or length for other in same]
        told.append(min([note["length"], *gaps]))
    return told
