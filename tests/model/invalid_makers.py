"""Makers of events that are refused, or that make the tree stale; each returns one event."""


def _wrong_tag(generator):
    path, args = generator.rng.choice((
        ("/live/track/mute", [("i", 0), ("i", 2)]),
        ("/live/track/volume", [("i", 0), ("s", "loud")]),
        ("/live/track/renamed", [("i", 0), ("i", 7)]),
        ("/live/scene/triggered", [("f", 0.0)]),
        ("/live/track/color", [("T", True), ("i", 1)]),
        ("/live/clip/name", [("i", 0), ("i", 0), ("b", b"blob")]),
        ("/live/transport/play", [("N", None)]),
    ))  # fmt: skip
    return [(path, args)]


def _too_few(generator):
    return [generator.rng.choice((
        ("/live/track/mute", [("i", 0)]),
        ("/live/device/param", [("i", 0), ("i", 0), ("i", 0)]),
        ("/live/scene/added", [("i", 0)]),
        ("/live/transport/tempo", []),
    ))]  # fmt: skip


def _bad_index(generator):
    index = ("i", generator.rng.choice((-1, -100, 25, 1000, 2**31 - 1)))
    return [generator.rng.choice((
        ("/live/track/mute", [index, ("T", True)]),
        ("/live/track/added", [index, ("s", "Nowhere")]),
        ("/live/track/deleted", [index]),
        ("/live/device/added", [("i", 0), index, ("s", "Nowhere")]),
        ("/live/device/deleted", [("i", 0), index]),
        ("/live/device/param", [("i", 0), ("i", 0), ("i", 4096), ("f", 0.5)]),
        ("/live/clip_slot/created", [index, ("i", 0), ("T", True), ("T", True), ("i", 0)]),
        ("/live/clip_slot/color", [("i", 0), index, ("i", 1)]),
        ("/live/clip/added", [("i", 0), index, ("s", "Nowhere")]),
        ("/live/clip/name", [index, index, ("s", "Nowhere")]),
        ("/live/scene/added", [index, ("s", "Nowhere")]),
        ("/live/scene/removed", [index]),
        ("/live/scene/triggered", [index]),
    ))]  # fmt: skip


def _not_finite(generator):
    tag = generator.rng.choice("fd")
    value = (tag, generator.rng.choice((float("nan"), float("inf"), float("-inf"))))
    return [generator.rng.choice((
        ("/live/track/volume", [("i", 0), value]),
        ("/live/transport/tempo", [value]),
        ("/live/device/param", [("i", 0), ("i", 0), ("i", 0), value]),
    ))]  # fmt: skip


def _unknown_path(generator):
    path = generator.rng.choice(("/live/track/frozen", "/live/", "/dead/track/mute"))
    return [(path, [("i", 0)])]


def _bad_bundle(generator):
    bad = generator.rng.choice((_wrong_tag, _too_few, _bad_index, _not_finite, _unknown_path))
    messages = generator.bundle()
    at = generator.rng.randint(0, len(messages))
    return messages[:at] + bad(generator) + messages[at:]


def _bad_order(generator):
    """A scene/reordered that is no permutation: the tree goes stale when the run ends."""
    place = ("i", generator.rng.choice((0, 1, 99, -1)))
    return [("/live/scene/reordered", [place, ("s", "Lost")])]


INVALID_MAKERS = (
    _wrong_tag, _wrong_tag, _too_few, _bad_index, _bad_index, _bad_index, _not_finite,
    _unknown_path, _bad_bundle, _bad_order,
)  # fmt: skip
