"""A session as somebody plays it, for tests of the sound: code, Live, a groove box, parameters, all at once."""

import json
import os
import signal
import time
from pathlib import Path

from model import sysex
from serving import call, run_symlog, wait_until

SECONDS = 60  # Of one turn.

OPENING = """
Session.create().tempo(126)
  .track('drums', t => t.instrument('kit').effect('drive', {amount: 0.3})
    .clip(Drums.kick().hat().snare().hat().loop(4)))
  .track('bass', t => t.instrument('bass')
    .clip(Clip.melody().note('C2', '8n').staccato().note('G2', '8n').note('Eb2', '4n').loop(4)))
  .track('pad', t => t.instrument('pad').effect('chorus').effect('reverb', {decay: 3})
    .clip(Clip.keys().chord('Cm7', 4, '1n').chord('Fm7', 4, '1n')))
"""
LEAD = """
track('lead', t => t.instrument('lead').effect('delay', {beats: 0.75})
  .clip(Clip.melody().arpeggio(['C4', 'Eb4', 'G4', 'Bb4'], '16n', {pattern: 'random', octaves: 2}).loop(3)))
"""
KEYS = """
track('keys', t => t.instrument('keys').effect('filter', {cutoff: 900})
  .clip(Clip.keys().chord('Ab4', 3, '4n').rest('4n').velocityRamp(0.2, '1n', {from: 1}).chord('Gm', 4, '8n').loop(2)))
"""
PLUCK = """
track('pluck', t => t.instrument('pluck').clip(Clip.strings().swing(0.4).note('C5', '8n').note('D5', '8n').loop(8)))
track('drums', t => t.instrument('kit').clip(Drums.euclidean(16, 7)))
"""
NEW_BASS = "track('bass', t => t.instrument('bass').clip(Clip.melody().note('F2', '16n').note('Ab2', '8n.').loop(6)))"
GROOVE = "t126;vol80;kick:4=Xxxx;snare:4=.x.x;hatClosed:4/2=X.x.x.x."


def picture():
    """Live's set: two tracks with names of the session's, and one of its own."""
    names = ["bass", "lead", "Vocals"]
    tracks = [{"node_type": "track", "id": f"track_{name}", "attributes": track(name, i)} for i, name in enumerate(names)]
    return {"node_type": "project", "id": "project", "attributes": {"tempo": 126.0}, "children": tracks}


def track(name, index):
    return {"name": name, "index": index, "type": "midi", "volume": 0.85, "pan": 0.0, "is_muted": False}


def children_of(pid):
    """Of a process and its threads, and theirs."""
    found = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            found += map(int, task.read_text().split())
        except OSError:
            pass  # It has just ended.
    return found + [each for child in found for each in children_of(child)]


def words_of(pid):
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return []


def sound_process(serve):
    """The pid of its `symlog sound`, once there is one."""
    return wait_until(
        lambda: next((pid for pid in children_of(serve.process.pid) if words_of(pid)[1:2] == [b"sound"]), None),
        "a sound process",
    )


class Session:
    """Plays on a serve; `play` takes as long as it says."""

    def __init__(self, serve, control):
        self.serve, self.control = serve, control
        self.live = serve.live()
        self.kills = []  # CLOCK_MONOTONIC, nanoseconds

    def play(self, seconds=SECONDS, kill_at=None):
        """Each action when it is due; `kill_at`, the sound process dies, and comes back."""
        actions = [*self._actions(), (seconds, lambda: None)]
        if kill_at is not None:
            actions.append((kill_at, self.kill_sound))
        begun = time.monotonic()
        for due, action in sorted(actions, key=lambda each: each[0]):
            if due > seconds:
                break
            self._drain_until(begun + due)
            action()

    def play_nothing(self, seconds):
        self._drain_until(time.monotonic() + seconds)

    def _drain_until(self, due):
        """What is told meanwhile is read: somebody looks at the meters."""
        while (left := due - time.monotonic()) > 0:
            try:
                self.control.recv(timeout=left)
            except TimeoutError:
                return

    def result(self, method, **params):
        answer = call(self.control, method, **params)
        assert "result" in answer, (method, params, answer)
        return answer["result"]

    def kill_sound(self):
        pid = sound_process(self.serve)
        self.kills.append(time.monotonic_ns())
        os.kill(pid, signal.SIGKILL)

    def _actions(self):
        yield 0, lambda: self.result("eval", code=OPENING)
        yield 0.3, lambda: self.result("play")
        yield 3, self._send_picture
        yield 5.1, lambda: self.live.send("/live/transport/tempo", ("f", 132.5))
        yield 7.3, lambda: self.live.send("/live/track/volume", ("i", 0), ("f", 0.5))
        yield 9, lambda: self.result("eval", code=LEAD)
        yield 11.2, lambda: self.live.send("/live/track/mute", ("i", 0), ("T", True))
        yield 13.2, lambda: self.live.send("/live/track/mute", ("i", 0), ("F", False))
        yield 14, lambda: self.result("groove.patch", patch=GROOVE)
        yield 14.5, lambda: self.result("groove.play")
        yield 16, lambda: self.set("lead.cutoff", 3000)
        for step in range(40):
            yield 17 + step / 20, lambda s=step: self.parameter("bass.cutoff", 200 + 40 * s)
        yield 20, lambda: self.result("eval", code=KEYS)
        yield 22, lambda: self.result("undo", quantize="beat")
        yield 23, lambda: self.result("redo", quantize="off")
        yield 24, self._send_sysex
        yield 25, lambda: self.result("groove.lane", lane=0, field="gain", value=-6)
        yield 26, lambda: self.live.send("/live/transport/tempo", ("f", 118.0))
        yield 36, lambda: self.result("eval", code=PLUCK)
        yield 38, lambda: self.result("groove.bpm", bpm=140)
        yield 40, lambda: self.live.send("/live/track/pan", ("i", 1), ("f", -0.7))
        for step in range(60):
            yield 41 + step / 30, lambda s=step: self.parameter("master.volume", 1 - s / 100)
        yield 44, lambda: self.parameter("master.volume", 0.9)
        yield 45, lambda: self.result("eval", code=NEW_BASS)
        yield 47, lambda: self.result("stop", track="pad", quantize="beat")
        yield 49, lambda: self.result("setTempo", bpm=97)
        yield 51, lambda: self.result("pause")
        yield 51.4, lambda: self.result("play")
        yield 53, lambda: self.result("groove.beat", lane=0, step=1, level=2)
        yield 55, lambda: self.parameter("reverb.decay", 6)
        yield 57, lambda: self.result("groove.stop")

    def _send_picture(self):
        self.live.send_bytes(self.live.sender.encode_hello())
        for datagram in self.live.sender.encode_snapshot(picture()):
            self.live.send_bytes(datagram)

    def _send_sysex(self):
        """An editor's whole groove, as a binary message."""
        with self.serve.subscribe() as editor:
            editor.send(bytes(sysex.full("d7", 1, 1, -1, -1, "t126;kick:4=X.x.;snare:4=..x.;clap:4/2=.x.x.x.x")))
            editor.recv(timeout=10)

    def parameter(self, name, value):
        self.control.send(
            json.dumps({"jsonrpc": "2.0", "method": "setParameter", "params": {"id": name, "value": value}})
        )

    def set(self, name, value):
        ended = run_symlog("set", name, str(value), "--ws", "ws://{}:{}".format(*self.serve.ws))
        assert ended.returncode == 0, ended.stderr
