"""Reads a snapshot, JSON shaped as FULL_AST's `ast`, into nodes, or refuses it as a whole."""

import json
import math

from .arguments import Refused, text
from .node import Node
from .shape import ATTRIBUTES, CHILD_TYPES, SINGLE_TYPES

BAD_SNAPSHOT = "bad snapshot"
ID_BYTES_MAX = 95
INT_MIN, INT_MAX = -(2**63), 2**63 - 1


def read_snapshot(ast):
    """The project node of a snapshot, given as a dict or as JSON text. Raises Refused."""
    if isinstance(ast, (str, bytes)):
        ast = _parse(ast)
    if not isinstance(ast, dict) or ast.get("node_type") != "project":
        raise Refused(BAD_SNAPSHOT)
    project = _read_node({**ast, "id": None}, ids={"project"})
    project.id = "project"
    scenes = project.all("scene")
    for track in project.all("track"):
        for slot in track.all("clip_slot"):
            slot.scene = _scene_of(slot, scenes)
        if len({id(slot.scene) for slot in track.all("clip_slot")}) < len(track.all("clip_slot")):
            raise Refused(BAD_SNAPSHOT)
    return project


def _parse(source):
    try:
        return json.loads(source)
    except ValueError as error:
        raise Refused(BAD_SNAPSHOT) from error


def _scene_of(slot, scenes):
    """The scene that a slot names by its scene_index, which _read_node left in `scene`."""
    index = _read_value("int", slot.scene)
    if index is None or not 0 <= index < len(scenes):
        raise Refused(BAD_SNAPSHOT)
    return scenes[index]


def _read_node(source, ids):
    if not isinstance(source, dict) or source.get("node_type") not in ATTRIBUTES:
        raise Refused(BAD_SNAPSHOT)
    node = Node(source["node_type"], id=_read_id(source.get("id"), ids))
    given = source.get("attributes", {})
    if not isinstance(given, dict):
        raise Refused(BAD_SNAPSHOT)
    for name, kind in ATTRIBUTES[node.type].items():
        value = _read_value(kind, given.get(name))
        if value is not None:
            node.attributes[name] = value
    if node.type == "clip_slot":
        node.scene = given.get("scene_index")
    _read_children(node, source.get("children", []), ids)
    return node


def _read_children(node, sources, ids):
    if not isinstance(sources, list):
        raise Refused(BAD_SNAPSHOT)
    for source in sources:
        child = _read_node(source, ids)
        if child.type not in CHILD_TYPES.get(node.type, ()):
            raise Refused(BAD_SNAPSHOT)
        if child.type in SINGLE_TYPES and node.all(child.type):
            raise Refused(BAD_SNAPSHOT)
        node.all(child.type).append(child)


def _read_id(value, ids):
    """An id that is given, once only; None asks for one to be made."""
    if value is None:
        return None
    if not isinstance(value, str) or value in ids:
        raise Refused(BAD_SNAPSHOT)
    if not 1 <= len(value.encode("utf-8", "surrogatepass")) <= ID_BYTES_MAX:
        raise Refused(BAD_SNAPSHOT)
    ids.add(value)
    return value


def _read_value(kind, value):
    """A value of the kind that the attribute has; null is always right."""
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if value is None or kind == "json":
        return value
    if kind == "text" and isinstance(value, str):
        return text(value)
    if kind == "bool" and isinstance(value, bool):
        return value
    if is_number and math.isfinite(value):
        if kind == "float":
            return float(value)
        if kind == "int" and value == int(value) and INT_MIN <= value <= INT_MAX:
            return int(value)
    raise Refused(BAD_SNAPSHOT)
