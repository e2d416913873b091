"""Live code gives the same state, and the same sound, on every CPU.

fixtures/portable/live.records is a recorded session of live code and groove box: edits with every quantize, errors,
stops, undo, tempo; live.digests are the state digests after every 10th event. tests/portable/sound plays it on all
CPUs. UPDATE_FIXTURES=1 records it anew.
"""

import json
import os
import random
import time

import pytest
from log_lines import KINDS
from records import core_digests, digests, export, forget_machine, import_events, read_digests, read_records, run
from serving import BINARY, Serve, call
from tally import MODES, PLACES, ROOT

LIVE = ROOT / "fixtures" / "portable" / "live.records"
LIVE_DIGESTS = LIVE.with_suffix(".digests")
EVERY = 10
CORES = [f"{place}-{mode}" for place in PLACES for mode in MODES]
EDITS = [
    "Session.create().tempo(150).timeSignature('4/4').track('bass', t => t.instrument('bass').clip(Clip.melody()"
    ".note('E2', '8n').note('G2', '16n').staccato().rest('16n').loop(4)))",
    "track('drums', t => t.channel(10).clip(Drums.euclidean(16, 5)).effect('reverb', {mix: 0.2}))",
    "track('lead', t => t.instrument('lead', {cutoff: 2000}).clip(Clip.melody().swing(0.5).note('C4', '8t').tie('start')"
    ".note('C4', '8t').tie('end').crescendo('1n', {from: 0.2, to: 1}).arpeggio(['C4', 'E4', 'G4'], '8n', {pattern: 'upDown'})))",
    "track('pad', t => t.instrument('pad').effect('delay').clip(Clip.keys().chord(['C4', 'E4', 'G4'], '1n')"
    ".tempo(90, {duration: '2n', curve: 'ease-in'}).transpose(3).note('C4', '2n').tempo(150)))",
    "track('bass', t => t.instrument('bass').clip(Clip.melody().quantize('16n').note('F2', 0.3).note('A2', 0.7).loop(4)))",
    "track('broken', t => t.clip(Clip.melody().note('H2')))",
]


def record(folder):
    serve = Serve(folder / "played", "--checkpoint-every", 20)
    rng = random.Random(5)
    with serve.subscribe() as socket:
        for i, code in enumerate(EDITS):
            quantize = ["bar", "beat", "off"][i % 3]
            call(socket, "eval", code=code, name=f"part {i}" if i % 2 else None, quantize=quantize)
            if i == 0:
                call(socket, "play")
                call(socket, "groove.patch", patch="t150;vol80;kick:4=X.x.;hatClosed:4/2=X.x.x.x.")
                call(socket, "groove.play")
            time.sleep(rng.uniform(0.1, 0.4))
        says = [("stop", {"track": "lead"}), ("undo", {}), ("setTempo", {"bpm": 128.5}), ("redo", {})]
        says += [("setChannel", {"track": "pad", "channel": 7}), ("setInstrument", {"track": "pad", "name": "keys"})]
        says += [("pause", {}), ("play", {}), ("setQuantize", {"mode": "off"}), ("stop", {}), ("panic", {})]
        for method, params in says:
            call(socket, method, **params)
            time.sleep(rng.uniform(0.05, 0.3))
    assert serve.stop() == 0
    head, *events = map(json.loads, export(folder / "played", folder / "played.ndjson").read_text().splitlines())
    forget_machine(events)
    db = import_events(folder, head, events)
    LIVE.unlink(missing_ok=True)
    export(db, LIVE, "--raw")
    LIVE_DIGESTS.write_bytes(run(BINARY, "replay", "--digests", EVERY, "--db", db))


@pytest.fixture(scope="module")
def live_log(tmp_path_factory):
    """The fixture as a log; with UPDATE_FIXTURES=1 a new one."""
    folder = tmp_path_factory.mktemp("live")
    if "UPDATE_FIXTURES" in os.environ:
        (folder / "new").mkdir()
        record(folder / "new")
    return import_events(folder, *read_records(LIVE.read_bytes()))


def test_live_records_have_live_code(live_log):
    kinds = {event["kind"] for event in read_records(LIVE.read_bytes())[1]}
    assert {KINDS[name] for name in ("code", "score", "refused", "transport", "applied", "groove_edit")} <= kinds
    notes = run(BINARY, "replay", "--notes", "--db", live_log).decode()
    assert all(f'"{track}"' in notes for track in ("bass", "drums", "lead", "pad", "kick"))


def test_live_records_give_their_digests(live_log):
    assert digests(live_log, EVERY) == read_digests(LIVE_DIGESTS.read_bytes())
    assert run(BINARY, "verify", "--db", live_log).startswith(b"ok: ")


@pytest.mark.parametrize("folder", CORES)
def test_live_records_give_their_digests_on_core_alone(live_log, folder):
    assert core_digests(folder, LIVE, EVERY) == read_digests(LIVE_DIGESTS.read_bytes())
