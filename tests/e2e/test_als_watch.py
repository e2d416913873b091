"""`symlog serve --project`: each save becomes an event, however it is written; what live events said since stays."""

import json
import os
import time

import als_edits
import als_sets
import pytest
from cli import symlog
from faults import inject
from model.client import Subscriber
from model.generate import Generator
from model.shape import differences
from model.tree import RULES, Tree
from serving import receive, receive_until, wait_until

SAVE = 18  # The number of its kind.


@pytest.fixture
def song(tmp_path):
    folder = tmp_path / "Song Project"
    folder.mkdir()
    return folder / "Song.als"


def small_set(**changes):
    return als_sets.random_set(3, 12, tracks=3, scenes=3, returns=1) | changes


def write(path, live_set, age_s=0.0, saved_at=None):
    """Saves as Live does, under another name first; `age_s` ago, or at a moment, as its file says."""
    live_set["noise"] += 1
    beside = path.with_suffix(".tmp")
    beside.write_bytes(als_sets.als_bytes(live_set))
    then = time.time() - age_s if saved_at is None else saved_at
    os.utime(beside, (then, then))
    beside.rename(path)


def ast_of(serve):
    with serve.subscribe() as subscriber:
        return receive(subscriber)["payload"]["ast"]


def tree_of(path):
    return json.loads(symlog("import-als", path, "--json")[0])


def wait_for_saves(serve, number):
    wait_until(lambda: serve.count(r"^picture source=project:") >= number, f"{number} saves")


def assert_shows(serve, path):
    """The tree is the save's, but for what no save holds."""
    shown = ast_of(serve)
    is_stale = shown["attributes"].pop("is_stale")
    assert list(differences(shown, tree_of(path), ids=True)) == [] and is_stale is False


# However it is written.


def in_place(path, data):
    path.write_bytes(data)


def in_two_halves(path, data):
    with path.open("wb", buffering=0) as file:
        file.write(data[: len(data) // 2])
        time.sleep(0.3)
        file.write(data[len(data) // 2 :])


def by_rename(path, data):
    beside = path.with_name(".Song.tmp")
    beside.write_bytes(data)
    beside.rename(path)


def deleted_and_created(path, data):
    path.unlink()
    time.sleep(0.3)
    path.write_bytes(data)


def made_empty_first(path, data):
    path.write_bytes(b"")
    time.sleep(0.3)
    path.write_bytes(data)


def in_the_folder_again(path, data):
    """The folder itself goes, and with it what was watched."""
    path.unlink()
    path.parent.rmdir()
    path.parent.mkdir()
    path.write_bytes(data)


WAYS = [in_place, in_two_halves, by_rename, deleted_and_created, made_empty_first, in_the_folder_again]


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
def test_als_watch_takes_a_save_however_it_is_written(start, song, way):
    live_set = small_set()
    write(song, live_set)
    serve = start("--project", song)
    wait_for_saves(serve, 1)
    with serve.subscribe() as subscriber:
        mirror = Subscriber()
        mirror.receive(receive(subscriber))
        way(song, als_sets.als_bytes(small_set(tempo=111.0, noise=7)))
        for message in receive_until(subscriber, lambda message: message["type"] == "DIFF_UPDATE"):
            assert message["type"] != "ERROR"
            mirror.receive(message)
    assert mirror.ast["attributes"]["tempo"] == 111.0
    assert_shows(serve, song)
    assert serve.count("refused") == 0


def test_als_watch_takes_a_file_that_comes_later(start, song):
    serve = start("--project", song)
    assert ast_of(serve)["attributes"]["stale_reason"] == "no picture yet"
    write(song, small_set())
    wait_for_saves(serve, 1)
    assert_shows(serve, song)


def test_als_watch_takes_the_newest_of_a_folder(start, song):
    old, new = song.with_name("Old.als"), song.with_name("New.als")
    write(old, small_set(), age_s=60)
    write(song, small_set(tempo=101.0), age_s=30)
    (song.parent / "Notes.txt").write_text("no set")
    serve = start("--project", song.parent)
    wait_for_saves(serve, 1)
    assert_shows(serve, song)
    write(new, small_set(tempo=102.0))
    wait_for_saves(serve, 2)
    assert_shows(serve, new)


def test_als_watch_looks_where_nothing_is_notified(start, song, tmp_path):
    """Behind a link to another folder nothing is, as on a network's disk."""
    real = tmp_path / "Real.als"
    song.symlink_to(real)
    serve = start("--project", song)
    for number, tempo in enumerate((101.0, 102.0), start=1):
        write(real, small_set(tempo=tempo))
        wait_for_saves(serve, number)
        assert_shows(serve, song)


def test_als_watch_waits_for_the_newest_of_a_folder_to_come_again(start, song):
    old = song.with_name("Old.als")
    write(old, small_set(), age_s=60)
    write(song, small_set(tempo=101.0))
    serve = start("--project", song.parent)
    wait_for_saves(serve, 1)
    deleted_and_created(song, als_sets.als_bytes(small_set(tempo=111.0)))
    wait_for_saves(serve, 2)
    assert_shows(serve, song)
    song.unlink()
    wait_for_saves(serve, 3)
    assert_shows(serve, old)


@pytest.mark.parametrize(
    "fault", ["inotify_init1:error=EMFILE", "inotify_add_watch:error=ENOSPC", "inotify_add_watch:retval=1"]
)
def test_als_watch_looks_where_the_system_does_not_notify(start, song, fault):
    """As on shares: a watch is refused, or is taken and never tells anything."""
    write(song, small_set())
    serve = start("--project", song, prefix=inject(*fault.split(":")))
    wait_for_saves(serve, 1)
    for number, way in enumerate((in_place, in_two_halves, by_rename, deleted_and_created), start=2):
        way(song, als_sets.als_bytes(small_set(tempo=100.0 + number)))
        wait_for_saves(serve, number)
        assert_shows(serve, song)
    assert serve.count("refused") == 0


def test_als_watch_does_not_take_the_same_bytes_twice(start, song):
    write(song, small_set())
    serve = start("--project", song)
    wait_for_saves(serve, 1)
    os.utime(song)
    write(song.with_name("Other.xml"), small_set())  # Not the one that is watched.
    data = als_sets.als_bytes(small_set(tempo=111.0))
    song.write_bytes(data)
    wait_for_saves(serve, 2)
    assert serve.count("^picture") == 2


def test_als_watch_refuses_what_stays_broken_and_keeps_the_tree(start, song):
    live_set = small_set()
    write(song, live_set)
    before = tree_of(song)
    serve = start("--project", song)
    wait_for_saves(serve, 1)
    with serve.subscribe() as subscriber:
        receive(subscriber)
        song.write_bytes(song.read_bytes()[:1000])
        error = receive_until(subscriber, lambda message: message["type"] == "ERROR")[-1]
    assert error["payload"]["error"] == "project file refused"
    assert error["payload"]["details"].startswith("Song.als: the gzip is cut off after ")
    shown = ast_of(serve)
    assert shown["attributes"].pop("is_stale") is False
    assert list(differences(shown, before, ids=True)) == []
    write(song, live_set)
    wait_for_saves(serve, 2)
    assert_shows(serve, song)


def test_als_watch_tells_of_a_file_that_cannot_be_read(start, song):
    live_set = small_set()
    write(song, live_set)
    serve = start("--project", song)
    wait_for_saves(serve, 1)
    with serve.subscribe() as subscriber:
        before = receive(subscriber)["payload"]["ast"]
        with song.open("r+b") as file:
            file.truncate((256 << 20) + 1)
        error = receive_until(subscriber, lambda message: message["type"] == "ERROR")[-1]
    assert error["payload"]["error"] == "project file refused"
    assert error["payload"]["details"] == "Song.als: the file has more than 256 MiB"
    assert list(differences(ast_of(serve), before, ids=True)) == []
    write(song, live_set)
    wait_for_saves(serve, 2)
    assert_shows(serve, song)
    assert serve.stop() == 0
    symlog("verify", "--db", serve.db)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every file")
def test_als_watch_takes_a_file_once_it_may_be_read(start, song):
    write(song, small_set())
    song.chmod(0)
    serve = start("--project", song)
    serve.wait_for("refused")
    song.chmod(0o600)
    wait_for_saves(serve, 1)
    assert_shows(serve, song)


def test_als_watch_after_a_restart_takes_only_what_is_new(start, song):
    live_set = small_set()
    write(song, live_set)
    serve = start("--project", song)
    wait_for_saves(serve, 1)
    live = serve.live()
    live.send("/live/track/renamed", ("i", 0), ("s", "Since the save"))
    wait_until(lambda: ast_of(serve)["children"][0]["attributes"]["name"] == "Since the save", "the event")
    assert serve.stop() == 0
    serve = start("--project", song)
    time.sleep(0.5)  # It looks at once, and once more when the file has been left alone.
    assert serve.count("^picture") == 0
    assert ast_of(serve)["children"][0]["attributes"]["name"] == "Since the save"
    write(song, live_set)
    wait_for_saves(serve, 1)
    assert_shows(serve, song)


def test_als_watch_takes_a_save_again_whose_picture_was_lost(start, song, tmp_path):
    """serve was killed between the two events."""
    write(song, small_set())
    serve = start("--project", song)
    wait_for_saves(serve, 1)
    assert serve.stop() == 0
    log, cut = tmp_path / "log.ndjson", tmp_path / "cut"
    symlog("log", "export", log, "--db", serve.db)
    lines = log.read_text().splitlines(keepends=True)
    [save] = [number for number, line in enumerate(lines) if json.loads(line).get("kind") == SAVE]
    log.write_text("".join(lines[: save + 1]))
    symlog("log", "import", log, "--db", cut)
    serve = start("--project", song, db=cut)
    wait_for_saves(serve, 1)
    assert_shows(serve, song)


# Live events beside it.

TRACK, DEVICE, SCENE = 0, 0, 1
SLOT = 1  # Its scene.
BOTH = {  # What live events and a save can both set: the event, and how to find it in the tree.
    "track.name": ("/live/track/renamed", [("i", TRACK), ("s", "Live")], ("track", TRACK), "name", "Live"),
    "track.is_muted": ("/live/track/mute", [("i", TRACK), ("T", True)], ("track", TRACK), "is_muted", True),
    "track.is_soloed": ("/live/track/solo", [("i", TRACK), ("T", True)], ("track", TRACK), "is_soloed", True),
    "track.is_armed": ("/live/track/arm", [("i", TRACK), ("T", True)], ("track", TRACK), "is_armed", True),
    "track.pan": ("/live/track/pan", [("i", TRACK), ("f", 0.25)], ("track", TRACK), "pan", 0.25),
    "track.color": ("/live/track/color", [("i", TRACK), ("i", 77)], ("track", TRACK), "color", 77),
    "device.is_enabled": ("/live/device/enabled", [("i", TRACK), ("i", DEVICE), ("F", False)],
                          ("track", TRACK, "device", DEVICE), "is_enabled", False),
    "parameter.value": ("/live/device/param", [("i", TRACK), ("i", DEVICE), ("i", 1), ("f", 0.75)],
                        ("track", TRACK, "device", DEVICE, "parameter", 1), "value", 0.75),
    "clip_slot.has_stop_button": ("/live/clip_slot/has_stop", [("i", TRACK), ("i", SLOT), ("F", False)],
                                  ("track", TRACK, "clip_slot", SLOT), "has_stop_button", False),
    "clip.name": ("/live/clip/name", [("i", TRACK), ("i", SLOT), ("s", "Live")],
                  ("track", TRACK, "clip_slot", SLOT, "clip", 0), "name", "Live"),
    "clip.color": ("/live/clip/color", [("i", TRACK), ("i", SLOT), ("i", 78)],
                   ("track", TRACK, "clip_slot", SLOT, "clip", 0), "color", 78),
    "clip.is_muted": ("/live/clip/muted", [("i", TRACK), ("i", SLOT), ("i", 1)],
                      ("track", TRACK, "clip_slot", SLOT, "clip", 0), "is_muted", True),
    "clip.is_looped": ("/live/clip/looping", [("i", TRACK), ("i", SLOT), ("i", 1)],
                       ("track", TRACK, "clip_slot", SLOT, "clip", 0), "is_looped", True),
    "scene.name": ("/live/scene/renamed", [("i", SCENE), ("s", "Live")], ("scene", SCENE), "name", "Live"),
    "scene.color": ("/live/scene/color", [("i", SCENE), ("i", 79)], ("scene", SCENE), "color", 79),
    "project.tempo": ("/live/transport/tempo", [("f", 99.5)], (), "tempo", 99.5),
}  # fmt: skip
ONLY_LIVE = {f"/live/{path}" for path in (
    "track/volume", "clip_slot/playing_status", "clip_slot/color", "clip/triggered", "clip/stopped", "scene/triggered",
    "transport/play", "transport/position", "cursor/track", "cursor/scene", "cursor/clip_slot", "batch/start", "batch/end",
)}  # fmt: skip
SHAPE = {f"/live/{path}" for path in (  # What comes, goes and moves.
    "track/added", "track/deleted", "device/added", "device/deleted", "clip_slot/created", "clip/added", "clip/removed",
    "clip/deleted", "scene/added", "scene/removed", "scene/reordered",
)}  # fmt: skip


def find(ast, place):
    node = ast
    for node_type, index in zip(place[::2], place[1::2]):
        children = [child for child in node["children"] if child["node_type"] == node_type]
        if node_type == "clip_slot":
            children = [child for child in children if child["attributes"]["scene_index"] == index]
            index = 0
        node = children[index]
    return node


def said(ast):
    return {what: find(ast, place)["attributes"].get(name) for what, (_, _, place, name, _) in BOTH.items()}


def set_of_both():
    """Has everything that BOTH speaks of, each with another value."""
    live_set = small_set(tempo=120.0)
    maker = als_sets.Maker(5)
    track = live_set["tracks"][TRACK]
    track |= {"is_muted": False, "is_soloed": False, "is_armed": False, "pan": 0.0}
    device = maker.device("audio", 3) | {"is_on": True, "user_name": "EQ"}
    track["devices"] = [device]
    device["parameters"] = [maker.parameter("A"), maker.parameter("B") | {"value": 0.1}]
    clip = maker.clip("midi") | {"is_muted": False, "is_looped": False}
    slot = track["slots"][live_set["scenes"][SLOT]["id"]]
    slot |= {"has_stop": True, "clip": clip}
    return live_set


def test_als_watch_does_not_undo_what_live_events_said_since_the_save(start, song):
    live_set = set_of_both()
    write(song, live_set, age_s=60)
    serve = start("--project", song)
    wait_for_saves(serve, 1)
    live = serve.live()
    before = ast_of(serve)
    for path, args, place, attribute, value in BOTH.values():
        assert find(before, place)["attributes"].get(attribute) != value, path
        live.send(path, *args)
    wait_until(lambda: ast_of(serve)["attributes"]["tempo"] == 99.5, "the events")

    live_values = {what: value for what, (*_, value) in BOTH.items()}
    assert said(ast_of(serve)) == live_values
    write(song, live_set, age_s=50)  # Saved before the events, and seen only now.
    wait_for_saves(serve, 2)
    assert said(ast_of(serve)) == live_values
    time.sleep(0.05)
    write(song, live_set)  # Saved after them.
    wait_for_saves(serve, 3)
    assert said(ast_of(serve)) == said(before)
    assert_shows(serve, song)


def test_als_watch_keeps_each_attribute_that_live_events_said_since_the_save_alone(start, song):
    """The save is one moment older than the event: it undoes what was said before."""
    live_set = set_of_both()
    write(song, live_set, age_s=60)
    serve = start("--project", song)
    wait_for_saves(serve, 1)
    live = serve.live()
    of_the_save = said(ast_of(serve))
    for saves, (what, (path, args, *_, value)) in enumerate(BOTH.items(), start=2):
        time.sleep(0.02)
        saved_at = time.time()
        time.sleep(0.02)
        live.send(path, *args)
        wait_until(lambda what=what, value=value: said(ast_of(serve))[what] == value, path)
        write(song, live_set, saved_at=saved_at)
        wait_for_saves(serve, saves)
        assert said(ast_of(serve)) == of_the_save | {what: value}


def test_als_watch_has_tests_of_each_message():
    assert {path for path, *_ in BOTH.values()} | ONLY_LIVE | SHAPE == {
        path for path in RULES if path.startswith("/live/")
    }


def structure(ast):
    """Names of the tracks and scenes, and ids."""
    nodes = [child for child in ast["children"] if child["node_type"] in ("track", "scene")]
    return [(node["node_type"], node["attributes"]["name"], node["id"]) for node in nodes]


def test_als_watch_keeps_tracks_and_scenes_that_came_went_and_moved_since_the_save(start, song):
    live_set = small_set()
    for number, scene in enumerate(live_set["scenes"]):
        scene["name"] = f"Scene {number}"
    write(song, live_set, age_s=60)
    serve = start("--project", song)
    wait_for_saves(serve, 1)
    live = serve.live()
    live.send("/live/track/added", ("i", 1), ("s", "New"), ("s", "midi"))
    live.send("/live/device/added", ("i", 1), ("i", 0), ("s", "Synth"))
    live.send("/live/track/deleted", ("i", 0))
    live.send("/live/scene/added", ("i", 1), ("s", "Bridge"))
    live.send("/live/scene/removed", ("i", 0))
    for place, name in enumerate(["Scene 2", "Scene 1", "Bridge"]):
        live.send("/live/scene/reordered", ("i", place), ("s", name))
    live.send("/live/transport/tempo", ("f", 99.5))
    wait_until(lambda: ast_of(serve)["attributes"]["tempo"] == 99.5, "the events")
    before = ast_of(serve)
    assert [name for kind, name, _ in structure(before) if kind == "scene"] == ["Scene 2", "Scene 1", "Bridge"]
    write(song, live_set, age_s=50)
    wait_for_saves(serve, 2)
    assert list(differences(ast_of(serve), before, ids=True)) == []


def test_als_watch_keeps_clips_and_devices_that_came_and_went_since_the_save(start, song):
    live_set = set_of_both()
    maker = als_sets.Maker(6)
    scenes = [scene["id"] for scene in live_set["scenes"]]
    track = live_set["tracks"][TRACK]
    track["devices"].append(maker.device("audio", 3))
    track["slots"][scenes[0]]["clip"] = maker.clip("midi")
    track["slots"][scenes[2]]["clip"] = None
    write(song, live_set, age_s=60)
    serve = start("--project", song)
    wait_for_saves(serve, 1)
    live = serve.live()
    live.send("/live/clip/removed", ("i", TRACK), ("i", 0))
    live.send("/live/clip/deleted", ("i", TRACK), ("i", SLOT))
    live.send("/live/clip/added", ("i", TRACK), ("i", 2), ("s", "New"))
    live.send("/live/clip_slot/created", ("i", TRACK), ("i", 0), ("T", True), ("F", False), ("i", 0))
    live.send("/live/device/deleted", ("i", TRACK), ("i", 0))
    live.send("/live/device/added", ("i", TRACK), ("i", 1), ("s", "Echo"))
    live.send("/live/transport/tempo", ("f", 99.5))
    wait_until(lambda: ast_of(serve)["attributes"]["tempo"] == 99.5, "the events")
    before = ast_of(serve)
    assert find(before, ("track", TRACK, "clip_slot", 2, "clip", 0))["attributes"]["name"] == "New"
    assert find(before, ("track", TRACK, "device", 1))["attributes"]["name"] == "Echo"
    write(song, live_set, age_s=50)
    wait_for_saves(serve, 2)
    assert list(differences(ast_of(serve), before, ids=True)) == []
    time.sleep(0.05)
    write(song, live_set)
    wait_for_saves(serve, 3)
    assert ids_of(ast_of(serve)) == ids_of(tree_of(song))


def test_als_watch_keeps_the_ids_of_nodes_that_live_events_told_first(start, song):
    serve = start("--project", song)
    live = serve.live()
    live_set = set_of_both()
    for index, track in enumerate([*live_set["tracks"], live_set["master"]]):
        live.send("/live/track/added", ("i", index), ("s", track["name"]))
    for index, scene in enumerate(live_set["scenes"]):
        live.send("/live/scene/added", ("i", index), ("s", scene["name"]))
    live.send("/live/device/added", ("i", TRACK), ("i", 0), ("s", "EQ"))
    live.send("/live/device/param", ("i", TRACK), ("i", 0), ("i", 1), ("f", 0.5))
    clip = live_set["tracks"][TRACK]["slots"][live_set["scenes"][SLOT]["id"]]["clip"]
    live.send("/live/clip/added", ("i", TRACK), ("i", SLOT), ("s", clip["name"]))
    live.send("/live/track/volume", ("i", TRACK), ("f", 0.5))
    live.send("/live/transport/play", ("T", True))
    wait_until(lambda: ast_of(serve)["attributes"].get("is_playing"), "the events")
    before = ids_of(ast_of(serve))
    time.sleep(0.05)
    write(song, live_set)
    wait_for_saves(serve, 1)
    shown = ast_of(serve)
    assert before <= ids_of(shown)
    assert find(shown, ("track", TRACK))["attributes"]["volume"] == 0.5
    assert shown["attributes"]["is_stale"] is False
    named = tree_of(song)
    for node in (shown, named):
        node["attributes"] = {}
        find(node, ("track", TRACK))["attributes"].pop("volume", None)
    assert list(differences(shown, named)) == []
    write(song, live_set)
    wait_for_saves(serve, 2)
    assert ids_of(ast_of(serve)) == ids_of(shown)


def ids_of(ast):
    return {ast["id"]}.union(*map(ids_of, ast.get("children") or []))


def test_als_watch_keeps_what_no_save_holds(start, song):
    live_set = set_of_both()
    write(song, live_set, age_s=60)
    serve = start("--project", song)
    wait_for_saves(serve, 1)
    live = serve.live()
    live.send("/live/track/volume", ("i", TRACK), ("f", 0.5))
    live.send("/live/clip_slot/playing_status", ("i", TRACK), ("i", SLOT), ("i", 1))
    live.send("/live/clip_slot/color", ("i", TRACK), ("i", SLOT), ("i", 5))
    live.send("/live/scene/triggered", ("i", SCENE))
    live.send("/live/transport/position", ("f", 12.5))
    live.send("/live/transport/play", ("T", True))
    wait_until(lambda: ast_of(serve)["attributes"].get("is_playing"), "the events")
    before = ast_of(serve)
    time.sleep(0.05)
    write(song, live_set)
    wait_for_saves(serve, 2)
    assert list(differences(ast_of(serve), before, ids=True)) == []


def test_als_watch_ends_staleness(start, song):
    live_set = small_set()
    write(song, live_set)
    serve = start("--project", song)
    wait_for_saves(serve, 1)
    live = serve.live()
    live.send("/live/cursor/track", ("i", 0))
    live.lose(3)
    live.send("/live/cursor/track", ("i", 0))
    wait_until(lambda: ast_of(serve)["attributes"]["is_stale"], "the gap")
    time.sleep(0.05)
    write(song, live_set)
    wait_for_saves(serve, 2)
    assert_shows(serve, song)


@pytest.mark.parametrize("seed", range(3))
def test_als_watch_applies_random_events_to_an_older_save_as_the_model_does(start, song, seed, tmp_path):
    """The save has other values, and the model gets it before the events. Replay and a second state give the same."""
    live_set = small_set()
    write(song, live_set, age_s=60)
    maker = als_sets.Maker(seed, 12)
    generator = Generator(seed, invalid=0.0)
    generator.tree.load_snapshot(tree_of(song))
    serve = start("--project", song)
    wait_for_saves(serve, 1)
    live, sent = serve.live(), []
    for event in generator.events(150):
        sent.append(event)
        live.send_bytes(live.sender.encode(event))
    live.send("/live/transport/tempo", ("f", 99.5))
    wait_until(lambda: ast_of(serve)["attributes"]["tempo"] == 99.5, "the events", 30)
    edit_values(live_set, maker)
    write(song, live_set, age_s=50)
    wait_for_saves(serve, 2)
    shown = ast_of(serve)
    model = Tree()
    model.load_snapshot(tree_of(song))
    for event in sent:
        model.apply(*event[0]) if len(event) == 1 else model.apply_bundle(event)
    model.apply("/live/transport/tempo", [("f", 99.5)])
    assert list(differences(shown, model.to_ast())) == []
    assert serve.stop() == 0
    check_log(serve.db, shown, tmp_path)


def edit_values(live_set, maker):
    """Nothing that comes, goes or moves, and no name: a name is what a node is recognised by."""
    editor = als_edits.Editor(live_set, maker)
    acts = [editor.color_track, editor.color_clip, editor.mute_track, editor.pan_track, editor.volume, editor.send,
            editor.parameter, editor.switch_device, editor.loop, editor.add_note, editor.point]  # fmt: skip
    for _ in range(40):
        maker.rng.choice(acts)()


def check_log(db, shown, tmp_path):
    """verify; replayed from the first event and from an export; the state at any number."""
    symlog("verify", "--db", db)
    output = symlog("replay", "--db", db, "--at", last(db), "--state", "--json")[0]
    assert list(differences(json.loads(output), shown, ids=True)) == []
    symlog("log", "export", tmp_path / "log.ndjson", "--db", db)
    again = tmp_path / "again"
    symlog("log", "import", tmp_path / "log.ndjson", "--db", again)
    symlog("verify", "--db", again)
    digests = [json.loads(symlog("stat", "--db", each, "--json")[0])["digest"] for each in (db, again)]
    assert digests[0] == digests[1]


def last(db):
    return json.loads(symlog("stat", "--db", db, "--json")[0])["head"]


def test_als_watch_of_a_log_pruned_between_events_and_save_gives_the_same_state(start, song):
    """The state is saved while events wait for a save, and verify loads it and goes on from there."""
    live_set = small_set()
    write(song, live_set, age_s=60)
    serve = start("--project", song)
    wait_for_saves(serve, 1)
    live = serve.live()
    for number in range(20):
        live.send("/live/track/renamed", ("i", 0), ("s", f"Name {number}"))
    wait_until(lambda: ast_of(serve)["children"][0]["attributes"]["name"] == "Name 19", "the events")
    address = "ws://{}:{}".format(*serve.ws)
    symlog("prune", "--db", serve.db, "--ws", address, "--before", last(serve.db) - 5)
    write(song, live_set, age_s=50)
    wait_for_saves(serve, 2)
    assert ast_of(serve)["children"][0]["attributes"]["name"] == "Name 19"
    assert serve.stop() == 0
    symlog("verify", "--db", serve.db)


@pytest.mark.parametrize(
    "path, reason",
    [
        ("none/Song.als", "No such file or directory"),
        ("file/Song.als", "Not a directory"),
        ("fifo", "neither a file nor a folder"),
        ("/dev/null", "neither a file nor a folder"),
        ("x" * 5000, "the path is too long"),
    ],
    ids=["no_folder", "below_a_file", "fifo", "device", "long"],
)
def test_als_watch_says_what_is_wrong_with_its_path(tmp_path, path, reason):
    (tmp_path / "file").touch()
    os.mkfifo(tmp_path / "fifo")
    _, errors = symlog("serve", "--db", tmp_path / "log", "--osc", 0, "--ws", 0, "--project", tmp_path / path, status=1)
    assert reason in errors


def test_als_watch_of_an_empty_path_is_refused(tmp_path):
    _, errors = symlog("serve", "--db", tmp_path / "log", "--osc", 0, "--ws", 0, "--project", "", status=1)
    assert "the path is empty" in errors
