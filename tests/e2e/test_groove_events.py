"""Every event and every bad frame: symlog's groove is the model's, before and after a replay."""

import copy
import itertools
import json
import os
import re

import pytest
from groove_ports import Tap
from groove_views import (
    differing,
    edit,
    groove_node,
    open_control,
    refusals,
    replayed_groove,
    value,
    wait_for_value,
    wait_until_as,
)
from log_lines import KINDS
from model import sysex
from model.client import Subscriber
from model.groove import Groove, Refused, read_set_lists
from model.random_groove import INVALID, damaged_patch, random_event, random_patch
from model.shape import differences
from mutation import SEED
from serving import Serve, logged, receive, receive_until, run_symlog, wait_until

EVENTS = 3000 if "SYMLOG_SOAK" in os.environ else 400
MILESTONES = 8
IMPORTED_FRAMES = 20_000
DAMAGED_PATCHES = 400
PATCH = "t120;vol80;kick:4=Xxxx;snare:4=.x.x"
NONSENSE_BYTES = 60 << 10
BAD_TEXTS = {
    "unknown_evt": (sysex.DELTA, "b;1;dance"),
    "evt_with_semicolon": (sysex.DELTA, "b;1;play;stop"),
    "delta_of_two_fields": (sysex.DELTA, "b;1"),
    "delta_empty": (sysex.DELTA, ""),
    "seq_no_number": (sysex.DELTA, "b;x;play"),
    "bpm_no_number": (sysex.DELTA, "b;1;bpm=fast"),
    "beat_of_two_fields": (sysex.DELTA, "b;1;beat=0/0"),
    "beat_level_4": (sysex.DELTA, "b;1;beat=0/0/4"),
    "no_such_lane": (sysex.DELTA, "b;1;beat=9/0/1"),
    "no_such_step": (sysex.DELTA, "b;1;beat=0/4/1"),
    "no_such_lane_to_edit": (sysex.DELTA, "b;1;lane=2/swing/1"),
    "lane_negative": (sysex.DELTA, "b;1;beat=-1/0/1"),
    "lane_field_unknown": (sysex.DELTA, "b;1;lane=0/colour/1"),
    "lane_sub_5": (sysex.DELTA, "b;1;lane=0/sub/5"),
    "lane_groups_empty": (sysex.DELTA, "b;1;lane=0/groups/"),
    "full_of_five_fields": (sysex.FULL, "b;1;0;-1;-1"),
    "full_running_2": (sysex.FULL, "b;1;2;-1;-1;t99"),
    "full_set_list_no_number": (sysex.FULL, "b;1;0;x;-1;t99"),
    "full_patch_without_groups": (sysex.FULL, "b;1;0;-1;-1;t99;kick:"),
    "full_patch_sub_5": (sysex.FULL, "b;1;0;-1;-1;t99;kick:4/5"),
    "hello_empty": (sysex.HELLO, ""),
    "nonsense_delta": (sysex.DELTA, "n" * NONSENSE_BYTES),
    "nonsense_full": (sysex.FULL, ";" * NONSENSE_BYTES),
    "nonsense_patch": (sysex.FULL, "b;1;0;-1;-1;" + "kick:;" * (NONSENSE_BYTES // 6)),
    "nonsense_hello": (sysex.HELLO, "n;" * (NONSENSE_BYTES // 2)),
}
BAD_BYTES = {
    "longer_than_any": b"\xf0\x7d\x42" + b"n" * (70 << 10) + b"\xf7",
    "not_ascii": b"\xf0\x7d\x42b;1;bpm=9\xb2\xf7",
    "not_ascii_full": b"\xf0\x7d\x41b;1;0;-1;-1;t99;k\xc3\xafck:4\xf7",
    "truncated": b"\xf0\x7d\x42b;1;bpm=9",
    "truncated_by_another": b"\xf0\x7d\x42b;1;bpm=9\xf0\x7d\x42b;1;bpm=9",
}


@pytest.fixture
def tap(tmp_path):
    with Tap(tmp_path / "midi") as tap:
        yield tap


@pytest.fixture
def symlog(start, tap):
    """A serve at the tap, and a subscriber to ask questions through."""
    serve = start("--midi", tap.path)
    control = open_control(serve)
    yield serve, control
    control.close()


@pytest.fixture
def groove(symlog, tap):
    """The model's groove, as symlog's is."""
    groove = Groove()
    say(tap, groove, sysex.full("d7", 1, 0, -1, -1, PATCH))
    wait_until_as(symlog[1], groove)
    return groove


def say(tap, groove, frame):
    """Sends a frame and has the model apply it. Returns whether it was taken."""
    tap.say(frame)
    return apply(groove, frame)


def apply(groove, frame):
    """Whether the model took it."""
    try:
        groove.apply_frame(frame)
    except Refused:
        return False
    return True


@pytest.mark.parametrize(
    "event",
    [
        "play", "stop", "bpm=5", "bpm=300", "bpm=4", "bpm=301", "bpm=-9", "bpm=99999", "vol=0", "vol=100", "vol=101",
        "vol=-1", "sel=0/0", "sel=3/9", "sel=-1/-1", "beat=0/0/0", "beat=0/0/1", "beat=1/3/2", "beat=1/3/3",
        "lane=0/sound/hatClosed", "lane=0/groups/2+2+3", "lane=0/groups/3", "lane=0/sub/1", "lane=0/sub/2",
        "lane=0/sub/3", "lane=0/sub/4", "lane=0/sub/6", "lane=1/swing/1", "lane=1/swing/0", "lane=1/gain/-3",
        "lane=1/gain/6", "lane=1/poly/1", "lane=1/enabled/0",
    ],
)  # fmt: skip
def test_event_does_what_the_model_says(model_and_symlog, event):
    """As a DELTA of a device."""
    tap, control, groove, numbers = model_and_symlog
    assert say(tap, groove, sysex.full("d7", next(numbers), 0, -1, -1, PATCH))
    assert say(tap, groove, sysex.delta("d7", next(numbers), event))
    wait_until_as(control, groove)


def test_event_sequences_at_random(symlog, tap, groove, rng):
    """DELTAs, good and bad, FULLs, and edits of clients; a subscriber who applies the diffs, and replay, agree."""
    serve, control = symlog
    bad = 0
    subscriber = open_control(serve, take_first=False)
    for number in range(2, EVENTS):
        chance = rng.random()
        if chance < 0.05:
            place = rng.randint(-1, 3), rng.randint(-1, 3)
            frame = sysex.full("d7", number, rng.randrange(2), *place, random_patch(rng))
            bad += not say(tap, groove, frame)
        elif chance < 0.9:
            bad += not say(tap, groove, sysex.delta("d7", number, random_event(rng, groove, invalid=0.1)))
        if number % (EVENTS // MILESTONES) == 0:
            wait_until_as(control, groove)
            event = random_event(rng, groove)
            groove.apply_event(event)
            assert "error" not in edit(control, event)
            wait_until_as(control, groove)
    wait_until_as(control, groove)
    wait_until(lambda: sum(refusals(control).values()) == bad, f"{bad} refused")
    node = groove_node(control)
    assert list(differences(mirrored(subscriber), node, ids=True)) == []
    control.close()
    assert serve.stop() == 0
    assert run_symlog("verify", "--db", serve.db).returncode == 0
    assert replayed_groove(serve.db) == node, "hashes and ids included"


def mirrored(subscriber):
    """The groove of one who believes nothing but the messages so far."""
    mirror = Subscriber()
    with subscriber:
        subscriber.send(json.dumps({"jsonrpc": "2.0", "id": "end", "method": "mark", "params": {"text": "end"}}))
        for message in receive_until(subscriber, lambda message: message.get("id") == "end"):
            mirror.receive(message)
    return next(child for child in mirror.ast["children"] if child["node_type"] == "groove")


@pytest.mark.parametrize("by_socket", [False, True], ids=["port", "websocket"])
def test_bad_frame_is_refused_with_a_reason(symlog, tap, groove, by_socket):
    serve, control = symlog
    before = groove_node(control)
    with serve.subscribe(max_queue=None) as editor:
        receive(editor)
        frames = {name: bytes(sysex.Frame(*bad)) for name, bad in BAD_TEXTS.items()} | BAD_BYTES
        refused_before = 0
        for name, frame in frames.items():
            if by_socket:
                editor.send(frame)
            else:
                tap.send(frame + b"\xf6")  # A status byte: what was truncated is over.
            count = wait_until(lambda: max(0, refused(control, serve) - refused_before), f"{name} refused")
            assert groove_node(control) == before, name
            refused_before += count
    reasons = refusals(control)
    assert reasons and all(reason and reason != "none" for reason in reasons), reasons
    tap.say(sysex.delta("d7", 1000, "bpm=121"))
    wait_for_value(control, "bpm", 121)


def refused(control, serve):
    return sum(refusals(control).values()) + sum(" refused " in line for line in logged(serve.db))


@pytest.mark.parametrize("event", INVALID)
def test_bad_edit_of_a_client_is_an_error(model_and_symlog, event):
    tap, control, groove, numbers = model_and_symlog
    assert say(tap, groove, sysex.full("d7", next(numbers), 0, -1, -1, PATCH))
    wait_until_as(control, groove)
    response = edit(control, event)
    assert response.get("error", {}).get("message"), response
    wait_until_as(control, groove)


@pytest.mark.parametrize("cut", [1, 3, 9])
def test_frame_in_pieces_is_put_together(symlog, tap, groove, cut):
    """Two frames in one message, one in two messages, one in two fragments."""
    serve, control = symlog
    frames = [bytes(sysex.delta("e1", number, f"bpm={60 + number}")) for number in range(4)]
    with serve.subscribe(max_queue=None) as editor:
        receive(editor)
        editor.send(frames[0] + frames[1])
        wait_for_value(control, "bpm", 61)
        editor.send(frames[2][:cut])
        editor.send(frames[2][cut:])
        wait_for_value(control, "bpm", 62)
        editor.send([frames[3][:cut], frames[3][cut:]])
        wait_for_value(control, "bpm", 63)


def test_other_frames_are_recorded_alone(symlog, tap, groove):
    serve, control = symlog
    before = groove_node(control)
    ops = (0x01, 0x02, 0x10, 0x20, 0x44, 0x45, 0x7E, 0x7F)
    for op in ops:
        tap.say(sysex.Frame(op, "text"))
    tap.say(sysex.delta("d7", 2, "bpm=119"))
    wait_for_value(control, "bpm", 119)
    assert sum(line.split()[2] == "sysex" for line in logged(serve.db)) == len(ops) + 2
    assert {**before["attributes"], "bpm": 119, "patch": value(control, "patch")} == groove_node(control)["attributes"]
    assert refusals(control) == {}


def test_frames_of_strangers_between_are_passed_over(symlog, tap, groove):
    """Notes, clock, another maker's SysEx, real-time bytes within a frame."""
    _, control = symlog
    frame = bytes(sysex.delta("d7", 2, "bpm=118"))
    tap.send(b"\x90\x3c\x40\x3c\x00\xf8" + b"\xf0\x7e\x00\x06\x01\xf7" + frame[:5] + b"\xf8\xfe" + frame[5:])
    groove.apply_event("bpm=118")
    wait_until_as(control, groove)


def test_random_patches_as_full(model_and_symlog, rng):
    tap, control, groove, numbers = model_and_symlog
    for _ in range(60):
        frame = sysex.full("d7", next(numbers), 0, -1, -1, random_patch(rng))
        assert say(tap, groove, frame)
        wait_until_as(control, groove)


def test_long_log_of_frames_replays_as_the_model_says(symlog, tap, groove, rng, tmp_path):
    """By way of a file, for speed: a log that serve began, continued by frames that never went over a wire."""
    serve, control = symlog
    control.close()
    assert serve.stop() == 0
    ended = run_symlog("log", "export", "-", "--db", serve.db)
    lines = ended.stdout.splitlines()
    last = json.loads(next(line for line in reversed(lines) if json.loads(line).get("kind") == KINDS["sysex"]))
    seq, time_ns = len(lines) - 1, json.loads(lines[-1])["time_ns"]
    asts = {}
    for number in range(2, IMPORTED_FRAMES + 2):
        if rng.random() < 0.03:
            frame = sysex.full("d7", number, rng.randrange(2), -1, -1, random_patch(rng))
        else:
            frame = sysex.delta("d7", number, random_event(rng, groove, invalid=0.1))
        apply(groove, frame)
        seq, time_ns = seq + 1, time_ns + 1_000_000
        event = {"seq": seq, "time_ns": time_ns, "payload": bytes(frame).hex()}
        lines.append(json.dumps({**last, **event, "text": ""}))
        if number % (IMPORTED_FRAMES // MILESTONES) == 0:
            asts[seq] = copy.deepcopy(groove)
    file, db = tmp_path / "frames.ndjson", tmp_path / "imported"
    file.write_text("\n".join(lines) + "\n")
    ended = run_symlog("log", "import", file, "--db", db)
    assert ended.returncode == 0, ended.stderr
    for at, wanted in asts.items():
        assert differing(wanted, replayed_groove(db, "--at", at)) == [], at


def test_damaged_patches_are_taken_or_refused_alike(model_and_symlog, rng):
    _, control, groove, _ = model_and_symlog
    for _ in range(DAMAGED_PATCHES):
        event = f"patch={damaged_patch(rng)}"
        response = edit(control, event)
        try:
            groove.apply_event(event)
        except Refused as why:
            assert re.search(r"at byte \d+ ", response["error"]["message"]), (event, why, response)
        else:
            assert "error" not in response, (event, response)
            assert differing(groove, groove_node(control)) == [], event


def test_set_lists_at_random(start, tap, rng, tmp_path):
    """Selections, edits of built-in items and of copies, FULLs that tell of other places."""
    file = tmp_path / "programs.json"
    lists = [{"title": title, "programs": random_programs(rng)} for title in ("Styles", "Practice", "Song")]
    file.write_text(json.dumps({"format": 2, "setlists": lists}))
    serve = start("--midi", tap.path, "--setlists", file)
    groove = Groove(read_set_lists(json.loads(file.read_text())))
    with open_control(serve) as control:
        say(tap, groove, sysex.full("d7", 1, 0, -1, -1, PATCH))
        for number in range(2, EVENTS):
            if rng.random() < 0.1:
                place = rng.randint(-1, 4), rng.randint(-1, 4)
                say(tap, groove, sysex.full("d7", number, 0, *place, random_patch(rng)))
            elif rng.random() < 0.4:
                say(tap, groove, sysex.delta("d7", number, f"sel={rng.randint(-1, 4)}/{rng.randint(-1, 4)}"))
            else:
                say(tap, groove, sysex.delta("d7", number, random_event(rng, groove, invalid=0.1)))
            if number % 10 == 0:
                wait_until_as(control, groove)
        wait_until_as(control, groove)
        node = groove_node(control)
    assert groove.my_edits.programs
    assert serve.stop() == 0
    assert run_symlog("verify", "--db", serve.db).returncode == 0
    assert replayed_groove(serve.db) == node


def random_programs(rng):
    return [{"name": f"P{number}", "prog": str(random_patch(rng))} for number in range(rng.randint(1, 3))]


# One serve for many small tests.


@pytest.fixture(scope="module")
def model_and_symlog(tmp_path_factory):
    print(f"SYMLOG_SEED={SEED}")
    folder = tmp_path_factory.mktemp("events")
    with Tap(folder / "midi") as tap:
        serve = Serve(folder / "log", "--midi", tap.path)
        with open_control(serve) as control:
            yield tap, control, Groove(), itertools.count(1)
        assert serve.stop() == 0
