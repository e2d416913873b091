"""Random patches, events and frames of the groove; the same for the same generator of numbers."""

import string

from . import patch as share
from .patch import Lane, Patch

SOUNDS = ("kick", "snare", "hatClosed", "beep")  # Those that the protocol names.
LANES_MAX = 5
GROUPS_MAX = 3
GROUP_BEATS_MAX = 5
GAIN_MAX = 12
PRACTICE = {
    "cd": ("", "2"),
    "b": ("4", "16"),
    "tr": ("3/1",),
    "rmp": ("80/+5/4", "140/-3/2"),
    "rep=": ("3",),
    "end=": ("stop", "next", "-1", "+2"),
}
ALPHABET = ";:/=+-@~!()0123456789xXg.tvbcdrmpneskick "
DAMAGED_LENGTH_MAX = 60
INVALID = (
    "", "nonsense", "bpm", "bpm=", "bpm=fast", "bpm=12x", "vol", "vol=loud", "vol=", "play=1", "stop=", "=", "sel=0",
    "sel=a/b", "sel=0/0/0", "beat=0/0", "beat=0/0/4", "beat=0/0/-1", "beat=0/0/1/1", "beat=99/0/1", "beat=0/999/1",
    "beat=-1/0/1", "beat=0/-1/1", "beat=x/0/1", "lane=0/sound", "lane=99/swing/1", "lane=-1/swing/1",
    "lane=0/colour/red", "lane=0/sub/5", "lane=0/sub/0", "lane=0/swing/2", "lane=0/gain/loud", "lane=0/groups/",
    "lane=0/groups/2+", "lane=0/groups/0", "lane=0/poly/yes", "lane=0/enabled/-1", "lane=0/sound/", "lane=/sound/kick",
    "PLAY", "tempo=120",
)  # fmt: skip


def random_lane(rng, pattern=True):
    """A lane of any shape; with `pattern` half of them have steps of their own."""
    groups = tuple(rng.randint(1, GROUP_BEATS_MAX) for _ in range(rng.randint(1, GROUPS_MAX)))
    sub = rng.choice(share.SUBDIVISIONS)
    count = sum(groups) * sub
    return Lane(
        rng.choice(SOUNDS),
        groups,
        sub,
        swing=rng.random() < 0.2,
        gain=rng.choice((0, 0, rng.randint(-GAIN_MAX, GAIN_MAX))),
        poly=rng.random() < 0.2,
        enabled=rng.random() < 0.8,
        steps=[rng.randrange(4) for _ in range(count)] if pattern and rng.random() < 0.5 else [],
    )


def random_patch(rng, unknown=True):
    """A Patch; with `unknown` some have tokens that no grammar knows."""
    rest = [random_lane(rng) for _ in range(rng.randint(1, LANES_MAX))]
    if unknown and rng.random() < 0.2:
        rest.insert(rng.randint(0, len(rest)), "zz" + "".join(rng.choices(string.ascii_lowercase, k=4)))
    return Patch(
        bpm=rng.choice((None, *[rng.randint(share.BPM_MIN, share.BPM_MAX)] * 3)),
        volume=rng.choice((None, rng.randint(share.VOLUME_MIN, share.VOLUME_MAX))),
        practice={keyword: rng.choice(values) for keyword, values in PRACTICE.items() if rng.random() < 0.15},
        rest=rest,
    )


def damaged_patch(rng):
    """A text that was a patch before it was typed over; it may be one still."""
    text = list(str(random_patch(rng))[:DAMAGED_LENGTH_MAX])
    for _ in range(rng.randint(1, 4)):
        at = rng.randrange(len(text))
        text[at : at + rng.randrange(2)] = rng.choices(ALPHABET, k=rng.randrange(2))
        text = text or ["t"]
    return "".join(text)


def random_fine_event(rng, groove):
    """An event that goes out as a DELTA and fits the groove."""
    lane = rng.randrange(len(groove.patch.lanes))
    step = rng.randrange(len(groove.patch.lanes[lane].steps))
    return rng.choice(
        (
            "play",
            "stop",
            f"bpm={rng.randint(0, 400)}",
            f"vol={rng.randint(-20, 130)}",
            f"beat={lane}/{step}/{rng.randrange(4)}",
            f"beat={lane}/{step}/{rng.randrange(4)}",
            f"beat={lane}/{step}/{rng.randrange(4)}",
        )
    )


def random_lane_event(rng, groove):
    """An edit of a lane's field that fits the groove."""
    lane = rng.randrange(len(groove.patch.lanes))
    like = random_lane(rng)
    values = {
        "sound": like.sound,
        "groups": share.groups_text(like.groups),
        "sub": like.sub,
        "swing": int(like.swing),
        "gain": like.gain,
        "poly": int(like.poly),
        "enabled": int(like.enabled),
    }
    name = rng.choice(list(values))
    return f"lane={lane}/{name}/{values[name]}"


def random_event(rng, groove, invalid=0.0):
    """Any event of the grammar, or with that chance one that must change nothing."""
    if rng.random() < invalid:
        return rng.choice(INVALID)
    chance = rng.random()
    if chance < 0.7:
        return random_fine_event(rng, groove)
    if chance < 0.75:
        return f"sel={rng.randint(-1, 4)}/{rng.randint(-1, 9)}"
    return random_lane_event(rng, groove)
