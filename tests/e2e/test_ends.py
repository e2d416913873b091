"""How commands end when the machine does not give what they need: disks that are full, folders that go, others who do
not answer; and that what cannot start leaves nothing behind."""

import os
import shutil
import signal
import socket
import subprocess

import pytest
from cli import imported, symlog
from log_lines import small_set
from serving import BINARY, PATIENCE_S, run_symlog

DEV_FULL = "/dev/full"


@pytest.fixture
def db(tmp_path):
    return imported(tmp_path, small_set())


@pytest.mark.parametrize(
    "words",
    [["stat"], ["log"], ["replay"], ["replay", "--state"], ["verify"], ["watch", "--once"], ["log", "export", "-"]],
    ids=" ".join,
)
def test_ends_full_disk_behind_standard_output(db, words):
    with open(DEV_FULL, "wb") as full:
        ended = subprocess.run([BINARY, *words, *map(str, db)], stdout=full, stderr=subprocess.PIPE, check=False)
    assert ended.returncode == 1 and b"No space left on device" in ended.stderr


@pytest.mark.parametrize("words", [["--help"], ["--version"], ["log", "--help"]], ids=" ".join)
def test_ends_full_disk_behind_help(words):
    with open(DEV_FULL, "wb") as full:
        ended = subprocess.run([BINARY, *words], stdout=full, stderr=subprocess.PIPE, check=False)
    assert ended.returncode == 1 and b"No space left on device" in ended.stderr


def test_ends_full_disk_behind_repair(tmp_path, db):
    with open(DEV_FULL, "wb") as full:
        command = [BINARY, "verify", *map(str, db), "--repair", str(tmp_path / "saved")]
        ended = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, check=False)
    assert ended.returncode == 1


@pytest.mark.parametrize("raw", [[], ["--raw"]], ids=["ndjson", "raw"])
def test_ends_failed_export_removes_no_device(tmp_path, db, raw):
    device = tmp_path / "device"
    device.symlink_to(DEV_FULL)
    _, errors = symlog("log", "export", *raw, device, *db, status=1)
    assert "No space left on device" in errors and device.is_symlink()


def test_ends_serve_that_cannot_listen_leaves_nothing(tmp_path):
    taken = {"--osc": socket.socket(socket.AF_INET, socket.SOCK_DGRAM), "--ws": socket.socket()}
    for option, other in (("--osc", "--ws"), ("--ws", "--osc")):
        with taken[option] as holder:
            holder.bind(("127.0.0.1", 0))
            if option == "--ws":
                holder.listen()
            port = holder.getsockname()[1]
            ended = run_symlog("serve", "--db", tmp_path / "log", option, port, other, "0")
        assert ended.returncode == 1 and f"cannot listen on 127.0.0.1:{port} " in ended.stderr
        assert "Address already in use" in ended.stderr and not (tmp_path / "log").exists()


def test_ends_serve_whose_log_was_deleted(start):
    serve = start()
    shutil.rmtree(serve.db)
    assert serve.process.wait(PATIENCE_S) == 1
    serve.wait_for("the log's file was deleted while it was being written")


def test_ends_serve_whose_log_is_cut_short(start):
    serve = start()
    os.truncate(serve.db / "data.mdb", 8192)
    serve.live().send("/live/track/added", ("i", 0), ("s", "Drums"))
    assert serve.process.wait(PATIENCE_S) == 1
    serve.wait_for("data.mdb is damaged or cut short; symlog verify")


def test_ends_mark_when_nobody_answers(start):
    serve = start()
    serve.process.send_signal(signal.SIGSTOP)
    try:
        ended = run_symlog("mark", "drop", "--ws", "ws://{}:{}".format(*serve.ws))  # Its patience is 10 seconds.
    finally:
        serve.process.send_signal(signal.SIGCONT)
    assert ended.returncode == 1 and "no answer from" in ended.stderr and "in 10 seconds" in ended.stderr


def test_ends_send_of_what_no_datagram_holds(tmp_path):
    lines = tmp_path / "long.ndjson"
    lines.write_text('{"path": "/live/track/renamed", "args": [["i", 0], ["s", "%s"]]}\n' % ("x" * 70_000))
    _, errors = symlog("send", lines, "--to", "127.0.0.1:9", "--linger", "0", status=1)
    assert "line 1: it cannot be sent: a datagram has at most 65,507 bytes" in errors


@pytest.mark.parametrize(
    ("words", "word"),
    [
        (["log", "--from", "9"], "the log ends with event 8"),
        (["replay", "--from", "5", "--to", "3"], "nothing lies there"),
        (["replay", "--at", "2001-01-01"], "nothing was recorded by then"),
        (["replay", "--source", "nobody"], 'no source "nobody"'),
        (["replay", "--node", "tracks[7]"], 'no node "tracks[7]"'),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_ends_with_a_word_where_nothing_is_shown(db, words, word):
    output, errors = symlog(*words, *db)
    assert output == "" and word in errors


def test_ends_state_of_chosen_events_is_refused(db):
    _, errors = symlog("replay", "--state", "--source", "1", *db, status=2)
    assert "without --state" in errors
