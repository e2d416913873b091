"""The process: starting, stopping, starting again, and what it makes of what should not come."""

import os
import pty
import re
import resource
import signal
import socket
import subprocess
import time

import pytest
from serving import BINARY, PATIENCE_S, Serve, call, logged, query, receive, receive_until, run_symlog, wait_until
from websockets.exceptions import ConnectionClosed


def head(serve):
    with serve.subscribe() as subscriber:
        receive(subscriber)
        return call(subscriber, "stat")["result"]["head"]


def content_digest(serve):
    with serve.subscribe() as subscriber:
        receive(subscriber)
        return call(subscriber, "digest")["result"]["content_digest"]


def play(serve, count=100):
    """Adds a track and renames it; returns when a subscriber has seen the last name."""
    live = serve.live()
    with serve.subscribe() as subscriber:
        receive(subscriber)
        live.send("/live/track/added", ("i", 0), ("s", "track"))
        for number in range(count):
            live.send("/live/track/renamed", ("i", 0), ("s", f"name {number}"))
        last = f'"name {count - 1}"'
        return receive_until(subscriber, lambda m: last in str(m).replace("'", '"'))[-1]["seq"]


def test_serve_says_where_everything_is(serve, tmp_path):
    assert re.match(rf"^log dir={tmp_path}/log events=0 id=[0-9a-f]{{32}}$", serve.lines[0])
    assert re.match(r"^listening osc=127\.0\.0\.1:\d+$", serve.lines[1])
    assert re.match(r"^listening ws=127\.0\.0\.1:\d+$", serve.lines[2])


def test_serve_restart_keeps_everything(start):
    first = start()
    play(first)
    before = content_digest(first)
    assert first.stop() == 0
    lines = logged(first.db)

    second = start()
    assert second.lines[0].startswith("log dir=") and f" events={len(lines)} " in second.lines[0]
    assert content_digest(second) == before
    with second.subscribe() as subscriber:
        assert receive(subscriber)["payload"]["ast"]["children"][0]["attributes"]["name"] == "name 99"
    assert logged(first.db)[: len(lines)] == lines
    assert run_symlog("verify", "--db", first.db).returncode == 0


def test_serve_counts_go_on_after_a_restart(start):
    def counts(serve):
        def find():
            with serve.subscribe() as subscriber:
                receive(subscriber)
                sources = call(subscriber, "stat")["result"]["sources"]
                return next((s for s in sources if s["name"] == name and s["queue_size"] == 0 and s["received"]), None)

        return wait_until(find, "counters")

    first = start()
    live = first.live()
    name = "{}:{}".format(*live.socket.getsockname())
    for number in range(10):
        live.send("/live/track/added", ("i", 0), ("s", f"track {number}"))
    wait_until(lambda: counts(first)["received"] == 10, "all counted")
    assert first.stop() == 0
    assert counts(start())["received"] == 10


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_serve_stopped_commits_everything_received(start, number):
    serve = start()
    live = serve.live()
    live.send("/live/track/added", ("i", 0), ("s", "track"))
    for index in range(999):
        live.send("/live/track/renamed", ("i", 0), ("s", f"name {index}"))
    assert serve.stop(number) == 0
    assert serve.lines[-1].startswith("stopped events=")
    assert sum(line.split()[2] == "osc" for line in logged(serve.db)) == 1000


def test_serve_stopped_says_goodbye(serve):
    with serve.subscribe() as subscriber:
        receive(subscriber)
        serve.process.send_signal(signal.SIGINT)
        with pytest.raises(Exception) as closed:
            receive(subscriber)
        assert closed.value.rcvd.code == 1001
    assert serve.process.wait(PATIENCE_S) == 0


def test_serve_killed_has_all_that_it_told(start):
    serve = start()
    told = play(serve)
    assert serve.stop(signal.SIGKILL) == -signal.SIGKILL
    again = start()
    assert int(re.search(r" events=(\d+)", again.lines[0])[1]) >= told
    assert run_symlog("verify", "--db", serve.db).returncode == 0
    with again.subscribe() as subscriber:
        receive(subscriber)
        assert query(subscriber, path="tracks[0]")["attributes"]["name"] == "name 99"


def test_serve_commit_that_fails_ends_it(tmp_path):
    """A file that may not grow stands for a full disk: what was told is there, what could not be committed was not."""
    limit = lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, 300_000))  # noqa: E731
    serve = Serve(tmp_path / "log", popen={"preexec_fn": limit, "restore_signals": False})
    live, told = serve.live(), 0
    with serve.subscribe() as subscriber:
        told = receive(subscriber)["seq"]
        live.send("/live/track/added", ("i", 0), ("s", "track"))
        with pytest.raises(ConnectionClosed):
            while True:
                told = receive(subscriber)["seq"]
                live.send("/live/track/renamed", ("i", 0), ("s", f"{told}" * 100))
    assert serve.process.wait(PATIENCE_S) == 1
    serve.wait_for(rf"^symlog serve: .*the log ends with event {told}")
    again = Serve(tmp_path / "log")
    assert f" events={told} " in again.lines[0]
    assert again.stop() == 0
    assert run_symlog("verify", "--db", serve.db).returncode == 0


def test_serve_same_log_twice_is_refused(serve):
    ended = run_symlog("serve", "--db", serve.db, "--osc", "0", "--ws", "0")
    assert ended.returncode == 1
    assert "another symlog serve" in ended.stderr and len(ended.stderr.splitlines()) == 1
    assert head(serve) >= 1


def test_serve_port_in_use_is_said(serve, tmp_path):
    for option, (host, port) in (("--ws", serve.ws), ("--osc", serve.osc)):
        other = "--osc" if option == "--ws" else "--ws"
        ended = run_symlog("serve", "--db", tmp_path / "other", option, f"{host}:{port}", other, "0")
        assert ended.returncode == 1 and str(port) in ended.stderr, ended
        assert len(ended.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    "options",
    [
        ["--nope"],
        ["--osc"],
        ["--osc", "nine"],
        ["--osc", "99999"],
        ["--ws", "host.example:80"],
        ["--ws", "0.0.0.0:0"],
        ["--ws", "0.0.0.0:0", "--token", ""],
        ["--durability", "maybe"],
        ["word"],
        ["--checkpoint-every", "0"],
    ],
)
def test_serve_bad_options_are_refused(options, tmp_path):
    ended = run_symlog("serve", "--db", tmp_path / "log", *options)
    assert ended.returncode == 2 and ended.stdout == ""
    assert ended.stderr.startswith("symlog serve: ") and "--help" in ended.stderr
    assert len(ended.stderr.splitlines()) == 1 and not (tmp_path / "log").exists()


def test_serve_beyond_loopback_with_a_token(start):
    serve = start("--ws", "0.0.0.0:0", "--token", "sesame")
    with serve.subscribe("?token=sesame") as subscriber:
        assert receive(subscriber)["type"] == "FULL_AST"


@pytest.mark.parametrize(
    "datagram", [b"", b"x", b"junk", b"/live/seq\0\0\0", b"/live/seq\0\0\0,is\0", b"#bundle\0" + b"\xff" * 16, b"\0" * 65000]
)
def test_serve_malformed_datagram_is_counted_and_not_answered(serve, datagram):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.connect(serve.osc)
        for _ in range(3):
            sender.send(datagram)
        serve.wait_for("^refused what=datagram ")
        sender.settimeout(0.2)
        with pytest.raises(TimeoutError):
            sender.recv(1)
    assert serve.count("^refused ") == 1, "told once per kind"

    def refused():
        with serve.subscribe() as subscriber:
            receive(subscriber)
            return call(subscriber, "stat")["result"]["refused_unnamed"] == 3

    wait_until(refused, "the counters")


def test_serve_checkpoints_by_number_and_in_quiet(start):
    serve = start("--checkpoint-every", "50")
    play(serve, 500)
    wait_until(lambda: sum(" checkpoint " in line for line in logged(serve.db)) >= 9, "checkpoints by number")
    play(serve, 3)
    wait_until(lambda: " checkpoint " in logged(serve.db)[-1], "a checkpoint in quiet")
    count = len(logged(serve.db))
    time.sleep(2.5)
    assert len(logged(serve.db)) == count, "silence appends nothing"
    assert serve.stop() == 0
    ended = run_symlog("verify", "--db", serve.db)
    assert ended.returncode == 0, ended


def test_serve_started_in_the_middle_of_a_set_says_so_once(serve):
    play(serve)
    serve.wait_for(r'^stale reason="no picture yet" hint=".*save the set')
    play(serve)
    assert serve.count("^stale ") == 1


def test_serve_flood_is_complete_or_counted(serve):
    """What arrives is in the log; what does not is in the counters."""
    live, count = serve.live(), 50000
    datagrams = [live.sender.encode([("/live/track/added", [("i", 0), ("s", "t")])])]
    datagrams += [
        live.sender.encode([("/live/track/volume", [("i", 0), ("f", n / count)])]) for n in range(count - 1)
    ]
    for datagram in datagrams:
        live.send_bytes(datagram)

    def totals():
        with serve.subscribe() as subscriber:
            receive(subscriber)
            stat = call(subscriber, "stat")["result"]
            [source] = [s for s in stat["sources"] if s["name"].startswith("127.")]
            return source["processed"] + source["dropped"] + stat["kernel_drops"] == count and source

    source = wait_until(totals, "every datagram accounted for")
    assert source["queue_size"] == 0
    assert serve.stop() == 0
    assert run_symlog("verify", "--db", serve.db).returncode == 0


def test_serve_on_a_terminal_draws_one_line(tmp_path):
    ours, theirs = pty.openpty()
    command = [BINARY, "serve", "--db", str(tmp_path / "log"), "--osc", "0", "--ws", "0"]
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=theirs, stderr=theirs)
    os.close(theirs)
    shown = b""
    deadline = time.monotonic() + PATIENCE_S
    while b" 0 subscribers" not in shown and time.monotonic() < deadline:
        shown += os.read(ours, 4096)
    process.send_signal(signal.SIGINT)
    assert process.wait(PATIENCE_S) == 0
    os.close(ours)
    text = shown.decode()
    assert "udp://127.0.0.1:" in text and "ws://127.0.0.1:" in text and "0 subscribers" in text
