"""A node of the model's tree: its type, attributes and children, and how it is written as JSON.

An attribute has a value or is not there: null and never told are the same.
"""

from dataclasses import dataclass, field

from .shape import TYPE_ORDER


@dataclass(eq=False)
class Node:
    """One node. A clip slot points at its scene, so that it moves wherever the scene goes."""

    type: str
    attributes: dict = field(default_factory=dict)
    id: str | None = None  # As a snapshot told it; None where the server would make one.
    scene: "Node | None" = None  # Of a clip slot alone.
    children: dict = field(default_factory=dict)  # Child type -> the nodes in order.

    def all(self, child_type):
        """The children of one type, in order; the list itself, to be changed in place."""
        return self.children.setdefault(child_type, [])


def write_project(project):
    """The ast of a whole project, as FULL_AST has it, without hashes."""
    positions = {id(scene): index for index, scene in enumerate(project.all("scene"))}
    children = []
    for child_type in TYPE_ORDER:
        for index, child in enumerate(project.all(child_type)):
            placed = {"index": index} if child_type in ("track", "scene") else {}
            children.append(_write_node(child, placed, positions, index))
    return _as_json(project, {}, children)


def _write_node(node, placed, positions, track_index):
    children = []
    for child_type in TYPE_ORDER:
        if child_type == "clip_slot":
            children += _write_slots(node, positions, track_index)
            continue
        for child in node.children.get(child_type, ()):
            children.append(_write_node(child, {}, positions, track_index))
    return _as_json(node, placed, children)


def _write_slots(track, positions, track_index):
    slots = track.children.get("clip_slot", ())
    for slot in sorted(slots, key=lambda slot: positions[id(slot.scene)]):
        placed = {"track_index": track_index, "scene_index": positions[id(slot.scene)]}
        yield _write_node(slot, placed, positions, track_index)


def _as_json(node, placed, children):
    shown = {name: _shown(value) for name, value in node.attributes.items()}
    return {
        "node_type": node.type,
        "id": node.id,
        "attributes": shown | placed,
        "children": children,
    }


def _shown(value):
    """A value as JSON shows it: each byte that was not UTF-8 as U+FFFD."""
    if not isinstance(value, str):
        return value
    return "".join("\ufffd" if "\udc80" <= letter <= "\udcff" else letter for letter in value)
