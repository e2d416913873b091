"""Resuming from any number, and the wishes ?batch, ?throttle, ?paths and ?compact: nothing missing, nothing twice."""

import json
import os
import random
import select
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from model.client import Subscriber
from model.generate import Generator
from model.shape import differences, pruned
from serving import call, line, logged, receive, receive_until, send_lines, wait_until, write_lines
from websockets.exceptions import ConnectionClosed, InvalidStatus
from wire import Wire, confirmed, seq_of

EVENTS = 1500
BURST, PAUSE_S = 50, 0.004  # So that no datagram is lost.
RESUMERS = 8
LOAD_EVENTS_PER_S = 50_000
LOAD_EVENTS = LOAD_EVENTS_PER_S * (10 if "SYMLOG_SOAK" in os.environ else 1)
SMALL_BACKLOG = "--backlog", 1 << 20  # Less than a second of the load: who rests, or is slow, needs the log.
LONG_NAMES = "a" * 6000, "b" * 6000
STALLED = 40
STALLED_BYTES_MAX = 500_000


def play(serve, count=EVENTS, seed=1):
    """Sends a set and random events, some of them refused, some lost, some bundles; returns the last number."""
    live, generator = serve.live(), Generator(seed, tracks=6, scenes=6, invalid=0.05)
    for datagram in live.sender.encode_snapshot(generator.snapshot):
        live.send_bytes(datagram)
    with serve.subscribe() as control:
        receive(control)
        project = lambda: call(control, "query", path="project")["result"]["attributes"]  # noqa: E731
        wait_until(lambda: not project()["is_stale"], "the picture")
    for number, event in enumerate(generator.events(count)):
        live.send_bytes(live.sender.encode(event))
        if number % BURST == 0:
            time.sleep(PAUSE_S)
    return end_of(serve)


def end_of(serve):
    """Ends the events with one that every subscriber is told of, and returns its number."""
    with serve.subscribe() as control:
        receive(control)
        call(control, "mark", text="end")
        for tempo in (77.0, 78.0):
            serve.live().send_plain("/live/transport/tempo", ("f", tempo))
        told = wait_until(lambda: told_tempo(receive(control)), "the last tempo")
        return told


def told_tempo(message):
    return message.get("seq") if '"new_value": 78.0' in json.dumps(message) else None


def resume(serve, log, seq, wishes=""):
    return Wire(serve, f"?from={seq}&log={log}{wishes}")


def log_id(serve):
    with serve.subscribe() as subscriber:
        whole = receive(subscriber)
    return whole["log"]


def after(messages, seq):
    """Those of the events after this one."""
    first = next((i for i, message in enumerate(messages) if seq_of(message) > seq), len(messages))
    while first > 0 and seq_of(messages[first - 1]) == 0:
        first -= 1
    return messages[first:]


def recorded(serve, seed=1):
    """Plays; returns the log's id and the messages that a live subscriber got after FULL_AST, as bytes."""
    with Wire(serve) as wire:
        reader = threading.Thread(target=lambda: messages.extend(wire.read_through(end.result())))
        messages = []
        with ThreadPoolExecutor(1) as pool:
            end = pool.submit(play, serve, seed=seed)
            reader.start()
            reader.join()
    return json.loads(messages[0])["log"], messages[1:]


# Resuming.


@pytest.mark.parametrize("wishes", ["", "&batch=1"])
@pytest.mark.parametrize("is_restarted", [False, True], ids=["from the backlog", "from the log"])
def test_resume_gives_byte_for_byte_what_the_live_feed_gave(start, wishes, is_restarted):
    serve = start()
    log, messages = recorded(serve)
    first, last = seq_of(messages[0]) - 1, seq_of(messages[-1])
    assert {b'{"type":"DIFF', b'{"type":"ERRO'} <= {message[:13] for message in messages}
    if is_restarted:  # Its backlog is empty then.
        assert serve.stop() == 0
        serve = start()
    numbers = [number for number in map(seq_of, messages) if number]
    for seq in [first, first + 1, *random.Random(5).sample(numbers[:-1], 12), numbers[-2]]:
        with resume(serve, log, seq, wishes) as wire:
            assert wire.read_through(last) == after(messages, seq), f"from {seq}"


def test_resume_at_the_head_goes_on_live(serve):
    end, log, live = play(serve, 50), log_id(serve), serve.live()
    with Wire(serve) as reference:
        head = seq_of(reference.read_through(end)[-1])
        with resume(serve, log, head) as wire:
            live.send_plain("/live/transport/tempo", ("f", 99.0))
            assert wire.read_through(head + 1) == reference.read_through(head + 1)


def test_resume_of_many_at_different_places_at_once(start):
    serve = start()
    log, messages = recorded(serve, seed=2)
    assert serve.stop() == 0
    serve = start()
    last = seq_of(messages[-1])
    numbers = [number for number in map(seq_of, messages) if number]
    places = random.Random(7).sample(numbers[:-1], 32)
    wires = [resume(serve, log, seq, random.Random(seq).choice(["", "&batch=1"])) for seq in places]
    for seq, wire in zip(places, wires):
        with wire:
            assert wire.read_through(last) == after(messages, seq), f"from {seq}"


@pytest.mark.parametrize(
    ("query", "reason"),
    [
        ("?from=1&log=" + "0" * 32, "this is another log"),
        ("?from=1", "log=ID is missing"),
        ("?from=999999&log={log}", "there is no event 999999: the log ends with "),
    ],
)
def test_resume_that_is_refused_gets_the_whole_and_is_told_why(serve, query, reason):
    log = log_id(serve)
    with serve.subscribe(query.format(log=log)) as subscriber:
        error, whole = receive(subscriber), receive(subscriber)
    assert error["type"] == "ERROR" and error["payload"]["error"] == "resume refused"
    assert reason in error["payload"]["details"]
    assert whole["type"] == "FULL_AST" and whole["log"] == log


@pytest.mark.parametrize("query", ["?from=x", "?batch=2", "?throttle=-1", "?paths=tracks[", "?paths=", "?log=12"])
def test_resume_wish_that_makes_no_sense_is_a_bad_request(serve, query):
    with pytest.raises(InvalidStatus) as refused:
        serve.subscribe(query)
    assert refused.value.response.status_code == 400
    assert b"want" in refused.value.response.body


# Under load.


class Load:
    """Values, and now and then a rename that is long, from `symlog send`, which says again what was lost."""

    def __init__(self, serve, folder):
        self.serve, self.end, self.is_appending = serve, None, False
        self.file = folder / "load.ndjson"
        write_lines(self.file, self.lines())
        self.thread = threading.Thread(target=self.run)

    def lines(self):
        for index in range(4):
            yield line(0, "/live/track/added", ["i", index], ["s", f"track {index}"])
        for number in range(LOAD_EVENTS):
            t = number / LOAD_EVENTS_PER_S
            if number % 64 == 0:
                yield line(t, "/live/track/renamed", ["i", 0], ["s", LONG_NAMES[number // 64 % 2]])
            else:
                yield line(t, "/live/track/volume", ["i", number % 4], ["f", number / LOAD_EVENTS])

    def run(self):
        self.is_appending = True
        over = threading.Timer(LOAD_EVENTS / LOAD_EVENTS_PER_S, lambda: setattr(self, "is_appending", False))
        over.start()
        send_lines(self.file, self.serve.osc)
        self.end = end_of(self.serve)


def cut_and_resume(serve, log, first, load, seed):
    """One that disconnects at random bytes, or is too slow, rests, and resumes; its stream, byte for byte, and how
    often it was cut off: in all, and while the load was being appended."""
    rng, messages, seq, cuts, cuts_under_load = random.Random(seed), [], first, 0, 0
    while load.end is None or seq < load.end:
        wishes = rng.choice(["", "&batch=1"])
        left = rng.choice([100, 10_000, 100_000, 2_000_000])
        left = rng.randrange(left) + 1
        with resume(serve, log, seq, wishes) as wire:
            got = wire.take()
            while left > 0 and wire.closing is None and (load.end is None or seq < load.end):
                if select.select([wire.socket], [], [], 0.1)[0]:
                    left -= wire.read(min(left, 1 << 20))
                got += wire.take()
                seq = max(seq, *map(seq_of, got[-20:]), 0)
        messages += confirmed(got)
        seq = seq_of(messages[-1]) if messages else first
        assert wire.closing in (None, (1008, f"too slow: resume from {seq}"))
        cuts += 1
        cuts_under_load += load.is_appending
        if rng.random() < 0.2:
            time.sleep(rng.random())
    return messages, cuts, cuts_under_load


def appended_per_s(db, first, end):
    """The rate at which the log took its sender's numbers, by the times of the first and the last of them."""

    def numbered(begin, stop):
        entries = map(json.loads, logged(db, "--json", "--from", begin, "--to", stop))
        return [entry for entry in entries if entry["source_seq"] is not None]

    early, late = numbered(first, first + 100)[0], numbered(end - 100, end)[-1]
    return (late["source_seq"] - early["source_seq"]) / (late["time_ns"] - early["time_ns"]) * 1e9


def test_resume_at_random_bytes_under_load_has_no_hole_and_nothing_twice(start, tmp_path):
    serve = start("--durability", "process", *SMALL_BACKLOG)
    log, first = log_id(serve), end_of(serve)
    load = Load(serve, tmp_path)
    with ThreadPoolExecutor(RESUMERS) as pool:
        load.thread.start()
        runs = [pool.submit(cut_and_resume, serve, log, first, load, seed) for seed in range(RESUMERS)]
        streams = [run.result() for run in runs]
    rate = appended_per_s(serve.db, first, load.end)
    assert serve.stop() == 0
    serve = start()
    with resume(serve, log, first, "&batch=1") as wire:
        truth = wire.read_through(load.end)
    print(f"{LOAD_EVENTS} events at {rate:.0f} a second; cuts, and those under load: {[s[1:] for s in streams]}")
    for messages, cuts, cuts_under_load in streams:
        assert cuts > 5 and cuts_under_load > 0
        assert messages == truth


def resident_bytes(serve):
    with open(f"/proc/{serve.process.pid}/status", encoding="ascii") as status:
        return next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmRSS"))


def test_resume_of_stopped_readers_is_bounded_and_costs_the_others_nothing(start, tmp_path):
    """They ask for much, read nothing, and one that reads gets it all the same."""
    serve = start("--durability", "process")
    log, first, load = log_id(serve), end_of(serve), Load(serve, tmp_path)
    load.run()
    assert serve.stop() == 0
    serve = start()
    with resume(serve, log, first) as wire:
        truth = wire.read_through(load.end)
    before = resident_bytes(serve)
    stalled = [resume(serve, log, first + number, "&batch=1") for number in range(STALLED)]
    time.sleep(0.5)
    with resume(serve, log, first) as wire:
        assert wire.read_through(load.end) == truth
    assert resident_bytes(serve) - before < STALLED * STALLED_BYTES_MAX
    for wire in stalled:
        wire.socket.close()


# Wishes.


def mirrored(frames):
    mirror = Subscriber()
    for frame in frames:
        mirror.receive(frame)
    return mirror


def whole_now(serve, query=""):
    with serve.subscribe(query) as subscriber:
        return receive(subscriber)["payload"]["ast"]


WISHES = ["batch=1", "throttle=30", "compact=1", "batch=1&throttle=20&compact=1"]
PATHS = ["tracks[0],scenes", "tracks", "tracks[1].clip_slots[2],tracks[2].devices", "scenes[1],tracks[3].mixer"]


@pytest.mark.parametrize("wish", WISHES)
def test_wish_leads_to_the_same_tree(serve, wish):
    with serve.subscribe(f"?{wish}", max_queue=None) as subscriber:
        end = play(serve)
        mirror = Subscriber()
        while mirror.seq is None or mirror.seq < end:
            mirror.receive(subscriber.recv(10))
    assert list(differences(mirror.ast, whole_now(serve))) == []


@pytest.mark.parametrize("more", ["", "&batch=1", "&compact=1", "&throttle=20&batch=1"])
@pytest.mark.parametrize("paths", PATHS)
def test_wish_of_paths_leads_to_the_same_part_of_the_tree(serve, paths, more):
    with serve.subscribe(f"?paths={paths}{more}", max_queue=None) as subscriber:
        end = play(serve, seed=3)
        mirror = Subscriber(strict=False)
        while mirror.seq is None or mirror.seq < end:
            mirror.receive(subscriber.recv(10))
    whole = whole_now(serve)
    assert list(differences(mirror.ast, pruned(whole, paths.split(",")))) == []
    assert whole_now(serve, f"?paths={paths}") == pruned(whole, paths.split(","))


@pytest.mark.parametrize("wish", [*WISHES, "paths=tracks[0],scenes&batch=1"])
def test_wish_of_one_that_resumes(start, wish):
    serve = start()
    log, messages = recorded(serve)
    first, last = seq_of(messages[0]) - 1, seq_of(messages[-1])
    assert serve.stop() == 0
    serve = start()
    with resume(serve, log, first, f"&{wish}") as wire:
        told = wire.read_through(last)
    is_part = "paths" in wish
    mirror = Subscriber(strict=not is_part)
    mirror.receive(empty_project())
    for message in told:
        mirror.receive(message)
    whole = whole_now(serve)
    assert list(differences(mirror.ast, pruned(whole, ["tracks[0]", "scenes"]) if is_part else whole)) == []
    assert len(told) <= len(messages)


def empty_project():
    """What a new log begins with."""
    attributes = {"is_stale": True, "stale_reason": "no picture yet"}
    ast = {"node_type": "project", "id": "project", "attributes": attributes, "children": []}
    return {"type": "FULL_AST", "seq": 1, "payload": {"ast": ast}}


def test_wish_batch_makes_frames_of_16_to_64_kib(start):
    serve = start()
    log, messages = recorded(serve)
    assert serve.stop() == 0
    serve = start()
    with resume(serve, log, seq_of(messages[0]) - 1, "&batch=1") as wire:
        frames = []
        while not frames or f'"seq":{seq_of(messages[-1])}}}]'.encode() not in frames[-1]:
            assert wire.read()
            frames += wire.frames()
    assert all(frame[:1] == b"[" and json.loads(frame) for frame in frames)
    long = [len(message) for message in messages if len(message) > 65534]
    assert all(len(frame) <= 65536 for frame in frames) or long
    assert sum(16384 <= len(frame) <= 65536 for frame in frames) >= len(frames) - 2 - len(long)


def test_wish_throttle_keeps_the_last_value_and_the_newest_number(serve):
    live = serve.live()
    with serve.subscribe("?throttle=300") as subscriber, serve.subscribe() as plain:
        receive(subscriber), receive(plain)
        live.send("/live/track/added", ("i", 0), ("s", "one"))
        receive(subscriber), receive(plain)
        for number in range(1, 21):
            live.send("/live/track/volume", ("i", 0), ("f", number / 32))
            live.send("/live/track/mute", ("i", 0), ("i", number % 2))
        last = [receive(plain) for _ in range(40)][-1]
        message = receive(subscriber)
    volume, muted = message["payload"]["diff"]["changes"]
    assert message["seq"] == last["seq"]
    assert (volume["attribute"], volume["old_value"], volume["new_value"]) == ("volume", None, 0.625)
    assert (muted["attribute"], muted["old_value"], muted["new_value"]) == ("is_muted", None, False)
    assert message["payload"]["diff"]["modified"] == [volume["node_id"]] * 2


def test_wish_throttle_holds_nothing_back_at_the_end(serve):
    with serve.subscribe("?throttle=60000") as subscriber:
        receive(subscriber)
        serve.live().send_plain("/live/transport/tempo", ("f", 77.0))
        receive(subscriber)
        serve.live().send_plain("/live/transport/tempo", ("f", 78.0))
        wait_until(lambda: '"tempo": 78.0' in json.dumps(whole_now(serve)), "the second tempo")
        assert serve.stop() == 0
        assert told_tempo(receive(subscriber))
        with pytest.raises(ConnectionClosed) as closed:
            receive(subscriber)
    assert closed.value.rcvd.code == 1001


def test_wish_paths_tells_the_numbers_of_what_it_drops(serve):
    live = serve.live()
    with serve.subscribe("?paths=tracks[0]") as subscriber, serve.subscribe() as plain:
        receive(subscriber), receive(plain)
        for index in range(2):
            live.send("/live/track/added", ("i", index), ("s", f"track {index}"))
        added = [receive(plain)["seq"] for _ in range(2)]
        receive_until(subscriber, lambda message: message["seq"] >= added[-1])  # The whole may be of a later event.
        live.send("/live/track/volume", ("i", 1), ("f", 0.5))
        live.send("/live/track/volume", ("i", 0), ("f", 0.25))
        live.send("/live/cursor/track", ("i", 0))
        seqs = [receive(plain)["seq"] for _ in range(3)]
        messages = receive_until(subscriber, lambda message: message["seq"] == seqs[-1])
    assert messages[-1] == {"type": "SEQ", "seq": seqs[-1]}
    told = [change for m in messages if m["type"] == "DIFF_UPDATE" for change in m["payload"]["diff"]["changes"]]
    assert [change["path"] for change in told if change["type"] == "state_changed"] == ["tracks[0]"]


def test_wish_compact_tells_of_a_shift_in_one_entry(serve):
    live = serve.live()
    with serve.subscribe("?compact=1") as subscriber, serve.subscribe() as plain:
        mirror, control = mirrored([receive(subscriber)]), mirrored([receive(plain)])
        for index in range(40):
            live.send("/live/scene/added", ("i", index), ("s", f"scene {index}"))
        live.send("/live/track/added", ("i", 0), ("s", "track"))
        for index in range(40):
            live.send("/live/clip_slot/created", ("i", 0), ("i", index), ("T", True), ("T", True), ("i", 0))
        live.send("/live/scene/added", ("i", 0), ("s", "intro"))
        for _ in range(82):
            mirror.receive(message := receive(subscriber))
            control.receive(receive(plain))
        assert list(differences(mirror.ast, control.ast)) == []
    shifted, added = message["payload"]["diff"]["changes"]
    assert shifted == {
        "type": "shifted", "parent_id": "project", "node_type": "scene", "from": 0, "by": 1,
        "seq_num": added["seq_num"],
    }  # fmt: skip
    assert message["payload"]["diff"]["modified"] == []
