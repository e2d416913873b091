"""Lost datagrams: what comes again leaves no trace, what does not is known by its numbers.

`symlog send` plays through lossy_proxy.py and answers what it is asked for, so both ends are the program's. A seed gives
the same losses for the same traffic; SYMLOG_SEED=N takes another, SYMLOG_SOAK=1 plays 10,000 events a second for a
minute.
"""

import json
import os
import random
import time

import pytest
from demo_set import build_set, line_as_json
from lossy_proxy import LossyProxy
from model.osc import Sender
from model.parts import split_snapshot
from serving import call, line, logged, query, receive, receive_until, say, send_lines, wait_until, write_lines

SOAK = "SYMLOG_SOAK" in os.environ
SEED = int(os.environ.get("SYMLOG_SEED", "1"))
DEMO_SPEED = 60  # Three minutes in three seconds.
EVENTS, EVENTS_PER_S = (600_000, 10_000) if SOAK else (4000, 2000)
HELLO = 77
PICTURE = {"node_type": "project", "attributes": {"tempo": 120}}
RETRIES_S = 1.5  # Longer than a hole is waited for.


# Both ends.


def test_gaps_demo_set_through_a_lossy_network_is_the_same(start, tmp_path):
    lines = [line_as_json(*line) for line in build_set(SEED)]
    check_lossy_is_lossless(start, tmp_path, lines, DEMO_SPEED)


def test_gaps_structure_through_a_lossy_network_is_the_same(start, tmp_path):
    check_lossy_is_lossless(start, tmp_path, structure(EVENTS, EVENTS_PER_S), 1)


def check_lossy_is_lossless(start, tmp_path, lines, speed):
    """The same lines give the same set with and without loss, and nothing is given up."""
    file = tmp_path / "lines.ndjson"
    write_lines(file, lines)
    lossless, lossy = start(), start(db=tmp_path / "lossy")
    send_lines(file, lossless.osc, speed)
    with LossyProxy(lossy.osc, seed=SEED) as proxy:
        send_lines(file, proxy.address, speed)
    assert proxy.counts["lost"] > 0 and proxy.counts["doubled"] > 0 and proxy.counts["delayed"] > 0
    expected, told = stat_of(lossless), stat_of(lossy)
    [source] = [one for one in told["sources"] if one["resends"]]
    print(dict(proxy.counts), {key: source[key] for key in ("resends", "recovered", "duplicates", "late")})
    assert source["gaps"] == 0 and source["gap_size_total"] == 0
    assert source["recovered"] > 0 and source["duplicates"] > 0
    assert told["content_digest"] == expected["content_digest"]
    assert not told["is_stale"]
    assert "gave_up" not in kinds_of(lossy)


def stat_of(serve):
    """Statistics, once they have stood still for longer than a second."""
    with serve.subscribe() as subscriber:
        receive(subscriber)
        before = None
        while (now := call(subscriber, "stat")["result"]) != before:
            before = now
            time.sleep(RETRIES_S)
        return now


def kinds_of(serve):
    return [line.split()[2] for line in logged(serve.db)]


def structure(count, per_second):
    """Lines that insert, remove and rename all the time: one that is lost, doubled or swapped changes what follows."""
    rng = random.Random(SEED)
    for path, args in split_snapshot(PICTURE, HELLO):
        yield line_as_json(0, path, args)
    tracks = scenes = 0
    for number in range(count):
        t = 0.1 + number / per_second
        name = ["s", f"name {number}"]
        choice = rng.random()
        if tracks < 4 or (choice < 0.05 and tracks < 24):
            tracks += 1
            yield line(t, "/live/track/added", ["i", 0], name)
        elif scenes < 4 or (choice < 0.08 and scenes < 12):
            scenes += 1
            yield line(t, "/live/scene/added", ["i", 0], name)
        elif choice < 0.13 and tracks > 8:
            tracks -= 1
            yield line(t, "/live/track/deleted", ["i", rng.randrange(tracks + 1)])
        elif choice < 0.16 and scenes > 6:
            scenes -= 1
            yield line(t, "/live/scene/removed", ["i", rng.randrange(scenes + 1)])
        elif choice < 0.2:
            yield line(t, "/live/device/added", ["i", rng.randrange(tracks)], ["i", 0], name)
        elif choice < 0.24:
            yield line(t, "/live/device/deleted", ["i", rng.randrange(tracks)], ["i", 0])
        elif choice < 0.6:
            yield line(t, "/live/track/renamed", ["i", rng.randrange(tracks)], name)
        else:
            yield line(t, "/live/track/volume", ["i", rng.randrange(tracks)], ["f", round(rng.random(), 3)])


# What does not come again.


def send_snapshot(live):
    for datagram in live.sender.encode_snapshot(PICTURE):
        live.send_bytes(datagram)


@pytest.fixture
def live(serve):
    """A sender that says hello, and answers only when the test does."""
    live = serve.live()
    live.sender = Sender(HELLO)
    live.send_bytes(live.sender.encode_hello())
    return live


def test_gaps_given_up_are_told_with_their_numbers(serve, live):
    with serve.subscribe() as subscriber:
        receive(subscriber)
        send_snapshot(live)
        live.send("/live/track/added", ("i", 0), ("s", "first"))
        first_lost = live.sender.next_seq
        live.lose(3)
        live.send("/live/track/renamed", ("i", 0), ("s", "after"))
        messages = receive_until(subscriber, lambda message: "after" in json.dumps(message))
    [error] = [message for message in messages if message["type"] == "ERROR"]
    assert error["payload"]["error"] == "UDP event gap detected"
    assert "gap" in error["payload"]["details"]
    for number in (first_lost, first_lost + 2):
        assert str(number) in error["payload"]["details"]
    told = stat_of(serve)
    assert told["is_stale"] and told["stale_reason"] == "events lost"
    [source] = [one for one in told["sources"] if one["session"] == HELLO]
    assert (source["gaps"], source["gap_size_total"]) == (1, 3)
    assert source["resends"] >= 10


def test_gaps_tail_is_seen_by_the_heartbeat(serve, live):
    with serve.subscribe() as subscriber:
        receive(subscriber)
        send_snapshot(live)
        live.send("/live/track/added", ("i", 0), ("s", "first"))
        live.lose(2)
        live.send_bytes(live.sender.encode_heartbeat())
        receive_until(subscriber, lambda message: message["type"] == "ERROR")


def test_gaps_picture_ends_staleness(serve, live):
    with serve.subscribe() as subscriber:
        receive(subscriber)
        send_snapshot(live)
        live.lose(1)
        live.send("/live/track/added", ("i", 0), ("s", "late"))
        receive_until(subscriber, lambda message: message["type"] == "ERROR")
        send_snapshot(live)
        wait_until(lambda: not query(subscriber, path="project")["attributes"]["is_stale"], "fresh again")


def test_gaps_hole_survives_a_restart(start):
    serve = start()
    live = serve.live()
    live.sender = Sender(HELLO)
    live.send_bytes(live.sender.encode_hello())
    send_snapshot(live)
    live.send("/live/track/added", ("i", 0), ("s", "first"))
    missing = live.sender.encode([("/live/track/renamed", [("i", 0), ("s", "missing")])])
    live.send("/live/scene/added", ("i", 0), ("s", "held"))
    wait_until(lambda: kinds_of(serve).count("osc") == 4, "all in the log")
    port = live.socket.getsockname()[1]
    assert serve.stop() == 0
    again = start("--osc", "{}:{}".format(*serve.osc))
    live.send_bytes(missing)
    with again.subscribe() as subscriber:
        receive(subscriber)
        wait_until(lambda: query(subscriber, path="project")["children"][-1:] != [], "the tree")
        wait_until(lambda: query(subscriber, path="tracks[0]")["attributes"]["name"] == "missing", "applied")
    [source] = [one for one in stat_of(again)["sources"] if one["name"].endswith(f":{port}")]
    assert source["gaps"] == 0 and source["session"] == HELLO


# Pausing.


def test_gaps_paused_source_is_not_recorded(start):
    serve = start()
    live = serve.live()
    name = live.name
    with serve.subscribe() as subscriber:
        receive(subscriber)
        send_snapshot(live)
        live.send("/live/track/added", ("i", 0), ("s", "first"))
        receive_until(subscriber, lambda message: "first" in json.dumps(message))
        seq = call(subscriber, "pauseSource", name=name)["result"]["seq"]
        live.send("/live/track/renamed", ("i", 0), ("s", "unheard"))
        ignored = lambda: source_of(subscriber, name)["ignored"] == 1  # noqa: E731
        wait_until(ignored, "it is counted")
    assert serve.stop() == 0
    assert f"{seq} " in next(entry for entry in logged(serve.db) if entry.split()[2] == "paused")

    again = start("--osc", "{}:{}".format(*serve.osc))
    with again.subscribe() as subscriber:
        receive(subscriber)
        live.send("/live/track/renamed", ("i", 0), ("s", "unheard, too"))
        wait_until(lambda: source_of(subscriber, name)["ignored"] == 2, "still paused")
        command = {"type": "command", "payload": {"command": "resume_source", "args": [name]}}
        subscriber.send(json.dumps(command))
        receive_until(subscriber, lambda message: message["type"] == "ACK")
        live.send("/live/track/renamed", ("i", 0), ("s", "heard"))
        wait_until(lambda: query(subscriber, path="tracks[0]")["attributes"]["name"] == "heard", "applied")


def test_gaps_pause_of_nobody_is_refused(serve):
    with serve.subscribe() as subscriber:
        receive(subscriber)
        assert call(subscriber, "pauseSource", name="10.0.0.1:9")["error"]["code"] == -32001
        assert call(subscriber, "resumeSource")["error"]["code"] == -32602
        command = {"type": "command", "payload": {"command": "pause_source", "args": ["10.0.0.1:9"]}}
        assert say(subscriber, command)["type"] == "ERROR"


def source_of(subscriber, name):
    sources = call(subscriber, "stat")["result"]["sources"]
    return next((one for one in sources if one["name"] == name), {"ignored": None})
