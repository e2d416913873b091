"""What goes into a log and out of it: log, log export, log import, send."""

import json
import signal
import subprocess
import time

import pytest

from cli import SYMLOG, TIMEOUT_S, imported, lines_of, numbers, received, symlog, udp_receiver
from log_lines import LOG_ID, LogLines, message, small_set


@pytest.fixture
def db(tmp_path):
    return imported(tmp_path, small_set())


# log


def test_log_prints_a_line_an_event(db):
    lines = lines_of("log", *db)
    assert numbers(lines) == list(range(1, 9))
    assert '/live/track/added 0 "Drums"' in lines[2] and "127.0.0.1:50000" in lines[2]
    assert numbers(lines_of("log", *db, "--from", "3", "--to", "5")) == [3, 4, 5]


def test_log_json_is_an_object_a_line(db):
    events = [json.loads(line) for line in lines_of("log", *db, "--json")]
    assert [event["seq"] for event in events] == list(range(1, 9))
    assert all("text" in event for event in events)


def test_export_and_import_keep_everything(tmp_path, db):
    first, second = tmp_path / "first.ndjson", tmp_path / "second.ndjson"
    symlog("log", "export", first, *db)
    symlog("log", "import", first, "--db", tmp_path / "copy", "--batch", "3")
    symlog("log", "export", second, "--db", tmp_path / "copy")
    assert first.read_bytes() == second.read_bytes()
    head, *events = [json.loads(line) for line in first.read_text().splitlines()]
    assert head == {"symlog_log": 1, "log_id": LOG_ID}
    for event, original in zip(events, small_set().events, strict=True):
        assert {key: event[key] for key in original} == original


def test_export_and_import_by_pipe(tmp_path, db):
    exported, _ = symlog("log", "export", "-", *db)
    symlog("log", "import", "-", "--db", tmp_path / "copy", stdin=exported.encode())
    assert symlog("log", "export", "-", "--db", tmp_path / "copy")[0] == exported


def test_extreme_numbers_come_back(tmp_path):
    lines = LogLines()
    lines.add("mark", b"\0\xff", seconds=9_000_000_000, source=2**32 - 1, session=-1, number=-2)
    lines.add("mark", b"", session=2**63 - 1, number=2**63 - 1)
    lines.add("mark", bytes(100_000))
    lines.events[1]["kind"] = 65535
    db = imported(tmp_path, lines)
    exported, _ = symlog("log", "export", "-", *db)
    for line, original in zip(exported.splitlines()[1:], lines.events, strict=True):
        assert {key: json.loads(line)[key] for key in original} == original


def test_import_refuses_a_log_that_is_there(tmp_path, db):
    _, errors = symlog("log", "import", tmp_path / "log.ndjson", *db, status=1)
    assert "holds a log already" in errors and "--db" in errors
    assert len(lines_of("log", *db)) == 8


def edited(number, **changes):
    """The file of the small set with changes to the event so numbered; None takes a key away."""
    lines = small_set()
    event = lines.events[number - 1]
    event.update(changes)
    for key in [key for key, value in changes.items() if value is None]:
        del event[key]
    return lines


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"seq": 9}, "4 is due"),
        ({"seq": None}, '"seq"'),
        ({"time_ns": -1}, '"time_ns"'),
        ({"time_ns": 1.5}, '"time_ns"'),
        ({"kind": "nonsense"}, "kind"),
        ({"kind": 65536}, '"kind"'),
        ({"source": 2**32}, '"source"'),
        ({"session": "7"}, '"session"'),
        ({"payload": "abc"}, '"payload"'),
        ({"payload": "zz"}, '"payload"'),
        ({"payload": None}, '"payload"'),
        ({"nonsense": 1}, '"nonsense"'),
    ],
)
def test_import_names_the_line_of_bad_input(tmp_path, changes, words):
    path = edited(4, **changes).write(tmp_path / "bad.ndjson")
    _, errors = symlog("log", "import", path, "--db", tmp_path / "log", status=1)
    assert "line 5: " in errors and words in errors
    assert "first 3 events were imported" in errors


@pytest.mark.parametrize(
    "head", ["", "{}", "[]", "{", '{"symlog_log":2,"log_id":"00"}', '{"symlog_log":1,"log_id":"12"}']
)
def test_import_refuses_a_bad_head(tmp_path, head):
    _, errors = symlog("log", "import", "-", "--db", tmp_path / "log", stdin=head.encode(), status=1)
    assert "nothing was imported" in errors
    assert not (tmp_path / "log").exists()


def test_follow_goes_on_and_ends_on_interrupt(db):
    follower = subprocess.Popen([SYMLOG, "log", *db, "--follow", "--from", "8"], stdout=subprocess.PIPE)
    assert follower.stdout.readline().startswith(b"8 ")
    assert follower.poll() is None
    follower.send_signal(signal.SIGINT)
    assert follower.wait(TIMEOUT_S) == 0


def test_follow_ends_when_its_reader_has_left(db):
    follower = subprocess.Popen([SYMLOG, "log", *db, "--follow"], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    follower.stdout.readline()
    follower.stdout.close()
    assert follower.wait(TIMEOUT_S) == 0
    assert follower.stderr.read() == b""


# send


def send(*lines):
    return "".join(json.dumps(line) + "\n" for line in lines).encode()


def test_send_wraps_and_numbers(tmp_path):
    receiver, target = udp_receiver()
    lines = send(
        {"t": 0, "path": "/symlog/hello", "args": [["s", "x"]]},
        {"t": 0.01, "path": "/live/track/mute", "args": [["i", 3], ["T", True]]},
        {"t": 0.02, "path": "/live/track/pan", "args": [["i", 3], ["f", -0.5]]},
        {"t": 0.03, "path": "/live/track/pan", "args": [["i", 4], ["f", 0.25]], "wrap": False},
    )
    symlog("send", "-", "--to", target, stdin=lines)
    hello, mute, pan, bare = received(receiver, 4)
    assert hello.startswith(b"/symlog/hello\0") and b",hssi" in hello  # its own; the line of the file is left out
    assert without_timestamp(mute) == without_timestamp(
        message("/live/seq", ("i", 0), ("f", 0.0), ("s", "/live/track/mute"), ("i", 3), ("T", True))
    )
    assert without_timestamp(pan) == without_timestamp(
        message("/live/seq", ("i", 1), ("f", 0.0), ("s", "/live/track/pan"), ("i", 3), ("f", -0.5))
    )
    assert bare == message("/live/track/pan", ("i", 4), ("f", 0.25))


def without_timestamp(datagram):
    """The wrapper's arguments begin behind its address and tags, each padded to four bytes."""
    tags = datagram.index(b",")
    timestamp = tags + (datagram.index(b"\0", tags) - tags) // 4 * 4 + 4 + 4
    return datagram[:timestamp] + datagram[timestamp + 4 :]


def test_send_plain_in_time_and_blobs():
    receiver, target = udp_receiver()
    lines = send(
        {"t": 0, "path": "/a", "args": [["b", "AAEC"], ["h", -5]]},
        {"t": 2, "path": "/b"},
    )
    began = time.monotonic()
    symlog("send", "-", "--to", target, "--plain", "--speed", "10", stdin=lines)
    assert 0.19 <= time.monotonic() - began < 3
    assert received(receiver, 2) == [
        b"/a\0\0,bh\0" + b"\0\0\0\3\0\1\2\0" + (-5).to_bytes(8, "big", signed=True),
        b"/b\0\0,\0\0\0",
    ]


def test_send_an_exported_log(tmp_path, db):
    receiver, target = udp_receiver()
    symlog("log", "export", tmp_path / "out.ndjson", *db)
    output, _ = symlog("send", tmp_path / "out.ndjson", "--to", target, "--speed", "max")
    assert output == f"sent 5 packets to {target}\n"
    recorded = [bytes.fromhex(event["payload"]) for event in small_set().events if event["kind"] == 4]
    assert received(receiver, 5) == recorded


@pytest.mark.parametrize(
    "line",
    [
        {"path": "no slash"},
        {"t": 1},
        {"t": -1, "path": "/a"},
        {"path": "/a", "args": [["i"]]},
        {"path": "/a", "args": [["i", 1.5]]},
        {"path": "/a", "args": [["i", "word"]]},
        {"path": "/a", "args": [["?", 1]]},
        {"path": "/a", "args": [3]},
        {"path": "/a", "args": {}},
    ],
)
def test_send_names_the_line_of_bad_input(line):
    good = {"path": "/a"}
    _, errors = symlog("send", "-", "--to", "127.0.0.1:9", stdin=send(good, line), status=1)
    assert "line 2: " in errors


def test_send_refuses_a_bad_target():
    assert "9002" in symlog("send", "-", "--to", "9002", stdin=b"", status=2)[1]
