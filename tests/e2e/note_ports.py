"""What hears the player: a pty or a FIFO, and what arrived there, byte for byte, as notes."""

import contextlib
import json
import os
import select
import threading
import time
import tty

from log_lines import LogLines
from model import score
from serving import run_symlog, wait_until

BEAT = score.BEAT
RATE = 48000
ALL_NOTES_OFF = 123


class NotePort:
    """A pty that a reader of its own empties; `path` is what serve opens."""

    def __init__(self):
        self.end, self.other = os.openpty()
        tty.setraw(self.end)
        tty.setraw(self.other)
        self.path = os.ttyname(self.other)
        self.bytes = b""
        self.times = []  # when each message came, by the monotonic clock
        self._is_over = False
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self):
        while not self._is_over:
            if not select.select([self.end], [], [], 0.05)[0]:
                continue
            with contextlib.suppress(OSError):
                part = os.read(self.end, 65536)
                self.times += [time.monotonic()] * (len(part) // 3)
                self.bytes += part

    def close(self):
        self._is_over = True
        self._thread.join()
        os.close(self.end)
        os.close(self.other)

    @property
    def messages(self):
        data = self.bytes
        assert len(data) % 3 == 0, data
        return [tuple(data[i : i + 3]) for i in range(0, len(data), 3)]

    @property
    def notes(self):
        return [message for message in self.messages if message[0] < 0xB0]

    def wait_for_notes(self, count):
        return wait_until(lambda: len(self.notes) >= count, f"{count} notes") and self.notes


def explained(db, *options):
    """What the log says was to be sent, as MIDI, and the lines that say so."""
    ended = run_symlog("replay", "--db", db, "--notes", "--json", *options)
    assert ended.returncode == 0, ended.stderr
    lines = [json.loads(line) for line in ended.stdout.splitlines()]
    return [as_midi(line) for line in lines], lines


def as_midi(line):
    status = (0x90 if line["on"] else 0x80) | line["channel"] - 1
    return (status, line["pitch"], line["velocity"] if line["on"] else 64)


def hanging(messages):
    """The keys that are down after these messages."""
    down = {}
    for status, first, _ in messages:
        kind, channel = status & 0xF0, status & 0x0F
        if kind == 0x90:
            down[channel, first] = down.get((channel, first), 0) + 1
        elif kind == 0x80:
            assert down.get((channel, first), 0) > 0, "a note ends that did not begin"
            down[channel, first] -= 1
        elif kind == 0xB0 and first == ALL_NOTES_OFF:
            down = {key: 0 if key[0] == channel else count for key, count in down.items()}
    return sorted(key for key, count in down.items() if count)


def track(name, notes, ticks=BEAT // 2):
    """A track that plays these pitches one after the other."""
    return name.encode(), [[("note", pitch, ticks, 8000, 0) for pitch in notes]]


def import_session(folder, *sessions):
    """A log in which each of these sessions, lists of tracks, replaced the one before; its database."""
    lines = LogLines()
    lines.start(wall_ns=time.time_ns())
    for tracks in sessions:
        lines.add("score", score.encode(tracks))
    ended = run_symlog("log", "import", lines.write(folder / "log.ndjson"), "--db", folder / "db")
    assert ended.returncode == 0, ended.stderr
    return folder / "db"
