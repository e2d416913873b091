"""The share language: a groove as one line of text. Written from the protocol's grammar alone.

    patch = [ "v1" ";" ] token *( ";" token )
    token = "t" bpm | "vol" n | "cd"[n] | "b" bars | "tr" play "/" mute | "rmp" start "/" amt "/" every
          | "rep=" n | "end=" ( "stop" | "next" | +-N ) | lane | anything else, kept as it is
    lane  = sound ":" groups [ "/" sub ["s"] ] [ "=" pattern | "(" k "," n ["," rot] ")" ] [ "@" +-dB ] [ "~" ] [ "!" ]

`parse` gives a Patch or raises PatchError; `str(patch)` is one canonical form of it: parse(str(p)) == p.
"""

import re
from dataclasses import dataclass, field

BPM_MIN, BPM_MAX, BPM_DEFAULT = 5, 300, 120
VOLUME_MIN, VOLUME_MAX, VOLUME_DEFAULT = 0, 100, 100
SUBDIVISIONS = (1, 2, 3, 4, 6)
REST, NORMAL, ACCENT, GHOST = range(4)
LETTERS = ".xXg"  # By level.
LEVELS = {".": REST, "-": REST, "x": NORMAL, "X": ACCENT, "g": GHOST}

_TEMPO = re.compile(r"t(\d+)$")
_VOLUME = re.compile(r"vol(\d+)$")
_PRACTICE = re.compile(r"(cd\d*|b\d+|tr\d+/\d+|rmp\d+/[+-]?\d+/\d+|rep=\d+|end=(stop|next|[+-]?\d+))$")
_EUCLID = re.compile(r"\((\d+),(\d+)(?:,(-?\d+))?\)")


class PatchError(ValueError):
    """What is wrong with a patch: `position` (in characters, from 0) and what was expected there."""

    def __init__(self, position, expected):
        super().__init__(f"at {position}: expected {expected}")
        self.position = position
        self.expected = expected


@dataclass
class Lane:
    """A voice and its steps, one level each; there are beats x sub of them."""

    sound: str
    groups: tuple
    sub: int = 1
    swing: bool = False
    gain: int = 0
    poly: bool = False
    enabled: bool = True
    steps: list = field(default_factory=list)

    def __post_init__(self):
        self.steps = self.steps or default_steps(self.groups, self.sub)

    def __str__(self):
        text = f"{self.sound}:{groups_text(self.groups)}"
        if self.sub != 1 or self.swing:
            text += f"/{self.sub}" + "s" * self.swing
        if self.steps != default_steps(self.groups, self.sub):
            text += "=" + "".join(LETTERS[level] for level in self.steps)
        if self.gain:
            text += f"@{self.gain:+d}"
        return text + "~" * self.poly + "!" * (not self.enabled)


@dataclass
class Patch:
    """A whole groove. `others` are the tokens that say nothing of sound: practice, and what nobody knows."""

    bpm: int = BPM_DEFAULT
    volume: int | None = None  # Not told: it stays what it is.
    others: list = field(default_factory=list)
    lanes: list = field(default_factory=lambda: [Lane("beep", (4,))])

    def __str__(self):
        volume = [] if self.volume is None else [f"vol{self.volume}"]
        return ";".join([f"t{self.bpm}", *volume, *self.others, *map(str, self.lanes)])


def groups_text(groups):
    return "+".join(map(str, groups))


def default_steps(groups, sub):
    """All normal, and an accent where a group starts."""
    steps = []
    for group in groups:
        steps += [ACCENT] + [NORMAL] * (group * sub - 1)
    return steps


def euclid(pulses, length, rotation=0):
    """`pulses` normal steps spread over `length` as evenly as can be, from the one on; then rotated to the right."""
    steps = [NORMAL if at * pulses % length < pulses else REST for at in range(length)]
    rotation %= length
    return steps[length - rotation :] + steps[: length - rotation]


def parse(text):
    """The Patch that a text says. Raises PatchError."""
    if bad := re.search(r"[^\x20-\x7e]", text):
        raise PatchError(bad.start(), "printable ASCII")
    patch = Patch(lanes=[])
    position = 0
    for number, token in enumerate(text.split(";")):
        if not (number == 0 and token == "v1"):
            _take_token(patch, token, position)
        position += len(token) + 1
    patch.lanes = patch.lanes or Patch().lanes
    return patch


def _take_token(patch, token, position):
    if not token:
        raise PatchError(position, "a token")
    if match := _TEMPO.match(token):
        patch.bpm = _within(int(match[1]), BPM_MIN, BPM_MAX, position + 1, "a tempo")
    elif match := _VOLUME.match(token):
        patch.volume = _within(int(match[1]), VOLUME_MIN, VOLUME_MAX, position + 3, "a volume")
    elif ":" in token and not _PRACTICE.match(token):
        patch.lanes.append(_LaneParser(token, position).parse())
    else:
        patch.others.append(token)


def _within(number, lowest, highest, position, what):
    if not lowest <= number <= highest:
        raise PatchError(position, f"{what} from {lowest} to {highest}")
    return number


class _LaneParser:
    """Goes through one token from left to right."""

    def __init__(self, token, position):
        self.token = token
        self.position = position  # Of the token in the patch.
        self.at = 0

    def parse(self):
        sound = self.need(r"[A-Za-z0-9_]+", "a sound")
        self.need(":", "':'")
        groups = parse_groups(self.need(r"\d+(\+\d+)*", "groups"))
        if groups is None:
            raise PatchError(self.position + self.at, "groups of at least 1")
        lane = Lane(sound, groups)
        if self.find("/"):
            lane.sub = int(self.need("[12346]", "a subdivision: 1, 2, 3, 4 or 6"))
            lane.swing = bool(self.find("s"))
        lane.steps = self.steps(lane)
        if self.find("@"):
            lane.gain = int(self.need(r"[+-]?\d+", "dB"))
        lane.poly = bool(self.find("~"))
        lane.enabled = not self.find("!")
        if self.at < len(self.token):
            raise PatchError(self.position + self.at, "the end of the lane")
        return lane

    def steps(self, lane):
        if self.find("="):
            begin = self.at
            told = [LEVELS[letter] for letter in self.need("[Xxg.-]+", "a pattern of X x g . -")]
        elif found := self.find(_EUCLID):
            begin = self.at - len(found)
            pulses, length, rotation = (int(number or 0) for number in _EUCLID.match(found).groups())
            if not 1 <= length or pulses > length:
                raise PatchError(self.position + begin, "at least as many steps as hits")
            told = euclid(pulses, length, rotation)
        else:
            return default_steps(lane.groups, lane.sub)
        fitted = fit(told, sum(lane.groups), lane.sub)
        if fitted is None:
            raise PatchError(self.position + begin, f"at most {sum(lane.groups) * lane.sub} steps")
        return fitted

    def find(self, pattern):
        """The text that matches here, which is passed over; or None."""
        match = re.compile(pattern).match(self.token, self.at)
        if match is None:
            return None
        self.at = match.end()
        return match[0]

    def need(self, pattern, what):
        found = self.find(pattern)
        if found is None:
            raise PatchError(self.position + self.at, what)
        return found


def parse_groups(text):
    """`2+2+3` as numbers, or None."""
    if not re.fullmatch(r"\d+(\+\d+)*", text):
        return None
    groups = tuple(map(int, text.split("+")))
    return groups if all(groups) else None


def fit(steps, beats, sub):
    """Steps as they were told, as many as the lane has: a short pattern tells beats. None: there are too many."""
    if len(steps) > beats * sub:
        return None
    if len(steps) == beats and sub > 1:
        return [level for beat in steps for level in [beat] + [REST] * (sub - 1)]
    return steps + [REST] * (beats * sub - len(steps))
