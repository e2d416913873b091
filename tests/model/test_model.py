"""Tests of the model: each rule of the tree, snapshots, bundles, scene order, the subscriber, the
generator, and a replay of the answers that a real server of the old kind gave."""

import ast as python_syntax
import itertools
import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from model.client import ClientError, Subscriber
from model.generate import Generator
from model.makers import DEVICES_MAX, SCENES_MAX, TRACKS_MAX
from model.shape import SINGLE_TYPES, differences, first_difference
from model.tree import RULES, Tree

TESTS = Path(__file__).resolve().parent.parent
NUMBERS = itertools.count()  # Of the nodes that a test has to name itself.
RECORDED = TESTS.parent / "fixtures" / "vimabl-websocket.tsv"


# A small set to try each rule on: tracks A and B, scenes X, Y and Z, a device, a slot and a clip.


def node(node_type, attributes=None, *children):
    return {"node_type": node_type, "attributes": attributes or {}, "children": list(children)}


def slot(scene_index, *children, **attributes):
    return node("clip_slot", {"scene_index": scene_index, **attributes}, *children)


def small_set():
    clip = node("clip", {"name": "loop"})
    playing = {"has_clip": True, "playing_status": 1, "is_playing": True, "is_triggered": False}
    return node(
        "project", {"tempo": 120.0},
        node("track", {"name": "A"},
             node("device", {"name": "EQ"}, node("parameter", {"value": 0.5})),
             slot(0, clip, **playing), slot(1, has_clip=True), slot(2)),
        node("track", {"name": "B"}, slot(2, color=7)),
        *(node("scene", {"name": name}) for name in "XYZ"),
    )  # fmt: skip


@pytest.fixture
def tree():
    tree = Tree()
    assert tree.load_snapshot(small_set()) is None
    return tree


def tagged(value):
    if isinstance(value, bool):
        return ("T" if value else "F", value)
    return ({int: "i", float: "f", str: "s"}[type(value)], value)


def send(tree, path, *values, source=None):
    return tree.apply("/live/" + path, [tagged(value) for value in values], source)


def at(tree, place):
    """The node at a place such as tracks[0].devices[0], as JSON; None where there is none."""
    found = tree.to_ast()
    for segment in place.split("."):
        node_type, _, index = segment.rstrip("]").partition("[")
        node_type = node_type.removesuffix("s") if index else node_type
        children = [child for child in found["children"] if child["node_type"] == node_type]
        if node_type == "clip_slot":
            children = {c["attributes"]["scene_index"]: c for c in children}
            found = children.get(int(index))
        else:
            found = children[int(index or 0)] if int(index or 0) < len(children) else None
        if found is None:
            return None
    return found


def names(tree, node_type):
    children = tree.to_ast()["children"]
    return [c["attributes"].get("name") for c in children if c["node_type"] == node_type]


# Path, values, the place that changes, and what its attributes become among others.
SETTERS = [
    ("track/renamed", (0, "New"), "tracks[0]", {"name": "New"}),
    ("track/mute", (1, True), "tracks[1]", {"is_muted": True}),
    ("track/arm", (1, True), "tracks[1]", {"is_armed": True}),
    ("track/solo", (1, False), "tracks[1]", {"is_soloed": False}),
    ("track/volume", (0, 1.25), "tracks[0]", {"volume": 1.25}),
    ("track/pan", (0, -0.5), "tracks[0]", {"pan": -0.5}),
    ("track/color", (0, 255), "tracks[0]", {"color": 255}),
    ("track/added", (1, "N"), "tracks[1]", {"name": "N", "index": 1}),
    ("track/added", (2, "N", "midi"), "tracks[2]", {"name": "N", "type": "midi", "index": 2}),
    ("device/added", (0, 0, "D", "plugin"), "tracks[0].devices[0]",
     {"name": "D", "device_type": "plugin"}),
    ("device/param", (0, 0, 0, 0.25), "tracks[0].devices[0].parameters[0]", {"value": 0.25}),
    ("device/param", (0, 0, 2, 0.25), "tracks[0].devices[0].parameters[1]", {}),
    ("device/param", (0, 0, 2, 0.25), "tracks[0].devices[0].parameters[2]", {"value": 0.25}),
    ("device/enabled", (0, 0, False), "tracks[0].devices[0]", {"is_enabled": False}),
    ("clip_slot/created", (1, 0, True, False, 2), "tracks[1].clip_slots[0]",
     {"track_index": 1, "scene_index": 0, "has_clip": True, "has_stop_button": False,
      "playing_status": 2, "is_playing": False, "is_triggered": True}),
    ("clip_slot/has_stop", (0, 1, True), "tracks[0].clip_slots[1]", {"has_stop_button": True}),
    ("clip_slot/playing_status", (0, 1, 1), "tracks[0].clip_slots[1]",
     {"playing_status": 1, "is_playing": True, "is_triggered": False}),
    ("clip_slot/color", (0, 1, 9), "tracks[0].clip_slots[1]", {"color": 9}),
    ("clip/added", (1, 0, "C"), "tracks[1].clip_slots[0]", {"has_clip": True, "scene_index": 0}),
    ("clip/added", (1, 0, "C"), "tracks[1].clip_slots[0].clip", {"name": "C"}),
    ("clip/removed", (0, 0), "tracks[0].clip_slots[0]",
     {"has_clip": False, "playing_status": 0, "is_playing": False, "is_triggered": False}),
    ("clip/deleted", (0, 0), "tracks[0].clip_slots[0]", {"has_clip": False, "playing_status": 0}),
    ("clip/name", (0, 0, "N"), "tracks[0].clip_slots[0].clip", {"name": "N"}),
    ("clip/color", (0, 0, 3), "tracks[0].clip_slots[0].clip", {"color": 3, "name": "loop"}),
    ("clip/muted", (0, 1, True), "tracks[0].clip_slots[1].clip", {"is_muted": True}),
    ("clip/looping", (0, 1, True), "tracks[0].clip_slots[1].clip", {"is_looped": True}),
    ("clip/triggered", (0, 0), "tracks[0].clip_slots[0]",
     {"playing_status": 2, "is_playing": False, "is_triggered": True}),
    ("clip/stopped", (0, 0), "tracks[0].clip_slots[0]",
     {"playing_status": 0, "is_playing": False, "is_triggered": False}),
    ("scene/added", (3, "W"), "scenes[3]", {"name": "W", "index": 3}),
    ("scene/renamed", (1, "V"), "scenes[1]", {"name": "V"}),
    ("scene/color", (1, -1), "scenes[1]", {"color": -1}),
    ("scene/triggered", (1,), "scenes[1]", {"is_triggered": True}),
]  # fmt: skip


@pytest.mark.parametrize("path, values, place, expected", SETTERS)
def test_tree_applies_each_path(tree, path, values, place, expected):
    assert send(tree, path, *values) is None
    attributes = at(tree, place)["attributes"]
    assert {name: attributes[name] for name in expected} == expected


@pytest.mark.parametrize("path, value, attribute", [
    ("transport/play", True, "is_playing"),
    ("transport/tempo", 128.0, "tempo"),
    ("transport/position", 4.5, "position"),
])  # fmt: skip
def test_tree_applies_transport(tree, path, value, attribute):
    assert send(tree, path, value) is None
    assert tree.to_ast()["attributes"][attribute] == value


@pytest.mark.parametrize("path, args", [
    ("/live/cursor/track", [("i", 90)]),
    ("/live/cursor/track", [("i", 0), ("i", 5), ("s", "A")]),
    ("/live/cursor/scene", [("i", 0)]),
    ("/live/cursor/clip_slot", [("i", 0)] * 5),
    ("/live/batch/start", [("i", 1)]),
    ("/live/batch/end", [("i", 1)]),
    ("/symlog/hello", [("h", 1), ("s", "n"), ("s", "1"), ("i", 1)]),
    ("/symlog/heartbeat", [("h", 1), ("h", 2)]),
    ("/symlog/resend", [("h", 1), ("h", 2)]),
])  # fmt: skip
def test_tree_passes_over_what_has_no_effect(tree, path, args):
    before = tree.to_ast()
    assert tree.apply(path, args) is None
    assert tree.to_ast() == before


def test_tree_moves_tracks(tree):
    send(tree, "track/added", 0, "N")
    assert names(tree, "track") == ["N", "A", "B"]
    assert at(tree, "tracks[2].clip_slots[2]")["attributes"]["track_index"] == 2
    send(tree, "track/deleted", 1)
    assert names(tree, "track") == ["N", "B"]
    assert at(tree, "tracks[1].clip_slots[2]")["attributes"]["track_index"] == 1


def test_tree_deletes_devices(tree):
    send(tree, "device/deleted", 0, 0)
    assert at(tree, "tracks[0].devices[0]") is None


def test_tree_moves_slots_with_scenes(tree):
    send(tree, "scene/added", 1, "N")
    assert names(tree, "scene") == ["X", "N", "Y", "Z"]
    assert at(tree, "tracks[0].clip_slots[1]") is None
    assert at(tree, "tracks[1].clip_slots[3]")["attributes"]["color"] == 7
    send(tree, "scene/removed", 0)
    assert at(tree, "tracks[0].clip_slots[0]") is None
    assert at(tree, "tracks[1].clip_slots[2]")["attributes"]["color"] == 7


def test_tree_created_slot_without_clip_loses_its_clip(tree):
    send(tree, "clip_slot/created", 0, 0, False, True, 0)
    assert at(tree, "tracks[0].clip_slots[0].clip") is None


def test_tree_added_clip_replaces(tree):
    send(tree, "clip/color", 0, 0, 3)
    send(tree, "clip/added", 0, 0, "N")
    assert at(tree, "tracks[0].clip_slots[0].clip")["attributes"] == {"name": "N"}


def test_tree_removed_clip_leaves_an_untold_status_untold(tree):
    send(tree, "clip/removed", 0, 1)
    assert at(tree, "tracks[0].clip_slots[1]")["attributes"].keys() == {
        "track_index", "scene_index", "has_clip",
    }  # fmt: skip


def test_tree_triggers_one_scene_at_a_time(tree):
    send(tree, "scene/triggered", 0)
    send(tree, "scene/triggered", 2)
    assert at(tree, "scenes[0]")["attributes"]["is_triggered"] is False
    assert at(tree, "scenes[2]")["attributes"]["is_triggered"] is True


# Arguments.


@pytest.mark.parametrize("path, args, reason", [
    ("/live/track/none", [], "unknown path"),
    ("/live/track/mute", [("i", 0)], "wrong types"),
    ("/live/track/mute", [("i", 0), ("i", 2)], "wrong types"),
    ("/live/track/mute", [("f", 0.0), ("T", True)], "wrong types"),
    ("/live/track/color", [("i", 0), ("f", 1.0)], "wrong types"),
    ("/live/track/volume", [("i", 0), ("T", True)], "wrong types"),
    ("/live/track/renamed", [("i", 0), ("b", b"x")], "wrong types"),
    ("/live/track/added", [("i", 0), ("s", "N"), ("i", 1)], "wrong types"),
    ("/live/track/volume", [("i", 9), ("f", float("nan"))], "not finite"),
    ("/live/transport/tempo", [("d", float("inf"))], "not finite"),
    ("/live/track/mute", [("i", 2), ("T", True)], "no such index"),
    ("/live/track/mute", [("i", -1), ("T", True)], "no such index"),
    ("/live/track/added", [("i", 3), ("s", "N")], "no such index"),
    ("/live/device/added", [("i", 0), ("i", 2), ("s", "N")], "no such index"),
    ("/live/device/param", [("i", 0), ("i", 0), ("i", 4096), ("f", 0.0)], "no such index"),
    ("/live/clip_slot/color", [("i", 1), ("i", 0), ("i", 0)], "no such index"),
    ("/live/clip/name", [("i", 0), ("i", 2), ("s", "N")], "no such index"),
    ("/live/clip/removed", [("i", 1), ("i", 0)], "no such index"),
    ("/live/scene/added", [("i", 4), ("s", "N")], "no such index"),
])  # fmt: skip
def test_tree_refuses(tree, path, args, reason):
    before = tree.to_ast()
    assert tree.apply(path, args) == reason
    assert tree.refusals == {reason: 1}
    assert tree.to_ast() == before


@pytest.mark.parametrize("path, args, attribute, value", [
    ("/live/track/mute", [("h", 0), ("i", 1)], "is_muted", True),
    ("/live/track/mute", [("i", 0), ("h", 0), ("b", b"beyond")], "is_muted", False),
    ("/live/track/volume", [("i", 0), ("i", 1)], "volume", 1.0),
    ("/live/track/volume", [("i", 0), ("d", 0.1)], "volume", 0.1),
    ("/live/track/volume", [("i", 0), ("f", 0.1)], "volume", 0.10000000149011612),
    ("/live/track/renamed", [("i", 0), ("S", "up\0to")], "name", "up"),
    ("/live/track/renamed", [("i", 0), ("s", b"a\xff\xe2\x82b")], "name", "a\ufffd\ufffd\ufffdb"),
])  # fmt: skip
def test_tree_reads_arguments(tree, path, args, attribute, value):
    assert tree.apply(path, args) is None
    assert at(tree, "tracks[0]")["attributes"][attribute] == value


# Bundles.


def test_bundle_is_refused_whole_for_what_can_be_checked_before(tree):
    before = tree.to_ast()
    bundle = [("/live/scene/removed", [("i", 0)]), ("/live/track/volume", [("i", 0), ("s", "x")])]
    assert tree.apply_bundle(bundle) == "wrong types"
    assert tree.to_ast() == before


def test_bundle_goes_on_past_a_missing_index(tree):
    bundle = [("/live/scene/removed", [("i", 9)]), ("/live/scene/removed", [("i", 0)])]
    assert tree.apply_bundle(bundle) is None
    assert tree.refusals == {"no such index": 1}
    assert names(tree, "scene") == ["Y", "Z"]


# Scene order.


def reorder(tree, told, source=None):
    for place, name in told:
        send(tree, "scene/reordered", place, name, source=source)


def test_order_permutes_scenes_and_their_slots(tree):
    reorder(tree, [(0, "Z"), (1, "X"), (2, "Y")])
    assert names(tree, "scene") == ["X", "Y", "Z"]
    tree.settle()
    assert names(tree, "scene") == ["Z", "X", "Y"]
    assert at(tree, "tracks[1].clip_slots[0]")["attributes"]["color"] == 7
    assert not tree.is_stale


def test_order_is_ended_by_another_event(tree):
    reorder(tree, [(0, "Y"), (1, "X")])
    send(tree, "scene/renamed", 0, "first")
    assert names(tree, "scene") == ["first", "X", "Z"]


def test_order_is_ended_by_a_refused_event(tree):
    reorder(tree, [(0, "Y"), (1, "X")])
    assert send(tree, "no/such/path") == "unknown path"
    assert names(tree, "scene") == ["Y", "X", "Z"]


def test_order_is_ended_by_a_refused_bundle(tree):
    reorder(tree, [(0, "Y"), (1, "X")])
    assert tree.apply_bundle([("/live/no/such/path", []), ("/live/batch/end", [("i", 0)])])
    assert names(tree, "scene") == ["Y", "X", "Z"]


def test_order_is_not_ended_by_a_refused_report(tree):
    reorder(tree, [(0, "Y"), (1, "X")])
    assert send(tree, "scene/reordered", 2) == "wrong types"
    assert names(tree, "scene") == ["X", "Y", "Z"]


def test_order_is_not_ended_by_what_symlog_says(tree):
    reorder(tree, [(0, "Y")])
    tree.apply("/symlog/heartbeat", [("h", 1), ("h", 2)])
    reorder(tree, [(1, "X")])
    tree.settle()
    assert names(tree, "scene") == ["Y", "X", "Z"]


def test_order_is_dropped_before_a_scene_added(tree):
    reorder(tree, [(2, "Y"), (3, "Z")])
    send(tree, "scene/added", 1, "N")
    assert names(tree, "scene") == ["X", "N", "Y", "Z"]
    assert not tree.is_stale


@pytest.mark.parametrize("told", [[(0, "Z")], [(2, "X"), (3, "Z")], [(-1, "X")]])
def test_order_that_is_no_permutation_makes_stale(tree, told):
    reorder(tree, told)
    tree.settle()
    assert names(tree, "scene") == ["X", "Y", "Z"]
    assert (tree.is_stale, tree.stale_reason) == (True, "scene order unknown")


def test_order_keeps_scenes_of_one_name_as_they_stand(tree):
    send(tree, "scene/renamed", 1, "X")
    send(tree, "scene/color", 1, 11)
    reorder(tree, [(0, "Z"), (1, "X"), (2, "X")])
    tree.settle()
    assert names(tree, "scene") == ["Z", "X", "X"]
    assert at(tree, "scenes[2]")["attributes"]["color"] == 11


def test_order_counts_the_later_report_of_a_place(tree):
    reorder(tree, [(0, "Z"), (1, "X"), (0, "Y")])
    tree.settle()
    assert names(tree, "scene") == ["Y", "X", "Z"]


def test_order_is_collected_per_source(tree):
    reorder(tree, [(0, "Y"), (1, "X")], source="one")
    send(tree, "track/mute", 0, True, source="two")
    tree.settle("two")
    assert names(tree, "scene") == ["X", "Y", "Z"]
    tree.settle("one")
    assert names(tree, "scene") == ["Y", "X", "Z"]


# Snapshots.


def test_snapshot_ends_staleness():
    tree = Tree()
    assert (tree.is_stale, tree.stale_reason) == (True, "no picture yet")
    assert tree.load_snapshot(json.dumps(small_set())) is None
    assert (tree.is_stale, tree.stale_reason) == (False, None)


def test_snapshot_groups_children_and_passes_over_what_is_unknown():
    tree = Tree()
    source = node("project", {"shoe_size": 44}, node("scene"), node("track", {"index": 9}))
    assert tree.load_snapshot(source) is None
    ast = tree.to_ast()
    assert [child["node_type"] for child in ast["children"]] == ["track", "scene"]
    assert ast["children"][0]["attributes"] == {"index": 0}
    assert "shoe_size" not in ast["attributes"]


@pytest.mark.parametrize("child", [
    node("cloud"),
    node("device"),
    node("track", {"color": 1.5}),
    node("track", {"color": True}),
    node("track", {"name": 5}),
    node("track", {"volume": float("nan")}),
    node("track", {"is_muted": 1}),
    node("track", {}, slot(1)),
    node("track", {}, slot(0), slot(0)),
    node("track", {}, node("clip_slot")),
    {**node("track"), "id": "project"},
    {**node("track"), "id": ""},
    {**node("track"), "id": "x" * 96},
    node("track", {}, {**node("device"), "id": "twice"}, {**node("device"), "id": "twice"}),
])  # fmt: skip
def test_snapshot_is_refused_whole(tree, child):
    before = tree.to_ast()
    assert tree.load_snapshot(node("project", {}, child, node("scene"))) == "bad snapshot"
    assert tree.to_ast() == before


@pytest.mark.parametrize("attributes, name, value", [
    ({"color": 3.0}, "color", 3),
    ({"volume": 1}, "volume", 1.0),
])  # fmt: skip
def test_snapshot_reads_numbers(attributes, name, value):
    tree = Tree()
    assert tree.load_snapshot(node("project", {}, node("track", attributes))) is None
    found = at(tree, "tracks[0]")["attributes"][name]
    assert (found, type(found)) == (value, type(value))


def test_snapshot_takes_null_for_never_told():
    tree = Tree()
    assert tree.load_snapshot(node("project", {}, node("track", {"name": None}))) is None
    assert at(tree, "tracks[0]")["attributes"] == {"index": 0}


# Equality, the subscriber, the generator.


def test_shape_tells_true_from_one():
    one, other = node("track", {"x": 1}), node("track", {"x": True})
    assert first_difference(one, other) == "project.x: 1 != True"
    assert first_difference(node("track", {"x": 1}), node("track", {"x": 1.0})) is None


def subscriber_of(tree):
    """A subscriber that was sent a tree's ast, in which every node has got an id."""
    ast = tree.to_ast()

    def number(source, prefix):
        source["id"] = prefix
        for index, child in enumerate(source["children"]):
            number(child, f"{prefix}/{child['node_type']}{index}")

    number(ast, "project")
    subscriber = Subscriber()
    subscriber.receive({"type": "FULL_AST", "seq": 1, "payload": {"ast": ast}})
    return subscriber


def diff(*changes):
    changes = [{"seq_num": 1, **change} for change in changes]
    return {"type": "DIFF_UPDATE", "seq": 2, "payload": {"diff": {"changes": changes}}}


def moved(node_id, node_type, path, name, old, new):
    return {"type": "modified", "node_id": node_id, "node_type": node_type, "path": path,
            "old_value": {name: old}, "new_value": {name: new}}  # fmt: skip


def test_subscriber_follows_an_inserted_scene(tree):
    subscriber = subscriber_of(tree)
    message = diff(
        moved("project/scene4", "scene", "scenes[2]", "index", 2, 3),
        moved("project/track0/clip_slot3", "clip_slot", "tracks[0].clip_slots[2]",
              "scene_index", 2, 3),
        moved("project/track1/clip_slot0", "clip_slot", "tracks[1].clip_slots[2]",
              "scene_index", 2, 3),
        {"type": "added", "node_id": "new", "node_type": "scene", "parent_id": "project",
         "path": "scenes[2]", "new_value": {"name": "N"}},
    )  # fmt: skip
    send(tree, "scene/added", 2, "N")
    assert first_difference(subscriber.receive(json.dumps([message])), tree.to_ast()) is None
    assert subscriber.seq == 2


def test_subscriber_follows_reversed_scenes(tree):
    subscriber = subscriber_of(tree)
    message = diff(
        moved("project/scene2", "scene", "scenes[0]", "index", 0, 2),
        moved("project/scene4", "scene", "scenes[2]", "index", 2, 0),
        moved("project/track0/clip_slot1", "clip_slot", "tracks[0].clip_slots[0]",
              "scene_index", 0, 2),
        moved("project/track0/clip_slot3", "clip_slot", "tracks[0].clip_slots[2]",
              "scene_index", 2, 0),
        moved("project/track1/clip_slot0", "clip_slot", "tracks[1].clip_slots[2]",
              "scene_index", 2, 0),
    )  # fmt: skip
    reorder(tree, [(0, "Z"), (1, "Y"), (2, "X")])
    tree.settle()
    assert first_difference(subscriber.receive(message), tree.to_ast()) is None


def test_subscriber_follows_a_deleted_track(tree):
    subscriber = subscriber_of(tree)
    message = diff(
        {"type": "removed", "node_id": "project/track0", "node_type": "track",
         "parent_id": "project", "path": "tracks[0]", "value": {}},
        moved("project/track1", "track", "tracks[1]", "index", 1, 0),
        moved("project/track1/clip_slot0", "clip_slot", "tracks[1].clip_slots[2]",
              "track_index", 1, 0),
    )  # fmt: skip
    send(tree, "track/deleted", 0)
    assert first_difference(subscriber.receive(message), tree.to_ast()) is None


def test_subscriber_forgets_what_stood_below_a_removed_node(tree):
    subscriber = subscriber_of(tree)
    removed = {"type": "removed", "node_id": "project/track0", "node_type": "track",
               "parent_id": "project", "path": "tracks[0]", "value": {}}  # fmt: skip
    subscriber.receive(diff(removed, moved("project/track1", "track", "tracks[1]", "index", 1, 0)))
    with pytest.raises(ClientError):
        subscriber.receive(diff({**removed, "node_id": "project/track0/device0"}))


@pytest.mark.parametrize("is_coalesced", [False, True])
def test_subscriber_follows_a_parameter_not_yet_known(tree, is_coalesced):
    subscriber = subscriber_of(tree)
    device, path = "project/track0/device0", "tracks[0].devices[0].parameters"
    added = {"type": "added", "node_id": "p1", "node_type": "parameter", "parent_id": device,
             "path": f"{path}[1]", "new_value": {}}  # fmt: skip
    changed = {"type": "state_changed", "node_id": device, "node_type": "device",
               "path": f"{path}[1]", "attribute": "value", "value": 0.25, "param_index": 1,
               "old_value": None, "new_value": 0.25}  # fmt: skip
    send(tree, "device/param", 0, 0, 1, 0.25)
    messages = [diff(added, changed)] if is_coalesced else [diff(added), diff(changed)]
    assert first_difference(subscriber.receive(messages), tree.to_ast()) is None


def test_subscriber_forgets_a_value_that_becomes_null(tree):
    subscriber = subscriber_of(tree)
    message = diff(moved("project/track0", "track", "tracks[0]", "name", "A", None))
    assert "name" not in subscriber.receive(message)["children"][0]["attributes"]


@pytest.mark.parametrize("change", [
    moved("project/track9", "track", "tracks[9]", "name", "A", "N"),
    moved("project/track0", "track", "tracks[1]", "name", "A", "N"),
    moved("project/track0", "track", "tracks[0]", "name", "not A", "N"),
])  # fmt: skip
def test_subscriber_finds_contradictions(tree, change):
    with pytest.raises(ClientError):
        subscriber_of(tree).receive(diff(change))


def test_subscriber_follows_whatever_is_generated():
    generator = Generator(seed=11, settles=True)
    subscriber = Subscriber()
    name_nodes(generator.tree.project)
    before = generator.tree.to_ast()
    subscriber.receive({"type": "FULL_AST", "seq": 0, "payload": {"ast": before}})
    for seq, _ in enumerate(generator.events(1500), 1):
        name_nodes(generator.tree.project)
        after = generator.tree.to_ast()
        subscriber.receive(diff(*changes_between(before, after)))
        assert first_difference(subscriber.ast, after, ids=True) is None, seq
        before = after


def name_nodes(root):
    """Gives each node that has no id yet one of its own."""
    root.id = root.id or f"made_{next(NUMBERS)}"
    for children in root.children.values():
        for child in children:
            name_nodes(child)


def changes_between(before, after):
    """The changes of one event, found by comparing the pictures before and after it."""
    old, new = dict(placed_nodes(before)), dict(placed_nodes(after))
    for node_id, (path, parent_id, found) in old.items():
        if node_id not in new and parent_id in new:
            yield change_of("removed", path, parent_id, found, value={})
    for node_id, (path, parent_id, found) in old.items():
        if node_id in new:
            was, now = found["attributes"], new[node_id][2]["attributes"]
            names = [name for name in was | now if was.get(name) != now.get(name)]
            if names:
                values = {"old_value": {name: was.get(name) for name in names}}
                values["new_value"] = {name: now.get(name) for name in names}
                yield change_of("modified", path, parent_id, found, **values)
    for node_id, (path, parent_id, found) in new.items():
        if node_id not in old:
            yield change_of("added", path, parent_id, found, new_value=found["attributes"])


def change_of(change_type, path, parent_id, found, **values):
    about = {"node_id": found["id"], "node_type": found["node_type"], "parent_id": parent_id}
    return {"type": change_type, "path": path, **about, **values}


def placed_nodes(ast, path="project", parent_id=None):
    """Yields (id, (path, parent's id, node)) of each node, parents first."""
    yield ast["id"], (path, parent_id, ast)
    counts = Counter()
    for child in ast["children"]:
        node_type = child["node_type"]
        index = child["attributes"].get("scene_index", counts[node_type])
        counts[node_type] += 1
        place = node_type if node_type in SINGLE_TYPES else f"{node_type}s[{index}]"
        yield from placed_nodes(child, place if parent_id is None else f"{path}.{place}", ast["id"])


def test_generator_is_repeatable_and_bounded():
    generator = Generator(seed=7, tracks=20, scenes=20, settles=True)
    paths = set()
    for event in generator.events(20000):
        paths |= {path for path, _ in event}
        assert len(generator.tree.project.all("track")) <= TRACKS_MAX
        assert len(generator.tree.project.all("scene")) <= SCENES_MAX
        for track in generator.tree.project.all("track"):
            assert len(track.all("device")) <= DEVICES_MAX
    assert {path for path in RULES if path.startswith("/live/")} <= paths
    again = Generator(seed=7, tracks=20, scenes=20, settles=True)
    assert sum(1 for _ in again.events(20000)) == 20000
    assert first_difference(generator.tree.to_ast(), again.tree.to_ast()) is None


@pytest.mark.parametrize("seed", range(20))
def test_generator_snapshot_survives_the_model(seed):
    generator = Generator(seed)
    tree = Tree()
    assert tree.load_snapshot(json.dumps(generator.tree.to_ast())) is None
    assert first_difference(tree.to_ast(), generator.tree.to_ast(), ids=True) is None


def test_demo_set_is_valid_and_repeatable(tmp_path):
    outs = [tmp_path / "one", tmp_path / "two"]
    for out in outs:
        subprocess.run([sys.executable, TESTS / "demo_set.py", out], check=True)
    assert outs[0].read_bytes() == outs[1].read_bytes()
    lines = [json.loads(line) for line in outs[0].read_text().splitlines()]
    assert [line["t"] for line in lines] == sorted(line["t"] for line in lines)
    assert 170 < lines[-1]["t"] < 190


def test_osc_is_read_back_by_the_other_library():
    osc = pytest.importorskip("model.osc", reason="needs python-osc")
    from pythonosc.osc_bundle import OscBundle
    from pythonosc.osc_message import OscMessage

    sender = osc.Sender(session=5)
    wrapped = OscMessage(sender.encode([("/live/track/mute", [("i", 0), ("T", True)])]))
    assert (wrapped.address, wrapped.params) == ("/live/seq", [0, 0.0, "/live/track/mute", 0, True])
    bundle = OscBundle(sender.encode([("/live/cursor/scene", [("i", n)]) for n in (1, 2)]))
    assert [bundle.content(n).params[0] for n in range(2)] == [1, 2]
    parts = [OscMessage(d) for d in sender.encode_snapshot(small_set(), part_bytes=64)]
    assert [part.params[:6] for part in parts] == [
        [3 + n, 0.0, "/symlog/snapshot", 5, n, len(parts)] for n in range(len(parts))
    ]
    for event in Generator(3).events(5000):
        sender.encode(event)


# The recorded answers.

ALWAYS = {
    "project.is_stale": "the old server does not know staleness",
}
DEVICE = "project/0:track/0:device"
SLOT = "project/0:track/3:clip_slot"

# Recorded event -> the differences between the old server's tree and the model's after it, with
# their reasons. What is not listed here must be the same.
EXPECTED = {
    "/live/device/param": {
        DEVICE: "the old server keeps no parameters: it names one and adds none",
    },
    "/live/clip_slot/created": {
        f"{SLOT}.has_stop_button": "told, but left out of the old server's diff",
        f"{SLOT}.is_playing": "follows from playing_status; left out of the old server's diff",
        f"{SLOT}.is_triggered": "follows from playing_status; left out of the old server's diff",
    },
}
EXPECTED["/live/scene/renamed"] = EXPECTED["/live/clip_slot/created"]  # The slot is still there.


def recorded():
    """Yields (event, message) of each recorded line."""
    for line in RECORDED.read_text().splitlines():
        event, _, message = line.partition("\t")
        yield event, json.loads(message)


def without_unknown_attributes(ast):
    """The recorded picture without `parameters`, a list in each device that the rules do not know:
    a snapshot's unknown attributes are passed over. In it, all these lists are empty."""
    assert ast["attributes"].pop("parameters", []) == []
    for child in ast.get("children", []):
        without_unknown_attributes(child)
    return ast


def test_model_does_what_the_recorded_server_did():
    lines = recorded()
    _, picture = next(lines)
    without_unknown_attributes(picture["payload"]["ast"])
    tree, server = Tree(), Subscriber(strict=False)
    assert tree.load_snapshot(picture["payload"]["ast"]) is None
    server.receive(picture)
    compared = 0
    for event, message in lines:
        if event == "client":
            continue  # What a client sent and was answered; no matter of the tree.
        path, *values = read_recorded_event(event)
        assert tree.apply(path, [tagged(value) for value in values]) is None
        if path == "/live/device/param":
            assert message["payload"]["diff"]["changes"][0]["new_value"] == values[-1]
        else:
            server.receive(message)
        found = differences(server.ast, tree.to_ast())
        places = {line.partition(": ")[0] for line in found}
        assert places == ALWAYS.keys() | EXPECTED.get(path, {}).keys(), event
        compared += 1
    assert compared == 18


def read_recorded_event(event):
    """A recorded line's event; `gap50` stands for a rename after fifty numbers were left out, which
    the old server applies without more ado, and which changes nothing else here."""
    if event == "gap50":
        return "/live/track/renamed", 0, "AfterGap"
    return python_syntax.literal_eval(event)
