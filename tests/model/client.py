"""A WebSocket subscriber: holds a FULL_AST and applies each DIFF_UPDATE to it by the wire format.

It takes single messages and arrays of them (?batch=1), `shifted` entries (?compact=1) and SEQ.

It knows no OSC message, and believes nothing but what the server sends. In strict mode it checks on
the way that every node is known, every old value is the one it holds, and every path is right; with
?paths it holds too little of the project for that.
"""

import json
import re
from itertools import groupby

from .shape import SINGLE_TYPES, TYPE_ORDER

_INDEX_OF = {"track": "index", "scene": "index", "clip_slot": "scene_index"}
_SEGMENT = re.compile(r"(\w+)(?:\[(\d+)\])?$")


class ClientError(Exception):
    """The server's messages contradict each other or the wire format."""


class Subscriber:
    """Feed it frames with `receive`; `ast` is what a subscriber then shows."""

    def __init__(self, strict=True):
        self.ast = None
        self.seq = None  # The log's number of the last message that carried one.
        self.log = None
        self.strict = strict
        self._nodes = {}  # Node id -> node.
        self._parents = {}  # Node id -> parent node.

    def receive(self, frame):
        """Takes a frame (JSON text, a message, or a list of messages); returns the ast after it."""
        if isinstance(frame, (str, bytes)):
            frame = json.loads(frame)
        for message in frame if isinstance(frame, list) else [frame]:
            self._receive_message(message)
        return self.ast

    def _receive_message(self, message):
        if message.get("type") == "FULL_AST":
            self._load(message["payload"]["ast"])
            self.log = message.get("log", self.log)
        elif message.get("type") == "DIFF_UPDATE":
            self.apply_changes(message["payload"]["diff"]["changes"])
        self.seq = message.get("seq", self.seq)

    def apply_changes(self, changes):
        """Applies the changes of one or more events; those of one event share its seq_num."""
        for _, group in groupby(changes, key=lambda change: change.get("seq_num")):
            self._apply_event(list(group))

    def _apply_event(self, changes):
        removed = [change for change in changes if change["type"] == "removed"]
        added = [change for change in changes if change["type"] == "added"]
        changed = [c for c in changes if c["type"] in ("modified", "state_changed")]
        shifted = [change for change in changes if change["type"] == "shifted"]
        if len(removed) + len(added) + len(changed) + len(shifted) < len(changes):
            raise ClientError(f"unknown change type among {changes}")
        self._check_places([c for c in removed + changed if c["node_id"] in self._nodes])
        for change in removed:
            self._remove(change)
        for change in shifted:
            self._shift(change)
        # What is changed and added by one event (a parameter, say) can only be changed afterwards.
        waiting = [change for change in changed if not self._change(change)]
        self._sort_indexed(changed)
        for change in added:
            self._add(change)
        for change in waiting:
            if not self._change(change):
                raise ClientError(f"no such node: {change}")
        self._check_places(added)

    # The picture.

    def _load(self, ast):
        self._nodes.clear()
        self._parents.clear()
        self.ast = self._take(ast, None)

    def _take(self, source, parent):
        node = {
            "node_type": source["node_type"],
            "id": source["id"],
            "attributes": _told(source.get("attributes", {})),
            "children": [],
        }
        if node["id"] in self._nodes:
            raise ClientError(f"id {node['id']} twice in one picture")
        self._nodes[node["id"]] = node
        self._parents[node["id"]] = parent
        node["children"] = [self._take(child, node) for child in source.get("children") or []]
        return node

    # The changes.

    def _remove(self, change):
        node = self._nodes.get(change["node_id"])
        if node is None:
            raise ClientError(f"no such node: {change}")
        parent = self._parents[node["id"]]
        parent["children"] = [child for child in parent["children"] if child is not node]
        self._forget(node)

    def _forget(self, node):
        del self._nodes[node["id"]], self._parents[node["id"]]
        for child in node["children"]:
            self._forget(child)

    def _shift(self, change):
        """All tracks or scenes from a place on stand `by` further, and their clip_slots with them."""
        parent, node_type = self._nodes[change["parent_id"]], change["node_type"]
        tracks = _of_type(parent, "track")
        slots = [slot for track in tracks for slot in _of_type(track, "clip_slot")]
        slot_index = {"track": "track_index", "scene": "scene_index"}[node_type]
        for nodes, name in ((_of_type(parent, node_type), "index"), (slots, slot_index)):
            for node in nodes:
                # A node above the paths that this subscriber sees has no attributes.
                if node["attributes"].get(name, -1) >= change["from"]:
                    node["attributes"][name] += change["by"]

    def _change(self, change):
        """Applies a modified or state_changed; False when its node is not there yet."""
        node = self._target(change)
        if node is None:
            return False
        if change["type"] == "modified":
            old, new = change["old_value"], change["new_value"]
        else:
            old = {change["attribute"]: change["old_value"]}
            new = {change["attribute"]: change["new_value"]}
        held = {name: node["attributes"].get(name) for name in old}
        if self.strict and old != held:
            raise ClientError(f"old value is {held}: {change}")
        node["attributes"] = _told(node["attributes"] | new)
        return True

    def _target(self, change):
        """The node that a change is about: the device's parameter where a param_index is told."""
        node = self._nodes.get(change["node_id"])
        if node is None or "param_index" not in change:
            return node
        parameters = _of_type(node, "parameter")
        index = change["param_index"]
        return parameters[index] if index < len(parameters) else None

    def _sort_indexed(self, changed):
        """Puts the siblings of nodes that were given another index in order."""
        moved = {}
        for change in changed:
            index_name = _INDEX_OF.get(change["node_type"])
            if change["type"] == "modified" and index_name in change["new_value"]:
                parent = self._parents.get(change["node_id"])
                if parent is not None:
                    moved[parent["id"]] = parent
        for parent in moved.values():
            parent["children"].sort(key=_sort_key)

    def _add(self, change):
        parent = self._nodes.get(change["parent_id"])
        if parent is None or change["node_id"] in self._nodes:
            raise ClientError(f"no such parent, or node known already: {change}")
        source = {
            "node_type": change["node_type"],
            "id": change["node_id"],
            "attributes": change["new_value"],
        }
        node = self._take(source, parent)
        place = _last_index(change["path"])
        index_name = _INDEX_OF.get(node["node_type"])
        if index_name:
            node["attributes"].setdefault(index_name, place)
        if node["node_type"] == "clip_slot" and "index" in parent["attributes"]:
            node["attributes"].setdefault("track_index", parent["attributes"]["index"])
        _place(parent, node, place)

    # Paths.

    def _check_places(self, changes):
        if not self.strict:
            return
        for change in changes:
            path = self._path_of(self._nodes[change["node_id"]])
            if "param_index" in change:
                path += f".parameters[{change['param_index']}]"
            if path != change["path"]:
                raise ClientError(f"its place is {path}: {change}")

    def _path_of(self, node):
        """The place of a node, such as tracks[0].devices[1]; the project's is `project`."""
        segments = []
        while (parent := self._parents[node["id"]]) is not None:
            segments.append(_segment_of(node, parent))
            node = parent
        return ".".join(reversed(segments)) or "project"


def _told(attributes):
    """Those that have a value: a diff says null of one that lost its own."""
    return {name: value for name, value in attributes.items() if value is not None}


def _of_type(node, node_type):
    return [child for child in node["children"] if child["node_type"] == node_type]


def _place(parent, node, place):
    """Puts a new child among its siblings: at its place, or a slot at its scene's."""
    siblings = _of_type(parent, node["node_type"])
    siblings.insert(len(siblings) if place is None else place, node)
    others = [child for child in parent["children"] if child["node_type"] != node["node_type"]]
    key = _sort_key if node["node_type"] == "clip_slot" else _group_key
    parent["children"] = sorted(others + siblings, key=key)


def _segment_of(node, parent):
    node_type = node["node_type"]
    if node_type in SINGLE_TYPES:
        return node_type
    if node_type == "clip_slot":
        return f"clip_slots[{node['attributes']['scene_index']}]"
    siblings = _of_type(parent, node_type)
    index = next(i for i, sibling in enumerate(siblings) if sibling is node)
    return f"{node_type}s[{index}]"


def _last_index(path):
    """The number at the end of a path, or None: an only child such as a clip has none."""
    match = _SEGMENT.match(path.rpartition(".")[2])
    if match is None:
        raise ClientError(f"not a path: {path}")
    return None if match[2] is None else int(match[2])


def _group_key(node):
    return TYPE_ORDER.index(node["node_type"])


def _sort_key(node):
    """Children in their groups, and within a group by the index that the wire format gives it."""
    index_name = _INDEX_OF.get(node["node_type"])
    return _group_key(node), node["attributes"].get(index_name, 0) if index_name else 0
