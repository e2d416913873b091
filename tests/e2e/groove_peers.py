"""The two halves of a live-sync, as scripts: an editor on a WebSocket, and a device on a raw MIDI port.

Both are written from the protocol alone, on the model's groove: neither knows that symlog stands between them.
"""

import random
import threading
import time

from groove_ports import Port
from model import sysex
from model.groove import Groove, Refused
from model.sysex import FrameStream, read_frame
from serving import PATIENCE_S, wait_until
from websockets.exceptions import ConnectionClosed

COALESCE_S = 0.15
HEARTBEAT_S = (3.0, 5.0)
FINE = ("play", "stop", "bpm", "vol", "sel", "beat")  # What goes out as a DELTA.


class Peer:
    """A groove of its own, mirrored: what is edited here is said, what others say is applied and never said again."""

    def __init__(self, origin, set_lists=()):
        self.origin = origin
        self.groove = Groove(set_lists)
        self.frames = []  # (time, Frame) as they came.
        self.refused = []  # (frame, reason)
        self.sent = 0
        self.changed_at = 0.0  # When a frame last changed the groove.
        self.condition = threading.Condition(threading.RLock())
        self._seq = 0
        self._coalescing = None  # The timer of the FULL that is due.

    # Saying.

    def say(self, frame):
        with self.condition:
            self.sent += 1
            self.send(bytes(frame))

    def send(self, data):
        raise NotImplementedError

    def say_full(self):
        with self.condition:
            self._seq += 1
            self.say(sysex.full(self.origin, self._seq, *self.groove.state()))

    def edit(self, event):
        """Someone turns a knob here. Returns whether it changed anything."""
        with self.condition:
            place = self.groove.set_list, self.groove.item
            if not self.groove.apply_event(event):
                return False
            verb = event.partition("=")[0]
            is_copied = verb != "sel" and place != (self.groove.set_list, self.groove.item)
            if verb in FINE and not is_copied:
                self._seq += 1
                self.say(sysex.delta(self.origin, self._seq, event))
            else:
                self._coalesce()
            return True

    def _coalesce(self):
        if self._coalescing:
            self._coalescing.cancel()
        self._coalescing = threading.Timer(COALESCE_S, self.say_full)
        self._coalescing.daemon = True
        self._coalescing.start()

    # Hearing.

    def hear(self, data):
        """A whole frame."""
        with self.condition:
            frame = read_frame(data)
            if isinstance(frame, str):
                self.refused.append((data, frame))
                return
            self.frames.append((time.monotonic(), frame))
            try:
                if self.groove.apply_frame(frame, self.origin):
                    self.changed_at = time.monotonic()
            except Refused as why:
                self.refused.append((frame, str(why)))
            self.answer(frame)
            self.condition.notify_all()

    def answer(self, frame):
        if frame.op == sysex.HELLO and frame.origin != self.origin:
            self.say_full()

    def wait_for(self, condition, what, patience_s=PATIENCE_S):
        """Waits until the condition (of this peer) is true; it is tried whenever a frame came."""
        with self.condition:
            assert self.condition.wait_for(lambda: condition(self), patience_s), f"{self.origin} waited in vain: {what}"

    def heard(self, op, since=0.0):
        """The frames with this op that came after that time."""
        with self.condition:
            return [frame for at, frame in self.frames if frame.op == op and at > since]


class Editor(Peer):
    """The web page: greets and offers its state when it connects."""

    def __init__(self, serve, origin="e1a2b3c", set_lists=(), patch=None):
        super().__init__(origin, set_lists)
        if patch:
            self.groove.apply_event(f"patch={patch}")
        self.socket = serve.subscribe(max_queue=None)
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def connect(self):
        """Live sync is switched on."""
        self.say(sysex.hello(self.origin))
        self.say_full()

    def disconnect(self):
        """Live sync is switched off."""
        self.say(sysex.bye(self.origin))

    def close(self):
        self.socket.close()
        self._thread.join(PATIENCE_S)

    def send(self, data):
        self.socket.send(data)

    def _run(self):
        try:
            for message in self.socket:
                if isinstance(message, bytes):
                    for frame in FrameStream().take(message):
                        self.hear(frame)
        except ConnectionClosed:
            pass


class Device(Peer):
    """The box: idle until it hears of a peer, then it says what happens, and a FULL every 3 to 5 seconds."""

    def __init__(self, path, origin="d7", set_lists=(), patch=None, heartbeat_s=HEARTBEAT_S):
        super().__init__(origin, set_lists)
        if patch:
            self.groove.apply_event(f"patch={patch}")
        self.heartbeat_s = heartbeat_s
        self.stream = FrameStream()
        self.firmware = bytearray()
        self._is_over = threading.Event()
        self.port = Port(path, self._take)
        self._heart = threading.Thread(target=self._beat, daemon=True)
        self._heart.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._is_over.set()
        self._heart.join()
        self.port.__exit__()

    def send(self, data):
        self.port.send(data)

    def say(self, frame):
        if self.groove.peers or not sysex.HELLO <= frame.op <= sysex.BYE:
            super().say(frame)

    def _take(self, data):
        for frame in self.stream.take(data):
            self.hear(frame)

    def answer(self, frame):
        super().answer(frame)
        if frame.op == sysex.VERSION_QUERY:
            self.say(sysex.Frame(sysex.VERSION, "K;0.0.23"))
        if sysex.FIRMWARE_BEGIN <= frame.op <= sysex.FIRMWARE_END:
            if frame.op == sysex.FIRMWARE_DATA:
                self.firmware += frame.text.encode()
            self.say(sysex.Frame(sysex.ACK, ""))

    def _beat(self):
        rng = random.Random(self.origin)
        while not self._is_over.wait(rng.uniform(*self.heartbeat_s)):
            self.say_full()  # To nobody, if there is no peer.


def wait_until_equal(*peers, patience_s=PATIENCE_S):
    """Waits until these peers' grooves are the same."""
    wait_until(lambda: len({peer.groove.state() for peer in peers}) == 1, "the same groove", patience_s)
