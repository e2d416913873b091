"""Makers of valid events, one for each kind of change that a set goes through.

A maker takes the generator, chooses a place in its tree, and yields events: none where there is no
such place. It is lazy, so that each event is made when those before it have been applied.
"""

from .random_set import TRACK_TYPES

TRACKS_MAX = 24
SCENES_MAX = 24
DEVICES_MAX = 8
PARAMETERS_MAX = 16


def _change_track(generator):
    track = generator.pick_track()
    if track is None:
        return
    path, args = generator.rng.choice((
        ("/live/track/renamed", generator.tag_name()),
        ("/live/track/mute", generator.tag_any_bool()),
        ("/live/track/arm", generator.tag_any_bool()),
        ("/live/track/solo", generator.tag_any_bool()),
        ("/live/track/color", generator.tag_color()),
    ))  # fmt: skip
    yield [(path, [*generator.ints(track), args])]


def _move_fader(generator):
    track = generator.pick_track()
    if track is None:
        return
    path, low = generator.rng.choice((("/live/track/volume", 0.0), ("/live/track/pan", -1.0)))
    for _ in range(generator.rng.randint(1, 8)):
        value = generator.tag_float(generator.rng.uniform(low, 1.0))
        yield [(path, [*generator.ints(track), value])]


def _sweep_parameter(generator):
    place = generator.pick_device()
    if place is None:
        return
    index = generator.rng.randrange(PARAMETERS_MAX)
    for _ in range(generator.rng.randint(1, 12)):
        value = generator.tag_float(generator.rng.random())
        yield [("/live/device/param", [*generator.ints(*place, index), value])]


def _enable_device(generator):
    place = generator.pick_device()
    if place is not None:
        yield [("/live/device/enabled", [*generator.ints(*place), generator.tag_any_bool()])]


def _change_slot(generator):
    place = generator.pick_slot()
    if place is None:
        return
    path, args = generator.rng.choice((
        ("/live/clip_slot/has_stop", [generator.tag_any_bool()]),
        ("/live/clip_slot/color", [generator.tag_color()]),
        ("/live/clip_slot/playing_status", generator.ints(generator.rng.randrange(3))),
        ("/live/clip_slot/playing_status", generator.ints(generator.rng.randrange(3))),
        ("/live/clip/triggered", []),
        ("/live/clip/stopped", []),
    ))  # fmt: skip
    yield [(path, [*generator.ints(*place), *args])]


def _create_slot(generator):
    place = generator.pick_place()
    if place is not None:
        yield [("/live/clip_slot/created", _slot_args(generator, *place))]


def _slot_args(generator, track, scene, has_clip=None):
    has_clip = generator.rng.random() < 0.5 if has_clip is None else has_clip
    status = generator.ints(generator.rng.choice((0, 0, 0, 1, 2)))
    flags = [generator.tag_bool(has_clip), generator.tag_any_bool()]
    return [*generator.ints(track, scene), *flags, *status]


def _add_clip(generator):
    place = generator.pick_place()
    if place is not None:
        yield [("/live/clip/added", [*generator.ints(*place), generator.tag_name()])]


def _change_clip(generator):
    place = generator.pick_slot(with_clip=True)
    if place is None:
        return
    path, args = generator.rng.choice((
        ("/live/clip/name", generator.tag_name()),
        ("/live/clip/color", generator.tag_color()),
        ("/live/clip/muted", generator.tag_any_bool()),
        ("/live/clip/looping", generator.tag_any_bool()),
    ))  # fmt: skip
    yield [(path, [*generator.ints(*place), args])]


def _remove_clip(generator):
    place = generator.pick_slot()
    if place is not None:
        path = generator.rng.choice(("/live/clip/removed", "/live/clip/deleted"))
        yield [(path, generator.ints(*place))]


def _move_clip(generator):
    source, target = generator.pick_slot(with_clip=True), generator.pick_place()
    if source is not None:
        yield [("/live/clip/removed", generator.ints(*source))]
        yield [("/live/clip/added", [*generator.ints(*target), generator.tag_name()])]


def _add_track(generator):
    count = len(generator.tree.project.all("track"))
    if count >= TRACKS_MAX:
        return
    index = generator.rng.randint(0, count)
    track_type = [("s", generator.rng.choice(TRACK_TYPES))] if generator.rng.random() < 0.7 else []
    yield [("/live/track/added", [*generator.ints(index), generator.tag_name(), *track_type])]
    if generator.rng.random() < 0.7:
        for scene in range(len(generator.tree.project.all("scene"))):
            yield [("/live/clip_slot/created", _slot_args(generator, index, scene, False))]


def _delete_track(generator):
    if len(generator.tree.project.all("track")) > 2:
        yield [("/live/track/deleted", generator.ints(generator.pick_track()))]


def _move_track(generator):
    """A move reaches us as a deletion and an insertion."""
    tracks = generator.tree.project.all("track")
    if len(tracks) < 2:
        return
    source, target = generator.pick_track(), generator.rng.randrange(len(tracks))
    name = ("s", tracks[source].attributes.get("name") or "")
    yield [("/live/track/deleted", generator.ints(source))]
    yield [("/live/track/added", [*generator.ints(target), name])]
    for scene in range(len(generator.tree.project.all("scene"))):
        yield [("/live/clip_slot/created", _slot_args(generator, target, scene))]


def _add_device(generator):
    track = generator.pick_track()
    if track is None:
        return
    count = len(generator.tree.track(track).all("device"))
    if count >= DEVICES_MAX:
        return
    kind = [("s", "plugin")] if generator.rng.random() < 0.5 else []
    index = generator.rng.randint(0, count)
    yield [("/live/device/added", [*generator.ints(track, index), generator.tag_name(), *kind])]


def _delete_device(generator):
    place = generator.pick_device()
    if place is not None:
        yield [("/live/device/deleted", generator.ints(*place))]


def _move_device(generator):
    place = generator.pick_device()
    if place is None:
        return
    track, source = place
    target = generator.rng.randrange(len(generator.tree.track(track).all("device")))
    yield [("/live/device/deleted", generator.ints(track, source))]
    yield [("/live/device/added", [*generator.ints(track, target), generator.tag_name()])]


def _insert_scene(generator):
    """As today's sender tells it: each scene pushed down, the scene, then a slot on each track."""
    names = _scene_names(generator)
    if len(names) >= SCENES_MAX:
        return
    index = generator.rng.randint(0, len(names))
    for place in range(index, len(names)):
        args = [*generator.ints(place + 1), ("s", names[place])]
        yield [("/live/scene/reordered", args)]
    yield [("/live/scene/added", [*generator.ints(index), generator.tag_name()])]
    for track in range(len(generator.tree.project.all("track"))):
        yield [("/live/clip_slot/created", _slot_args(generator, track, index))]


def _remove_scene(generator):
    if len(generator.tree.project.all("scene")) > 2:
        yield [("/live/scene/removed", generator.ints(generator.pick_scene()))]


def _permute_scenes(generator):
    """Some scenes change places, which is told by scene/reordered alone."""
    names = _scene_names(generator)
    if len(names) < 2:
        return
    places = sorted(generator.rng.sample(range(len(names)), generator.rng.randint(2, len(names))))
    order = generator.rng.sample(places, len(places))
    if generator.rng.random() < 0.3:
        order = places[::-1]
    told = list(zip(places, order))
    if generator.rng.random() < 0.3:
        generator.rng.shuffle(told)
    for place, source in told:
        yield [("/live/scene/reordered", [*generator.ints(place), ("s", names[source])])]
        if generator.rng.random() < 0.05:
            yield [("/symlog/heartbeat", generator.ints(1, 0))]  # Passes by.
    yield generator.quiet()


def _scene_names(generator):
    return [scene.attributes.get("name") or "" for scene in generator.tree.project.all("scene")]


def _change_scene(generator):
    scene = generator.pick_scene()
    if scene is None:
        return
    path, args = generator.rng.choice((
        ("/live/scene/renamed", [generator.tag_name()]),
        ("/live/scene/color", [generator.tag_color()]),
        ("/live/scene/triggered", []),
        ("/live/scene/triggered", []),
    ))  # fmt: skip
    yield [(path, [*generator.ints(scene), *args])]


def _bundle_of_scenes(generator):
    """An insertion or a permutation as one event, with something after it that ends the run."""
    maker = generator.rng.choice((_insert_scene, _permute_scenes))
    messages = [message for event in maker(generator) for message in event]
    if messages:
        yield [*messages, ("/live/cursor/scene", [("i", 0)])]


def _change_transport(generator):
    yield [generator.rng.choice((
        ("/live/transport/play", [generator.tag_any_bool()]),
        ("/live/transport/tempo", [generator.tag_float(generator.rng.uniform(60, 180))]),
    ))]  # fmt: skip


def _move_position(generator):
    yield [("/live/transport/position", [generator.tag_float(generator.rng.uniform(0, 1000))])]


def _move_cursor(generator):
    track, scene = generator.pick_track() or 0, generator.pick_scene() or 0
    details = generator.rng.choice(([], generator.ints(0xFF8800), [("i", 255), ("s", "Here")]))
    yield [generator.rng.choice((
        ("/live/cursor/track", [*generator.ints(track), *details]),
        ("/live/cursor/scene", generator.ints(scene)),
        ("/live/cursor/clip_slot", generator.ints(track, scene, 1, 0, 0)),
    ))]  # fmt: skip


def _batch(generator):
    number = generator.ints(generator.rng.randrange(1000))
    yield [("/live/batch/start", number)]
    for _ in range(generator.rng.randint(1, 4)):
        yield from generator.rng.choice(PLAIN_MAKERS)(generator)
    if generator.rng.random() < 0.9:
        yield [("/live/batch/end", number)]


# Maker -> its weight. Those that yield many events are rarer than they look.
MAKERS = {
    _sweep_parameter: 12, _move_fader: 8, _move_position: 25, _change_slot: 30, _change_track: 12,
    _change_scene: 8, _change_clip: 8, _create_slot: 6, _add_clip: 5, _change_transport: 5,
    _move_cursor: 10, _batch: 2, _enable_device: 3, _remove_clip: 3, _move_clip: 2,
    _add_track: 0.7, _delete_track: 0.7, _move_track: 0.4, _add_device: 2.5, _delete_device: 2,
    _move_device: 1, _insert_scene: 1, _remove_scene: 1, _permute_scenes: 1,
    _bundle_of_scenes: 0.5,
}  # fmt: skip

# Makers of changes that stay right whatever else stands in the same bundle or batch.
PLAIN_MAKERS = (
    _change_track, _enable_device, _change_slot, _create_slot, _add_clip, _change_scene,
    _change_transport, _move_position, _move_cursor, _move_fader,
)  # fmt: skip
