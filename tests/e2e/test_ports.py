"""Where the frames of a groove box come in and go out: ptys, FIFOs, binary WebSocket messages; what `symlog ports`, stat
and serve's lines say of them; and what the command line refuses. (What the frames mean: test_groove.py.)"""

import json
import os
import time

import pytest
from groove_ports import Tap
from model import sysex
from model.sysex import DELTA, FULL, HELLO
from serving import call, logged, receive, run_symlog, wait_until
from websockets.exceptions import InvalidStatus

FULL_FRAME = bytes(sysex.full("d7", 1, 0, -1, -1, "t100;kick:4=Xxxx"))
PROGRAMS = {"format": 2, "setlists": [{"title": "Styles", "programs": [{"name": "Rock", "prog": "t90;snare:4"}]}]}


@pytest.fixture
def tap(tmp_path):
    with Tap(tmp_path / "midi") as tap:
        yield tap


@pytest.fixture
def programs(tmp_path):
    """Writes a programs.json and returns its path."""

    def write(content):
        path = tmp_path / "programs.json"
        path.write_text(content if isinstance(content, str) else json.dumps(content))
        return path

    return write


def frames(db):
    """The SysEx events of a log, as it prints them."""
    return [line for line in logged(db) if line.split()[2] == "sysex"]


def open_port(serve):
    """A subscriber whose binary messages are a port; it has had FULL_AST."""
    subscriber = serve.subscribe(max_queue=None)
    receive(subscriber)
    return subscriber


def ports_of(subscriber):
    return {port["name"]: port for port in call(subscriber, "stat")["result"]["ports"]}


# The commands.


def test_ports_without_a_midi_service_is_one_line(monkeypatch):
    monkeypatch.setenv("JACK_DEFAULT_SERVER", "nobody-is-called-so")
    ended = run_symlog("ports")
    assert ended.returncode == 0 and ended.stderr == ""
    assert ended.stdout.count("\n") == 1 + ended.stdout.count("--midi")
    assert "JACK" in ended.stdout.splitlines()[-1]


def test_ports_json_is_an_object_a_line(monkeypatch):
    monkeypatch.setenv("JACK_DEFAULT_SERVER", "nobody-is-called-so")
    ended = run_symlog("ports", "--json")
    assert ended.returncode == 0 and ended.stderr == ""
    assert all({"option", "service", "name", "in", "out"} == set(json.loads(line)) for line in ended.stdout.splitlines())


@pytest.mark.parametrize(
    "options, reason",
    [
        (["--midi", ""], "--midi wants 1 to"),
        (["--midi", "x" * 91], "--midi wants 1 to"),
        (["--midi", "a", "--midi", "a"], "--midi names a twice"),
        (["--midi-port", "a", "--midi-port=a"], "--midi-port names a twice"),
        ([f"--midi=/{number}" for number in range(9)], "--midi can be given 8 times"),
        (["--groove-authority", "--groove-listen"], "use one of them"),
        (["--midi"], "--midi wants a value"),
    ],
)
def test_serve_refuses_options(tmp_path, options, reason):
    ended = run_symlog("serve", "--db", tmp_path / "log", *options)
    assert ended.returncode == 2 and reason in ended.stderr and not (tmp_path / "log").exists()


@pytest.mark.parametrize(
    "content, reason",
    [
        ("{", "no JSON at line 1"),
        ({"format": 1, "setlists": []}, '"format" is not 2'),
        ({"format": 2, "setlists": [{"title": "a"}]}, 'set list 0 lacks a "title" or its "programs"'),
        (
            {"format": 2, "setlists": [{"title": "a", "programs": [{"name": "b", "prog": "kick:4/5"}]}]},
            'set list "a", program 0 "b": at byte 7 of it',
        ),
    ],
)
def test_serve_refuses_set_lists(tmp_path, programs, content, reason):
    ended = run_symlog("serve", "--db", tmp_path / "log", "--osc", "0", "--ws", "0", "--setlists", programs(content))
    assert ended.returncode == 1 and reason in ended.stderr
    assert ended.stderr.count("\n") == 1


def test_serve_without_its_set_lists_says_which_file(tmp_path):
    ended = run_symlog("serve", "--db", tmp_path / "log", "--osc", "0", "--ws", "0", "--setlists", "/nowhere.json")
    assert ended.returncode == 1 and "--setlists /nowhere.json: it cannot be read" in ended.stderr


def test_set_lists_are_logged_when_they_change(start, programs):
    other = {"format": 2, "setlists": []}
    for content in (PROGRAMS, PROGRAMS, other, other, PROGRAMS):
        serve = start("--setlists", programs(content))
        assert serve.stop() == 0
    assert sum(" setlists " in line for line in logged(serve.db)) == 3


# Files.


def test_pty_frames_in_and_out(start, tap):
    serve = start("--midi", tap.path)
    tap.wait_for(HELLO)
    tap.send(b"\xf8" + FULL_FRAME[:5] + b"\xfe" + FULL_FRAME[5:])
    serve.wait_for(rf"^port name=midi:{tap.path} is=open$")
    wait_until(lambda: frames(serve.db), "the frame")
    with open_port(serve) as control:
        call(control, "groove.bpm", bpm=101)
        tap.wait_for(DELTA)
        port = ports_of(control)[f"midi:{tap.path}"]
    assert port["is_open"] and (port["received"], port["processed"], port["refused"]) == (1, 1, 0)
    assert (port["sent"], port["unsent"]) == (2, 0)
    told = run_symlog("stat", "--ws", "{}:{}".format(*serve.ws)).stdout
    assert f"port midi:{tap.path}: open, frames 1 in, 2 out, 0 refused, 0 not sent\n" in told


def test_pty_that_comes_later_and_again(start, tmp_path):
    path = tmp_path / "midi"
    serve = start("--midi", path)
    serve.wait_for(rf"^port name=midi:{path} is=waiting reason=\"there is no such device \(yet\)\"$")
    with Tap(path) as tap:
        for number in (1, 2):
            wait_until(lambda number=number: len(tap.heard(HELLO)) == number, "symlog's HELLO")
            tap.send(FULL_FRAME)
            wait_until(lambda number=number: len(frames(serve.db)) == number, "the frame")
            if number == 1:
                tap.pull()
                serve.wait_for(rf"^port name=midi:{path} is=closed ")
                tap.plug()
    assert serve.count(r"^port .* is=open$") == 2 and serve.count(r"^source .* session=2$") == 1


def test_fifo_is_read(start, tmp_path):
    path = tmp_path / "fifo"
    os.mkfifo(path)
    serve = start("--midi", path)
    for number in (1, 2):
        path.write_bytes(FULL_FRAME)
        wait_until(lambda number=number: len(frames(serve.db)) == number, "the frame")
    serve.wait_for(r'^port .* is=open reason="it takes no frames"$')


def test_file_that_is_no_port(start, tmp_path):
    path = tmp_path / "file"
    path.write_bytes(FULL_FRAME)
    serve = start("--midi", path)
    serve.wait_for(r'^port .* is=waiting reason="it is neither a MIDI device nor a pty nor a FIFO"$')


def test_named_port_without_a_service_is_one_line(start, monkeypatch):
    monkeypatch.setenv("JACK_DEFAULT_SERVER", "nobody-is-called-so")
    serve = start("--midi-port", "groovebox")
    serve.wait_for(r'^port name=port:groovebox is=waiting reason="')
    time.sleep(2.5)  # It tries each second.
    assert serve.count("groovebox") == 1 and serve.count("(?i)rtmidi|alsa lib|jack server is not") == 0


def test_noise_is_counted_and_refused_with_a_reason(start, tap):
    serve = start("--midi", tap.path)
    tap.wait_for(HELLO)
    tap.send(b"\xf0\x7d\x42broken off" + FULL_FRAME + b"\xf0" + b"x" * 70_000 + b"\xf7" + FULL_FRAME + b"\x01\x02")
    wait_until(lambda: len(frames(serve.db)) == 2, "the frames")
    refused = wait_until(lambda: [line for line in logged(serve.db) if " refused " in line], "a refusal")
    assert "a frame was broken off before its F7" in refused[0]
    with open_port(serve) as control:
        wait_until(lambda: ports_of(control)[f"midi:{tap.path}"]["refused"] == 3, "three of them")
    assert serve.stop() == 0
    [source] = json.loads(run_symlog("stat", "--db", serve.db, "--json").stdout)["sources"]
    assert (source["received"], source["processed"], source["parse_errors"]) == (5, 2, 3)


# WebSockets.


def test_websocket_messages_are_a_stream(start):
    serve = start()
    with open_port(serve) as editor, open_port(serve) as control:
        editor.send(FULL_FRAME[:7])
        editor.send(FULL_FRAME[7:] + FULL_FRAME + FULL_FRAME[:1])
        editor.send([FULL_FRAME[1:4], FULL_FRAME[4:]])  # One message, in fragments.
        wait_until(lambda: len(frames(serve.db)) == 3, "three frames")
        assert ports_of(control)["ws:1"]["processed"] == 3


def test_websocket_frame_of_64_kib(start, tap):
    serve = start("--midi", tap.path)
    tap.wait_for(HELLO)
    with open_port(serve) as editor, open_port(serve) as control:
        longest = b"\xf0\x7d\x44" + b"x" * (65536 - 4) + b"\xf7"
        editor.send(longest)
        [frame] = tap.wait_for(0x44)
        assert bytes(frame) == longest
        editor.send(longest[:-1] + b"x\xf7")
        wait_until(lambda: ports_of(control)["ws:1"]["refused"] == 1, "one byte too many")


def test_websocket_place_is_free_again_and_keeps_its_number(start):
    serve = start()
    for number in (1, 2, 3):
        with open_port(serve) as editor:
            editor.send(FULL_FRAME)
            wait_until(lambda number=number: len(frames(serve.db)) == number, "the frame")
        serve.wait_for(rf"^subscriber left=.* number={number} ")
    assert serve.count(r"^source name=ws:1 number=1 session=[123]$") == 3


def test_websocket_places_are_bounded(start):
    serve = start()
    editors = [open_port(serve) for _ in range(9)]
    for number, editor in enumerate(editors[:8]):
        editor.send(FULL_FRAME)
        wait_until(lambda number=number: len(frames(serve.db)) == number + 1, "the frame")
    editors[8].send(FULL_FRAME)
    serve.wait_for('left=.* why="too many subscribers send binary messages"')
    for editor in editors:
        editor.close()


def test_websocket_frames_need_the_token_too(start):
    serve = start("--token", "secret")
    with pytest.raises(InvalidStatus):
        serve.subscribe()
    with serve.subscribe("?token=secret") as editor:
        receive(editor)
        editor.send(FULL_FRAME)
        wait_until(lambda: frames(serve.db), "the frame")


def test_websocket_editor_that_stops_reading_costs_nobody_anything(start, tap):
    serve = start("--midi", tap.path)
    tap.wait_for(HELLO)
    with open_port(serve) as control, serve.subscribe(max_queue=1) as stalled:
        stalled.send(FULL_FRAME)
        wait_until(lambda: frames(serve.db), "its frame")
        for number in range(400):
            tap.send(b"\xf0\x7d\x44" + b"%05d" % number + b"x" * 2000 + b"\xf7")
        wait_until(lambda: ports_of(control)[f"midi:{tap.path}"]["processed"] == 400, "all of them")
        wait_until(lambda: ports_of(control)["ws:1"]["unsent"] > 0, "what did not fit")
        tap.wait_for(FULL)
    assert serve.stop() == 0


def test_listening_refuses_edits(start, tap):
    serve = start("--midi", tap.path, "--groove-listen")
    with open_port(serve) as control:
        response = call(control, "groove.play")
        assert "--groove-listen" in response["error"]["message"]


def test_frames_are_replayed_and_verified(start, tap):
    serve = start("--midi", tap.path)
    tap.wait_for(HELLO)
    tap.send(FULL_FRAME)
    with open_port(serve) as control:
        wait_until(lambda: call(control, "query", path="grooves[0]").get("result"), "the groove")
        edited = call(control, "groove.edit", evt="bpm=77")["result"]["seq"]
        digest = wait_until(lambda: call(control, "digest")["result"], "a digest")
    assert serve.stop() == 0
    assert digest["seq"] >= edited
    assert run_symlog("verify", "--db", serve.db).returncode == 0
    again = start("--midi", tap.path)
    with open_port(again) as control:
        assert call(control, "digest")["result"]["content_digest"] == digest["content_digest"]
