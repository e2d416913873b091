"""Pruning: a log that begins later, and whose states are what they were."""

import json
import random
import shutil
import subprocess
import threading
import time

import pytest
from cli import imported, lines_of, numbers, symlog
from log_lines import LogLines
from serving import BINARY, PATIENCE_S, call, receive, receive_until, run_symlog, wait_until

TRACKS = 8
EVENTS = 3000
BEFORE = 1200
START_NS = 1_700_000_000_000_000_000
BLOB_TRACK = "long name " * 300  # Its datagram is kept as a blob.


def make_lines(count=EVENTS):
    """A set, and volumes from event 11 on, at 2 s + 1 ms each; marks and big payloads among them."""
    lines = LogLines()
    lines.start(wall_ns=START_NS)
    lines.session()
    for number in range(TRACKS):
        lines.osc("/live/track/added", ("i", number), ("s", f"track {number}"), seconds=1)
    while len(lines.events) < count:
        number = len(lines.events) + 1
        seconds = 2 + number / 1000
        if number % 500 == 0:
            lines.mark(f"mark {number}", seconds)
        elif number % 50 == 0:
            lines.osc("/live/track/renamed", ("i", number % TRACKS), ("s", BLOB_TRACK), seconds=seconds)
        else:
            lines.osc("/live/track/volume", ("i", number % TRACKS), ("f", number / count), seconds=seconds)
    return lines


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The folder of a log that nobody changes, and its digests by number."""
    folder = tmp_path_factory.mktemp("whole")
    db = imported(folder, make_lines())[1]
    return db, digests(db)


@pytest.fixture
def db(whole, tmp_path):
    """A copy of that log."""
    return shutil.copytree(whole[0], tmp_path / "log")


def digests(db, first=1):
    lines = lines_of("replay", "--digests", 1, "--from", first, "--db", db)
    return dict((int(number), digest) for number, digest in map(str.split, lines))


def expect_states(db, whole, first=BEFORE):
    """Every state from `first` on is what it was."""
    now = digests(db)
    assert min(now) == first
    assert {seq: now[seq] for seq in range(first, EVENTS + 1)} == {
        seq: digest for seq, digest in whole[1].items() if seq >= first
    }


def prune(db, before=BEFORE, *options, status=0):
    return symlog("prune", "--before", before, "--db", db, *options, status=status)


def url(serve):
    return "ws://{}:{}".format(*serve.ws)


def head(serve):
    with serve.subscribe() as subscriber:
        receive(subscriber)
        return call(subscriber, "stat")["result"]["head"]


def test_prune_keeps_every_later_state(db, whole):
    output, _ = prune(db)
    assert output == f"the log begins with event {BEFORE}; the state before it is event {EVENTS + 1}\n"
    expect_states(db, whole)
    assert symlog("verify", "--db", db)[0].startswith(f"ok: {EVENTS - BEFORE + 2} events from {BEFORE} on")


def test_prune_at_and_before_the_beginning(db, whole):
    at = symlog("replay", "--at", BEFORE - 1, "--state", "--db", whole[0])[0]
    prune(db)
    assert symlog("replay", "--at", BEFORE - 1, "--state", "--db", db)[0] == at
    _, errors = symlog("replay", "--at", BEFORE - 2, "--state", "--db", db, status=1)
    assert f"what lay before event {BEFORE} was pruned" in errors
    _, errors = symlog("replay", "--at", BEFORE - 1, "--db", db, status=1)
    assert f"what lay before event {BEFORE} was pruned" in errors


def test_prune_shows_the_later_events_as_before(db, whole):
    ways = [["log", "--from", BEFORE, "--to", EVENTS], ["replay", "--json", "--from", BEFORE, "--to", EVENTS]]
    before = [symlog(*way, "--db", whole[0]) for way in ways]
    prune(db)
    assert [symlog(*way, "--db", db) for way in ways] == before
    assert numbers(lines_of("log", "--db", db)) == list(range(BEFORE, EVENTS + 2))
    assert lines_of("log", "--from", 5, "--to", 10, "--db", db) == []


def test_prune_again_and_again(db, whole):
    for before in (2, 700, 701, BEFORE):
        prune(db, before)
        expect_states(db, whole, before)


def test_prune_everything(db, whole):
    state = symlog("stat", "--json", "--db", db)[0]
    prune(db, EVENTS + 1)
    assert numbers(lines_of("log", "--db", db)) == [EVENTS + 1]
    now = json.loads(symlog("stat", "--json", "--db", db)[0])
    assert now["content_digest"] == json.loads(state)["content_digest"]


def test_prune_by_a_mark_or_a_time(db):
    assert "begins with event 500;" in prune(db, "mark 500")[0]
    assert "begins with event 1000;" in prune(db, "+3")[0]
    assert "begins with event 2000;" in prune(db, "2023-11-14T22:13:24Z")[0]


def test_prune_moments_mean_the_same_afterwards(db, whole):
    moments = ["mark 1500", "+4.5", "2023-11-14T22:13:24.25Z"]
    before = [symlog("replay", "--at", moment, "--state", "--db", whole[0]) for moment in moments]
    prune(db)
    assert [symlog("replay", "--at", moment, "--state", "--db", db) for moment in moments] == before
    _, errors = symlog("replay", "--at", "mark 500", "--state", "--db", db, status=1)
    assert 'no mark "mark 500"' in errors


@pytest.mark.parametrize(
    ("before", "status", "why"),
    [
        (0, 1, "begins with event 1"),
        (1, 1, "begins with event 1"),
        (EVENTS + 2, 1, f"ends with event {EVENTS}"),
        ("no such mark", 1, "no mark"),
        (None, 2, "--before says"),
    ],
)
def test_prune_refused(db, whole, before, status, why):
    words = ["prune", "--db", db] if before is None else ["prune", "--before", before, "--db", db]
    _, errors = symlog(*words, status=status)
    assert why in errors
    assert digests(db) == whole[1]


def test_prune_where_there_is_no_log(tmp_path):
    _, errors = prune(tmp_path / "nothing", status=1)
    assert "no log" in errors


def test_prune_exported_and_imported(db, whole, tmp_path):
    prune(db, 700)
    prune(db)
    symlog("log", "export", tmp_path / "pruned.ndjson", "--db", db)
    again = tmp_path / "again"
    symlog("log", "import", tmp_path / "pruned.ndjson", "--db", again)
    assert symlog("log", "--json", "--db", again) == symlog("log", "--json", "--db", db)
    expect_states(again, whole)
    assert symlog("verify", "--db", again)[0] == symlog("verify", "--db", db)[0]
    symlog("log", "export", tmp_path / "again.ndjson", "--db", again)
    assert (tmp_path / "again.ndjson").read_bytes() == (tmp_path / "pruned.ndjson").read_bytes()


def test_prune_import_without_the_base(db, tmp_path):
    prune(db)
    symlog("log", "export", tmp_path / "pruned.ndjson", "--db", db)
    lines = (tmp_path / "pruned.ndjson").read_text().splitlines(keepends=True)
    (tmp_path / "cut.ndjson").write_text("".join(lines[:-1]))
    _, errors = symlog("log", "import", tmp_path / "cut.ndjson", "--db", tmp_path / "cut", status=1)
    assert f"how it was before event {BEFORE}" in errors


def test_prune_base_of_another_version_is_said(db, tmp_path):
    prune(db)
    symlog("log", "export", tmp_path / "pruned.ndjson", "--db", db)
    lines = (tmp_path / "pruned.ndjson").read_text().splitlines(keepends=True)
    base = json.loads(lines[-1])
    payload = bytearray.fromhex(base["payload"])
    payload[12] += 1  # The reducer's version.
    lines[-1] = json.dumps({**base, "payload": payload.hex()}) + "\n"
    (tmp_path / "other.ndjson").write_text("".join(lines))
    other = ["--db", tmp_path / "other"]
    symlog("log", "import", tmp_path / "other.ndjson", *other)
    for command in (["replay"], ["stat"], ["verify"], ["serve", "--osc", 0, "--ws", 0]):
        _, errors = symlog(*command, *other, status=1)
        assert "pruned by another version of symlog" in errors
    assert numbers(lines_of("log", *other)) == list(range(BEFORE, EVENTS + 2))


def test_prune_by_a_running_serve(start, db, whole):
    serve = start(db=db)
    live = serve.live()
    with serve.subscribe() as subscriber:
        receive(subscriber)
        live.send("/live/track/added", ("i", 0), ("s", "before"))
        receive_until(subscriber, lambda m: "DIFF" in m.get("type", ""))
        output, _ = prune(db, BEFORE, "--ws", url(serve))
        assert f"begins with event {BEFORE};" in output and "serve goes on deleting" in output
        live.send("/live/track/renamed", ("i", 0), ("s", "after"))
        told = receive(subscriber)
        assert told["payload"]["diff"]["changes"][0]["new_value"] == {"name": "after"}
        assert "result" in call(subscriber, "stateAt", seq=BEFORE - 1)
        assert call(subscriber, "stateAt", seq=BEFORE - 2)["error"]["code"] == -32001
        assert call(subscriber, "history", **{"from": 5, "to": 6})["error"]["code"] == -32001
    expect_states(db, whole)
    last = head(serve)
    assert serve.stop() == 0
    expect_states(db, whole)
    assert symlog("verify", "--db", db)[0].startswith("ok")
    again = start(db=db)
    assert head(again) > last
    assert symlog("verify", "--db", db)[0].startswith("ok")


def test_prune_resume_from_what_is_gone_is_refused(start, db):
    prune(db)
    serve = start(db=db)
    with serve.subscribe() as subscriber:
        log = receive(subscriber)["log"]
    with serve.subscribe(f"?from={BEFORE - 2}&log={log}") as subscriber:
        refused, whole = receive(subscriber), receive(subscriber)
    assert f"the log begins with event {BEFORE}" in refused["payload"]["details"]
    assert whole["type"] == "FULL_AST"
    with serve.subscribe(f"?from={BEFORE - 1}&log={log}") as subscriber:
        assert receive(subscriber)["seq"] >= BEFORE


def test_prune_proven_by_checkpoints(start, tmp_path):
    """Enough events that the state comes from a snapshot."""
    serve = start("--snapshot-every", 2000, "--checkpoint-every", 500)
    live = serve.live()
    live.send("/live/track/added", ("i", 0), ("s", "track"))
    for number in range(14_000):
        live.send("/live/track/volume", ("i", 0), ("f", number / 14_000))
        if number % 100 == 0:
            time.sleep(0.005)
    wait_until(lambda: head(serve) > 14_000, "all applied")
    before = digests(serve.db, 12_000)
    prune(serve.db, 12_345, "--ws", url(serve))
    after = digests(serve.db)
    assert min(after) == 12_345
    assert all(after[seq] == digest for seq, digest in before.items() if seq >= 12_345)
    assert serve.stop() == 0
    assert symlog("verify", "--db", serve.db)[0].startswith("ok")


def test_prune_that_a_checkpoint_denies(tmp_path):
    lines = make_lines(100)
    lines.checkpoint(50, "00" * 16, reducer_version=2)
    db = imported(tmp_path, lines)[1]
    _, errors = prune(db, 60, status=1)
    assert "nothing was pruned" in errors
    assert numbers(lines_of("log", "--db", db))[0] == 1


def test_prune_asks_the_serve_of_that_log_only(start, db, tmp_path):
    served = start(db=db)
    other = start(db=tmp_path / "other")
    _, errors = prune(db, BEFORE, "--ws", url(other), status=1)
    assert "another log" in errors
    _, errors = prune(db, BEFORE, "--ws", "ws://127.0.0.1:1", status=1)
    assert "say with --ws where it listens" in errors
    assert served.stop() == 0
    prune(db, BEFORE)


def test_prune_while_others_read(start, tmp_path):
    """Each reader gives what is right, or says that the log was pruned."""
    count = 20_000
    db = imported(tmp_path, make_lines(count))[1]
    serve = start(db=db)
    expected = lines_of("replay", "--digests", 1000, "--to", count, "--db", db)
    is_over = threading.Event()
    wrong, seen = [], []

    def read():
        while not is_over.is_set():
            ended = run_symlog("replay", "--digests", 1000, "--to", count, "--db", db)
            lines = ended.stdout.splitlines()
            seen.append(ended.returncode)
            if any(line not in expected for line in lines) or (ended.returncode != 0 and "pruned" not in ended.stderr):
                wrong.append((ended.returncode, lines, ended.stderr))

    readers = [threading.Thread(target=read) for _ in range(2)]
    for reader in readers:
        reader.start()
    for before in range(1000, count, 3000):
        prune(db, before, "--ws", url(serve))
        time.sleep(0.1)
    is_over.set()
    for reader in readers:
        reader.join()
    assert wrong == [] and seen.count(0) > 0
    assert symlog("verify", "--db", db)[0].startswith("ok")


def check_after_kill(db, whole):
    """Whether the base was committed or not, the log is whole."""
    first = min(digests(db))
    assert first in (1, BEFORE)
    expect_states(db, whole, first)
    assert symlog("verify", "--db", db)[0].startswith("ok")
    return first


def test_prune_killed(whole, tmp_path):
    """At any moment: by the clock, and the shorter the earlier."""
    chance = random.Random(3)
    firsts = set()
    for number in range(12):
        db = shutil.copytree(whole[0], tmp_path / str(number))
        command = [BINARY, "prune", "--before", str(BEFORE), "--db", str(db)]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(chance.uniform(0, 0.04))
        process.kill()
        process.wait(PATIENCE_S)
        firsts.add(check_after_kill(db, whole))
        prune(db, status=None)  # Goes on where it was broken off, unless all was done.
        assert check_after_kill(db, whole) == BEFORE
    assert BEFORE in firsts


def test_prune_by_a_serve_that_is_killed(start, whole, tmp_path):
    chance = random.Random(4)
    for number in range(6):
        db = shutil.copytree(whole[0], tmp_path / str(number))
        serve = start(db=db)
        request = {"jsonrpc": "2.0", "id": 1, "method": "prune", "params": {"before": BEFORE}}
        with serve.subscribe() as subscriber:
            receive(subscriber)
            subscriber.send(json.dumps(request))
            time.sleep(chance.uniform(0, 0.04))
            serve.process.kill()
        serve.process.wait(PATIENCE_S)
        first = check_after_kill(db, whole)
        again = start(db=db)
        assert check_after_kill(db, whole) == first
        assert again.stop() == 0
        assert check_after_kill(db, whole) == first
