"""Snapshots: taken while serve records, used by whoever needs a past state, and harmless when they are bad or gone."""

import json
import re
import shutil
import signal
import time

import pytest
from cli import imported, lines_of, symlog
from log_lines import LogLines
from serving import call, receive, run_symlog, wait_until

EVERY = 200  # events between snapshots, in these tests
OPTIONS = ("--snapshot-every", EVERY, "--checkpoint-every", 100)
TRACKS = 8


def head(serve):
    with serve.subscribe() as subscriber:
        receive(subscriber)
        return call(subscriber, "stat")["result"]["head"]


def play(serve, count):
    """Adds tracks and moves their volumes; returns when all of it is applied."""
    live = serve.live()
    before = head(serve)
    for number in range(TRACKS):
        live.send("/live/track/added", ("i", number), ("s", f"track {number}"))
    for number in range(count):
        live.send("/live/track/volume", ("i", number % TRACKS), ("f", number / count))
        if number % 100 == 0:
            time.sleep(0.005)  # A receive buffer holds so many.
    wait_until(lambda: head(serve) >= before + count + TRACKS, "all applied")


def long_log(tmp_path, count=3000, name="log"):
    """The --db options of a log that no serve has seen yet."""
    lines = LogLines()
    lines.start(wall_ns=1_700_000_000_000_000_000)
    lines.session()
    for number in range(TRACKS):
        lines.osc("/live/track/added", ("i", number), ("s", f"track {number}"), seconds=1)
    for number in range(count):
        lines.osc("/live/track/volume", ("i", number % TRACKS), ("f", number / count), seconds=2 + number / 1000)
    return imported(tmp_path, lines, name)


def state_at(db, seq):
    """Without what is said on standard error."""
    return symlog("replay", "--at", seq, "--state", "--db", db)[0]


def states(db, seqs):
    return [state_at(db, seq) for seq in seqs]


def good_snapshots(db):
    verdict = symlog("verify", "--db", db)[0]
    found = re.search(r"snapshots: (\d+) good\n", verdict)
    return int(found.group(1)) if found else 0


def folder(db):
    return db / "snapshots"


@pytest.fixture
def recorded(start):
    """The folder of a log with snapshots; its serve has ended."""
    serve = start(*OPTIONS)
    play(serve, 2000)
    assert serve.stop() == 0
    return serve.db


def test_snapshots_are_taken_while_serve_records(start):
    serve = start(*OPTIONS)
    play(serve, 2000)
    wait_until(lambda: good_snapshots(serve.db) >= 2000 // EVERY, "a snapshot every 200 events")


def test_snapshots_one_at_a_clean_stop(start):
    serve = start()  # Too few events for any other.
    play(serve, 10)
    assert serve.stop() == 0
    assert good_snapshots(serve.db) == 1


def test_snapshots_give_the_states_that_the_events_give(recorded):
    seqs = [0, 1, EVERY - 1, EVERY, EVERY + 1, 1234, 2000]
    with_snapshots = states(recorded, seqs)
    assert good_snapshots(recorded) >= 10
    shutil.rmtree(folder(recorded))
    assert states(recorded, seqs) == with_snapshots


def test_snapshots_give_the_same_messages_and_digests(recorded):
    ways = [
        ["replay", "--json", "--from", 1150, "--to", 1250],
        ["replay", "--from", 1000, "--digests", 100],
        ["log", "--from", 1990],
        ["stat", "--json"],
        ["watch", "--once"],
    ]
    with_snapshots = [symlog(*way, "--db", recorded) for way in ways]
    shutil.rmtree(folder(recorded))
    assert [symlog(*way, "--db", recorded) for way in ways] == with_snapshots


def test_snapshots_of_an_imported_log_are_made_by_serve(start, tmp_path):
    db = long_log(tmp_path)[1]
    before = states(db, [1, 1500, 3000])
    assert start(*OPTIONS, db=db).stop() == 0
    assert good_snapshots(db) >= 3000 // EVERY
    assert states(db, [1, 1500, 3000]) == before


def test_snapshots_are_written_by_no_reader(tmp_path):
    db = long_log(tmp_path)[1]
    state_at(db, 2000)
    symlog("stat", "--db", db)
    symlog("verify", "--db", db)
    assert not folder(db).exists()


def test_snapshots_are_what_serve_starts_from(start, recorded):
    before = symlog("stat", "--json", "--db", recorded)[0]
    serve = start(*OPTIONS)
    with serve.subscribe() as subscriber:
        receive(subscriber)
        digest = call(subscriber, "digest")["result"]
    assert digest["content_digest"] == json.loads(before)["content_digest"]
    assert serve.stop() == 0
    kept = symlog("stat", "--json", "--db", recorded)[0]
    shutil.rmtree(folder(recorded))
    assert symlog("stat", "--json", "--db", recorded)[0] == kept


def test_snapshots_survive_a_killed_serve(start):
    serve = start(*OPTIONS)
    play(serve, 1000)
    serve.stop(signal.SIGKILL)
    assert good_snapshots(serve.db) > 0
    again = start(*OPTIONS)
    play(again, 500)
    assert again.stop() == 0
    assert good_snapshots(serve.db) > 0


def flip_all(data):
    """A bit in each of its 256 bytes, but for LMDB's own first two pages."""
    return data[:8192] + bytes(b ^ 1 if i % 256 == 0 else b for i, b in enumerate(data[8192:]))


DAMAGE = {
    "flipped": flip_all,
    "cut": lambda data: data[: len(data) // 2],
    "zeroed": lambda data: data[:8192] + bytes(len(data) - 8192),
    "noise": lambda data: b"no database at all " * (len(data) // 19),
    "empty": lambda data: b"",
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_snapshots_damaged(start, recorded, damage):
    seqs = [1, 1234, 2000]
    good = states(recorded, seqs)
    data = folder(recorded) / "data.mdb"
    data.write_bytes(DAMAGE[damage](data.read_bytes()))
    assert states(recorded, seqs) == good
    serve = start(*OPTIONS)
    play(serve, 500)
    assert serve.stop() == 0
    assert states(recorded, seqs) == good
    assert good_snapshots(recorded) > 0


def test_snapshots_of_another_log_are_passed_over(start, recorded, tmp_path):
    other = long_log(tmp_path, 2500, "other")[1]
    good = states(other, [1500, 2500])
    shutil.copytree(folder(recorded), folder(other))
    for seq, state in zip([1500, 2500], good, strict=True):
        output, errors = symlog("replay", "--at", seq, "--state", "--db", other)
        assert output == state and "passes over the snapshot" in errors
    verdict, _ = symlog("verify", "--db", other, status=1)
    assert verdict.startswith("not ok") and "no harm to the log" in verdict
    serve = start(*OPTIONS, db=other)
    assert serve.count(r"^snapshot bad=") > 0
    assert serve.stop() == 0
    assert states(other, [1500, 2500]) == good


def test_snapshots_state_at_is_what_replay_says(start):
    serve = start(*OPTIONS)
    play(serve, 1000)
    seqs = [0, 1, 5, EVERY, 777, 1000]
    with serve.subscribe() as subscriber:
        receive(subscriber)
        answers = [call(subscriber, "stateAt", seq=seq)["result"] for seq in seqs]
    for seq, answer in zip(seqs, answers, strict=True):
        replayed = lines_of("replay", "--at", seq, "--state", "--json", "--db", serve.db)
        assert [answer] == [json.loads(line) for line in replayed]


@pytest.mark.parametrize(
    ("method", "params", "code"),
    [
        ("stateAt", {}, -32602),
        ("stateAt", {"seq": -1}, -32602),
        ("stateAt", {"seq": "1"}, -32602),
        ("stateAt", {"seq": 100000}, -32001),
        ("history", {"from": 0, "to": 5}, -32602),
        ("history", {"from": 5, "to": 4}, -32602),
        ("history", {"from": 5}, -32602),
        ("history", {"from": 100000, "to": 100001}, -32001),
        ("prune", {"before": 0}, -32602),
        ("prune", {"before": 1}, -32001),
        ("prune", {"before": 100000}, -32001),
        ("prune", {"before": 2, "log": "00" * 16}, -32001),
    ],
)
def test_snapshots_questions_refused(serve, method, params, code):
    with serve.subscribe() as subscriber:
        receive(subscriber)
        assert call(subscriber, method, **params)["error"]["code"] == code
        assert call(subscriber, "ping")["result"] == {"pong": True}


def test_snapshots_history_is_what_subscribers_were_told(start):
    serve = start(*OPTIONS)
    with serve.subscribe() as subscriber:
        seq = receive(subscriber)["seq"]
        play(serve, 600)
        told = [json.loads(subscriber.recv(timeout=5)) for _ in range(600 + TRACKS)]
        last = told[-1]["seq"]
        history = call(subscriber, "history", **{"from": seq + 1, "to": last})["result"]
        assert (history["from"], history["to"]) == (seq + 1, last)
        assert history["messages"] == told
        middle = call(subscriber, "history", **{"from": told[100]["seq"], "to": told[199]["seq"]})["result"]
        assert middle["messages"] == told[100:200]
        beyond = call(subscriber, "history", **{"from": last, "to": last + 100_000})["result"]
        assert beyond["messages"] == told[-1:] and beyond["to"] < last + 100_000


def test_snapshots_history_is_bounded(start, tmp_path):
    db = long_log(tmp_path, 12_000)[1]
    serve = start(*OPTIONS, db=db)
    with serve.subscribe() as subscriber:
        receive(subscriber)
        first = call(subscriber, "history", **{"from": 1, "to": 12_000})["result"]
        assert first["to"] == 10_000
        rest = call(subscriber, "history", **{"from": first["to"] + 1, "to": 12_000})["result"]
        assert rest["to"] == 12_000 and len(rest["messages"]) == 2_000


def test_snapshots_questions_in_a_batch_are_answered_together(start):
    serve = start(*OPTIONS)
    play(serve, 300)
    batch = [{"jsonrpc": "2.0", "id": n, "method": "stateAt", "params": {"seq": n}} for n in range(1, 6)]
    batch.append({"jsonrpc": "2.0", "id": "last", "method": "ping"})
    with serve.subscribe() as subscriber:
        receive(subscriber)
        subscriber.send(json.dumps(batch))
        answers = receive(subscriber)
        assert {answer["id"] for answer in answers} == {1, 2, 3, 4, 5, "last"}
        assert all("result" in answer for answer in answers)


def test_snapshots_too_many_questions_are_refused_clearly(start, tmp_path):
    db = long_log(tmp_path, 12_000)[1]
    serve = start(db=db)
    count = 200
    batch = [{"jsonrpc": "2.0", "id": n, "method": "stateAt", "params": {"seq": 11_000}} for n in range(count)]
    with serve.subscribe() as subscriber:
        receive(subscriber)
        subscriber.send(json.dumps(batch))
        answers = receive(subscriber)
        assert sorted(answer["id"] for answer in answers) == list(range(count))
        refused = [answer["error"]["message"] for answer in answers if "error" in answer]
        assert 0 < len(refused) < count and set(refused) == {refused[0]}
        assert "too many questions" in refused[0]
        assert "result" in call(subscriber, "stateAt", seq=5)


def test_snapshots_subscriber_that_leaves_costs_nothing(start, tmp_path):
    db = long_log(tmp_path, 12_000)[1]
    serve = start(db=db)
    with serve.subscribe() as subscriber:
        receive(subscriber)
        request = {"jsonrpc": "2.0", "id": 1, "method": "stateAt", "params": {"seq": 11_000}}
        for _ in range(5):
            subscriber.send(json.dumps(request))
    with serve.subscribe() as subscriber:
        receive(subscriber)
        assert "result" in call(subscriber, "stateAt", seq=5)


def test_snapshots_stopping_does_not_wait_for_questions(start, tmp_path):
    db = long_log(tmp_path, 12_000)[1]
    serve = start(db=db)
    with serve.subscribe() as subscriber:
        receive(subscriber)
        request = {"jsonrpc": "2.0", "id": 1, "method": "history", "params": {"from": 1, "to": 12_000}}
        for _ in range(20):
            subscriber.send(json.dumps(request))
        assert serve.stop() == 0


def test_snapshots_cannot_be_written(start, recorded):
    """A cache that fails is said, and nothing else."""
    shutil.rmtree(folder(recorded))
    folder(recorded).write_text("in the way")
    serve = start(*OPTIONS)
    assert serve.count(r"^snapshots off=true reason=") == 1
    play(serve, 300)
    with serve.subscribe() as subscriber:
        receive(subscriber)
        assert "result" in call(subscriber, "stateAt", seq=5)
    assert serve.stop() == 0
    assert run_symlog("verify", "--db", recorded).returncode == 0
