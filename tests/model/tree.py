"""The model of the project tree: what each message does to it, one short function per rule.

Written from the rules of the tree alone, never from the server's code, so that the two can be
compared. Nothing here is fast on purpose; a slot points at its scene, so no move needs bookkeeping.
"""

from collections import Counter

from .arguments import NO_SUCH_INDEX, UNKNOWN_PATH, Refused, read
from .node import Node, write_project
from .snapshot import read_snapshot

REORDERED = "/live/scene/reordered"
SCENE_ADDED = "/live/scene/added"
PARAMETERS_MAX = 4096


class Tree:
    """A project, and the runs of scene/reordered that are being collected, one per source."""

    def __init__(self):
        self.project = Node("project", id="project")
        self.refusals = Counter()  # Reason -> how many messages or bundles were refused for it.
        self._runs = {}  # Source -> {place: name}, while a run of scene/reordered lasts.
        self._set_stale("no picture yet")

    # What happens to the tree from outside.

    def apply(self, path, args, source_key=None):
        """Applies one message; args is [(tag, value), ...]. Returns None, or why it was refused."""
        self._pass_run(source_key, path)
        try:
            self._perform(path, _check(path, args), source_key)
        except Refused as refusal:
            return self._count(refusal)

    def apply_bundle(self, messages, source_key=None):
        """Applies [(path, args), ...] as one event. Returns None, or why the whole was refused.

        Only an index that does not exist refuses one message alone; that is counted, not returned.
        """
        try:
            checked = [(path, _check(path, args)) for path, args in messages]
        except Refused as refusal:
            self._end_run(source_key)
            return self._count(refusal)
        for path, values in checked:
            self._pass_run(source_key, path)
            try:
                self._perform(path, values, source_key)
            except Refused as refusal:
                self._count(refusal)

    def settle(self, source_key=None):
        """What order_settled does: ends the source's run of scene/reordered, if there is one."""
        self._end_run(source_key)

    def load_snapshot(self, ast, source_key=None):
        """Replaces the tree by a snapshot, a dict or JSON text. Returns None, or the refusal."""
        self._end_run(source_key)
        try:
            self.project = read_snapshot(ast)
        except Refused as refusal:
            return self._count(refusal)
        self.project.attributes["is_stale"] = False

    # What can be asked of it.

    def to_ast(self):
        """The tree as a dict shaped like FULL_AST's `ast`, without hashes."""
        return write_project(self.project)

    @property
    def is_stale(self):
        return self.project.attributes["is_stale"]

    @property
    def stale_reason(self):
        return self.project.attributes.get("stale_reason")

    # Finding nodes by index. Each raises Refused where nothing stands.

    def track(self, index):
        return _at(self.project.all("track"), index)

    def scene(self, index):
        return _at(self.project.all("scene"), index)

    def device(self, track, index):
        return _at(self.track(track).all("device"), index)

    def find_slot(self, track, scene):
        """The slot at a track and a scene, which must exist; None where it was never told."""
        track, scene = self.track(track), self.scene(scene)
        return next((slot for slot in track.all("clip_slot") if slot.scene is scene), None)

    def slot(self, track, scene):
        return self.find_slot(track, scene) or _refuse_index()

    def clip(self, track, scene):
        """The clip of a slot; one that is only known to be there (has_clip) is added first."""
        slot = self.slot(track, scene)
        if not slot.all("clip"):
            if slot.attributes.get("has_clip") is not True:
                _refuse_index()
            slot.all("clip").append(Node("clip"))
        return slot.all("clip")[0]

    # Inner workings.

    def _perform(self, path, values, source_key):
        if path == REORDERED:
            place, name = values
            self._runs.setdefault(source_key, {})[place] = name
        else:
            _, rule = RULES[path]
            rule(self, *values)

    def _pass_run(self, source_key, path):
        """A message goes past a run: ends it, unless it goes on with it or is symlog's own."""
        if path != REORDERED and not path.startswith("/symlog/"):
            self._end_run(source_key, dropped=path == SCENE_ADDED)

    def _end_run(self, source_key, dropped=False):
        run = self._runs.pop(source_key, None)
        if run is not None and not dropped and not self._permute(run):
            self._set_stale("scene order unknown")

    def _permute(self, run):
        """Puts scenes in the order that a run reports; False when it is no permutation."""
        scenes = self.project.all("scene")
        places = sorted(run)
        if places[0] < 0 or places[-1] >= len(scenes):
            return False
        waiting = [scenes[place] for place in places]
        if sorted(map(_name, waiting)) != sorted(run.values()):
            return False
        for place in places:
            scenes[place] = next(scene for scene in waiting if _name(scene) == run[place])
            waiting.remove(scenes[place])
        return True

    def _set_stale(self, reason):
        self.project.attributes["is_stale"] = True
        self.project.attributes["stale_reason"] = reason

    def _count(self, refusal):
        self.refusals[str(refusal)] += 1
        return str(refusal)


def _check(path, args):
    """The values of a message, as far as they can be checked without the tree."""
    if path not in RULES:
        raise Refused(UNKNOWN_PATH)
    signature, _ = RULES[path]
    return read(signature, args)


def _refuse_index():
    raise Refused(NO_SUCH_INDEX)


def _at(nodes, index):
    if not 0 <= index < len(nodes):
        _refuse_index()
    return nodes[index]


def _insert(nodes, index, node):
    if not 0 <= index <= len(nodes):
        _refuse_index()
    nodes.insert(index, node)


def _name(scene):
    return scene.attributes.get("name") or ""


# The rules, in the order of the table.


def _no_effect(tree, *values):
    pass


def _set(find, attribute):
    """A rule that finds a node by all values but the last, and sets one attribute to the last."""

    def rule(tree, *values):
        *place, value = values
        find(tree, *place).attributes[attribute] = value

    return rule


def _set_project(attribute):
    return _set(lambda tree: tree.project, attribute)


def _add_track(tree, index, name, track_type=None):
    track = Node("track", {"name": name})
    if track_type is not None:
        track.attributes["type"] = track_type
    _insert(tree.project.all("track"), index, track)


def _delete_track(tree, index):
    tree.project.all("track").remove(tree.track(index))


def _add_device(tree, track, index, name, device_type=None):
    device = Node("device", {"name": name})
    if device_type is not None:
        device.attributes["device_type"] = device_type
    _insert(tree.track(track).all("device"), index, device)


def _delete_device(tree, track, index):
    tree.track(track).all("device").remove(tree.device(track, index))


def _set_parameter(tree, track, device, index, value):
    parameters = tree.device(track, device).all("parameter")
    if not 0 <= index < PARAMETERS_MAX:
        _refuse_index()
    while len(parameters) <= index:
        parameters.append(Node("parameter"))
    parameters[index].attributes["value"] = value


def _set_status(slot, status):
    slot.attributes["playing_status"] = status
    slot.attributes["is_playing"] = status == 1
    slot.attributes["is_triggered"] = status == 2


def _find_or_add_slot(tree, track, scene):
    slot = tree.find_slot(track, scene)
    if slot is None:
        slot = Node("clip_slot", scene=tree.scene(scene))
        tree.track(track).all("clip_slot").append(slot)
    return slot


def _create_slot(tree, track, scene, has_clip, has_stop, status):
    slot = _find_or_add_slot(tree, track, scene)
    slot.attributes["has_clip"] = has_clip
    slot.attributes["has_stop_button"] = has_stop
    _set_status(slot, status)
    if not has_clip:
        slot.all("clip").clear()


def _set_slot_status(tree, track, scene, status):
    _set_status(tree.slot(track, scene), status)


def _add_clip(tree, track, scene, name):
    slot = _find_or_add_slot(tree, track, scene)
    slot.attributes["has_clip"] = True
    slot.all("clip")[:] = [Node("clip", {"name": name})]


def _remove_clip(tree, track, scene):
    slot = tree.slot(track, scene)
    slot.all("clip").clear()
    slot.attributes["has_clip"] = False
    if slot.attributes.get("playing_status", 0) != 0:
        _set_status(slot, 0)


def _trigger_clip(tree, track, scene):
    _set_status(tree.slot(track, scene), 2)


def _stop_clip(tree, track, scene):
    _set_status(tree.slot(track, scene), 0)


def _add_scene(tree, index, name):
    _insert(tree.project.all("scene"), index, Node("scene", {"name": name}))


def _remove_scene(tree, index):
    gone = tree.scene(index)
    tree.project.all("scene").remove(gone)
    for track in tree.project.all("track"):
        kept = [slot for slot in track.all("clip_slot") if slot.scene is not gone]
        track.all("clip_slot")[:] = kept


def _trigger_scene(tree, index):
    triggered = tree.scene(index)
    for scene in tree.project.all("scene"):
        if scene.attributes.get("is_triggered"):
            scene.attributes["is_triggered"] = False
    triggered.attributes["is_triggered"] = True


# Path -> the signature of its arguments (see arguments.py), and its rule.
RULES = {
    "/live/track/renamed": ("is", _set(Tree.track, "name")),
    "/live/track/mute": ("ib", _set(Tree.track, "is_muted")),
    "/live/track/arm": ("ib", _set(Tree.track, "is_armed")),
    "/live/track/solo": ("ib", _set(Tree.track, "is_soloed")),
    "/live/track/volume": ("if", _set(Tree.track, "volume")),
    "/live/track/pan": ("if", _set(Tree.track, "pan")),
    "/live/track/color": ("ii", _set(Tree.track, "color")),
    "/live/track/added": ("is|s", _add_track),
    "/live/track/deleted": ("i", _delete_track),
    "/live/device/added": ("iis|s", _add_device),
    "/live/device/deleted": ("ii", _delete_device),
    "/live/device/param": ("iiif", _set_parameter),
    "/live/device/enabled": ("iib", _set(Tree.device, "is_enabled")),
    "/live/clip_slot/created": ("iibbi", _create_slot),
    "/live/clip_slot/has_stop": ("iib", _set(Tree.slot, "has_stop_button")),
    "/live/clip_slot/playing_status": ("iii", _set_slot_status),
    "/live/clip_slot/color": ("iii", _set(Tree.slot, "color")),
    "/live/clip/added": ("iis", _add_clip),
    "/live/clip/removed": ("ii", _remove_clip),
    "/live/clip/name": ("iis", _set(Tree.clip, "name")),
    "/live/clip/color": ("iii", _set(Tree.clip, "color")),
    "/live/clip/muted": ("iib", _set(Tree.clip, "is_muted")),
    "/live/clip/looping": ("iib", _set(Tree.clip, "is_looped")),
    "/live/clip/triggered": ("ii", _trigger_clip),
    "/live/clip/stopped": ("ii", _stop_clip),
    "/live/clip/deleted": ("ii", _remove_clip),
    "/live/scene/added": ("is", _add_scene),
    "/live/scene/removed": ("i", _remove_scene),
    "/live/scene/renamed": ("is", _set(Tree.scene, "name")),
    "/live/scene/reordered": ("is", None),  # Collected by _perform.
    "/live/scene/color": ("ii", _set(Tree.scene, "color")),
    "/live/scene/triggered": ("i", _trigger_scene),
    "/live/transport/play": ("b", _set_project("is_playing")),
    "/live/transport/tempo": ("f", _set_project("tempo")),
    "/live/transport/position": ("f", _set_project("position")),
    "/live/cursor/track": ("i|is", _no_effect),
    "/live/cursor/scene": ("i", _no_effect),
    "/live/cursor/clip_slot": ("iiiii", _no_effect),
    "/live/batch/start": ("i", _no_effect),
    "/live/batch/end": ("i", _no_effect),
    "/symlog/hello": ("issi", _no_effect),
    "/symlog/heartbeat": ("ii", _no_effect),
    "/symlog/resend": ("ii", _no_effect),
    "/symlog/snapshot": ("iiix", _no_effect),  # A part; the whole comes by load_snapshot.
}
