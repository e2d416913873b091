"""The sound of a log: rendered twice, in parts, after changes; and what was heard, proven by it."""

import json
import shutil
import struct

import pytest
import sound_logs
from cli import symlog
from note_ports import explained
from serving import Serve, call
from sound_logs import (
    RATE,
    append,
    append_heard,
    append_mark,
    append_parameter,
    append_player,
    applied,
    exported,
    imported,
    part,
    peak,
    rendered,
)

SECOND = 10**9


@pytest.fixture(scope="module")
def db(tmp_path_factory):
    """Not to be changed."""
    return sound_logs.record(tmp_path_factory.mktemp("set") / "log")


@pytest.fixture(scope="module")
def lines(db):
    return exported(db, db.with_suffix(".exported"))


@pytest.fixture(scope="module")
def whole(db):
    return rendered(db, db.with_suffix(".f32"))


@pytest.fixture
def changed(lines, tmp_path):
    """A copy of the lines, to be added to, and what makes a log of it."""
    copy = [dict(line) for line in lines]
    return copy, lambda: imported(copy, tmp_path / "changed")


def test_the_same_log_gives_the_same_bytes(db, whole, tmp_path):
    for name in ("a.wav", "b.wav"):
        symlog("render", tmp_path / name, "--db", db)
    data = (tmp_path / "a.wav").read_bytes()
    assert data == (tmp_path / "b.wav").read_bytes()
    assert data[:4] == b"RIFF" and data[8:12] == b"WAVE"
    at = 12
    chunks = {}
    while at < len(data):
        size = struct.unpack_from("<I", data, at + 4)[0]
        chunks[data[at : at + 4]] = data[at + 8 : at + 8 + size]
        at += 8 + size + size % 2
    assert struct.unpack_from("<HHIIHH", chunks[b"fmt "]) == (3, 2, RATE, RATE * 8, 8, 32)
    assert chunks[b"data"] == whole[0].tobytes() and b"PEAK" not in chunks
    assert [path.name for path in tmp_path.iterdir()] == ["a.wav", "b.wav"] or len(list(tmp_path.iterdir())) == 2


def test_it_sounds_from_the_first_note_on(db, whole):
    samples, first = whole
    _, notes = explained(db)
    begin = next(note["frame"] for note in notes if note["on"])
    assert peak(part(samples, first, first, begin - first)) == 0
    assert peak(part(samples, first, begin, 2400)) > 0.01
    assert 0.1 < peak(samples) <= 1


@pytest.mark.parametrize("options", [("--from", "edit"), ("--to", "mixed"), ("--from", "mixed", "--to", "end")])
def test_a_part_is_that_part_of_the_whole(db, whole, tmp_path, options):
    samples, first = rendered(db, tmp_path / "part.f32", *options)
    assert samples == part(*whole, first, len(samples) // 2)
    assert len(samples) < len(whole[0])


def test_a_time_between_events_is_a_part_too(db, whole, tmp_path):
    samples, first = rendered(db, tmp_path / "part.f32", "--from", "+1.111", "--to", "+1.5")
    assert abs(len(samples) // 2 - 0.389 * RATE) < 0.05 * RATE, "each mark says anew which frame is now"
    assert samples == part(*whole, first, len(samples) // 2)


def test_it_goes_on_behind_the_last_event(changed, whole, tmp_path):
    samples, first = rendered(changed[1](), tmp_path / "long.f32", "--to", "+60")
    assert samples[: len(whole[0])] == whole[0] and len(samples) > 50 * RATE
    assert peak(samples[-RATE:]) == 0, "what rings has died away"


def test_a_mute_silences_the_track_of_that_name(db, lines, whole):
    """Two of three, and the third's fader is at -18 dB."""
    samples, first = whole
    mixed = next(line["seq"] for line in lines[1:] if bytes.fromhex(line["payload"]) == b"mixed")
    frame = next(frame for seq, frame in applied(lines) if seq > mixed)
    before, after = (part(samples, first, begin, RATE // 2) for begin in (frame - RATE // 2, frame + RATE // 2))
    assert 0.001 < peak(after) < peak(before) / 3


def test_a_parameter_counts_from_its_mark_on(changed, whole, tmp_path):
    lines, make = changed
    samples, first = whole
    seq, frame = applied(lines)[-1]
    del lines[seq:]  # the stop and all behind it: it plays on
    frame += 1000
    append_parameter(lines, "master.volume", 0.0)
    append_mark(lines, frame)
    append_parameter(lines, "master.volume", 1.0)
    quiet, at = rendered(make(), tmp_path / "quiet.f32", "--to", "+30")
    assert at == first
    assert peak(part(quiet, at, frame - RATE, RATE)) > 0.001
    assert peak(part(quiet, at, frame + 480, RATE)) == 0, "what has no mark yet does not count"


def test_a_late_mark_voids_the_one_before(changed, tmp_path):
    lines, make = changed
    seq, frame = applied(lines)[-1]
    del lines[seq + 1 :]
    append_parameter(lines, "master.volume", 0.0)
    append_mark(lines, frame + 100)
    append_parameter(lines, "master.volume", 0.5)
    append_mark(lines, frame + 9600, late=True)
    late, at = rendered(make(), tmp_path / "late.f32", "--to", "+30")
    del lines[-4:]
    append_parameter(lines, "master.volume", 0.0)
    append_parameter(lines, "master.volume", 0.5)
    append_mark(lines, frame + 9600)
    alone, _ = rendered(imported(lines, tmp_path / "once"), tmp_path / "once.f32", "--to", "+30")
    assert late == alone


@pytest.fixture
def again(db, tmp_path):
    """With a second run of serve, in which all plays on."""
    again = tmp_path / "again"
    shutil.copytree(db, again)
    return play_again(again)


def play_again(again):
    serve = Serve(again)
    with serve.subscribe() as subscriber:
        call(subscriber, "mark", text="again")
        call(subscriber, "play")
        call(subscriber, "setTempo", bpm=300)
        call(subscriber, "mark", text="soon")
    assert serve.stop() == 0
    return again


def test_a_restart_begins_from_silence(again, tmp_path):
    samples, first = rendered(again, tmp_path / "whole.f32", "--to", "+8")
    second, at = rendered(again, tmp_path / "second.f32", "--from", "soon", "--to", "+8")
    assert second == part(samples, first, at, len(second) // 2)


def test_other_files(db, whole, tmp_path):
    symlog("render", tmp_path / "set.flac", "--db", db)
    assert (tmp_path / "set.flac").read_bytes()[:4] == b"fLaC"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["{tmp}"], "ends in .wav, .flac or .f32"),
        (["{tmp}/folder.wav"], "is a folder; name a file in it"),
        (["{tmp}/no/a.wav"], "No such file or directory"),
        (["{tmp}/a.mp3"], "ends in .wav, .flac or .f32"),
        (["{tmp}/a.wav", "--from", "nowhere"], 'no mark "nowhere"'),
        (["{tmp}/a.wav", "--from", "end", "--to", "edit"], "nothing lies there"),
        (["{tmp}/a.wav", "--from", "999999"], "the log ends with event"),
        (["{tmp}/a.wav", "--to", "1"], "nothing lies there"),
    ],
)
def test_render_errors(db, tmp_path, arguments, words):
    (tmp_path / "folder.wav").mkdir()
    _, errors = symlog("render", "--db", db, *(word.format(tmp=tmp_path) for word in arguments), status=1)
    assert words in errors and errors.count("\n") == 1
    assert [path.name for path in tmp_path.iterdir()] == ["folder.wav"]


def test_a_log_without_sound(start, tmp_path):
    assert start().stop() == 0
    db = ["--db", tmp_path / "log"]
    for words, said in [
        (["render", tmp_path / "a.wav"], "nothing was played in this log"),
        (["verify", "--audio"], "nothing says what was heard"),
        (["replay", "--sound"], "nothing was played in this log"),
    ]:
        output, errors = symlog(*words, *db, status=1)
        assert said in errors and errors.count("\n") == 1 and output == ""
    assert not (tmp_path / "a.wav").exists()
    assert "there is no log" in symlog("render", "a.wav", "--db", tmp_path / "none", status=1)[1]


def test_silence_is_no_file(db, tmp_path):
    _, errors = symlog("render", tmp_path / "a.wav", "--db", db, "--from", "+50", "--to", "+51", status=1)
    assert "nothing sounds there" in errors and not (tmp_path / "a.wav").exists()


def test_two_rates_are_two_files(changed, tmp_path):
    lines, make = changed
    _, frame = applied(lines)[-1]
    append_player(lines, 44100)
    mark = append_mark(lines, frame + 5 * RATE, rate=44100)
    db = make()
    _, errors = symlog("render", tmp_path / "a.wav", "--db", db, "--to", "+100", status=1)
    assert f"48000 Hz up to event {mark}, 44100 Hz from there on" in errors and f"--to {mark}" in errors
    samples, _ = rendered(db, tmp_path / "a.f32", "--to", mark)
    assert peak(samples) > 0.1


def test_a_rate_without_sound(changed, tmp_path):
    lines, make = changed
    _, frame = applied(lines)[-1]
    mark = append_mark(lines, frame + 5 * RATE, rate=8000)
    _, errors = symlog("render", tmp_path / "a.wav", "--db", make(), "--from", mark, "--to", "+100", status=1)
    assert "it was played at 8000 Hz, of which there is no sound" in errors


def heard_all(lines, whole, **changes):
    """A heard event for each whole second; `changes` by its index."""
    samples, first = whole
    seconds = len(samples) // 2 // RATE
    for index in range(seconds):
        frame = first + index * RATE
        append_heard(lines, frame, part(samples, first, frame, RATE), **changes.get(f"at_{index}", {}))
    return seconds


def verdict(db, status=0):
    output, errors = symlog("verify", "--audio", "--json", "--db", db, status=status)
    assert errors == ""
    *wrong, last = map(json.loads, output.splitlines())
    return [one["wrong"] for one in wrong], last


def test_what_was_heard_is_proven(changed, whole):
    lines, make = changed
    seconds = heard_all(lines, whole)
    db = make()
    wrong, last = verdict(db)
    assert wrong == [] and last["ok"] and last["proven_s"] == seconds >= 3 and last["wrong_s"] == 0
    assert set(last["unproven_s"].values()) == {0}
    output, _ = symlog("verify", "--audio", "--db", db)
    assert output == f"ok: {seconds}.000 s of sound proven\n"


def test_both_runs_are_proven(changed, whole, tmp_path):
    lines, make = changed
    seconds = heard_all(lines, whole)
    again = play_again(make())
    lines = exported(again, tmp_path / "exported")
    seconds += heard_all(lines, rendered(again, tmp_path / "second.f32", "--from", "soon", "--to", "+60"))
    wrong, last = verdict(imported(lines, tmp_path / "heard"))
    assert wrong == [] and last["proven_s"] == seconds >= 7


def test_what_was_not_heard_so_is_wrong(changed, whole):
    lines, make = changed
    samples, first = whole
    other = samples[2 * RATE : 4 * RATE]
    other[777] += 1e-7
    heard_all(lines, whole, at_1={"digest": sound_logs.digest_of(other.tobytes())})
    db = make()
    (wrong,), last = verdict(db, status=1)
    assert (wrong["frame"], wrong["frames"]) == (first + RATE, RATE) and not last["ok"] and last["wrong_s"] == 1
    output, _ = symlog("verify", "--audio", "--db", db, status=1)
    assert output.startswith(f"wrong: event {wrong['seq']} (+") and "not ok: " in output


def test_what_cannot_be_proven(changed, whole):
    lines, make = changed
    samples, first = whole
    seconds = heard_all(lines, whole, at_0={"missed": 64}, at_1={"version": 99})
    append_heard(lines, first + 2 * RATE + 5, part(samples, first, first + 2 * RATE + 5, RATE))
    _, last = verdict(make())
    assert last["proven_s"] == seconds - 2
    assert last["unproven_s"] == {"underrun": 1, "version": 1, "twice": 1, "unknown": 0, "unheard": 0}


def test_a_clock_that_nobody_heard_is_unproven(changed, whole):
    lines, make = changed
    samples, first = whole
    for index in (0, 2):
        append_heard(lines, first + index * RATE, part(samples, first, first + index * RATE, RATE))
    _, last = verdict(make())
    assert last["proven_s"] == 2 and 0.9 < last["unproven_s"]["unheard"] <= 1


def test_nothing_proven_is_no_success(changed, whole):
    lines, make = changed
    append_heard(lines, whole[1], part(*whole, whole[1], RATE), missed=1)
    _, last = verdict(make(), status=1)
    assert not last["ok"] and last["proven_s"] == 0


def test_behind_a_prune_the_beginning_is_not_known(changed, whole, tmp_path):
    lines, make = changed
    heard_all(lines, whole)
    append(lines, "mark", b"last")
    db = make()
    edit = next(line["seq"] for line in lines[1:] if bytes.fromhex(line["payload"]) == b"mixed")
    symlog("prune", "--before", edit, "--db", db)
    wrong, last = verdict(db, status=None)
    assert wrong == [] and last["wrong_s"] == 0 and last["unproven_s"]["unknown"] > 0
    _, errors = symlog("render", tmp_path / "a.wav", "--db", db)
    assert "cannot be known" in errors


def test_usage():
    for words in (["render"], ["render", "a.wav", "b.wav"], ["verify", "--json"], ["verify", "--audio", "--repair", "x"]):
        assert symlog(*words, status=2)[1].count("\n") <= 2


def test_nobody_hears_a_replay_without_a_device(db):
    """Where there is one it plays."""
    output, errors = symlog("replay", "--sound", "--db", db, "--to", "+1", status=None)
    assert output == "" and (errors == "" or errors.startswith("symlog replay: ")) and errors.count("\n") <= 1
    for words in (["--notes"], ["--speed", "2"], ["--json"]):
        assert "--sound goes with" in symlog("replay", "--sound", *words, "--db", db, status=2)[1]
