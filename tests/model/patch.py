"""The share language: a groove as one line of text. Written from the protocol's grammar, and from core/TREE.md where
that is silent.

    patch = [ "v1" ";" ] token *( ";" token )
    token = "t" bpm | "vol" n | "cd"[n] | "b" bars | "tr" play "/" mute | "rmp" start "/" amt "/" every
          | "rep=" n | "end=" ( "stop" | "next" | +-N ) | lane | anything else, kept as it is
    lane  = sound ":" groups [ "/" sub ["s"] ] [ "=" pattern | "(" k "," n ["," rot] ")" ] [ "@" +-dB ] [ "~" ] [ "!" ]

`parse` gives a Patch or raises PatchError; `str(patch)` is one canonical form of it: parse(str(p)) == p.
"""

import re
from dataclasses import dataclass, field

BPM_MIN, BPM_MAX, BPM_DEFAULT = 5, 300, 120
VOLUME_MIN, VOLUME_MAX = 0, 100
SUBDIVISIONS = (1, 2, 3, 4, 6)
REST, NORMAL, ACCENT, GHOST = range(4)
LETTERS = ".xXg"  # By level.
LEVELS = {".": REST, "-": REST, "x": NORMAL, "X": ACCENT, "g": GHOST}

BEATS_MAX = 64
LANES_MAX = 64
SOUND = r"[A-Za-z0-9_.#-]{1,31}"
UNKNOWN_MAX = 64
GAIN_MAX = 99
NUMBER_MAX = 9999
PRACTICE = {  # Keyword -> what must stand behind it; in this order.
    "cd": r"\d*",
    "b": r"\d+",
    "tr": r"\d+/\d+",
    "rmp": r"\d+/[+-]?\d+/\d+",
    "rep=": r"\d+",
    "end=": r"stop|next|[+-]?\d+",
}
_KNOWN = re.compile(r"(t|vol|cd|b|tr|rmp|v)(?=[\d+-]|$)|rep=|end=")
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
        text += "=" + "".join(LETTERS[level] for level in self.steps)
        if self.gain:
            text += f"@{self.gain:+d}"
        return text + "~" * self.poly + "!" * (not self.enabled)


@dataclass
class Patch:
    """A whole groove. `rest` has its lanes, and the tokens that nobody knows (as texts), in their order."""

    bpm: int | None = None  # Not told: it stays what it is. So does the volume.
    volume: int | None = None
    practice: dict = field(default_factory=dict)  # Keyword of PRACTICE -> what stands behind it.
    rest: list = field(default_factory=lambda: [Lane("beep", (4,))])

    @property
    def lanes(self):
        return [one for one in self.rest if isinstance(one, Lane)]

    def __str__(self):
        tempo = [] if self.bpm is None else [f"t{self.bpm}"]
        volume = [] if self.volume is None else [f"vol{self.volume}"]
        practice = [keyword + self.practice[keyword] for keyword in PRACTICE if keyword in self.practice]
        return ";".join([*tempo, *volume, *practice, *map(str, self.rest)])


def groups_text(groups):
    return "+".join(map(str, groups))


def default_steps(groups, sub):
    """All normal, and an accent where a group starts."""
    steps = []
    for group in groups:
        steps += [ACCENT] + [NORMAL] * (group * sub - 1)
    return steps


def euclid(pulses, length, rotation=0):
    """`pulses` normal steps spread over `length` as evenly as can be; with a rotation, from that step on."""
    return [NORMAL if (at + rotation) * pulses % length < pulses else REST for at in range(length)]


def parse(text):
    """The Patch that a text says. Raises PatchError."""
    if bad := re.search(r"[^\x20-\x7e]", text):
        raise PatchError(bad.start(), "printable ASCII")
    patch = Patch(rest=[])
    position = 0
    for token in text.split(";"):
        bare = token.strip()
        _take_token(patch, bare, position + token.index(bare))
        position += len(token) + 1
    if not patch.lanes:
        patch.rest += Patch().rest
    return patch


def _take_token(patch, token, position):
    if not token:
        raise PatchError(position, "a token")
    if ":" in token:
        patch.rest.append(_LaneParser(token, position).parse())
        _within(len(patch.lanes), 1, LANES_MAX, position, "a number of lanes")
    elif match := _KNOWN.match(token):
        _take_known(patch, match[0], token[match.end() :], position + match.end())
    else:
        patch.rest.append(token)
        _within(len(patch.rest) - len(patch.lanes), 1, UNKNOWN_MAX, position, "a number of unknown tokens")


def _take_known(patch, keyword, value, position):
    if keyword in PRACTICE:
        patch.practice.pop(keyword, None)
        if told := _practice(keyword, value, position):
            patch.practice[keyword] = told[0]
    elif keyword == "v":
        _within(_number(value, position), 1, 1, position, "a version")
    elif keyword == "t":
        patch.bpm = _within(_number(value, position), BPM_MIN, BPM_MAX, position, "a tempo")
    else:
        patch.volume = _within(_number(value, position), VOLUME_MIN, VOLUME_MAX, position, "a volume")


def _practice(keyword, value, position):
    """The canonical value in a list, which is empty if it stands for none."""
    if not re.fullmatch(PRACTICE[keyword], value):
        raise PatchError(position, f"what follows {keyword}")
    for number in re.findall(r"\d+", value):
        _within(int(number), 0, NUMBER_MAX, position, "a number")
    if keyword in ("cd", "b") and value and int(value) == 0:
        return []
    signed = {"rmp": 1, "end=": 0}.get(keyword)
    parts = [_canonical(part, place == signed) for place, part in enumerate(value.split("/"))]
    return ["/".join(parts)]


def _canonical(number, is_signed):
    if not number or number in ("stop", "next"):
        return number
    return f"{int(number):+d}" if is_signed else str(int(number))


def _number(text, position):
    if not re.fullmatch(r"\d+", text):
        raise PatchError(position, "a number")
    return int(text)


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
        sound = self.need(SOUND, "a sound")
        self.need(":", "':'")
        begin = self.at
        groups = parse_groups(self.need(r"\d+(\+\d+)*", "groups"))
        if groups is None:
            raise PatchError(self.position + begin, f"groups of at least 1, with at most {BEATS_MAX} beats in all")
        lane = Lane(sound, groups)
        if self.find("/"):
            begin = self.at
            lane.sub = int(self.need(r"\d+", "a subdivision"))
            if lane.sub not in SUBDIVISIONS:
                raise PatchError(self.position + begin, "a subdivision: 1, 2, 3, 4 or 6")
            lane.swing = bool(self.find("s"))
        lane.steps = self.steps(lane)
        if self.find("@"):
            begin = self.at
            gain = int(self.need(r"[+-]?\d+", "dB"))
            lane.gain = _within(gain, -GAIN_MAX, GAIN_MAX, self.position + begin, "dB")
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
    return groups if all(groups) and sum(groups) <= BEATS_MAX else None


def fit(steps, beats, sub):
    """Steps as they were told, as many as the lane has: a short pattern tells beats. None: there are too many."""
    if len(steps) > beats * sub:
        return None
    if len(steps) == beats and sub > 1:
        return [level for beat in steps for level in [beat] + [REST] * (sub - 1)]
    return steps + [REST] * (beats * sub - len(steps))
