"""MIDI cables without MIDI: ptys in raw mode that symlog opens as a raw MIDI file, and a lossy cable between two."""

import collections
import os
import pty
import random
import select
import threading
import time
import tty

from model.sysex import FrameStream, read_frame
from serving import PATIENCE_S, wait_until

PIECE_BYTES = 4096
LOOK_S = 0.05  # So often a thread looks whether it is over.


class Port:
    """A pty whose path can be given to --midi; it can be pulled out and plugged in again. `take` gets what is read."""

    def __init__(self, path, take=None):
        self.path = str(path)
        self.take = take
        self._pty = None  # Our end and symlog's.
        self._lock = threading.Lock()
        self._is_over = False
        self.plug()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._is_over = True
        self._thread.join()
        if self._pty:
            self.pull()

    def plug(self):
        """A new pty, found at the same path."""
        ours, theirs = pty.openpty()
        tty.setraw(theirs)
        os.symlink(os.ttyname(theirs), self.path)
        with self._lock:
            self._pty = ours, theirs

    def pull(self):
        """The path is gone, and who had it open sees that the line was hung up."""
        os.unlink(self.path)
        with self._lock:
            for one in self._pty:
                os.close(one)
            self._pty = None

    def send(self, data):
        """Writes all of it, unless there is no cable."""
        deadline = time.monotonic() + PATIENCE_S
        while data:
            assert time.monotonic() < deadline, f"{self.path}: nobody reads"
            with self._lock:
                if self._pty is None:
                    return
                if select.select([], [self._pty[0]], [], 0)[1]:
                    data = data[os.write(self._pty[0], data[:PIECE_BYTES]) :]
                    continue
            time.sleep(0.001)

    def _run(self):
        while not self._is_over:
            data = self._read()
            if data and self.take:
                self.take(data)

    def _read(self):
        with self._lock:
            ours = self._pty and self._pty[0]
        if ours is None:
            time.sleep(LOOK_S)
            return b""
        try:
            if not select.select([ours], [], [], LOOK_S)[0]:
                return b""
            with self._lock:
                return os.read(ours, PIECE_BYTES) if self._pty and self._pty[0] == ours else b""
        except (OSError, ValueError):
            return b""  # Pulled just now.


class Tap(Port):
    """A port that only listens: `frames` has (time, Frame) as they came; `send` says something."""

    def __init__(self, path):
        self.frames = []
        self.stream = FrameStream()
        super().__init__(path, self._keep)

    def _keep(self, data):
        self.frames += [(time.monotonic(), read_frame(frame)) for frame in self.stream.take(data)]

    def say(self, frame):
        self.send(bytes(frame))

    def heard(self, *ops, since=0.0):
        """The frames with one of these ops that came after that time."""
        return [frame for at, frame in list(self.frames) if at > since and frame.op in ops]

    def wait_for(self, *ops, since=0.0, count=1):
        """So many of them, once they are there."""

        def found():
            frames = self.heard(*ops, since=since)
            return frames if len(frames) >= count else None

        return wait_until(found, f"{count} of {[hex(op) for op in ops]} in {self.frames}")


class Cable:
    """Passes whole frames between two ports, and loses some. `passed` has (time, side that sent it, frame)."""

    def __init__(self, paths, loss=0.0, seed=1):
        self.loss = loss
        self.rng = random.Random(seed)
        self.sent = collections.Counter()  # Side -> frames that it sent, lost ones too.
        self.lost = collections.Counter()
        self.passed = []
        self.streams = [FrameStream(), FrameStream()]
        self.ports = [Port(path, lambda data, side=side: self._carry(side, data)) for side, path in enumerate(paths)]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for port in self.ports:
            port.__exit__()

    def pull(self):
        for port in self.ports:
            port.pull()

    def plug(self):
        self.streams = [FrameStream(), FrameStream()]
        for port in self.ports:
            port.plug()

    def send(self, side, frame):
        """A frame as if the other end of the cable had sent it: it arrives at `side`."""
        self.ports[side].send(bytes(frame))

    def arrived(self, since, side, op):
        """Frames with this op that `side` sent and that came through after that time."""
        return [frame for at, sender, frame in list(self.passed) if at > since and sender == side and frame.op == op]

    def _carry(self, side, data):
        for frame in self.streams[side].take(data):
            self.sent[side] += 1
            if self.rng.random() < self.loss:
                self.lost[side] += 1
                continue
            self.ports[1 - side].send(frame)
            self.passed.append((time.monotonic(), side, read_frame(frame)))
