"""What subscribers get and what they are answered."""

import base64
import json
import os
import socket
import subprocess
import time

import pytest
from model.client import Subscriber
from model.osc import split_snapshot
from model.shape import differences
from serving import PATIENCE_S, call, logged, query, receive, receive_until, say, wait_until
from websockets.exceptions import ConnectionClosed, InvalidStatus

ERROR_CODES = {"parse": -32700, "request": -32600, "method": -32601, "params": -32602, "range": -32001}


def add_track(live, index, name):
    live.send("/live/track/added", ("i", index), ("s", name))


def rename_track(live, index, name):
    live.send("/live/track/renamed", ("i", index), ("s", name))


def changes(message):
    return message["payload"]["diff"]["changes"]


# The feed.


def test_feed_begins_with_the_whole_project(serve):
    with serve.subscribe() as subscriber:
        message = receive(subscriber)
    assert message["type"] == "FULL_AST"
    assert message["seq"] >= 1 and len(message["log"]) == 32
    assert message["payload"]["ast"]["node_type"] == "project"
    assert message["payload"]["ast"]["attributes"]["stale_reason"] == "no picture yet"


def test_feed_rename_through_every_layer(serve):
    """oscsend -> UDP -> ring -> log -> reducer -> feed, and `symlog log` shows the same event."""
    host, port = serve.osc
    with serve.subscribe() as subscriber:
        receive(subscriber)
        wrapper = ["/live/seq", "ifsis", "0", "1.5"]
        subprocess.run(["oscsend", host, str(port), *wrapper, "/live/track/added", "0", "1-MIDI"], check=True)
        receive(subscriber)
        subprocess.run(["oscsend", host, str(port), *wrapper, "/live/track/renamed", "0", "Bass"], check=True)
        message = receive(subscriber)
        assert message["type"] == "DIFF_UPDATE"
        [change] = changes(message)
        assert change["type"] == "modified" and change["path"] == "tracks[0]"
        assert change["new_value"] == {"name": "Bass"}
        assert query(subscriber, path="tracks[0]")["attributes"]["name"] == "Bass"
        assert query(subscriber, id=change["node_id"])["attributes"]["name"] == "Bass"
    line = next(line for line in logged(serve.db) if line.startswith(f"{message['seq']} "))
    assert "/live/track/renamed" in line and "Bass" in line


def test_feed_diffs_lead_to_what_a_newcomer_gets(serve):
    live, mirror = serve.live(), Subscriber()
    with serve.subscribe() as subscriber:
        mirror.receive(receive(subscriber))
        for index in range(3):
            add_track(live, index, f"track {index}")
            live.send("/live/scene/added", ("i", index), ("s", f"scene {index}"))
        live.send("/live/clip_slot/created", ("i", 1), ("i", 2), ("T", True), ("T", True), ("i", 1))
        live.send("/live/device/added", ("i", 0), ("i", 0), ("s", "Reverb"))
        live.send("/live/device/param", ("i", 0), ("i", 0), ("i", 2), ("f", 0.5))
        live.send("/live/track/deleted", ("i", 0))
        live.send("/live/scene/added", ("i", 0), ("s", "intro"))
        live.send("/live/transport/tempo", ("f", 128.0))
        for message in receive_until(subscriber, lambda m: "128.0" in json.dumps(m)):
            mirror.receive(message)
        with serve.subscribe() as newcomer:
            whole = receive(newcomer)
    assert whole["seq"] >= mirror.seq
    assert list(differences(mirror.ast, whole["payload"]["ast"])) == []


def test_feed_numbers_only_the_last_message_of_an_event(serve):
    live = serve.live()
    with serve.subscribe() as subscriber:
        receive(subscriber)
        live.send_bundle(*[("/live/track/added", ("i", i), ("s", f"t{i}")) for i in range(3)])
        first, second, third = (receive(subscriber) for _ in range(3))
    assert "seq" not in first and "seq" not in second
    assert third["seq"] > 0


def test_feed_gives_every_subscriber_the_same_bytes(serve):
    live = serve.live()
    with serve.subscribe() as one, serve.subscribe() as other:
        receive(one), receive(other)
        for index in range(50):
            add_track(live, 0, f"track {index}")
        assert [one.recv(PATIENCE_S) for _ in range(50)] == [other.recv(PATIENCE_S) for _ in range(50)]


def test_feed_cursor_is_a_live_event(serve):
    live = serve.live()
    with serve.subscribe() as subscriber:
        receive(subscriber)
        live.send("/live/cursor/track", ("i", 0), ("i", 16746496), ("s", "Bass"))
        message = receive(subscriber)
    assert message["type"] == "live_event"
    assert message["payload"]["event_path"] == "/live/cursor/track"
    assert message["payload"]["args"] == [0, 16746496, "Bass"]


def test_feed_snapshot_ends_staleness(serve):
    live, mirror = serve.live(), Subscriber()
    track = {"node_type": "track", "id": "t1", "attributes": {"name": "Keys"}, "children": []}
    picture = {"node_type": "project", "attributes": {"tempo": 100.0}, "children": [track]}
    with serve.subscribe() as subscriber:
        mirror.receive(receive(subscriber))
        for part in split_snapshot(picture, session=1):
            live.send_bytes(live.sender.encode([part]))
        wait_until(lambda: mirror.receive(receive(subscriber))["attributes"].get("is_stale") is False, "a picture")
        assert query(subscriber, path="tracks[0]")["id"] == "t1"
    serve.wait_for(r"^picture source=127.0.0.1:\d+ seq=\d+")


def test_feed_reordered_scenes_settle_by_time(serve):
    live, mirror = serve.live(), Subscriber()
    with serve.subscribe() as subscriber:
        mirror.receive(receive(subscriber))
        for index, name in enumerate("ABC"):
            live.send("/live/scene/added", ("i", index), ("s", name))
            mirror.receive(receive(subscriber))
        for index, name in enumerate("CBA"):
            live.send("/live/scene/reordered", ("i", index), ("s", name))
        mirror.receive(receive(subscriber))
        names = [query(subscriber, path=f"scenes[{i}]")["attributes"]["name"] for i in range(3)]
    assert names == list("CBA")
    assert sum(" order_settled " in line for line in logged(serve.db)) == 1


# Troubles that subscribers hear of.


def test_feed_group_goes_out_together(serve):
    """Nothing between batch/start and batch/end is sent before the end comes, or 250 ms have passed."""
    live = serve.live()
    with serve.subscribe() as subscriber:
        receive(subscriber)
        live.send("/live/batch/start", ("i", 1))
        live.send("/live/transport/tempo", ("f", 120.0))
        with pytest.raises(TimeoutError):
            subscriber.recv(timeout=0.1)
        live.send("/live/batch/end", ("i", 1))
        [change] = changes(receive(subscriber))
        assert change["new_value"] == 120.0
        live.send("/live/batch/start", ("i", 2))
        began = time.monotonic()
        live.send("/live/transport/tempo", ("f", 121.0))  # Its end was lost.
        assert changes(receive(subscriber))[0]["new_value"] == 121.0
        assert time.monotonic() - began > 0.2


def test_feed_gap_is_an_error_with_its_numbers(serve):
    live = serve.live()
    with serve.subscribe() as subscriber:
        receive(subscriber)
        add_track(live, 0, "one")
        receive(subscriber)
        live.lose(5)
        rename_track(live, 0, "two")
        error, *_, last = receive_until(subscriber, lambda m: "seq" in m)
    assert error["payload"]["error"] == "UDP event gap detected"
    assert "gap of 5 events (numbers 1 to 5)" in error["payload"]["details"]
    assert changes(last)[0]["new_value"] == {"name": "two"}
    serve.wait_for(r"^gap source=127.0.0.1:\d+ gaps=1 missing=5")


def test_feed_refusal_is_told_once_per_kind_and_source(serve):
    live, other = serve.live(), serve.live()
    with serve.subscribe() as subscriber:
        receive(subscriber)
        for sender in (live, live, live, other):
            sender.send("/live/no/such/path")
        live.send("/live/track/renamed", ("s", "types are wrong"))
        add_track(live, 0, "end")
        *errors, _ = receive_until(subscriber, lambda m: m["type"] == "DIFF_UPDATE")
    assert sorted(message["payload"]["error"] for message in errors) == ["unknown path", "unknown path", "wrong types"]
    wait_until(lambda: serve.count("^refused ") == 3, "three lines")


# What subscribers say.


def test_message_is_acknowledged(serve):
    with serve.subscribe() as subscriber:
        receive(subscriber)
        assert say(subscriber, {"hello": 1}) == {"type": "ACK", "payload": {"status": "ok"}}
        answer = say(subscriber, {"type": "anything", "request_id": "r1"})
        assert answer == {"type": "ACK", "payload": {"status": "ok", "request_id": "r1"}}


def test_message_command_mark_is_acknowledged_when_it_is_in_the_log(serve):
    with serve.subscribe() as subscriber:
        receive(subscriber)
        command = {"type": "command", "payload": {"command": "mark", "args": ["chorus"]}, "request_id": 7}
        answer = say(subscriber, command)
    assert answer["type"] == "ACK" and answer["payload"] == {"status": "ok", "request_id": 7}
    [line] = [line for line in logged(serve.db) if "chorus" in line]
    assert line.startswith(f"{answer['seq']} ") and " mark " in line


@pytest.mark.parametrize("payload", [{"command": "mute_track", "args": [0, True]}, {}, None, {"command": 3}])
def test_message_other_command_is_an_error(serve, payload):
    with serve.subscribe() as subscriber:
        receive(subscriber)
        answer = say(subscriber, {"type": "command", "payload": payload})
    assert answer["type"] == "ERROR" and "there are: mark" in answer["payload"]["details"]


@pytest.mark.parametrize("args", [[], [""], ["x" * 2000], [3], {}, "text"])
def test_message_mark_without_a_fitting_text_is_an_error(serve, args):
    with serve.subscribe() as subscriber:
        receive(subscriber)
        answer = say(subscriber, {"type": "command", "payload": {"command": "mark", "args": args}})
    assert answer["type"] == "ERROR" and "text" in answer["payload"]["details"]


@pytest.mark.parametrize("text", ["nope", "{", '{"a":1}}', "\x00", "[" * 3000])
def test_message_that_is_no_json_is_told_where(serve, text):
    with serve.subscribe() as subscriber:
        receive(subscriber)
        answer = say(subscriber, text)
        assert answer["payload"]["error"] == "Invalid JSON" and "line 1 column" in answer["payload"]["details"]
        assert call(subscriber, "ping")["result"] == {"pong": True}


def test_message_in_fragments_is_put_together(serve):
    with serve.subscribe() as subscriber:
        receive(subscriber)
        text = json.dumps({"request_id": "x" * 20000})
        subscriber.send(text[at : at + 999] for at in range(0, len(text), 999))
        assert receive(subscriber)["payload"]["request_id"] == "x" * 20000


def test_message_beyond_64_kib_closes_the_connection(serve):
    with serve.subscribe() as subscriber, serve.subscribe() as other:
        receive(subscriber), receive(other)
        with pytest.raises(ConnectionClosed) as closed:
            subscriber.send(json.dumps({"request_id": "x" * 70000}))
            receive(subscriber)
        assert closed.value.rcvd.code == 1009
        assert call(other, "ping")["result"] == {"pong": True}


# JSON-RPC.


def test_rpc_stat_and_digest_agree(serve):
    with serve.subscribe() as subscriber:
        whole = receive(subscriber)
        add_track(serve.live(), 0, "one")
        receive(subscriber)
        stat = call(subscriber, "stat")["result"]
        digest = call(subscriber, "digest")["result"]
        assert stat["log_id"] == whole["log"]
        assert (stat["head"], stat["digest"]) == (digest["seq"], digest["digest"])
        assert stat["content_digest"] == digest["content_digest"]
        assert call(subscriber, "digest", seq=digest["seq"])["result"] == digest
        assert call(subscriber, "digest", seq=1)["error"]["code"] == ERROR_CODES["range"]


def test_rpc_query_depth(serve):
    live = serve.live()
    with serve.subscribe() as subscriber:
        receive(subscriber)
        add_track(live, 0, "one")
        live.send("/live/device/added", ("i", 0), ("i", 0), ("s", "Reverb"))
        receive(subscriber), receive(subscriber)
        assert "children" not in query(subscriber, path="tracks[0]", depth=0)
        assert query(subscriber, path="project")["children"][0]["children"][0]["attributes"]["name"] == "Reverb"


def test_rpc_mark_answers_with_its_number(serve):
    with serve.subscribe() as subscriber:
        receive(subscriber)
        seq = call(subscriber, "mark", text="verse")["result"]["seq"]
    assert any(line.startswith(f"{seq} ") and "verse" in line for line in logged(serve.db))


@pytest.mark.parametrize(
    ("code", "request_fields"),
    [
        ("method", {"method": "noSuchMethod"}),
        ("params", {"method": "query"}),
        ("params", {"method": "query", "params": {"path": 3}}),
        ("params", {"method": "query", "params": {"path": "project", "id": "project"}}),
        ("params", {"method": "query", "params": {"path": "project", "depth": "all"}}),
        ("params", {"method": "query", "params": ["project"]}),
        ("params", {"method": "mark"}),
        ("range", {"method": "query", "params": {"path": "tracks[99]"}}),
        ("range", {"method": "query", "params": {"id": "nobody"}}),
        ("request", {"method": 3}),
        ("request", {}),
        ("request", {"method": "ping", "jsonrpc": "1.0"}),
        ("request", {"method": "ping", "params": 3}),
        ("request", {"method": "ping", "id": []}),
    ],
)
def test_rpc_error_codes(serve, code, request_fields):
    with serve.subscribe() as subscriber:
        receive(subscriber)
        answer = say(subscriber, {"jsonrpc": "2.0", "id": 1, **request_fields})
        assert answer["error"]["code"] == ERROR_CODES[code] and answer["error"]["message"]


def test_rpc_text_cut_short_is_a_parse_error(serve):
    with serve.subscribe() as subscriber:
        receive(subscriber)
        answer = say(subscriber, '{"jsonrpc":"2.0","id":1,"method":"pi')
        assert answer["error"]["code"] == ERROR_CODES["parse"] and answer["id"] is None


def test_rpc_batch(serve):
    batch = [
        {"jsonrpc": "2.0", "id": "a", "method": "ping"},
        {"jsonrpc": "2.0", "method": "ping"},
        {"jsonrpc": "2.0", "id": "b", "method": "mark", "params": {"text": "in a batch"}},
        {"jsonrpc": "2.0", "id": "c", "method": "nope"},
        1,
    ]
    with serve.subscribe() as subscriber:
        receive(subscriber)
        answers = {answer["id"]: answer for answer in say(subscriber, batch)}
        assert set(answers) == {"a", "b", "c", None}
        assert answers["a"]["result"] == {"pong": True} and answers["b"]["result"]["seq"] > 1
        assert answers["c"]["error"]["code"] == ERROR_CODES["method"]
        assert answers[None]["error"]["code"] == ERROR_CODES["request"]
        assert say(subscriber, [])["error"]["code"] == ERROR_CODES["request"]


def test_rpc_notification_is_not_answered(serve):
    with serve.subscribe() as subscriber:
        receive(subscriber)
        subscriber.send('{"jsonrpc":"2.0","method":"ping"}')
        subscriber.send('[{"jsonrpc":"2.0","method":"ping"},{"jsonrpc":"2.0","method":"nope"}]')
        assert say(subscriber, {"request_id": 1})["payload"]["request_id"] == 1


def test_rpc_many_questions_at_once_are_all_answered(serve):
    with serve.subscribe() as subscriber:
        receive(subscriber)
        for number in range(2000):
            subscriber.send(json.dumps({"jsonrpc": "2.0", "id": number, "method": "stat"}))
        assert [receive(subscriber)["id"] for _ in range(2000)] == list(range(2000))


# Who may subscribe.


@pytest.mark.parametrize("origin", ["http://evil.example", "http://127.0.0.1.evil.example", "null", ""])
def test_origin_of_another_site_is_refused(serve, origin):
    with pytest.raises(InvalidStatus) as refused:
        serve.subscribe(additional_headers={"Origin": origin or "x"})
    assert refused.value.response.status_code == 403
    serve.wait_for("^refused what=subscriber .*--allow-origin")


def test_origin_that_calls_itself_by_this_host_is_refused(serve):
    """A site may point a name of its own at this machine (DNS rebinding)."""
    with socket.create_connection(serve.ws) as connection:
        connection.sendall(handshake("rebound.example", "Origin: http://rebound.example\r\n"))
        assert b"403" in connection.recv(4096).splitlines()[0]


def test_origin_of_the_same_host_or_allowed_is_welcome(start):
    serve = start("--allow-origin", "https://page.example,null")
    for origin in ("http://127.0.0.1:5173", "https://page.example", "null"):
        with serve.subscribe(additional_headers={"Origin": origin}) as subscriber:
            assert receive(subscriber)["type"] == "FULL_AST"


def test_token_is_asked_for(start):
    serve = start("--token", "sesame")
    for query_text, headers in [("", {}), ("?token=open", {}), ("", {"Authorization": "Bearer sesame2"})]:
        with pytest.raises(InvalidStatus) as refused:
            serve.subscribe(query_text, additional_headers=headers)
        assert refused.value.response.status_code == 401
    for query_text, headers in [("?token=sesame", {}), ("", {"Authorization": "Bearer sesame"})]:
        with serve.subscribe(query_text, additional_headers=headers) as subscriber:
            assert receive(subscriber)["type"] == "FULL_AST"
    assert not any("sesame" in line for line in logged(serve.db))


# Slow ones.


def handshake(host, more=""):
    key = base64.b64encode(os.urandom(16)).decode()
    upgrade = f"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n"
    return f"GET / HTTP/1.1\r\nHost: {host}\r\n{upgrade}{more}\r\n".encode()


def frames(data):
    """(opcode, payload) of each whole frame of a server's bytes after its handshake."""
    at = data.index(b"\r\n\r\n") + 4
    while at + 2 <= len(data):
        length, size = data[at + 1], 2
        if length == 126:
            length, size = int.from_bytes(data[at + 2 : at + 4], "big"), 4
        elif length == 127:
            length, size = int.from_bytes(data[at + 2 : at + 10], "big"), 10
        yield data[at] & 15, data[at + size : at + size + length]
        at += size + length


def test_slow_reader_costs_others_nothing_and_is_told_where_to_resume(start):
    serve = start("--durability", "process")
    live, names = serve.live(), ["a" * 8000, "b" * 8000]
    with socket.create_connection(serve.ws) as stalled, serve.subscribe(max_queue=None) as quick:
        stalled.sendall(handshake("127.0.0.1"))
        receive(quick)
        add_track(live, 0, "one")
        receive(quick)
        waits = []
        for index in range(2500):  # 16 KB each: more than the backlog of 32 MiB and what the kernel holds
            sent = time.monotonic()
            rename_track(live, 0, names[index % 2])
            last = receive(quick)
            waits.append(time.monotonic() - sent)
        assert sorted(waits)[len(waits) // 2] < 0.05, "the median of the quick one's waits"
        stalled.settimeout(PATIENCE_S)
        data = b"".join(iter(lambda: read_some(stalled), b""))
    got = list(frames(data))
    assert got[-1][0] == 8 and int.from_bytes(got[-1][1][:2], "big") == 1008
    seqs = [json.loads(payload)["seq"] for opcode, payload in got if opcode == 1]
    assert got[-1][1][2:].decode() == f"too slow: resume from {seqs[-1]}" and seqs[-1] < last["seq"]
    assert seqs == sorted(set(seqs))


def read_some(connection):
    try:
        return connection.recv(1 << 20)
    except ConnectionError:
        return b""
