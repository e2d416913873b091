"""Sets that sound: recorded by serve, changed as exported lines, rendered to samples."""

import array
import ctypes
import json
import re
import struct

from cli import symlog
from log_lines import KINDS, text
from serving import Serve, call, wait_until

RATE = 48000
RENDERER_VERSION = 2

LEAD = "track('lead', t => t.instrument('lead').effect('delay').clip(Clip.melody().note('C4', '8n').note('G4', '8n')"
PAD = "track('pad', t => t.instrument('pad').effect('room').clip(Clip.keys().chord(['C4', 'E4', 'G4'], '2n').loop(8)))"
DRUMS = "track('drums', t => t.clip(Drums.euclidean(16, 5)))"
FIRST = f"Session.create().tempo(180); {LEAD}.loop(8))); {PAD}"
SECOND = f"{LEAD}.note('E5', '4n').loop(8))); {DRUMS}"


def record(db):
    """A set of some seconds: edits, tempo, a mixer, stop; ends with the mark "end"."""
    serve = Serve(db)
    live = serve.live()
    with serve.subscribe() as subscriber:

        def beat():
            return call(subscriber, "position")["result"]["beat"]

        def wait_for_beat(wanted):
            wait_until(lambda: beat() >= wanted, f"beat {wanted}")

        live.send("/live/track/added", ("i", 0), ("s", "drums"))
        live.send("/live/track/added", ("i", 1), ("s", "lead"))
        live.send("/live/track/added", ("i", 2), ("s", "pad"))
        assert call(subscriber, "eval", code=FIRST, quantize="off")["result"]["success"]
        call(subscriber, "play")
        wait_for_beat(2)
        call(subscriber, "mark", text="edit")
        assert call(subscriber, "eval", code=SECOND, quantize="beat")["result"]["success"]
        wait_for_beat(4)
        call(subscriber, "setTempo", bpm=240)
        wait_for_beat(6)
        live.send("/live/track/volume", ("i", 1), ("f", 0.4))
        live.send("/live/track/mute", ("i", 0), ("T", True))
        live.send("/live/track/mute", ("i", 2), ("T", True))
        call(subscriber, "mark", text="mixed")
        call(subscriber, "setTempo", bpm=200)
        wait_for_beat(10)
        call(subscriber, "stop", quantize="off")
        call(subscriber, "mark", text="end")
    assert serve.stop() == 0
    return db


def exported(db, path):
    """The lines of the whole log, as objects."""
    path.unlink(missing_ok=True)
    symlog("log", "export", path, "--db", db)
    return [json.loads(line) for line in path.read_text().splitlines()]


def imported(lines, db):
    path = db.with_suffix(".changed")
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    symlog("log", "import", path, "--db", db)
    return db


def append(lines, kind, payload, time_ns=None):
    """One more event at the end; its number."""
    seq = lines[-1]["seq"] + 1
    time_ns = lines[-1]["time_ns"] if time_ns is None else time_ns
    line = {"seq": seq, "time_ns": time_ns, "kind": KINDS[kind], "version": 1, "source": 0, "session": 0}
    lines.append({**line, "source_seq": None, "payload": payload.hex()})
    return seq


def append_mark(lines, frame, rate=RATE, late=False, time_ns=None):
    through = lines[-1]["seq"]
    return append(lines, "applied", struct.pack("<QQIB", through, frame, rate, late), time_ns)


def append_parameter(lines, identity, value):
    return append(lines, "parameter", struct.pack("<d", value) + text(identity))


def append_player(lines, rate, kind=1):
    return append(lines, "player", struct.pack("<BII", kind, rate, 512) + text("speaker"))


def append_heard(lines, frame, samples, digest=None, missed=0, version=RENDERER_VERSION, rate=RATE):
    """`samples` are those of a stretch: left and right in turn."""
    frames = len(samples) // 2
    payload = struct.pack("<QIIII", frame, frames, rate, missed, version)
    return append(lines, "heard", payload + (digest or digest_of(samples.tobytes())))


class Digest(ctypes.Structure):
    _fields_ = (("low", ctypes.c_uint64), ("high", ctypes.c_uint64))


def digest_of(data):
    """XXH3-128, by its author's library."""
    function = ctypes.CDLL("libxxhash.so.0").XXH3_128bits
    function.restype, function.argtypes = Digest, (ctypes.c_char_p, ctypes.c_size_t)
    digest = function(data, len(data))
    return struct.pack("<QQ", digest.low, digest.high)


def applied(lines):
    """(seq, frame) of each mark."""
    marks = [line for line in lines[1:] if line["kind"] == KINDS["applied"]]
    return [(line["seq"], struct.unpack_from("<Q", bytes.fromhex(line["payload"]), 8)[0]) for line in marks]


def rendered(db, path, *options):
    """The samples of a stretch, and its first frame."""
    output, errors = symlog("render", path, "--db", db, *options)
    assert errors == "", errors
    seconds, frame = re.search(r": ([\d.]+) s at \d+ Hz from frame (\d+) on, peak -?[\d.]+ dB, \d+ x", output).groups()
    samples = array.array("f", path.read_bytes())
    assert abs(len(samples) / 2 / RATE - float(seconds)) < 0.001
    return samples, int(frame)


def part(samples, first, frame, frames):
    """Of what begins with frame `first`."""
    return samples[2 * (frame - first) : 2 * (frame - first + frames)]


def peak(samples):
    return max(map(abs, samples), default=0)
