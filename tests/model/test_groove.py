"""Tests of the model's groove: frames, each event, echoes, set lists, copy on write."""

import random

import pytest

from model import sysex
from model.groove import Groove, Refused, SetList
from model.patch import parse
from model.random_groove import INVALID, random_event, random_patch
from model.sysex import FrameStream, read_frame

LISTS = (
    SetList("Styles", [("Rock", "t120;kick:4=x.x.;snare:4"), ("Jazz", "t90;kick:3")]),
    SetList("Song", [("A", "t70")]),
)


@pytest.fixture
def groove():
    groove = Groove()
    groove.apply_event("patch=t120;kick:4=Xxxx;snare:4=.x.x")
    return groove


@pytest.mark.parametrize(
    "event, state",
    [
        ("play", {"running": True}),
        ("stop", {"running": False}),
        ("bpm=99", {"bpm": 99}),
        ("bpm=1", {"bpm": 5}),
        ("bpm=-7", {"bpm": 5}),
        ("bpm=9999", {"bpm": 300}),
        ("vol=7", {"volume": 7}),
        ("vol=101", {"volume": 100}),
        ("vol=-1", {"volume": 0}),
        ("sel=3/4", {"set_list": 3, "item": 4}),
    ],
)
def test_groove_event_sets_an_attribute(groove, event, state):
    groove.apply_event(event)
    assert {name: groove.to_ast()["attributes"][name] for name in state} == state


def test_groove_beat_sets_a_step(groove):
    assert groove.apply_event("beat=1/2/3") is True
    assert groove.patch.lanes[1].steps == [0, 1, 3, 1]
    assert groove.apply_event("beat=1/2/3") is False


@pytest.mark.parametrize(
    "value", ["sound/beep", "groups/2+2", "sub/2", "swing/1", "gain/-3", "poly/1", "enabled/0"]
)
def test_groove_lane_sets_a_field(groove, value):
    assert groove.apply_event(f"lane=1/{value}") is True
    assert groove.apply_event(f"lane=1/{value}") is False


@pytest.mark.parametrize("event", INVALID)
def test_groove_invalid_event_changes_nothing(groove, event):
    before = groove.to_ast()
    with pytest.raises(Refused):
        groove.apply_event(event)
    assert groove.to_ast() == before


@pytest.mark.parametrize(
    "old, field, new",
    [
        ("4=Xxg.", "sub/2", "4/2=X.x.g..."),
        ("4/2=Xxg.x.x.", "sub/4", "4/4=X.x.g...x...x..."),
        ("4/2=Xxg.x.x.", "sub/3", "4/3=X..g..x..x.."),
        ("4/2=Xxg.x.x.", "sub/1", "4=Xgxx"),
        ("4/4=Xxg.x.x.gggg.X.X", "sub/2", "4/2=Xgxxgg.."),
        ("4=Xxg.", "groups/2+3", "2+3=Xxg.x"),
        ("4=Xxg.", "groups/4+3", "4+3=Xxg.Xxx"),
        ("4=Xxg.", "groups/3", "3=Xxg"),
    ],
)
def test_groove_lane_that_is_reshaped_keeps_its_rhythm(groove, old, field, new):
    groove.apply_event(f"patch=kick:{old}")
    groove.apply_event(f"lane=0/{field}")
    assert groove.patch.lanes == parse(f"kick:{new}").lanes


def test_groove_frame_of_its_own_or_twice_is_dropped(groove):
    assert not groove.apply_frame(sysex.delta("me", 1, "bpm=99"), own_origin="me")
    assert groove.apply_frame(sysex.delta("e1", 1, "bpm=99"))
    groove.apply_event("bpm=100")
    assert not groove.apply_frame(sysex.delta("e1", 1, "bpm=99"))
    assert groove.apply_frame(sysex.delta("e1", 2, "bpm=99"))
    assert groove.apply_frame(sysex.delta("e2", 1, "bpm=98"))


def test_groove_full_makes_two_grooves_equal():
    rng = random.Random(2)
    for number in range(300):
        one, other = Groove(), Groove()
        one.apply_event(f"patch={random_patch(rng)}")
        for _ in range(5):
            one.apply_event(random_event(rng, one))
        frame = sysex.full("d", number, *one.state())
        read = read_frame(bytes(frame))
        assert read == frame
        other.apply_frame(read)
        assert other.to_ast() == one.to_ast(), str(read)
        assert other.apply_frame(sysex.full("d", number + 1000, *one.state())) is False


def test_groove_peers_come_and_go(groove):
    groove.apply_frame(sysex.hello("e1"))
    groove.apply_frame(sysex.delta("e2", 1, "play"))
    assert groove.peers == {"e1", "e2"}
    groove.apply_frame(sysex.bye("e1"))
    assert groove.peers == {"e2"}


@pytest.mark.parametrize(
    "op, text",
    [
        (sysex.FULL, "e;1;0;0;0"),
        (sysex.FULL, "e;1;2;0;0;t120"),
        (sysex.FULL, "e;x;0;0;0;t120"),
        (sysex.FULL, "e;1;0;a;0;t120"),
        (sysex.FULL, "e;1;0;-2;0;t120"),
        (sysex.FULL, "e;1;0;0;0;t1"),
        (sysex.FULL, ""),
        (sysex.DELTA, "e;1"),
        (sysex.DELTA, "e;1;play;stop"),
        (sysex.DELTA, ";1;play"),
        (sysex.HELLO, ""),
        (sysex.BYE, "a;b"),
    ],
)
def test_groove_bad_frame_is_refused(groove, op, text):
    before = groove.to_ast()
    with pytest.raises(Refused):
        groove.apply_frame(sysex.Frame(op, text))
    assert groove.to_ast() == before


def test_groove_version_names_the_device(groove):
    groove.apply_frame(sysex.Frame(sysex.VERSION, "X;0.0.23"))
    assert groove.device_id == "X"
    groove.apply_frame(sysex.Frame(sysex.VERSION, "0.0.22"))
    assert groove.device_id == "K"


# Set lists.


def test_groove_selection_loads_the_program():
    groove = Groove(LISTS)
    groove.apply_event("sel=0/1")
    assert groove.bpm == 90 and (groove.set_list, groove.item) == (0, 1)
    for event in ("sel=0/2", "sel=2/0", "sel=9/0", "sel=-1/-1"):
        with pytest.raises(Refused):
            groove.apply_event(event)


def test_groove_edit_of_a_built_in_goes_into_a_copy():
    groove = Groove(LISTS)
    groove.apply_event("sel=0/0")
    groove.apply_event("beat=0/0/3")
    assert (groove.set_list, groove.item) == (2, 0)
    groove.apply_event("beat=0/1/3")
    assert (groove.set_list, groove.item) == (2, 0), "it is a copy already"
    groove.apply_event("sel=0/0")
    assert groove.patch.lanes[0].steps == [1, 0, 1, 0]
    groove.apply_event("sel=2/0")
    assert groove.patch.lanes[0].steps == [3, 3, 1, 0]


# The stream.


def test_stream_finds_frames_in_any_pieces():
    frames = [bytes(sysex.hello("e")), bytes(sysex.delta("e", 1, "play"))]
    noise = bytes([0xF8, 0x90, 60, 100, 0xFE])
    data = noise + frames[0][:3] + b"\xf8" + frames[0][3:] + noise + frames[1]
    for size in range(1, len(data)):
        stream = FrameStream()
        found = [frame for at in range(0, len(data), size) for frame in stream.take(data[at : at + size])]
        assert found == frames and stream.broken == 0


def test_stream_counts_broken_frames():
    stream = FrameStream()
    assert stream.take(b"\xf0\x7d\x40e\x90\x40\x40" + b"\xf0\x7d\x40\xf0\x7d\x43e\xf7") == [b"\xf0\x7d\x43e\xf7"]
    assert stream.broken == 2


BAD = [b"", b"\xf0\xf7", b"\xf0\x7d\xf7", b"\xf0\x7e\x40e\xf7", b"\xf0\x7d\x40e", b"\xf0\x7d\x40\xc3\xf7"]


@pytest.mark.parametrize("data", BAD)
def test_stream_bad_frame_is_said_to_be(data):
    assert isinstance(read_frame(data), str)
