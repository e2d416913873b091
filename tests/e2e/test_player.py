"""The player: what it sends to a MIDI port is what the log explains; restarts, blocked ports, notifications, commands."""

import json
import os
import signal
import time

import pytest
from note_ports import BEAT, RATE, NotePort, explained, hanging, import_session, track
from serving import call, logged, receive, receive_until, run_symlog, wait_until

TWO = [track("lead", range(60, 68)), track("bass", [36, 38], BEAT)]
OTHER = [track("lead", range(72, 84), BEAT // 8), track("bass", [36, 38], BEAT), track("pad", [50, 53, 57], 3 * BEAT)]


@pytest.fixture
def port():
    made = NotePort()
    yield made
    made.close()


def result(subscriber, method, **params):
    answer = call(subscriber, method, **params)
    assert "result" in answer, answer
    return answer["result"]


def settle(port):
    """Until nothing more is sent."""
    length = -1
    while length != len(port.bytes):
        length = len(port.bytes)
        time.sleep(0.3)


def marks(db):
    return [line for line in logged(db) if " applied " in line]


def test_what_is_sent_is_what_the_log_explains(start, tmp_path, port):
    db = import_session(tmp_path, TWO)
    serve = start("--notes-out", port.path, db=db)
    with serve.subscribe() as subscriber:
        assert result(subscriber, "play")["seq"] > 0
        port.wait_for_notes(30)
        result(subscriber, "stop", quantize="off")
        settle(port)
    assert serve.stop() == 0
    wanted, lines = explained(db)
    assert port.notes == wanted and len(wanted) >= 30
    assert hanging(port.messages) == []
    starts = [line for line in lines if line["on"] and line["track"] == "lead"]
    assert [line["pitch"] for line in starts[:9]] == [*range(60, 68), 60]
    assert {line["frame"] - starts[0]["frame"] for line in starts} <= {i * RATE // 4 for i in range(50)}


def test_random_words_while_it_plays(start, tmp_path, port, rng):
    db = import_session(tmp_path, TWO, OTHER)
    serve = start("--notes-out", port.path, db=db)
    with serve.subscribe() as subscriber:
        result(subscriber, "play")
        for _ in range(80):
            quantize = rng.choice(["off", "beat", "bar"])
            words = [
                lambda q=quantize: call(subscriber, "undo", quantize=q),
                lambda q=quantize: call(subscriber, "redo", quantize=q),
                lambda q=quantize: call(subscriber, "stop", track="bass", quantize=q),
                lambda: call(subscriber, "setTempo", bpm=rng.randint(90, 400)),
                lambda: call(subscriber, "setChannel", track="lead", channel=rng.randint(1, 16)),
                lambda: call(subscriber, "pause"),
                lambda q=quantize: call(subscriber, "stop", quantize=q),
                lambda: call(subscriber, "panic"),
            ]
            rng.choices(words, [6, 6, 3, 3, 3, 1, 1, 1])[0]()
            call(subscriber, "play")
            time.sleep(rng.random() * 0.15)
        result(subscriber, "stop", quantize="off")
        settle(port)
    assert serve.stop() == 0
    wanted, _ = explained(db)
    assert port.notes == wanted and len(wanted) > 100
    assert hanging(port.messages) == []
    assert run_symlog("verify", "--db", db).returncode == 0


def test_pause_goes_on_where_it_was(start, tmp_path, port):
    serve = start("--notes-out", port.path, db=import_session(tmp_path, [track("lead", range(60, 92), BEAT)]))
    with serve.subscribe() as subscriber:
        result(subscriber, "setTempo", bpm=480)
        result(subscriber, "play")
        port.wait_for_notes(5)
        result(subscriber, "pause")
        settle(port)
        held = hanging(port.messages)
        before = len(port.notes)
        stood = result(subscriber, "position")
        assert not stood["is_playing"] and held == []
        assert result(subscriber, "position")["beat"] == stood["beat"]
        result(subscriber, "play")
        port.wait_for_notes(before + 4)
        pitches = [first for status, first, _ in port.notes if status & 0xF0 == 0x90]
        assert pitches == list(range(60, 60 + len(pitches)))


def test_panic_lets_every_channel_go(start, tmp_path, port):
    serve = start("--notes-out", port.path, db=import_session(tmp_path, TWO))
    with serve.subscribe() as subscriber:
        result(subscriber, "play")
        port.wait_for_notes(3)
        result(subscriber, "panic")
        settle(port)
    assert {(0xB0 | channel, 123, 0) for channel in range(16)} <= set(port.messages[-16:])
    assert hanging(port.notes) == []


def test_exit_leaves_no_note(start, tmp_path, port):
    serve = start("--notes-out", port.path, db=import_session(tmp_path, [track("pad", [60], 64 * BEAT)]))
    with serve.subscribe() as subscriber:
        result(subscriber, "play")
        port.wait_for_notes(1)
    assert serve.stop() == 0
    wait_until(lambda: hanging(port.notes) == [], "the note is let go")


def test_killed_while_playing_it_comes_back_at_the_right_beat(start, tmp_path, port):
    db = import_session(tmp_path, TWO)
    serve = start("--notes-out", port.path, db=db)
    with serve.subscribe() as subscriber:
        result(subscriber, "play")
        port.wait_for_notes(6)
        before = result(subscriber, "position")
    serve.stop(signal.SIGKILL)
    first = len(port.notes)
    time.sleep(0.7)
    again = start("--notes-out", port.path, db=db)
    with again.subscribe() as subscriber:
        port.wait_for_notes(first + 6)
        after = result(subscriber, "position")
        assert after["is_playing"]
        gone_s = (after["time_us"] - before["time_us"]) / 1e6
        assert after["beat"] - before["beat"] == pytest.approx(gone_s * 2, abs=0.1)
        result(subscriber, "stop", quantize="off")
        settle(port)
    assert again.stop() == 0
    wanted, lines = explained(db)
    sent = port.notes
    begun = int(marks(db)[2].split("frame ")[1].split()[0])
    late = [midi for midi, line in zip(wanted, lines) if line["frame"] >= begun]
    assert sent[:first] == wanted[:first]
    assert sent[first:] == late


def test_stopped_it_appends_nothing(start, tmp_path):
    db = import_session(tmp_path, TWO)
    serve = start(db=db)
    with serve.subscribe() as subscriber:
        wait_until(lambda: len(marks(db)) == 1, "what was imported is taken")
        time.sleep(0.5)
        assert len(marks(db)) == 1
        assert result(subscriber, "position")["is_playing"] is False


def test_where_the_groove_box_hears_it_no_note_stands_in_a_frame(start, tmp_path, port):
    quick = [track("lead", range(30, 90), BEAT // 64)]
    db = import_session(tmp_path, quick)
    serve = start("--notes-out", port.path, "--midi", port.path, db=db)
    serve.wait_for(r"port name=midi:.* is=open")
    lanes = ";".join(f"{sound}:4/6={'Xxx.xg' * 4}" for sound in ["kick", "snare", "hatClosed", "clap"] * 3)
    with serve.subscribe() as subscriber:
        result(subscriber, "setTempo", bpm=400)
        result(subscriber, "play")
        for bpm in range(100, 106):
            result(subscriber, "groove.patch", patch=f"t{bpm};{lanes}")
            time.sleep(0.3)
        result(subscriber, "stop", quantize="off")
        result(subscriber, "groove.stop")
        time.sleep(0.5)
    assert serve.stop() == 0
    frames, notes, rest = [], [], port.bytes
    while rest:
        is_frame = rest[0] == 0xF0
        length = rest.index(0xF7) + 1 if is_frame else 3
        (frames if is_frame else notes).append(rest[:length])
        assert all(byte < 0x80 for byte in rest[1 : length - is_frame]), rest[:length]
        rest = rest[length:]
    assert len(frames) > 6 and max(map(len, frames)) > 300
    assert len([note for note in notes if note[0] & 0xF0 == 0x90]) > 200


def test_lanes_of_the_groove_box_sound_like_tracks(start, tmp_path, port):
    db = import_session(tmp_path, TWO)
    serve = start("--notes-out", port.path, db=db)
    with serve.subscribe() as subscriber:
        result(subscriber, "groove.patch", patch="t130;kick:4=Xxxx;snare:4=.x.x;hatClosed:4/2=X.x.x.x.")
        result(subscriber, "groove.play")
        port.wait_for_notes(20)
        result(subscriber, "groove.bpm", bpm=240)
        port.wait_for_notes(50)
        result(subscriber, "groove.lane", lane=0, field="gain", value=-6)
        port.wait_for_notes(80)
        assert result(subscriber, "position")["bpm"] == 240
        result(subscriber, "groove.stop")
        settle(port)
    assert serve.stop() == 0
    wanted, lines = explained(db)
    assert port.notes == wanted and hanging(port.messages) == []
    assert {line["track"] for line in lines} == {"lead", "bass", "kick", "snare", "hatClosed"}


def test_a_groove_box_alone_is_heard(start, tmp_path, port):
    db = tmp_path / "log"
    serve = start("--notes-out", port.path, db=db)
    with serve.subscribe() as subscriber:
        result(subscriber, "groove.patch", patch="t240;kick:4=Xxxx;hatClosed:4/2=X.x.x.x.")
        assert "error" in call(subscriber, "query", path="sessions[0]")
        result(subscriber, "groove.play")
        port.wait_for_notes(20)
        assert result(subscriber, "position")["bpm"] == 240
        result(subscriber, "groove.stop")
        settle(port)
    assert serve.stop() == 0
    wanted, lines = explained(db)
    assert port.notes == wanted and hanging(port.messages) == []
    assert {line["track"] for line in lines} == {"kick", "hatClosed"}


def test_a_blocked_fifo_costs_nothing(start, tmp_path):
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    quick = [track("lead", range(30, 90), BEAT // 64)]
    db = import_session(tmp_path, quick)
    reader = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
    serve = start("--notes-out", fifo, db=db)
    serve.wait_for(r"port name=.*fifo is=open")
    with serve.subscribe() as subscriber:
        result(subscriber, "setTempo", bpm=1000)
        result(subscriber, "play")  # 2,000 messages a second, and nobody reads: 64 KiB are soon full
        serve.wait_for(r"port name=.*fifo is=blocked")
        out = wait_until(
            lambda: (stat := result(subscriber, "stat")["player"]["notes_out"]) and stat["dropped"] > 0 and stat, "drops"
        )
        assert out["is_open"]
        assert result(subscriber, "ping") == {"pong": True}
        while os.read(reader, 65536):
            time.sleep(0.05)
            if result(subscriber, "stat")["player"]["notes_out"]["sent"] > out["sent"] + 200:
                break
        os.close(reader)
        serve.wait_for(r"port name=.*fifo is=closed")
        reader = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
        wait_until(lambda: serve.count(r"fifo is=open") == 2, "it is opened again")
        assert result(subscriber, "stop", quantize="off")["seq"] > 0
    assert serve.stop() == 0
    os.close(reader)


def test_who_speaks_json_rpc_hears_notes_beats_and_bars_ahead(start, tmp_path):
    serve = start(db=import_session(tmp_path, TWO))
    with serve.subscribe() as mirror, serve.subscribe() as player:
        assert receive(mirror)["type"] == "FULL_AST"
        result(player, "play")
        told, ahead = [], []
        while sum(one["method"] == "bar" for one in told) < 2:
            message = receive(player)
            if "method" not in message:
                continue
            told.append(message)
            if message["method"] == "notes":
                ahead += [note["time_us"] / 1e6 - time.time() for note in message["params"]["notes"]]
        beats = [one["params"] for one in told if one["method"] == "beat"]
        assert [beat["beat"] for beat in beats] == list(range(len(beats)))
        assert [beat["bar"] for beat in beats] == [i // 4 for i in range(len(beats))]
        steps = {round(b["time_us"] - a["time_us"], -2) for a, b in zip(beats, beats[1:])}
        assert steps == {500_000}
        notes = [note for one in told if one["method"] == "notes" for note in one["params"]["notes"]]
        assert {"id", "on", "track", "channel", "pitch", "velocity", "beat", "time_us"} <= notes[0].keys()
        assert max(ahead) < 0.11 and sorted(ahead)[len(ahead) // 2] > 0.05
        result(player, "stop", quantize="off")
        seen = []
        mirror.send(json.dumps({"type": "hello"}))
        receive_until(mirror, lambda message: seen.append(message) or message["type"] == "ACK")
        assert all("jsonrpc" not in message for message in seen)


def test_an_edit_replaces_what_was_foretold(start, tmp_path):
    serve = start(db=import_session(tmp_path, [track("lead", range(60, 68), BEAT // 4)]))
    with serve.subscribe() as subscriber:
        result(subscriber, "play")
        planned = {}
        stopped_us = None

        def hear(message):
            nonlocal stopped_us
            if message.get("method") != "notes":
                return
            params = message["params"]
            if not params.get("goes_on"):
                for key in [key for key, note in planned.items() if note["time_us"] >= params["from_us"]]:
                    del planned[key]
            planned.update({(note["id"], note["on"]): note for note in params["notes"]})

        until = time.monotonic() + 1
        while time.monotonic() < until:
            hear(receive(subscriber))
        subscriber.send(json.dumps({"jsonrpc": "2.0", "id": "s", "method": "pause", "params": {}}))
        until = time.monotonic() + 0.5
        while time.monotonic() < until:
            try:
                hear(json.loads(subscriber.recv(timeout=0.1)))
            except TimeoutError:
                break
    on = {key[0] for key in planned if key[1]}
    off = {key[0] for key in planned if not key[1]}
    assert on == off and len(on) > 4


@pytest.mark.parametrize(
    "method, params, code, words",
    [
        ("setTempo", {"bpm": 0}, -32001, "1 to 1000"),
        ("setTempo", {"bpm": 1001}, -32001, "1 to 1000"),
        ("setTempo", {}, -32602, "bpm"),
        ("setTempo", {"bpm": "fast"}, -32602, "bpm"),
        ("stop", {"track": "nobody"}, -32001, "nobody"),
        ("stop", {"quantize": "soon"}, -32602, "bar, beat or off"),
        ("setQuantize", {}, -32602, "mode"),
        ("setQuantize", {"mode": "soon"}, -32602, "bar, beat or off"),
        ("setChannel", {"track": "lead", "channel": 17}, -32001, "1 to 16"),
        ("setChannel", {"track": "lead"}, -32602, "channel"),
        ("setInstrument", {"track": "lead"}, -32602, "name"),
        ("connectEffect", {"track": "nobody", "name": "delay"}, -32001, "nobody"),
        ("redo", {}, -32001, "nothing to redo"),
    ],
)
def test_what_makes_no_sense_is_refused(start, tmp_path, method, params, code, words):
    db = import_session(tmp_path, TWO)
    with start(db=db).subscribe() as subscriber:
        error = call(subscriber, method, **params)["error"]
        assert error["code"] == code and words in error["message"]
        assert not [line for line in logged(db) if " transport " in line]


def test_what_is_said_of_tracks_is_in_the_tree(start, tmp_path):
    with start(db=import_session(tmp_path, TWO)).subscribe() as subscriber:
        result(subscriber, "setInstrument", track="lead", name="fm", params={"ratio": 2})
        result(subscriber, "connectEffect", track="lead", name="delay", params={"time": 0.25})
        result(subscriber, "setChannel", track="lead", channel=7)
        result(subscriber, "setQuantize", mode="beat")
        session = result(subscriber, "query", id="session")
        lead = session["children"][0]["attributes"]
        assert session["attributes"]["quantize"] == "beat"
        assert lead["instrument"] == "fm" and lead["params"] == {"ratio": 2} and lead["channel"] == 7
        assert lead["effects"] == [{"name": "delay", "params": {"time": 0.25}}]


def test_from_the_shell(start, tmp_path, port):
    db = import_session(tmp_path, TWO, OTHER)
    serve = start("--notes-out", port.path, db=db)
    url = "ws://{}:{}".format(*serve.ws)
    for command in [("tempo", "300"), ("play",), ("stop", "bass"), ("undo",), ("redo",), ("pause",), ("play",), ("panic",)]:
        ended = run_symlog(*command, "--ws", url)
        assert ended.returncode == 0 and int(ended.stdout) > 0, ended.stderr
    assert run_symlog("tempo", "2000", "--ws", url).returncode == 1
    assert run_symlog("tempo", "quick", "--ws", url).returncode == 2
    assert run_symlog("tempo", "--ws", url).returncode == 2
    assert run_symlog("play", "now", "--ws", url).returncode == 2
    assert "nobody" in run_symlog("stop", "nobody", "--ws", url).stderr
