"""Two symlogs, their MIDI ports joined by a cable that loses frames; one of them is the authority.

SYMLOG_SOAK=1: for a minute. SYMLOG_SEED=N: other edits, other losses.
"""

import os
import random
import threading
import time

import pytest
from groove_ports import Cable
from groove_views import edit, edits, groove_node, open_control, replayed_groove, value
from model import sysex
from model.groove import Groove
from model.random_groove import random_event
from model.shape import differences
from model.sysex import BYE, DELTA, FULL, HELLO
from mutation import SEED
from serving import run_symlog, wait_until

SECONDS = 60 if "SYMLOG_SOAK" in os.environ else 7
PACE_S = 0.03  # Between a side's edits.
LOSS = 0.05
HEARTBEAT_S_MAX = 5.0
HELD_BACK_S = 0.4  # What is coalesced or throttled has been said by then.
REDUCED_S = 1.0  # From a frame's arrival to its effect; much more than it takes.
AUTHORITY, OTHER = 0, 1
PATCH = "t120;vol80;kick:4=Xxxx;snare:4=.x.x;hatClosed:4/2=X.x.x.x."


class Pair:
    """The authority and the other one, with what to ask them through."""

    def __init__(self, start, tmp_path, cable):
        self.start, self.folder, self.cable = start, tmp_path, cable
        self.serves, self.controls = [None, None], [None, None]
        self.edits = [0, 0]
        self.begun = time.monotonic()
        for side in (AUTHORITY, OTHER):
            self.run(side)

    def run(self, side):
        options = ["--midi", self.cable.ports[side].path, *(["--groove-authority"] if side == AUTHORITY else [])]
        self.serves[side] = self.start(*options, db=self.folder / f"log{side}")
        self.controls[side] = open_control(self.serves[side])

    def edit(self, side, *events):
        self.edits[side] += len(events)
        edits(self.controls[side], *events)

    def nodes(self):
        return [groove_node(control) for control in self.controls]

    def edit_for(self, seconds, seed):
        """Random edits on both sides at once."""
        threads = [threading.Thread(target=self._edit_side, args=(side, seconds, f"{seed} {side}")) for side in (0, 1)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def _edit_side(self, side, seconds, seed):
        rng, groove = random.Random(seed), Groove()
        groove.apply_event(f"patch={PATCH}")
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            event = random_event(rng, groove)  # What does not fit is refused.
            response = edit(self.controls[side], event)
            self.edits[side] += "error" not in response
            time.sleep(rng.uniform(0, 2 * PACE_S))

    def converge(self):
        """Both are equal as soon as the first heartbeat after now has arrived."""
        time.sleep(HELD_BACK_S)
        since = time.monotonic()
        wait_until(lambda: self.cable.arrived(since, AUTHORITY, FULL), "a heartbeat", HEARTBEAT_S_MAX * 5)
        deadline = time.monotonic() + REDUCED_S
        while time.monotonic() < deadline and not self.are_equal():
            time.sleep(0.01)
        one, other = self.nodes()
        assert list(differences(one, other)) == []
        assert one["hash"] == other["hash"], "the content digest"

    def are_equal(self):
        one, other = self.nodes()
        return one is not None and other is not None and one["hash"] == other["hash"]

    def frames_bound(self, side, greetings):
        """What a side may have sent: edits, heartbeats, a HELLO and a FULL each time that somebody greets, a BYE."""
        heartbeats = (time.monotonic() - self.begun) / 3 + 1 if side == AUTHORITY else 0
        return self.edits[side] + heartbeats + 4 * greetings


@pytest.fixture
def cable(tmp_path):
    with Cable([tmp_path / "one", tmp_path / "other"], seed=SEED) as cable:
        yield cable


@pytest.fixture
def pair(start, tmp_path, cable):
    pair = Pair(start, tmp_path, cable)
    time.sleep(HELD_BACK_S)  # Who has no groove yet answers a HELLO, too.
    pair.edit(AUTHORITY, f"patch={PATCH}")
    wait_until(lambda: value(pair.controls[OTHER], "patch") == value(pair.controls[AUTHORITY], "patch"), "the patch")
    cable.loss = LOSS
    yield pair
    for control in pair.controls:
        control.close()


def test_pair_random_edits_converge_at_the_first_heartbeat(pair, cable):
    print(f"SYMLOG_SEED={SEED}")
    third = SECONDS / 3
    pair.edit_for(third, SEED)
    cable.send(AUTHORITY, sysex.hello("stranger"))
    cable.send(OTHER, sysex.hello("stranger"))
    pair.edit_for(third, SEED + 1000)
    cable.pull()
    pair.edit_for(third / 2, SEED + 2000)
    cable.plug()
    pair.edit_for(third / 2, SEED + 3000)
    pair.converge()

    print(f"edits {pair.edits}, frames sent {dict(cable.sent)}, lost {dict(cable.lost)}")
    for side in (AUTHORITY, OTHER):
        assert 0 < cable.sent[side] <= pair.frames_bound(side, greetings=4)
    assert cable.streams[0].broken == cable.streams[1].broken == 0
    time.sleep(1)  # Nobody has anything to add, but the heart beats.
    quiet = time.monotonic()
    time.sleep(1)
    assert not [frame for at, _, frame in cable.passed if at > quiet and frame.op in (HELLO, DELTA, BYE)]
    for side in (AUTHORITY, OTHER):
        node = groove_node(pair.controls[side])
        pair.controls[side].close()
        assert pair.serves[side].stop() == 0
        assert run_symlog("verify", "--db", pair.serves[side].db).returncode == 0
        replayed = replayed_groove(pair.serves[side].db)
        assert replayed["hash"] == node["hash"] and replayed["id"] == node["id"]


def test_pair_joined_twice_is_no_ring(start, tmp_path):
    """Each hears the other twice, and itself."""
    paths = [[tmp_path / f"{name}{side}" for side in (AUTHORITY, OTHER)] for name in ("first", "second")]
    with Cable(paths[0]) as first, Cable(paths[1]) as second:
        options = [["--midi", first.ports[side].path, "--midi", second.ports[side].path] for side in (AUTHORITY, OTHER)]
        authority = start("--groove-authority", *options[AUTHORITY], db=tmp_path / "log0")
        other = start(*options[OTHER], db=tmp_path / "log1")
        with open_control(authority) as one, open_control(other) as two, open_control(other) as editor:
            time.sleep(HELD_BACK_S)
            edits(one, f"patch={PATCH}")
            time.sleep(HELD_BACK_S)
            for number in range(20):
                editor.send(bytes(sysex.delta("e1", number, f"beat=2/{number % 8}/3")))
                edits(one, f"beat=0/0/{number % 4}", f"beat=0/1/{number % 3}")
                edits(two, f"beat=1/0/{number % 4}", f"beat=1/1/{number % 3}")
            time.sleep(2 * HELD_BACK_S)
            quiet = time.monotonic()
            time.sleep(HELD_BACK_S)
            assert not [frame for at, _, frame in first.passed + second.passed if at > quiet and frame.op != FULL]
            wait_until(lambda: groove_node(one)["hash"] == groove_node(two)["hash"], "the same groove")
        assert max(sum(first.sent.values()), sum(second.sent.values())) < 300


def test_pair_one_leaves_and_comes_again(pair, cable):
    """BYE; edits meanwhile on both sides; a log that goes on where it ended."""
    pair.edit(OTHER, "bpm=77")
    pair.controls[OTHER].close()
    cable.loss = 0.0
    assert pair.serves[OTHER].stop() == 0
    wait_until(lambda: cable.arrived(0, OTHER, BYE), "its BYE")
    pair.edit(AUTHORITY, "bpm=141", "lane=0/sound/snare", "beat=1/0/2")
    pair.run(OTHER)
    pair.converge()
    assert value(pair.controls[OTHER], "bpm") == 141
