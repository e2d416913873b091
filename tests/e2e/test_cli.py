"""The commands beside serve, as a person or a script runs them: on logs that `log import` made. Tests that need a
running serve take the fixture `served`; test_cli_files.py has log and send."""

import json
import os
import re
import subprocess
import time

import pytest

from cli import SYMLOG, TIMEOUT_S, imported, lines_of, numbers, received, symlog, udp_receiver
from log_lines import LOG_ID, LogLines, small_set

COMMANDS = ["serve", "replay", "verify", "log", "send", "stat", "mark", "ports"]


@pytest.fixture
def db(tmp_path):
    return imported(tmp_path, small_set())


# The frame.


def test_version_and_help():
    assert re.fullmatch(r"symlog \d+\.\d+\.\d+\n", symlog("--version")[0])
    output, _ = symlog("--help")
    for command in COMMANDS:
        assert re.search(rf"^  {command} ", output, re.MULTILINE)


@pytest.mark.parametrize("command", COMMANDS)
def test_help_of_each_command_has_an_example(command):
    output, _ = symlog(command, "--help")
    assert "usage: symlog " + command in output
    assert "example: " in output
    assert max(map(len, output.splitlines())) <= 120


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["nonsense"],
        ["replay", "--nonsense"],
        ["replay", "--from"],
        ["replay", "--at", "1", "--to", "2"],
        ["replay", "--speed", "-1"],
        ["replay", "--kind", "nonsense"],
        ["replay", "--state", "--digests", "1"],
        ["replay", "word"],
        ["verify", "--json"],
        ["log", "nonsense"],
        ["log", "export"],
        ["log", "import", "file", "--batch", "0"],
        ["log", "--raw"],
        ["send", "file"],
        ["send", "--to", "127.0.0.1:9"],
        ["stat", "--db", "a", "--ws", "ws://127.0.0.1:1"],
        ["stat", "--ws", "nonsense"],
        ["mark"],
        ["mark", ""],
    ],
)
def test_a_wrong_command_line_gives_status_2_and_a_hint(arguments):
    _, errors = symlog(*arguments, status=2)
    assert "--help" in errors or "usage: " in errors


def test_no_log_says_what_to_do(tmp_path):
    for command in ["replay", "verify", "log", "stat"]:
        _, errors = symlog(command, "--db", tmp_path / "none", status=1)
        assert "--db" in errors and "symlog serve" in errors
        assert len(errors.splitlines()) == 1


def test_environment_names_the_log(tmp_path, db):
    assert len(lines_of("log", environment={"SYMLOG_DB": str(tmp_path / "log")})) == 8
    data = tmp_path / "data"
    environment = {"SYMLOG_DB": "", "XDG_DATA_HOME": str(data)}
    symlog("log", "import", tmp_path / "log.ndjson", environment=environment)
    assert (data / "symlog" / "default").is_dir()
    assert len(lines_of("log", environment=environment)) == 8


# replay


def test_replay_shows_what_each_event_changed(db):
    lines = lines_of("replay", *db)
    assert len(lines) == 8
    assert 'tracks[0].name "Drums" -> "Kit"' in lines[7]
    assert "refused: no such index" in lines[6]


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (["--from", "3", "--to", "4"], [3, 4]),
        (["--at", "6"], [6]),
        (["--from", "chorus"], [5, 6, 7, 8]),
        (["--to", "mark:chorus"], [1, 2, 3, 4, 5]),
        (["--from", "+2", "--to", "+2.5"], [4, 5]),
        (["--from", "+2.6"], [6, 7, 8]),
        (["--from", "2023-11-14T22:13:23Z"], [6, 7, 8]),
        (["--from", "2023-11-14T23:13:23+01:00", "--to", "2023-11-14T22:13:24"], [6, 7]),
        (["--to", "2023-11-14"], []),
        (["--from", "99"], []),
        (["--kind", "mark"], [5]),
        (["--kind", "4", "--to", "4"], [3, 4]),
        (["--source", "127.0.0.1:50000", "--kind", "osc"], [3, 4, 6, 7, 8]),
        (["--source", "127.0.0.1"], [2, 3, 4, 6, 7, 8]),
        (["--source", "1", "--from", "7"], [7, 8]),
        (["--source", "127.0.0"], []),
        (["--node", "tracks[1]"], [4, 6]),
        (["--node", "tracks[0]"], [3, 8]),
        (["--node", "project"], [3, 4, 6, 8]),
        (["--node", "tracks[7]"], []),
    ],
)
def test_replay_shows_the_events_asked_for(db, options, expected):
    assert numbers(lines_of("replay", *db, *options)) == expected
    shown = [json.loads(line)["event"]["seq"] for line in lines_of("replay", *db, "--json", *options)]
    assert shown == expected


def test_node_filter_shows_what_removes_and_what_moves_it(tmp_path):
    lines = small_set()
    lines.osc("/live/track/deleted", ("i", 0))
    lines.osc("/live/track/added", ("i", 0), ("s", "New"))
    lines.osc("/live/track/deleted", ("i", 1))
    db = imported(tmp_path, lines)
    assert numbers(lines_of("replay", *db, "--node", "tracks[1]", "--from", "9")) == [9, 10, 11]


def test_replay_json_carries_the_messages(db):
    last = json.loads(lines_of("replay", *db, "--json")[-1])
    (change,) = last["messages"][-1]["payload"]["diff"]["changes"]
    assert (change["path"], change["old_value"], change["new_value"]) == (
        "tracks[0]",
        {"name": "Drums"},
        {"name": "Kit"},
    )
    assert last["messages"][-1]["seq"] == 8


@pytest.mark.parametrize(
    ("at", "names"), [("0", []), ("3", ["Drums"]), ("chorus", ["Drums", "Bass"]), ("8", ["Kit", "Bass"])]
)
def test_state_at_a_moment(db, at, names):
    tree = json.loads(symlog("replay", *db, "--at", at, "--state", "--json")[0])
    assert [child["attributes"]["name"] for child in tree.get("children", [])] == names


def test_state_as_text(db):
    output, _ = symlog("replay", *db, "--state")
    assert 'name="Kit"' in output and 'name="Drums"' not in output


def test_a_moment_that_is_not_there(db):
    _, errors = symlog("replay", *db, "--at", "9", status=1)
    assert "ends at event 8" in errors
    _, errors = symlog("replay", *db, "--from", "bridge", status=1)
    assert 'no mark "bridge"' in errors


def test_digests_tell_of_every_nth_state_and_the_last(db):
    every = lines_of("replay", *db, "--digests", "1")
    assert numbers(every) == list(range(1, 9))
    assert lines_of("replay", *db, "--digests", "3") == [every[2], every[5], every[7]]
    assert json.loads(symlog("stat", *db, "--json")[0])["digest"] == every[7].split()[1]


def test_a_reader_that_leaves_ends_replay_quietly(tmp_path):
    lines = small_set()
    for i in range(5000):
        lines.osc("/live/track/volume", ("i", 0), ("f", i / 5000), seconds=6)
    db = imported(tmp_path, lines)
    with subprocess.Popen([SYMLOG, "replay", *map(str, db)], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as replay:
        assert replay.stdout.readline().startswith(b"1 ")
        replay.stdout.close()
        assert replay.stderr.read() == b""
        assert replay.wait(TIMEOUT_S) == 0


def test_a_full_disk_is_told(db):
    with open("/dev/full", "w") as full:
        ended = subprocess.run([SYMLOG, "replay", *map(str, db)], stdout=full, stderr=subprocess.PIPE, check=False)
    assert ended.returncode == 1
    assert b"No space left" in ended.stderr


def test_speed_keeps_the_recorded_time(db):
    began = time.monotonic()
    symlog("replay", *db, "--from", "3", "--to", "8", "--speed", "10")
    assert 0.39 <= time.monotonic() - began < 3


def test_to_osc_sends_the_recorded_bytes_on(db):
    receiver, target = udp_receiver()
    symlog("replay", *db, "--to-osc", target, "--from", "4")
    recorded = [bytes.fromhex(event["payload"]) for event in small_set().events if event["kind"] == 4]
    assert received(receiver, 4) == recorded[1:]


# verify


def with_checkpoint(tmp_path, through, reducer_version=None, digest=None):
    """The --db options of the small set with a checkpoint after it; right but for what is given."""
    db = imported(tmp_path, small_set(), "plain")
    true = dict(line.split() for line in lines_of("replay", *db, "--digests", "1")).get(str(through), "0" * 32)
    version = json.loads(symlog("stat", *db, "--json")[0])["reducer_version"]
    lines = small_set()
    lines.mark("later")
    lines.checkpoint(through, digest or true, reducer_version or version)
    return imported(tmp_path, lines)


def test_verify_a_whole_log(tmp_path):
    assert symlog("verify", *with_checkpoint(tmp_path, 6))[0] == "ok: 10 events; checkpoints: 1 proven\n"


def test_verify_names_a_wrong_checkpoint(tmp_path):
    output, _ = symlog("verify", *with_checkpoint(tmp_path, 6, digest="1" * 32), status=1)
    assert "checkpoint 10" in output and "event 6" in output and "1 wrong" in output


def test_verify_refuses_a_checkpoint_of_the_future(tmp_path):
    output, _ = symlog("verify", *with_checkpoint(tmp_path, 10), status=1)
    assert "comes after it" in output


def test_verify_does_not_compare_with_another_reducer(tmp_path):
    output, _ = symlog("verify", *with_checkpoint(tmp_path, 6, reducer_version=99, digest="1" * 32))
    assert "1 not comparable" in output and "wrong" not in output


def test_verify_names_the_first_damaged_event(tmp_path, db):
    data = tmp_path / "log" / "data.mdb"
    stored = data.read_bytes()
    assert stored.count(b"Nobody") >= 1
    data.write_bytes(stored.replace(b"Nobody", b"Nobodi"))
    output, _ = symlog("verify", *db, status=1)
    assert "first at event 7" in output
    _, errors = symlog("replay", *db, status=1)
    assert "7" in errors and "symlog verify" in errors


def test_verify_survives_a_file_cut_short(tmp_path):
    lines = small_set()
    for _ in range(2000):
        lines.mark("x" * 500)
    db = imported(tmp_path, lines)
    data = tmp_path / "log" / "data.mdb"
    os.truncate(data, data.stat().st_size // 2)
    output, errors = symlog("verify", *db, status=1)
    assert "not ok" in output + errors


# stat


def test_stat_of_a_dead_log(db):
    stat = json.loads(symlog("stat", *db, "--json")[0])
    assert (stat["log_id"], stat["head"]) == (LOG_ID, 8)
    (source,) = stat["sources"]
    assert source["name"] == "127.0.0.1:50000" and source["session"] == 7
    output, _ = symlog("stat", *db)
    assert LOG_ID in output and "event 8" in output and "no picture yet" in output


def test_stat_of_an_empty_log(tmp_path):
    db = imported(tmp_path, LogLines())
    assert json.loads(symlog("stat", *db, "--json")[0])["head"] == 0
    assert "none yet" in symlog("stat", *db)[0]


# With a running serve.


@pytest.fixture
def served(serve):
    """A running serve: (its --db options, the URL of its WebSocket)."""
    return ["--db", serve.db], "ws://{}:{}".format(*serve.ws)


def test_mark_tells_its_number(served):
    db, url = served
    number = int(symlog("mark", "the drop", "--ws", url)[0])
    (line,) = lines_of("log", *db, "--from", "the drop", "--to", "the drop")
    assert line.startswith(f"{number} ") and '"the drop"' in line


def test_stat_asks_a_running_serve(served):
    db, url = served
    seq = int(symlog("mark", "here", "--ws", url)[0])
    stat = json.loads(symlog("stat", "--ws", url, "--json")[0])
    assert stat["head"] >= seq
    assert stat["log_id"] == json.loads(symlog("stat", *db, "--json")[0])["log_id"]
    assert "event " in symlog("stat", "--ws", url)[0]


def test_commands_read_a_log_that_is_being_written(served):
    db, url = served
    symlog("mark", "here", "--ws", url)
    assert lines_of("replay", *db, "--kind", "mark")
    assert symlog("verify", *db)[0].startswith("ok: ")


def test_nobody_answers():
    for arguments in [["mark", "x", "--ws", "ws://127.0.0.1:1"], ["stat", "--ws", "ws://127.0.0.1:1"]]:
        _, errors = symlog(*arguments, status=1)
        assert "symlog serve" in errors


def test_a_token_goes_into_the_address(start):
    host, port = start("--token", "secret").ws
    _, errors = symlog("mark", "x", "--ws", f"ws://{host}:{port}", status=1)
    assert "?token=" in errors
    assert int(symlog("mark", "x", "--ws", f"ws://{host}:{port}/?token=secret")[0]) > 0
