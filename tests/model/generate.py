"""Random sequences of events, the same for the same seed, mostly valid against a model tree.

An event is a list of messages (path, [(tag, value), ...]): one message, or several for a bundle.
The empty list stands for a silence long enough that order_settled comes (only with settles=True).
"""

import random

from .invalid_makers import INVALID_MAKERS
from .makers import MAKERS, PLAIN_MAKERS
from .random_set import random_name, random_snapshot
from .tree import Tree


class Generator:
    """Makes events that suit its own tree, and applies each to it before the next is made."""

    def __init__(self, seed, tracks=8, scenes=8, invalid=0.03, settles=False):
        self.rng = random.Random(seed)
        self.snapshot = random_snapshot(self.rng, tracks, scenes)
        self.tree = Tree()  # Stands where the events that were yielded have led.
        self.tree.load_snapshot(self.snapshot)
        self.invalid = invalid
        self.settles = settles

    def events(self, count):
        """Yields exactly `count` events; the last sequence of them may be cut."""
        made = 0
        while made < count:
            for event in self._next_sequence():
                if made == count:
                    return
                self._follow(event)
                made += 1
                yield event

    def _follow(self, event):
        if not event:
            self.tree.settle()
        elif len(event) == 1:
            self.tree.apply(*event[0])
        else:
            self.tree.apply_bundle(event)

    def _next_sequence(self):
        """Some events that belong together. Lazy: each message is made when the last is applied."""
        if self.rng.random() < self.invalid:
            return self._invalid()
        if self.rng.random() < 0.03:
            return [self.bundle()]
        makers = list(MAKERS)
        maker = self.rng.choices(makers, weights=MAKERS.values())[0]
        return maker(self)

    # Choosing. Each returns an argument, or None where the tree has nothing to choose from.

    def tag_int(self, value):
        return ("h" if self.rng.random() < 0.05 else "i", value)

    def tag_float(self, value):
        return (self.rng.choices("fd", (19, 1))[0], value)

    def tag_bool(self, value):
        if self.rng.random() < 0.1:
            return ("i", int(value))
        return ("T" if value else "F", value)

    def tag_any_bool(self):
        return self.tag_bool(self.rng.random() < 0.5)

    def tag_name(self):
        return ("s", random_name(self.rng))

    def tag_color(self):
        return self.tag_int(self.rng.randrange(1 << 24))

    def pick_track(self):
        tracks = self.tree.project.all("track")
        return self.rng.randrange(len(tracks)) if tracks else None

    def pick_scene(self):
        scenes = self.tree.project.all("scene")
        return self.rng.randrange(len(scenes)) if scenes else None

    def pick_device(self):
        """(track, device) of a device, or None."""
        places = [
            (track, device)
            for track, node in enumerate(self.tree.project.all("track"))
            for device in range(len(node.all("device")))
        ]
        return self.rng.choice(places) if places else None

    def pick_place(self):
        """(track, scene) of a place in the grid, whether a slot is known there or not; or None."""
        track, scene = self.pick_track(), self.pick_scene()
        return None if track is None or scene is None else (track, scene)

    def pick_slot(self, with_clip=False):
        """(track, scene) of a slot, with a clip on request, or None."""
        for _ in range(20):
            place = self.pick_place()
            slot = self.tree.find_slot(*place) if place else None
            if slot and (not with_clip or slot.attributes.get("has_clip")):
                return place
        return None

    def ints(self, *values):
        return [self.tag_int(value) for value in values]

    # What is not a plain message.

    def bundle(self):
        """One event of two to six ordinary changes."""
        messages = []
        while len(messages) < self.rng.randint(2, 6):
            for event in self.rng.choice(PLAIN_MAKERS)(self):
                messages += event
        return messages

    def quiet(self):
        """Ends a run of scene/reordered: by silence, or by an event that changes nothing."""
        if self.settles and self.rng.random() < 0.5:
            return []
        return [("/live/cursor/scene", [("i", 0)])]

    def _invalid(self):
        yield self.rng.choice(INVALID_MAKERS)(self)
        yield self.quiet()
