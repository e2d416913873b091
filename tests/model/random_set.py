"""Random snapshots: believable sets in which every node type occurs sooner or later."""

WORDS = (
    "Kick Bass Pad Lead Vox Keys Noise Chords Riser Ätherisch 低音 Été Perc Drone 🥁 Stab"
).split()
TRACK_TYPES = ("audio", "midi", "return", "group")


def random_snapshot(rng, tracks, scenes):
    """A snapshot as a dict, with ids, of so many tracks and scenes; every node type occurs in it
    sooner or later, and now and then an attribute is null or absent."""
    return _Painter(rng).project(tracks, scenes)


class _Painter:
    """Makes the nodes of a snapshot, each with an id of its own."""

    def __init__(self, rng):
        self.rng = rng
        self.made = 0

    def node(self, node_type, attributes, children=()):
        self.made += 1
        roll = self.rng.random
        kept = {k: None if roll() < 0.03 else v for k, v in attributes.items() if roll() > 0.05}
        if node_type == "clip_slot":
            kept["scene_index"] = attributes["scene_index"]
        return {
            "node_type": node_type,
            "id": f"{node_type}_{self.made}",
            "attributes": kept,
            "children": list(children),
        }

    def some(self, most, make):
        return [make() for _ in range(self.rng.randint(0, most))]

    def flag(self):
        return self.rng.random() < 0.5

    def level(self, low=0.0, high=1.0):
        return self.rng.uniform(low, high)

    def name(self):
        return random_name(self.rng)

    def color(self):
        return self.rng.randrange(1 << 24)

    def project(self, tracks, scenes):
        children = [self.track(index, scenes) for index in range(tracks)]
        launched = self.rng.randrange(2 * scenes) if scenes else None
        children += [self.scene(index, index == launched) for index in range(scenes)]
        children += self.some(2, self.file_ref) + self.some(1, self.groove)
        attributes = {
            "version": "12.1", "creator": "Model", "tempo": 124.0, "time_signature": "4/4",
            "is_playing": False, "position": 0,
        }  # fmt: skip
        return {**self.node("project", attributes, children), "id": "project"}

    def track(self, index, scenes):
        children = self.some(4, self.device)
        children += [self.slot(index, n) for n in range(scenes) if self.rng.random() < 0.9]
        children += [self.mixer()] + self.some(1, self.file_ref) + self.some(1, self.automation)
        attributes = {
            "name": self.name(), "index": index, "color": self.color(), "volume": self.level(),
            "type": self.rng.choice(TRACK_TYPES), "is_muted": self.flag(), "is_armed": self.flag(),
            "is_soloed": self.flag(), "is_frozen": False, "pan": self.level(-1.0),
        }  # fmt: skip
        return self.node("track", attributes, children)

    def device(self, nested=True):
        children = self.some(6, self.parameter) + self.some(1, self.automation)
        if nested and self.rng.random() < 0.2:
            children = self.some(2, lambda: self.device(nested=False)) + children
        attributes = {
            "name": self.name(), "device_type": "plugin", "is_enabled": self.flag(),
            "plugin_info": {"plugin_name": self.name(), "plugin_vendor": ""},
        }  # fmt: skip
        return self.node("device", attributes, children)

    def parameter(self):
        attributes = {
            "name": self.name(), "value": self.level(), "min": 0, "max": 1.0, "is_automated": False,
        }  # fmt: skip
        return self.node("parameter", attributes)

    def slot(self, track, scene):
        has_clip = self.flag()
        status = self.rng.randrange(3) if has_clip else 0
        attributes = {
            "track_index": track, "scene_index": scene, "has_clip": has_clip, "color": self.color(),
            "has_stop_button": self.flag(), "playing_status": status, "is_playing": status == 1,
            "is_triggered": status == 2,
        }  # fmt: skip
        return self.node("clip_slot", attributes, [self.clip()] if has_clip else [])

    def clip(self):
        attributes = {
            "name": self.name(), "clip_type": "midi", "start_time": 0.0, "end_time": 16.0,
            "loop_start": 0, "loop_end": 8.0, "is_looped": self.flag(), "is_muted": self.flag(),
            "color": self.color(), "view": {"zoom": [1, 2.5]}, "note_count": self.rng.randrange(99),
            "sample_name": "loop.wav", "is_warped": self.flag(), "warp_mode": 4,
        }  # fmt: skip
        return self.node("clip", attributes, self.some(1, self.file_ref))

    def mixer(self):
        attributes = {
            "volume": self.level(), "pan": 0.0, "is_muted": False, "is_soloed": False,
            "crossfader": "None", "sends": [{"index": 0, "level": 0.25, "is_active": True}],
        }  # fmt: skip
        return self.node("mixer", attributes)

    def scene(self, index, is_launched):
        attributes = {
            "name": self.rng.choice((self.name(), "")), "index": index, "tempo": 120,
            "color": -1, "is_tempo_enabled": False, "time_signature_id": 201, "annotation": "",
            "is_time_signature_enabled": False, "is_triggered": is_launched,
        }  # fmt: skip
        return self.node("scene", attributes)

    def file_ref(self):
        attributes = {"name": self.name(), "path": "/a/b.wav", "hash": None, "ref_type": "sample"}
        return self.node("file_ref", attributes)

    def automation(self):
        return self.node("automation", {"target": "volume", "point_count": self.rng.randrange(50)})

    def groove(self):
        attributes = {
            "bpm": 120, "volume": 80.0, "running": False, "set_list": -1, "item": -1,
            "patch": "t120;kick:4=Xxxx", "device_id": "K",
        }  # fmt: skip
        return self.node("groove", attributes, [self.lane()])

    def lane(self):
        attributes = {
            "sound": "kick", "groups": "4", "sub": 1, "swing": False, "gain": -3.0, "poly": False,
            "enabled": True,
        }  # fmt: skip
        steps = [self.node("step", {"level": level}) for level in (2, 1, 1, 1)]
        return self.node("lane", attributes, steps)


def random_name(rng):
    """A word, sometimes with a number, so that names are repeated now and then."""
    word = rng.choice(WORDS)
    return f"{word} {rng.randint(1, 9)}" if rng.random() < 0.5 else word
