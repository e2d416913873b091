"""What a project tree may look like: node types, their children, their attributes, and equality.

Shapes only. This module knows no OSC path and no message.
"""

TYPE_ORDER = (
    "project", "track", "device", "parameter", "clip_slot", "clip", "mixer",
    "scene", "file_ref", "automation", "groove", "lane", "step", "chain", "arrangement_clip", "locator",
)  # fmt: skip

CHILD_TYPES = {
    "project": {"track", "scene", "file_ref", "groove", "locator"},
    "track": {"device", "clip_slot", "mixer", "file_ref", "automation", "arrangement_clip"},
    "device": {"device", "parameter", "file_ref", "automation", "chain"},
    "chain": {"device", "mixer"},
    "clip_slot": {"clip"},
    "clip": {"file_ref", "automation"},
    "arrangement_clip": {"file_ref", "automation"},
    "groove": {"lane"},
    "lane": {"step"},
}

SINGLE_TYPES = {"clip", "mixer"}  # A parent has at most one of these.

_KIND_OF_NAME = {
    "text": "name version creator type device_type clip_type crossfader path hash ref_type target "
            "annotation stale_reason time_signature sample_name patch device_id sound groups "
            "end trainer ramp "
            "audio_input audio_output midi_input midi_output group",
    "int": "color playing_status time_signature_id note_count warp_mode point_count sub set_list "
           "item level bars count_in repeat",
    "float": "tempo position volume pan value min max start_time end_time loop_start loop_end bpm "
             "gain time",
    "bool": "running enabled poly swing",
    "json": "plugin_info view sends notes points",
}  # fmt: skip

_NAMES_OF_TYPE = {
    "project": "version creator tempo time_signature is_playing position is_stale stale_reason",
    "track": "name color type is_muted is_soloed is_armed is_frozen volume pan audio_input audio_output "
             "midi_input midi_output group",
    "device": "name device_type is_enabled plugin_info",
    "parameter": "name value min max is_automated",
    "clip_slot": "has_clip has_stop_button playing_status is_playing is_triggered color",
    "clip": "name clip_type start_time end_time loop_start loop_end is_looped is_muted color view "
            "note_count sample_name is_warped warp_mode notes",
    "mixer": "volume pan is_muted is_soloed crossfader sends",
    "scene": "name tempo color is_tempo_enabled time_signature_id annotation is_triggered "
             "is_time_signature_enabled",
    "file_ref": "name path hash ref_type",
    "automation": "target point_count points",
    "groove": "bpm volume running set_list item patch device_id bars count_in repeat end trainer ramp",
    "lane": "sound groups sub swing gain poly enabled",
    "step": "level",
    "chain": "name color is_muted is_soloed",
    "locator": "name time annotation",
}
_NAMES_OF_TYPE["arrangement_clip"] = _NAMES_OF_TYPE["clip"]


def _kind(name):
    """The kind of an attribute: text, int, float, bool or json."""
    if name.startswith(("is_", "has_")):
        return "bool"
    return next(kind for kind, names in _KIND_OF_NAME.items() if name in names.split())


# node type -> attribute name -> kind. Positions (index, track_index, scene_index) are not stored.
ATTRIBUTES = {
    node_type: {name: _kind(name) for name in names.split()}
    for node_type, names in _NAMES_OF_TYPE.items()
}


def pruned(ast, paths):
    """What ?paths leaves of an ast: what is at or below one of them, and the nodes above without attributes."""
    return _pruned(ast, [], [path.split(".") for path in paths])


def _pruned(node, place, paths):
    if any(_is_within(place, path) for path in paths):
        return node
    children, counts = [], {}
    for child in node.get("children") or []:
        below = [*place, _segment(child, counts)]
        if any(_is_within(below, path) or _is_within(path, below) for path in paths):
            children.append(_pruned(child, below, paths))
    return {**node, "attributes": {}, "children": children}


def _segment(node, counts):
    """`clip`, or `tracks[2]`; counts the siblings of each type."""
    node_type = node["node_type"]
    if node_type in SINGLE_TYPES:
        return node_type
    index = counts[node_type] = counts.get(node_type, -1) + 1
    return f"{node_type}s[{node['attributes'].get('scene_index', index)}]"


def _is_within(place, path):
    """True if the segments `place` stand at or below `path`, whose last one may be a whole list (`scenes`)."""
    if len(place) < len(path):
        return False
    return all(mine == its or mine.partition("[")[0] == its for mine, its in zip(place, path))


def first_difference(left, right, ids=False):
    """Says in one line where two asts differ first, or None when they are the same."""
    return next(differences(left, right, ids), None)


def differences(left, right, ids=False, place="project"):
    """Yields a line for each difference of two asts.

    Hashes are never compared; ids only on request, and where both sides know one. A boolean is not
    a number; 1 and 1.0 are equal.
    """
    if left["node_type"] != right["node_type"]:
        yield f"{place}: node_type {left['node_type']!r} != {right['node_type']!r}"
    if ids and None not in (left["id"], right["id"]) and left["id"] != right["id"]:
        yield f"{place}: id {left['id']!r} != {right['id']!r}"
    mine, theirs = left.get("attributes", {}), right.get("attributes", {})
    for name in sorted(mine.keys() | theirs.keys()):
        if name not in mine:
            yield f"{place}.{name}: only right has it ({theirs[name]!r})"
        elif name not in theirs:
            yield f"{place}.{name}: only left has it ({mine[name]!r})"
        elif not _same_value(mine[name], theirs[name]):
            yield f"{place}.{name}: {mine[name]!r} != {theirs[name]!r}"
    mine, theirs = left.get("children") or [], right.get("children") or []
    for number, (one, other) in enumerate(zip(mine, theirs)):
        yield from differences(one, other, ids, f"{place}/{number}:{one['node_type']}")
    if len(mine) != len(theirs):
        yield f"{place}: {len(mine)} children != {len(theirs)} children"


def _same_value(one, other):
    """Equality of JSON values in which true is not 1."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_same_value(one[k], other[k]) for k in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_same_value, one, other))
    return one == other
