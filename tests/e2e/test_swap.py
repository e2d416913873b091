"""Edits while it plays: what left as MIDI is what the log alone gives, and only what was edited is another.

SYMLOG_SOAK=1: a thousand edits. SYMLOG_SEED=N: others.
"""

import json
import os
import re
import time
from pathlib import Path

import pytest
from groove_ports import Port
from serving import call, logged, run_symlog, wait_until

SOAK = "SYMLOG_SOAK" in os.environ
EDITS = 1000 if SOAK else 120
TICKS = 20160  # A beat.
LOWEST, RANGE = 30, 60  # Two pitches tell which edit a voice is of.
STEADY = "track('steady', t => t.channel(1).clip(Clip.melody().note('C4', '8n').note('D4', '8n').note('E4', '4n')))"
MEMORY_GROWTH_KB = 2000


class Heard:
    """A MIDI stream as notes: (is_on, channel, pitch)."""

    def __init__(self):
        self.bytes = bytearray()

    def __call__(self, data):
        self.bytes += data

    def notes(self):
        assert len(self.bytes) % 3 == 0
        for status, pitch, velocity in zip(*[iter(self.bytes)] * 3):
            kind, channel = status >> 4, (status & 15) + 1
            assert kind in (8, 9, 11), hex(status)
            if kind != 11:
                yield kind == 9 and velocity > 0, channel, pitch


@pytest.fixture
def heard(tmp_path):
    heard = Heard()
    with Port(tmp_path / "notes", heard) as port:
        heard.path = port.path
        yield heard


def off_line(db):
    done = run_symlog("replay", "--db", db, "--notes", "--json", "--to-frame", 10**10)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def pitch_name(pitch):
    return f"{['C', 'C#', 'D', 'D#', 'E', 'F', 'F#', 'G', 'G#', 'A', 'A#', 'B'][pitch % 12]}{pitch // 12 - 1}"


def melody(rng, edit):
    """Its first two notes are the edit's number."""
    pitches = [LOWEST + edit % RANGE, LOWEST + edit // RANGE] + [rng.randint(LOWEST, 90) for _ in range(rng.randint(0, 4))]
    notes = "".join(f".note('{pitch_name(pitch)}', '{rng.choice(['16n', '8n', '8t', '4n'])}')" for pitch in pitches)
    return f"Clip.melody(){notes}"


def anonymous_kb(serve):
    status = Path(f"/proc/{serve.process.pid}/status").read_text()
    return int(re.search(r"RssAnon:\s+(\d+) kB", status).group(1))


def play_and_edit(serve, rng):
    """Edits at random; returns the quantize mode of each, and how the memory grew from a tenth of them on."""
    modes, memory = [], None
    with serve.subscribe("?paths=scenes") as socket:
        assert call(socket, "eval", code=STEADY)["result"]["success"]
        call(socket, "play")
        for edit in range(EDITS):
            modes.append(rng.choice(["bar", "beat", "off"]))
            track = rng.choice("abc")
            code = f"track('{track}', t => t.channel({'abc'.index(track) + 2}).clip({melody(rng, edit)}))"
            kind = rng.random()
            if kind < 0.05:
                assert not call(socket, "eval", code=code + "nonsense(")["result"]["success"]
            elif kind < 0.1:
                call(socket, "stop", track=track)
            elif kind < 0.15 and edit > 5:
                call(socket, "undo")
                call(socket, "redo")
            elif kind < 0.2:
                call(socket, "setTempo", bpm=rng.choice([90, 120, 121.5, 180]))
            else:
                result = call(socket, "eval", code=code, quantize=modes[-1])["result"]
                assert result["success"] and result["changed"] == [track], result
            time.sleep(rng.uniform(0, 0.05))
            if edit == EDITS // 10:
                memory = anonymous_kb(serve)
        growth = anonymous_kb(serve) - memory
        call(socket, "stop")
        wait_until(lambda: not call(socket, "position")["result"]["is_playing"], "the last bar")
        time.sleep(0.3)
    return modes, growth


def test_what_leaves_is_what_the_log_gives(start, heard, rng):
    serve = start("--notes-out", heard.path)
    modes, growth = play_and_edit(serve, rng)
    serve.stop()
    sent, computed = list(heard.notes()), off_line(serve.db)
    assert sent == [(note["on"], note["channel"], note["pitch"]) for note in computed]
    assert len(sent) > EDITS
    check_pairs(sent)
    first = next(note["tick"] for note in computed)
    check_steady([note for note in computed if note["track"] == "steady"], first)
    assert check_places(computed, first, modes) > EDITS / 10
    assert growth < MEMORY_GROWTH_KB, f"{growth} kB more"


def check_pairs(sent):
    """No key is pressed twice, and each is let go."""
    pressed = set()
    for is_on, *key in sent:
        key = tuple(key)
        assert (key not in pressed) == is_on
        pressed.symmetric_difference_update({key})
    assert not pressed


def check_steady(notes, first):
    """As if nobody had edited anything."""
    starts = [(note["tick"] - first, note["pitch"]) for note in notes if note["on"]]
    bar = [(0, 60), (TICKS // 2, 62), (TICKS, 64)]
    expected = [(cycle * 2 * TICKS + tick, pitch) for cycle in range(len(starts) // 3 + 1) for tick, pitch in bar]
    assert starts == expected[: len(starts)]


def check_places(computed, first, modes):
    """Each voice begins on the tick that its edit wished; returns how many did."""
    voices, checked = {}, 0
    for note in computed:
        if note["on"] and note["track"] != "steady":
            voices.setdefault(note["id"].split(".")[0], []).append(note)
    for notes in voices.values():
        if len(notes) < 2:
            continue
        edit = notes[0]["pitch"] - LOWEST + (notes[1]["pitch"] - LOWEST) * RANGE
        grid = {"bar": 4 * TICKS, "beat": TICKS, "off": 1}[modes[edit]]
        assert (notes[0]["tick"] - first) % grid == 0, (edit, modes[edit], notes[0])
        checked += 1
    return checked


ERRORS = [
    "track('x', t =>",
    "throw new Error('mine')",
    "for (;;) {}",
    "new Array(1e8) + ''",
    "(function f() { f(); })()",
    "'x'.repeat(1e9) + 'y'",
    "track('x', t => t.clip(Clip.melody().note('H9', '8n')))",
    "track('x', t => t.clip(Clip.melody().note('C4', -1)))",
]
PING_P50_S = 0.05


def test_errors_leave_the_music_the_memory_and_the_others_alone(start, heard, tmp_path):
    song = tmp_path / "song.js"
    serve = start("--notes-out", heard.path, "--watch", song)
    with serve.subscribe("?paths=scenes") as socket, serve.subscribe("?paths=scenes") as other:
        assert call(socket, "eval", code=STEADY)["result"]["success"]
        call(socket, "play")
        before, pings = anonymous_kb(serve), []
        for number, code in enumerate(ERRORS):
            socket.send(json.dumps({"jsonrpc": "2.0", "id": f"edit {number}", "method": "eval", "params": {"code": code}}))
            answers = []
            while not answers:
                began = time.monotonic()
                call(other, "ping")
                pings.append(time.monotonic() - began)
                answers = [message for message in waiting(socket) if message.get("id") == f"edit {number}"]
            result = answers[0]["result"]
            assert not result["success"] and result["error"]["message"], code
        song.write_text("// " + "x" * 10_000_000)
        wait_until(lambda: refusals(serve) == len(ERRORS) + 1, "the long file is refused")
        assert anonymous_kb(serve) - before < MEMORY_GROWTH_KB
        assert sorted(pings)[len(pings) // 2] < PING_P50_S
        call(socket, "stop")
        wait_until(lambda: not call(socket, "position")["result"]["is_playing"], "the last bar")
        time.sleep(0.3)
    serve.stop()
    computed = off_line(serve.db)
    assert list(heard.notes()) == [(note["on"], note["channel"], note["pitch"]) for note in computed]
    check_steady(computed, computed[0]["tick"])
    assert computed[-1]["tick"] - computed[0]["tick"] >= 8 * TICKS, "it went on for as long as the endless loop"


def waiting(socket):
    """What comes within a moment."""
    try:
        return [json.loads(socket.recv(timeout=0.01))]
    except TimeoutError:
        return []


def refusals(serve):
    return sum(line.split()[2] == "refused" for line in logged(serve.db))
