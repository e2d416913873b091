"""Tests of the model's share language: the protocol's vectors, its whole grammar, and random patches."""

import os
import random

import pytest

from model.patch import ACCENT, NORMAL, REST, Lane, Patch, PatchError, euclid, parse
from model.random_groove import random_patch

PATCHES = 100_000 if "SYMLOG_SOAK" in os.environ else 3000

VECTORS = {
    "t120;kick:4=Xxxx": [[2, 1, 1, 1]],
    "t120;kick:4=Xxxx;snare:4=.x.x;hatClosed:4/2=X.x.x.x.": [[2, 1, 1, 1], [0, 1, 0, 1], [2, 0, 1, 0, 1, 0, 1, 0]],
    "t130;kick:2+2+3=x..x..x;hatClosed:2+2+3/2=X.x.X.x.X.x.x.": [
        [1, 0, 0, 1, 0, 0, 1],
        [2, 0, 1, 0, 2, 0, 1, 0, 2, 0, 1, 0, 1, 0],
    ],
}


@pytest.mark.parametrize("text", VECTORS)
def test_patch_vectors_of_the_protocol(text):
    patch = parse(text)
    assert [lane.steps for lane in patch.lanes] == VECTORS[text]
    assert str(patch.bpm) == text[1:4]
    assert parse(str(patch)) == patch


def test_patch_without_lanes_is_a_beep():
    assert parse("t90").lanes == [Lane("beep", (4,))]
    assert str(parse("t90;what")) == "t90;what;beep:4=Xxxx"
    assert parse("t90").lanes[0].steps == [2, 1, 1, 1]


def test_patch_version_says_nothing():
    assert parse("v1;t90;kick:4") == parse("t90;v1;kick:4") == parse("t90;kick:4")


@pytest.mark.parametrize(
    "token, lane",
    [
        ("kick:4", Lane("kick", (4,), steps=[2, 1, 1, 1])),
        ("kick:2+3", Lane("kick", (2, 3), steps=[2, 1, 2, 1, 1])),
        ("kick:2/2", Lane("kick", (2,), 2, steps=[2, 1, 1, 1])),
        ("kick:2/2s", Lane("kick", (2,), 2, swing=True)),
        ("kick:4=-g.X", Lane("kick", (4,), steps=[0, 3, 0, 2])),
        ("kick:2/2=Xx", Lane("kick", (2,), 2, steps=[2, 0, 1, 0])),
        ("kick:4@-3", Lane("kick", (4,), gain=-3)),
        ("kick:4@+3~!", Lane("kick", (4,), gain=3, poly=True, enabled=False)),
        ("36:4", Lane("36", (4,))),
        ("kick:8(3,8)", Lane("kick", (8,), steps=[1, 0, 0, 1, 0, 0, 1, 0])),
    ],
)
def test_patch_lane(token, lane):
    assert parse(f"t100;{token}").lanes == [lane]
    assert parse(str(parse(token))) == parse(token)


@pytest.mark.parametrize(
    "token", ["cd", "cd2", "b4", "tr3/1", "rmp80/+5/4", "rep=3", "end=stop", "end=next", "end=-1", "end=+1"]
)
def test_patch_practice_is_kept(token):
    assert str(parse(f"kick:1;{token};t100")) == f"t100;{token};kick:1=X"


@pytest.mark.parametrize("token", ["what", "q=7/x", "track", "V2", "cdx"])
def test_patch_unknown_token_is_kept_in_its_place(token):
    assert str(parse(f"kick:1;{token};t100;snare:1")) == f"t100;kick:1=X;{token};snare:1=X"


@pytest.mark.parametrize(
    "text, canonical",
    [
        ("t90;t100;vol1;vol2;b2;b3", "t100;vol2;b3;beep:4=Xxxx"),
        (" t090 ; kick:1 ", "t90;kick:1=X"),
        ("cd0;b0;rep=0", "rep=0;beep:4=Xxxx"),
        ("rmp80/5/4;end=2", "rmp80/+5/4;end=+2;beep:4=Xxxx"),
        ("kick:2/1s@0", "kick:2/1s=Xx"),
    ],
)
def test_patch_canonical(text, canonical):
    assert str(parse(text)) == canonical


@pytest.mark.parametrize(
    "text, position",
    [
        ("t4;kick:4", 1),
        ("t301", 1),
        ("vol101", 3),
        ("", 0),
        ("t120;;kick:4", 5),
        ("t120;kick:", 10),
        ("t120;kick:0", 10),
        ("t120;kick:4/5", 12),
        ("t120;kick:4=", 12),
        ("t120;kick:4=Xxxxx", 12),
        ("t120;kick:4=Xy", 13),
        ("t120;kick:4@", 12),
        ("t120;kick:4!~", 12),
        ("t120;:4", 5),
        ("t120;kick:4(5,4)", 11),
        ("t120;k\u00efck:4", 6),
        ("t120;kick:65", 10),
        ("t120;kick:4@100", 12),
        ("t", 1),
        ("v2", 1),
        ("t120;tr3", 7),
        ("end=soon", 4),
        ("rep=10000", 4),
        (";".join(["kick:1"] * 65), 64 * 7),
    ],
)
def test_patch_error_says_where(text, position):
    with pytest.raises(PatchError) as raised:
        parse(text)
    assert raised.value.position == position and raised.value.expected


def test_patch_euclid_is_even():
    assert euclid(4, 16) == [1, 0, 0, 0] * 4
    assert euclid(0, 3) == [REST] * 3
    assert euclid(5, 8).count(NORMAL) == 5
    assert euclid(3, 8, 1) == [0, 0, 1, 0, 0, 1, 0, 1]
    assert ACCENT not in euclid(8, 8)


def test_patch_random_ones_survive_their_text():
    rng = random.Random(1)
    for _ in range(PATCHES):
        patch = random_patch(rng)
        text = str(patch)
        assert parse(text) == patch, text
        assert str(parse(text)) == text


def test_patch_defaults():
    assert parse("kick:4") == Patch(rest=[Lane("kick", (4,))])
