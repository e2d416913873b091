"""Live code in a running serve: what clients, the shell and saved files say, and what they are told."""

import json
import os
import pty
import subprocess
import time

import pytest
from serving import BINARY, call, logged, receive, receive_until, run_symlog, wait_until

DRUMS = "track('drums', t => t.clip(Drums.euclidean(16, 5)))"
BASS = "track('bass', t => t.clip(Clip.melody().note('E2', '8n').loop(8)))"
SOON_S = 0.6


def evaluate(socket, code, **params):
    return call(socket, "eval", code=code, **params)["result"]


def kinds(serve):
    return [line.split()[2] for line in logged(serve.db)]


def tracks(socket):
    session = call(socket, "query", path="sessions[0]")["result"]
    return [child["attributes"]["name"] for child in session["children"]]


@pytest.fixture
def socket(serve):
    with serve.subscribe() as socket:
        yield socket


def url(serve):
    return "ws://{}:{}".format(*serve.ws)


def symlog(serve, *words, **options):
    command = [BINARY, *words, "--ws", url(serve)]
    return subprocess.run(command, capture_output=True, text=True, timeout=20, check=False, **options)


def test_an_edit_is_logged_evaluated_and_in_the_tree(serve, socket):
    result = evaluate(socket, DRUMS)
    assert result["success"] and result["changed"] == ["drums"]
    assert tracks(socket) == ["drums"]
    named = kinds(serve)
    assert named.index("code") < named.index("score") == result["seq"] - 1


def test_only_what_changed_is_told(socket):
    evaluate(socket, DRUMS)
    evaluate(socket, BASS)
    assert evaluate(socket, f"{DRUMS}; {BASS}")["changed"] == []
    assert evaluate(socket, BASS.replace("E2", "F2"))["changed"] == ["bass"]
    lead = evaluate(socket, "Session.create().track('lead', t => t.clip(Clip.melody().note('C4', '4n')))")
    assert sorted(lead["changed"]) == ["bass", "drums", "lead"]
    assert tracks(socket) == ["lead"]


@pytest.mark.parametrize(
    ("code", "message", "line", "column"),
    [
        ("track('a', t =>\n  t.clip(Clip.melody().note('H2', '8n')))", "H2", 2, None),
        ("let a = 1;\nlet b = ;", None, 2, None),
        ("\nthrow new Error('my own')", "my own", 2, None),
        ("nothing.is()", "nothing", 1, None),
    ],
)
def test_an_error_says_where_and_changes_nothing(serve, socket, code, message, line, column):
    evaluate(socket, DRUMS)
    before = call(socket, "digest")["result"]["content_digest"]
    result = evaluate(socket, code)
    assert not result["success"] and result["changed"] == [] and result["at_beat"] is None
    assert message is None or message in result["error"]["message"]
    assert result["error"]["line"] == line
    assert call(socket, "digest")["result"]["content_digest"] == before
    assert "refused" in kinds(serve)


def test_an_endless_loop_is_ended_and_others_are_served_meanwhile(serve, socket):
    with serve.subscribe() as other:
        socket.send(json.dumps({"jsonrpc": "2.0", "id": 1, "method": "eval", "params": {"code": "for (;;) {}"}}))
        latencies = []
        for _ in range(20):
            begin = time.monotonic()
            assert call(other, "ping")["result"] == {"pong": True}
            latencies.append(time.monotonic() - begin)
            time.sleep(0.05)
        assert sorted(latencies)[len(latencies) // 2] < 0.1
        answer = receive_until(socket, lambda message: message.get("id") == 1)[-1]
        assert not answer["result"]["success"] and "2 s" in answer["result"]["error"]["message"]
        assert evaluate(other, DRUMS)["success"]


def test_definitions_of_named_buffers_survive(serve, start, socket):
    assert evaluate(socket, "const groove = () => Drums.euclidean(16, 7)", name="mine.js")["success"]
    assert evaluate(socket, "track('drums', t => t.clip(groove()))")["success"]
    socket.close()
    serve.stop()
    with start(db=serve.db).subscribe() as socket:
        assert evaluate(socket, "track('more', t => t.clip(groove()))")["success"]
        assert not evaluate(socket, "track('none', t => t.clip(unknown()))")["success"]


def test_an_edit_that_too_much_came_after_is_answered(socket, tmp_path):
    """The state keeps 4 MiB of texts that wait; the oldest go, and who sent them is told."""
    for number, code in enumerate(["for (;;) {}", BASS]):
        socket.send(json.dumps({"jsonrpc": "2.0", "id": f"e{number}", "method": "eval", "params": {"code": code}}))
    for number in range(5):
        file = tmp_path / f"long{number}.js"
        file.write_text(f"// {number}" + "x" * 1000000)
        assert call(socket, "watch", path=str(file))["result"] == {}
    answer = receive_until(socket, lambda message: message.get("id") == "e1")[-1]["result"]
    assert not answer["success"] and "too much came after it" in answer["error"]["message"]
    receive_until(socket, lambda message: message.get("id") == "e0")
    assert evaluate(socket, DRUMS)["success"]


def test_what_the_code_prints_is_told(socket):
    assert "printed" not in evaluate(socket, DRUMS)
    assert evaluate(socket, "console.log('one', 2)")["printed"] == "one 2\n"
    failed = evaluate(socket, "console.log('so far'); nonsense()")
    assert not failed["success"] and failed["printed"] == "so far\n"


def test_edits_are_answered_in_order(socket):
    for i in range(10):
        params = {"code": f"track('t{i}', t => t.clip(Clip.melody().note('C4', '4n')))"}
        socket.send(json.dumps({"jsonrpc": "2.0", "id": f"e{i}", "method": "eval", "params": params}))
    answered = []
    while len(answered) < 10:
        message = receive(socket)
        if str(message.get("id", "")).startswith("e"):
            assert message["result"]["success"]
            answered.append(message["id"])
    assert answered == [f"e{i}" for i in range(10)]


@pytest.mark.parametrize(
    "params", [{}, {"code": 1}, {"code": "1", "name": 2}, {"code": "1", "quantize": "week"}, {"code": "1", "name": "n" * 300}]
)
def test_parameters_that_make_no_sense(socket, params):
    assert call(socket, "eval", **params)["error"]["code"] == -32602


def test_a_file_is_watched(start, tmp_path):
    song = tmp_path / "song.js"
    song.write_text(DRUMS)
    serve = start("--watch", song)
    with serve.subscribe() as socket:
        wait_until(lambda: call(socket, "query", path="sessions[0]").get("result") and tracks(socket) == ["drums"], "drums")
        song.write_text(DRUMS + "\n" + BASS)
        wait_until(lambda: tracks(socket) == ["drums", "bass"], "bass, in place")
        other = tmp_path / "song.js~"
        other.write_text(DRUMS.replace("drums", "toms"))
        os.replace(other, song)
        wait_until(lambda: "toms" in tracks(socket), "toms, by rename")
        song.write_text("track('broken', t =>")
        wait_until(lambda: "refused" in kinds(serve), "the refusal")
        serve.wait_for(r'^refused what=code reason=".+" name=".*song.js" line=1 column=\d+ seq=\d+$')
        assert "broken" not in tracks(socket)
        song.unlink()
        time.sleep(0.2)
        song.write_text(BASS.replace("bass", "again"))
        wait_until(lambda: "again" in tracks(socket), "deleted and created")
    before = kinds(serve).count("code")
    serve.stop()
    serve = start("--watch", song, db=serve.db)
    time.sleep(SOON_S)
    assert kinds(serve).count("code") == before, "the same text is no new edit"


def test_watch_and_unwatch_by_rpc(serve, socket, tmp_path):
    song = tmp_path / "other.mjs"
    song.write_text(DRUMS)
    assert call(socket, "watch", path=str(song))["result"] == {}
    wait_until(lambda: call(socket, "query", path="sessions[0]").get("result"), "the first reading")
    assert "already" in call(socket, "watch", path=str(song))["error"]["message"]
    assert call(socket, "unwatch", path=str(song))["result"] == {}
    song.write_text(BASS)
    time.sleep(SOON_S)
    assert tracks(socket) == ["drums"]
    assert call(socket, "unwatch", path=str(song))["error"]["code"] == -32001
    assert call(socket, "watch", path="relative.js")["error"]["code"] == -32602
    assert call(socket, "watch", path="/etc/passwd")["error"]["code"] == -32001


def test_eval_from_the_shell(serve, socket, tmp_path):
    done = symlog(serve, "eval", DRUMS)
    assert done.returncode == 0 and "drums" in done.stdout, done.stderr
    song = tmp_path / "song.js"
    song.write_text("const x = 1;\n" + BASS)
    done = symlog(serve, "eval", str(song))
    assert done.returncode == 0 and "bass" in done.stdout
    assert tracks(socket) == ["drums", "bass"]
    done = symlog(serve, "eval", "track('a', t => t.clip(Clip.melody().note('H2', '8n')))")
    assert done.returncode == 1 and "H2" in done.stderr and "^" in done.stderr
    song.write_text('""\n' * 14000)  # 42 KB, but 70 KB as JSON
    done = symlog(serve, "eval", str(song))
    assert done.returncode == 2 and "--watch FILE" in done.stderr, done.stderr
    assert run_symlog("eval", DRUMS, "--ws", "ws://127.0.0.1:9").returncode == 1


def test_the_repl_by_pipe(serve, socket):
    typed = "const k = () => Drums.euclidean(8, 3)\ntrack('a',\n  t => t.clip(k()))\n.tempo 90\n.stop\nnonsense(\n)\n.exit\n"
    done = symlog(serve, "repl", input=typed)
    assert done.returncode == 1, done.stdout + done.stderr
    assert tracks(socket) == ["a"]
    assert "nonsense" in done.stdout


def test_the_repl_on_a_terminal(serve, socket, tmp_path):
    leader, follower = pty.openpty()
    environment = {**os.environ, "HOME": str(tmp_path), "TERM": "dumb"}
    process = subprocess.Popen(
        [BINARY, "repl", "--ws", url(serve)], stdin=follower, stdout=follower, stderr=follower, env=environment, close_fds=True
    )
    os.close(follower)
    os.write(leader, f"{DRUMS}\n".encode())
    wait_until(lambda: call(socket, "query", path="sessions[0]").get("result"), "the session")
    os.write(leader, b".exit\n")
    assert process.wait(20) == 0
    os.close(leader)
    assert "euclidean" in (tmp_path / ".local/state/symlog/repl_history").read_text()


def test_many_lines_odd_letters_and_ctrl_c_on_a_terminal(serve, socket, tmp_path):
    leader, follower = pty.openpty()
    environment = {**os.environ, "HOME": str(tmp_path), "TERM": "dumb", "LC_ALL": "C"}
    command = [BINARY, "repl", "--ws", url(serve)]
    process = subprocess.Popen(
        command,
        stdin=follower,
        stdout=follower,
        stderr=follower,
        env=environment,
        preexec_fn=lambda: (os.setsid(), os.close(os.open(os.ttyname(0), os.O_RDWR))),
    )
    os.close(follower)

    def type_line(text, prompt):
        seen = b""
        while not seen.endswith(prompt):
            seen += os.read(leader, 4096)
        os.write(leader, text)

    type_line(b"track('forgotten', t =>\n", b"> ")
    type_line(b"\x03", b"... ")
    type_line("track('für', t =>\n".encode(), b"> ")
    type_line(b"t.clip(Drums.euclidean(16, 5)))\n", b"... ")
    wait_until(lambda: call(socket, "query", path="sessions[0]").get("result"), "the session")
    assert tracks(socket) == ["für"]
    assert "euclidean" in (tmp_path / ".local/state/symlog/repl_history").read_text()
    os.write(leader, b"\x04")
    assert process.wait(20) == 0
    os.close(leader)


def test_an_edit_that_was_not_answered_is_evaluated_at_the_next_start(start, tmp_path):
    serve = start()
    with serve.subscribe() as socket:
        socket.send(json.dumps({"jsonrpc": "2.0", "id": 1, "method": "eval", "params": {"code": "for (;;) {}"}}))
        socket.send(json.dumps({"jsonrpc": "2.0", "id": 2, "method": "eval", "params": {"code": DRUMS}}))
        wait_until(lambda: kinds(serve).count("code") == 2, "both are logged")
        serve.process.kill()
        serve.process.wait()
    serve = start(db=serve.db)
    with serve.subscribe() as socket:
        wait_until(lambda: call(socket, "query", path="sessions[0]").get("result"), "the second edit counts")
        assert tracks(socket) == ["drums"]
        assert kinds(serve).count("refused") == 1
