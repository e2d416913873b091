"""What `symlog eval --notes --json` says of a piece of code, and the score itself, read from its bytes."""

import json
import struct
import subprocess
from pathlib import Path

from cli import symlog
from serving import BINARY

BEAT = 20160
EVAL = Path(BINARY).resolve().parent / "symlog-eval"
MAGIC = 0x5645534C


def notes_of(code, *options, environment=None):
    """(track, start, length, pitch, velocity), times in ticks."""
    output, _ = symlog("eval", code, "--notes", "--json", *options, environment=environment)
    notes = [json.loads(line) for line in output.splitlines()]
    return [(n["track"], n["start_ticks"], n["length_ticks"], n["pitch"], n["velocity"]) for n in notes]


def clip_notes(clip, prefix=""):
    """Those of one clip: (beat, beats, note)."""
    output, _ = symlog("eval", f"{prefix}\ntrack('a', t => t.clip({clip}))", "--notes", "--json")
    notes = [json.loads(line) for line in output.splitlines()]
    return [(n["beat"], n["length"], n["note"]) for n in notes]


def error_of(code, *options, status=1, environment=None):
    """(message, line, column)."""
    output, _ = symlog("eval", code, "--notes", "--json", *options, status=status, environment=environment)
    error = json.loads(output)["error"]
    return error["message"], error["line"], error["column"]


def printed_of(code):
    return symlog("eval", code, "--notes")[1]


def text(data):
    data = data.encode() if isinstance(data, str) else data
    return struct.pack("<I", len(data)) + data


class Bytes:
    def __init__(self, data):
        self.data, self.at = data, 0

    def number(self, size):
        self.at += size
        return int.from_bytes(self.data[self.at - size : self.at], "little")

    def double(self):
        return struct.unpack("<d", self.number(8).to_bytes(8, "little"))[0]

    def view(self):
        size = self.number(4)
        self.at += size
        return self.data[self.at - size : self.at]

    def text(self):
        return self.view().decode()

    def fault(self):
        return {"buffer": self.text(), "message": self.text(), "line": self.number(4), "column": self.number(4)}


def evaluate(*buffers, code_seq=7, quantize=255):
    """symlog-eval alone, over its wire: buffers are (name, source); the last is the new one."""
    request = struct.pack("<IBBQB", MAGIC, 1, quantize, code_seq, len(buffers))
    request += b"".join(text(name) + text(source) for name, source in buffers)
    ended = subprocess.run([EVAL], input=request, check=True, capture_output=True, timeout=20, env={})
    answer = Bytes(ended.stdout)
    assert (answer.number(4), answer.number(1)) == (MAGIC, 1)
    is_score = answer.number(1) == 1
    out = {"printed": answer.text(), "skipped": [answer.fault() for _ in range(answer.number(1))]}
    return {**out, "score": head_of(answer.view())} if is_score else {**out, "fault": answer.fault()}


def head_of(score):
    """The score of core/score.h, clips left as names."""
    score = Bytes(score)
    head = {"code_seq": score.number(8), "quantize": score.number(1)}
    flags = score.number(1)
    head |= {"replaces": bool(flags & 1), "buffer": score.text()}
    head["bpm"] = score.double() if flags & 2 else None
    head["signature"] = (score.number(1), score.number(1)) if flags & 4 else None
    head["tracks"] = [track_of(Bytes(score.view())) for _ in range(score.number(2))]
    return head


def track_of(track):
    names = {"name": track.text(), "channel": track.number(1), "instrument": track.text(), "params": track.text()}
    names["effects"] = [(track.text(), track.text()) for _ in range(track.number(1))]
    names["clips"] = [(track.text(), track.view())[0] for _ in range(track.number(2))]
    return names
