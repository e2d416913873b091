"""The groove of a live-sync peer: what HELLO, FULL, DELTA and BYE make of it, set lists, copy on write.

Written from the protocol, and from core/TREE.md where that is silent. What cannot be applied changes nothing, and says
why.
"""

import re
from dataclasses import dataclass, field, replace

from . import patch as share
from . import sysex
from .patch import Lane, Patch, PatchError

MY_EDITS = "My edits"
NO_LIST = -1
LEVEL_MAX = 3
INDEX_MAX = 9999
COPYING = ("beat", "lane", "patch")  # Events that edit a program, and so copy one that is built in.
_INTEGER = re.compile(r"-?\d+$")


class Refused(ValueError):
    """What was said cannot be applied; the text says why."""


@dataclass
class SetList:
    """A title and its programs, (name, text) pairs."""

    title: str
    programs: list = field(default_factory=list)


def read_set_lists(programs):
    """The set lists of a programs.json, as loaded."""
    return [SetList(one["title"], [(p["name"], p["prog"]) for p in one["programs"]]) for one in programs["setlists"]]


class Groove:
    """The state that two peers mirror. `apply_frame` and `apply_event` raise Refused, and return True if it changed."""

    def __init__(self, set_lists=()):
        self.built_in = list(set_lists)
        self.my_edits = SetList(MY_EDITS)
        self.patch = Patch()
        self.bpm = share.BPM_DEFAULT
        self.volume = None  # Never told.
        self.running = False
        self.set_list = NO_LIST
        self.item = NO_LIST
        self.device_id = None
        self.peers = set()  # Origins that said something and no BYE since.
        self.last_delta = None  # Origin and number.

    def text(self):
        """The patch as it is now, volume included."""
        return str(replace(self.patch, bpm=self.bpm, volume=self.volume))

    def state(self):
        """All that two peers must agree about."""
        return (self.running, self.set_list, self.item, self.text())

    # Frames.

    def apply_frame(self, frame, own_origin=None):
        """A Frame from a peer."""
        if frame.op == sysex.VERSION:
            return self._apply_version(frame.text)
        if not sysex.HELLO <= frame.op <= sysex.BYE:
            return False  # Recorded, not interpreted.
        before = self.state()
        if frame.op in (sysex.HELLO, sysex.BYE):
            self._apply_greeting(frame, own_origin)
        else:
            self._apply_told(frame, own_origin)
        return self.state() != before

    def _apply_version(self, text):
        device_id, is_told, _ = text.partition(";")  # Before 0.0.23 it told its version alone.
        if not is_told or not re.fullmatch(r"[!-~]{1,63}", device_id):
            device_id = "K"
        changed, self.device_id = device_id != self.device_id, device_id
        return changed

    def _apply_greeting(self, frame, own_origin):
        if not frame.text or ";" in frame.text:
            raise Refused("field count")
        if frame.text == own_origin:
            return
        self.last_delta = None
        if frame.op == sysex.HELLO:
            self.peers.add(frame.text)
        else:
            self.peers.discard(frame.text)

    def _apply_told(self, frame, own_origin):
        wanted = sysex.FIELDS_OF_FULL if frame.op == sysex.FULL else sysex.FIELDS_OF_DELTA
        fields = frame.text.split(";", wanted - 1)
        if len(fields) < wanted or (frame.op == sysex.DELTA and ";" in fields[-1]) or not fields[0]:
            raise Refused("field count")
        origin, seq = fields[0], _integer(fields[1])
        if origin == own_origin or (frame.op == sysex.DELTA and self.last_delta == (origin, seq)):
            return
        if frame.op == sysex.FULL:
            self._apply_full(*fields[2:])
        else:
            self.apply_event(fields[2])
        self.peers.add(origin)
        if frame.op == sysex.DELTA or (self.last_delta and self.last_delta[0] != origin):
            self.last_delta = (origin, seq) if frame.op == sysex.DELTA else None

    def _apply_full(self, running, set_list, item, text):
        patch = _patch(text)
        running, set_list, item = _flag(running), _integer(set_list), _integer(item)
        _check_place(set_list, item)
        self._load(patch)
        self.running, self.set_list, self.item = running, set_list, item
        if self.built_in and set_list == len(self.built_in) and item == len(self.my_edits.programs):
            self.my_edits.programs.append(("", ""))
        self._store_edit()

    def _load(self, patch):
        self.patch = patch
        if patch.bpm is not None:
            self.bpm = patch.bpm
        if patch.volume is not None:
            self.volume = patch.volume

    # Events.

    def apply_event(self, event):
        """An evt of the DELTA grammar, or patch=TEXT."""
        before = self.state()
        verb, has_value, value = event.partition("=")
        if bool(has_value) == (verb in ("play", "stop")) or verb not in _EVENTS:
            raise Refused("unknown event")
        edited = self.text()
        _EVENTS[verb](self, value)
        if verb in COPYING and self.text() != edited:
            self._copy_built_in()
        if verb != "sel":
            self._store_edit()
        return self.state() != before

    def _copy_built_in(self):
        """An edit of a program that is built in goes into a copy of it."""
        if not 0 <= self.set_list < len(self.built_in):
            return
        programs = self.built_in[self.set_list].programs
        if 0 <= self.item < len(programs):
            self.my_edits.programs.append((programs[self.item][0], ""))
            self.set_list, self.item = len(self.built_in), len(self.my_edits.programs) - 1

    def _store_edit(self):
        """One of my edits is what it was when it was last selected."""
        if self.built_in and self.set_list == len(self.built_in) and 0 <= self.item < len(self.my_edits.programs):
            name, _ = self.my_edits.programs[self.item]
            self.my_edits.programs[self.item] = (name, self.text())

    def _play(self, _):
        self.running = True

    def _stop(self, _):
        self.running = False

    def _bpm(self, value):
        self.bpm = min(max(_integer(value), share.BPM_MIN), share.BPM_MAX)

    def _vol(self, value):
        self.volume = min(max(_integer(value), share.VOLUME_MIN), share.VOLUME_MAX)

    def _select(self, value):
        set_list, item = _integers(value, 2)
        if self.built_in:
            lists = [*self.built_in, self.my_edits]
            if not (0 <= set_list < len(lists) and 0 <= item < len(lists[set_list].programs)):
                raise Refused("no such index")
            self._load(_patch(lists[set_list].programs[item][1]))
        _check_place(set_list, item)
        self.set_list, self.item = set_list, item

    def _beat(self, value):
        lane, step, level = _integers(value, 3)
        if not 0 <= level <= LEVEL_MAX:
            raise Refused("no such level")
        steps = self._lane_at(lane).steps
        if not 0 <= step < len(steps):
            raise Refused("no such index")
        steps[step] = level

    def _lane(self, value):
        fields = value.split("/", 2)
        if len(fields) < 3 or fields[1] not in _LANE_FIELDS:
            raise Refused("unknown event")
        _LANE_FIELDS[fields[1]](self._lane_at(_integer(fields[0])), fields[2])

    def _lane_at(self, index):
        if not 0 <= index < len(self.patch.lanes):
            raise Refused("no such index")
        return self.patch.lanes[index]

    def _set_patch(self, value):
        self._load(_patch(value))

    # As symlog shows it.

    def to_ast(self):
        """The subtree that a groove must be, without ids."""
        practice = self.patch.practice
        attributes = {
            "bpm": self.bpm,
            "volume": self.volume,
            "running": self.running,
            "set_list": self.set_list,
            "item": self.item,
            "patch": self.text(),
            "device_id": self.device_id,
            **{name: take(practice[keyword]) for keyword, (name, take) in _PRACTICE.items() if keyword in practice},
        }
        return _node("groove", attributes, [_lane_ast(lane) for lane in self.patch.lanes])


def _lane_ast(lane):
    attributes = {
        "sound": lane.sound,
        "groups": share.groups_text(lane.groups),
        "sub": lane.sub,
        "swing": lane.swing,
        "gain": lane.gain,
        "poly": lane.poly,
        "enabled": lane.enabled,
    }
    return _node("lane", attributes, [_node("step", {"level": level}, []) for level in lane.steps])


def _node(node_type, attributes, children):
    told = {name: value for name, value in attributes.items() if value is not None}
    return {"node_type": node_type, "id": None, "attributes": told, "children": children}


# The fields of a lane.


def _set_sound(lane, value):
    if not re.fullmatch(share.SOUND, value):
        raise Refused("value")
    lane.sound = value


def _set_groups(lane, value):
    groups = share.parse_groups(value)
    if groups is None:
        raise Refused("value")
    _reshape(lane, groups, lane.sub, lane.steps)


def _set_sub(lane, value):
    """A step stays where it is in time, or goes; where no step was, there is a rest."""
    sub = _integer(value)
    if sub not in share.SUBDIVISIONS:
        raise Refused("value")
    here = [divmod(at * lane.sub, sub) for at in range(sum(lane.groups) * sub)]
    _reshape(lane, lane.groups, sub, [share.REST if rest else lane.steps[at] for at, rest in here])


def _reshape(lane, groups, sub, steps):
    """What is beyond these steps is as in a lane without a pattern."""
    fresh = share.default_steps(groups, sub)
    lane.groups, lane.sub = groups, sub
    lane.steps = steps[: len(fresh)] + fresh[len(steps) :]


def _set_gain(lane, value):
    if abs(_integer(value)) > share.GAIN_MAX:
        raise Refused("value")
    lane.gain = _integer(value)


def _set_flag(name):
    def set_it(lane, value):
        setattr(lane, name, _flag(value))

    return set_it


_LANE_FIELDS = {
    "sound": _set_sound,
    "groups": _set_groups,
    "sub": _set_sub,
    "gain": _set_gain,
    **{name: _set_flag(name) for name in ("swing", "poly", "enabled")},
}
_EVENTS = {
    "play": Groove._play,
    "stop": Groove._stop,
    "bpm": Groove._bpm,
    "vol": Groove._vol,
    "sel": Groove._select,
    "beat": Groove._beat,
    "lane": Groove._lane,
    "patch": Groove._set_patch,
}


_PRACTICE = {  # Keyword -> attribute, and what it makes of the text.
    "cd": ("count_in", lambda text: int(text or 0)),
    "b": ("bars", int),
    "rep=": ("repeat", int),
    "end=": ("end", str),
    "tr": ("trainer", str),
    "rmp": ("ramp", str),
}


# Values.


def _check_place(set_list, item):
    if not NO_LIST <= min(set_list, item) <= max(set_list, item) <= INDEX_MAX:
        raise Refused("no such index")


def _integer(text):
    if not _INTEGER.match(text):
        raise Refused("value")
    return int(text)


def _integers(text, count):
    fields = text.split("/")
    if len(fields) != count:
        raise Refused("value")
    return [_integer(one) for one in fields]


def _flag(text):
    if text not in ("0", "1"):
        raise Refused("value")
    return text == "1"


def _patch(text):
    try:
        return share.parse(text)
    except PatchError as error:
        raise Refused(f"patch: {error}") from error
