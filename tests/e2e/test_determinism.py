"""The same log gives the same state, at every number: live, replayed, imported, in every build, on every CPU.

fixtures/portable/mixed.records is a recording with every path and kind of event, as `symlog log export --raw` writes
it; mixed.digests are the state digests after every 100th of its events. UPDATE_FIXTURES=1 records it anew.
"""

import json
import os
import random
import signal
import struct
import subprocess
import time
from pathlib import Path

import pytest
from log_lines import KINDS
from model.generate import Generator
from model.osc import Sender, encode_message
from model.parts import SNAPSHOT_PATH
from model.tree import RULES
from records import core_digests, digests, export, forget_machine, import_events, read_digests, read_records, run
from serving import BINARY, Live, Serve, call, receive
from tally import MODES, PLACES, ROOT

LONG_EVENTS, LONG_EVERY = 30000, 1000
MIXED_EVENTS, MIXED_EVERY, MIXED_BYTES_MAX = 2000, 100, 400_000
MIXED = ROOT / "fixtures" / "portable" / "mixed.records"
MIXED_DIGESTS = MIXED.with_suffix(".digests")
LONG_BATCHES = [1, 1024] if "SYMLOG_SOAK" in os.environ else [16, 1024]  # Where each commit is slow, 1 takes minutes.
SILENCE_S = 0.15  # Longer than it takes for scenes in a new order to settle.
SILENCES_MAX = 20  # The others would take minutes: there, an event ends the run as well.
BURST, PAUSE_S = 40, 0.003  # So that no datagram is lost.
ASAN_BINARY = os.environ.get("SYMLOG_ASAN_BIN")  # It is the Debug build.
BUILDS = [
    BINARY,
    pytest.param(ASAN_BINARY, marks=pytest.mark.skipif(not ASAN_BINARY, reason="needs $SYMLOG_ASAN_BIN")),
]
BUILD_NAMES = ["ReleaseFast", "Debug"]
CORES = [f"{place}-{mode}" for place in PLACES for mode in MODES]


class Performance:
    """A set played into serve, with what a night brings besides: what is lost, doubled, unnumbered, refused or marked,
    and a restart."""

    def __init__(self, db, count, size, checkpoint_every):
        self._db, self._every = db, checkpoint_every
        self._count = count
        self._generator = Generator(seed=count, tracks=size, scenes=size, settles=True)
        self._silences = self._sent = 0
        self._rng = random.Random(count)

    def play(self):
        events = list(self._generator.events(self._count))
        half = self._count // 2
        self._play_part(events[:half], self._begin)
        self._play_part(events[half:], self._go_on)

    def _play_part(self, events, opening):
        serve = Serve(self._db, "--checkpoint-every", self._every)
        try:
            live = serve.live()
            opening(serve, live)
            for event in events:
                self._send(live, event)
            self._mark(serve)
            assert serve.stop() == 0
        finally:
            serve.stop(signal.SIGKILL)

    def _begin(self, serve, live):
        live.send_bytes(live.sender.encode_hello())
        self._send_snapshot(live, live.sender.encode_snapshot(self._generator.snapshot))
        live.sender = Sender()  # It begins anew.
        self._mark(serve)

    def _go_on(self, serve, live):
        """Without a hello, and with a snapshot that is none."""
        live.sender.next_seq = 7
        self._send_snapshot(live, [live.sender.encode([(SNAPSHOT_PATH, bad_part())])])
        for path in ("/symlog/heartbeat", "/symlog/resend"):
            live.send_plain(path, ("h", 1), ("h", live.sender.next_seq))
        live.send_plain("/live/transport/tempo", ("f", 99.5))
        other = Live(serve.osc)
        other.send_bytes(Sender(session=9).encode([("/live/cursor/scene", [("i", 1)])]))
        self._pause(serve, live)

    def _pause(self, serve, live):
        with serve.subscribe() as subscriber:
            receive(subscriber)
            call(subscriber, "pauseSource", name=live.name)
            live.send("/live/cursor/scene", ("i", 2))
            call(subscriber, "resumeSource", name=live.name)

    def _send_snapshot(self, live, datagrams):
        for datagram in datagrams:
            live.send_bytes(datagram)
        time.sleep(SILENCE_S)

    def _send(self, live, event):
        if not event:
            self._silences += 1
            if self._silences <= SILENCES_MAX:
                time.sleep(SILENCE_S)
                return
            event = [("/live/cursor/scene", [("i", 0)])]
        datagram = live.sender.encode(event)
        live.send_bytes(datagram)
        chance = self._rng.random()
        if chance < 0.005:
            live.send_bytes(datagram)
        elif chance < 0.006:
            live.lose(self._rng.randint(1, 5))
        elif chance < 0.016:
            live.send_bytes(encode_message(*event[0]))
        self._sent += 1
        if self._sent % BURST == 0:
            time.sleep(PAUSE_S)

    def _mark(self, serve):
        with serve.subscribe() as subscriber:
            receive(subscriber)
            call(subscriber, "mark", text="Strophe 低音")


def bad_part():
    return [("h", 1), ("i", 0), ("i", 1), ("b", b"no gzip")]


def checkpoints(exported):
    """(number, digest) of each checkpoint of an exported log: what serve had computed while it ran."""
    for line in exported.read_text().splitlines()[1:]:
        event = json.loads(line)
        if event["kind"] == KINDS["checkpoint"]:
            payload = bytes.fromhex(event["payload"])
            yield struct.unpack_from("<Q", payload)[0], payload[12:][::-1].hex()


# A long log.


@pytest.fixture(scope="module")
def long_log(tmp_path_factory):
    db = tmp_path_factory.mktemp("long") / "log"
    Performance(db, LONG_EVENTS, size=8, checkpoint_every=LONG_EVERY // 4).play()
    return db


@pytest.fixture(scope="module")
def long_digests(long_log):
    found = digests(long_log, LONG_EVERY)
    assert len(found) > LONG_EVENTS // LONG_EVERY
    return found


@pytest.fixture(scope="module")
def long_export(long_log):
    return export(long_log, long_log.parent / "log.ndjson")


@pytest.fixture(scope="module")
def long_records(long_log):
    return export(long_log, long_log.parent / "log.records", "--raw")


def test_determinism_of_the_live_state(long_log, long_export):
    live, replayed = dict(checkpoints(long_export)), digests(long_log, 1)
    assert len(live) >= LONG_EVENTS // (LONG_EVERY // 4)
    assert live == {number: replayed[number] for number in live}


@pytest.mark.parametrize("binary", BUILDS, ids=BUILD_NAMES)
def test_determinism_of_builds(long_log, long_digests, binary):
    assert digests(long_log, LONG_EVERY, binary) == long_digests


@pytest.mark.parametrize("batch", LONG_BATCHES)
def test_determinism_of_an_imported_log(tmp_path, long_digests, long_export, long_records, batch):
    run(BINARY, "log", "import", long_export, "--batch", batch, "--db", tmp_path / "log")
    assert digests(tmp_path / "log", LONG_EVERY) == long_digests
    assert export(tmp_path / "log", tmp_path / "ndjson").read_bytes() == long_export.read_bytes()
    assert export(tmp_path / "log", tmp_path / "records", "--raw").read_bytes() == long_records.read_bytes()


@pytest.mark.parametrize("folder", CORES)
def test_determinism_of_core_alone(long_digests, long_records, folder):
    assert core_digests(folder, long_records, LONG_EVERY) == long_digests


# The fixture.


def record_mixed(folder):
    """Writes the fixture and its digests. Which machine it was is nobody's business."""
    Performance(folder / "played", MIXED_EVENTS, size=4, checkpoint_every=500).play()
    head, *events = map(json.loads, export(folder / "played", folder / "played.ndjson").read_text().splitlines())
    forget_machine(events)
    db = import_events(folder, head, events)
    MIXED.parent.mkdir(exist_ok=True)
    MIXED.unlink(missing_ok=True)
    export(db, MIXED, "--raw")
    MIXED_DIGESTS.write_bytes(run(BINARY, "replay", "--digests", MIXED_EVERY, "--db", db))


@pytest.fixture(scope="module")
def mixed_log(tmp_path_factory):
    """The fixture as a log; with UPDATE_FIXTURES=1 a new one."""
    folder = tmp_path_factory.mktemp("mixed")
    if "UPDATE_FIXTURES" in os.environ:
        (folder / "new").mkdir()
        record_mixed(folder / "new")
    return import_events(folder, *read_records(MIXED.read_bytes()))


@pytest.fixture(scope="module")
def mixed_digests(mixed_log):
    return read_digests(MIXED_DIGESTS.read_bytes())


def test_mixed_records_have_everything(mixed_log):
    data = MIXED.read_bytes()
    _, events = read_records(data)
    assert len(data) <= MIXED_BYTES_MAX and len(events) > MIXED_EVENTS
    of_prune_and_repair = {"base", "lost"}
    of_other_inputs = {"sysex", "sysex_sent", "groove_edit", "setlists", "save"}  # tests/unit has the groove's digest
    of_live_code = {"code", "score", "transport", "applied"}  # test_live_records.py
    of_sound = {"parameter", "player", "heard", "processor"}  # test_sound.py, test_parameters.py
    wanted = KINDS.keys() - of_prune_and_repair - of_other_inputs - of_live_code - of_sound
    assert {event["kind"] for event in events} == {KINDS[name] for name in wanted}
    payloads = b"".join(bytes.fromhex(event["payload"]) for event in events)
    assert [path for path in RULES if path.encode() + b"\0" not in payloads] == []
    assert b"#bundle\0" in payloads


def test_mixed_records_are_what_export_writes(tmp_path, mixed_log):
    assert export(mixed_log, tmp_path / "records", "--raw").read_bytes() == MIXED.read_bytes()


def test_mixed_records_imported_one_by_one(tmp_path, mixed_digests):
    db = import_events(tmp_path, *read_records(MIXED.read_bytes()), batch=1)
    assert digests(db, MIXED_EVERY) == mixed_digests


@pytest.mark.parametrize("binary", BUILDS, ids=BUILD_NAMES)
def test_mixed_records_give_their_digests(mixed_log, mixed_digests, binary):
    assert digests(mixed_log, MIXED_EVERY, binary) == mixed_digests
    assert run(binary, "verify", "--db", mixed_log).startswith(b"ok: ")


@pytest.mark.parametrize("folder", CORES)
def test_mixed_records_give_their_digests_on_core_alone(mixed_digests, folder):
    assert core_digests(folder, MIXED, MIXED_EVERY) == mixed_digests
