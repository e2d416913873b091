"""A sound card for tests: JACK's dummy server, paced like one, of the test's own; and who hears what is played on it.

The listener is a program (jack_listener.c): nothing of Python runs in JACK's threads.
"""

import contextlib
import itertools
import os
import re
import shutil
import signal
import struct
import subprocess
from bisect import bisect_right
from pathlib import Path

import pytest
from serving import PATIENCE_S, wait_until
from tally import BUILT

FRAME_BYTES = 8  # Left and right, float32.
PERIOD = struct.Struct("<QQQQ")
_numbers = itertools.count(1)


class Jack:
    """A server with a name that no other has, not even on another test's processor."""

    def __init__(self, folder, rate=48000, period=256):
        if shutil.which("jackd") is None:
            pytest.skip("jackd is missing: tools/setup installs jackd2")
        self.folder, self.rate, self.period = Path(folder), rate, period
        self.name = f"symlog-{os.getpid()}-{next(_numbers)}"
        self.environment = {**os.environ, "JACK_NO_AUDIO_RESERVATION": "1", "JACK_DEFAULT_SERVER": self.name}
        self.process = None
        self.listeners = []
        self.start()

    def start(self):
        words = ["-R", "-P", "70", "-d", "dummy", "-r", str(self.rate), "-p", str(self.period)]
        with (self.folder / "jackd.out").open("ab") as out:
            self.process = subprocess.Popen(
                ["jackd", "-n", self.name, *words],
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
            )
        wait_until(self._answers, "jackd answers")

    def _answers(self):
        assert self.process.poll() is None, (self.folder / "jackd.out").read_text()
        return subprocess.run(["jack_lsp"], env=self.environment, capture_output=True, check=False).returncode == 0

    def listen(self, name="heard", feed=None):
        listener = Listener(self, self.folder / f"{name}.f32", feed)
        self.listeners.append(listener)
        return listener

    def kill(self):
        self.process.kill()
        self.process.wait()

    def stop(self):
        for listener in self.listeners:
            listener.stop()
        self.process.terminate()
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.kill()
        self._tidy()

    def _tidy(self):
        """A server that was killed leaves its memory behind."""
        for left in Path("/dev/shm").glob(f"jack*_{self.name}_*"):
            with contextlib.suppress(OSError):
                left.unlink()


class Listener:
    """Writes down what PortAudio's clients play, from when they appear; `stop` gives it."""

    def __init__(self, jack, path, feed=None):
        program = BUILT / "peers" / "jack-listener"
        assert program.is_file(), "zig build peers (or test-binaries) builds jack-listener"
        self.jack, self.path = jack, path
        self.out = path.with_suffix(".out")
        with self.out.open("wb") as out:
            self.process = subprocess.Popen(
                [program, path, *([feed] if feed else [])], env=jack.environment, stdout=out, stderr=subprocess.STDOUT
            )
        wait_until(lambda: self.said("^ready"), "the listener")

    def said(self, pattern):
        return re.findall(pattern, self.out.read_text(), re.MULTILINE)

    def wait_for_ports(self, count=2):
        """So many of PortAudio's ports were connected, ever."""
        wait_until(lambda: len(self.said("^connected")) >= count, f"{count} ports")

    def frames_so_far(self):
        return self.path.stat().st_size // FRAME_BYTES

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(PATIENCE_S) == 0, self.out.read_text()
        return Capture(self)


class Capture:
    """What was heard: bytes of frames, and when each was."""

    def __init__(self, listener):
        self.rate = listener.jack.rate
        self.data = listener.path.read_bytes()
        times = Path(f"{listener.path}.times").read_bytes()
        times = times[: len(times) // PERIOD.size * PERIOD.size]
        self.periods = list(PERIOD.iter_unpack(times))
        self._starts = [period[0] for period in self.periods]
        (self.frames, self.xruns, self.lost) = map(
            int, re.search(r"^done frames=(\d+) xruns=(\d+) lost=(\d+)", listener.out.read_text(), re.MULTILINE).groups()
        )

    def ns_of(self, frame):
        """CLOCK_MONOTONIC at which it was heard."""
        first, _, ns, _ = self.periods[bisect_right(self._starts, frame) - 1]
        return ns + (frame - first) * 1_000_000_000 // self.rate

    def frame_at(self, ns):
        """The first of the period in which that moment lies."""
        index = bisect_right([period[2] for period in self.periods], ns) - 1
        return self.periods[max(index, 0)][0]

    def part(self, frame, frames):
        return self.data[frame * FRAME_BYTES : (frame + frames) * FRAME_BYTES]

    def find(self, part, begin=0):
        """The frame from which on it lies there; None: nowhere."""
        at = begin * FRAME_BYTES
        while (at := self.data.find(part, at)) >= 0:
            if at % FRAME_BYTES == 0:
                return at // FRAME_BYTES
            at += 1
        return None


@contextlib.contextmanager
def jack_server(folder, **how):
    jack = Jack(folder, **how)
    try:
        yield jack
    finally:
        jack.stop()
