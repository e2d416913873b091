"""Random edits of a set made by als_sets, as a musician makes them, each with what it may cost in a diff.

What an edit costs, at most: in print a line for what was done, and one for each clip or automation that came or went with
it; in `--json` an entry for each node that came, for the root of each subtree that went, and for each node that has other
values. Not counted: headings, and in `--json` the index of what was only pushed along.
"""

from collections import Counter

from als_sets import all_devices, all_parameters


class Editor:
    """Edits `live_set` in place; `lines` and `entries` add up what that may cost."""

    def __init__(self, live_set, maker):
        self.set = live_set
        self.maker = maker
        self.rng = maker.rng
        self.lines = self.entries = 0
        self.done = Counter()

    def edit(self):
        """One edit that was possible."""
        while True:
            act = self.rng.choice(ACTS)
            cost = act(self)
            if cost is not None:
                self.lines += cost[0]
                self.entries += cost[1]
                self.done[act.__name__] += 1
                return

    # Choosing.

    def pick(self, items):
        items = list(items)
        return self.rng.choice(items) if items else None

    def tracks(self, *kinds):
        return [track for track in self.set["tracks"] if not kinds or track["kind"] in kinds]

    def clips(self, kind=None):
        for track in self.set["tracks"]:
            for clip in [*track["clips"], *(slot["clip"] for slot in track["slots"].values())]:
                if clip and kind in (None, clip["kind"]):
                    yield clip

    def holders(self):
        """(list of devices, track) of each track and chain."""
        for track in [*self.set["tracks"], self.set["master"]]:
            yield track["devices"], track
            for device in all_devices(track):
                for chain in device["chains"]:
                    yield chain["devices"], track

    def replace(self, item, name, make):
        """Another value; None where the first was made again."""
        before, item[name] = item[name], make()
        return None if before == item[name] else (1, 1)

    # Values.

    def rename_track(self):
        return self.replace(self.pick(self.tracks()), "name", self.maker.name)

    def rename_scene(self):
        scene = self.pick(self.set["scenes"])
        return scene and self.replace(scene, "name", self.maker.name)

    def rename_clip(self):
        clip = self.pick(self.clips())
        return clip and self.replace(clip, "name", self.maker.name)

    def rename_device(self):
        """Automation of its parameters names it, too."""
        device, track = self.pick([(d, t) for t in self.set["tracks"] for d in all_devices(t)] or [(None, None)])
        if not device or self.replace(device, "user_name", self.maker.name) is None:
            return None
        named = self.automation_of(track, [device])
        return 1 + len(named), 1 + len(named)

    def color_track(self):
        return self.replace(self.pick(self.tracks()), "color", self.maker.color)

    def color_clip(self):
        clip = self.pick(self.clips())
        return clip and self.replace(clip, "color", self.maker.color)

    def mute_track(self):
        """A track's mixer tells it, too."""
        track = self.pick(self.tracks())
        track["is_muted"] = not track["is_muted"]
        return 1, 2

    def pan_track(self):
        return self.replace(self.pick(self.tracks()), "pan", lambda: self.maker.number(-1)) and (1, 2)

    def volume(self):
        return self.replace(self.pick(self.tracks()), "volume", self.maker.number)

    def send(self):
        track = self.pick(self.tracks())
        return self.replace(track["sends"][0], 0, self.maker.number) if track["sends"] else None

    def tempo(self):
        return self.replace(self.set, "tempo", lambda: self.maker.number(60, 180))

    def route(self):
        return self.replace(self.pick(self.tracks()), "output", lambda: self.rng.choice(("AudioOut/Master", "AudioOut/A")))

    def parameter(self):
        parameter = self.pick(p for track in self.set["tracks"] for p in all_parameters(track) if p["range"])
        return parameter and self.replace(parameter, "value", self.maker.number)

    def switch_device(self):
        device = self.pick(device for track in self.set["tracks"] for device in all_devices(track))
        return device and self.replace(device, "is_on", lambda: not device["is_on"])

    def loop(self):
        clip = self.pick(self.clips())
        return clip and self.replace(clip, "loop_end", lambda: self.maker.beat() + 8)

    def add_note(self):
        clip = self.pick(self.clips("midi"))
        return clip and (clip["notes"].append(self.maker.note()) or (1, 1))

    def remove_note(self):
        clip = self.pick(clip for clip in self.clips("midi") if clip["notes"])
        return clip and (clip["notes"].pop(self.rng.randrange(len(clip["notes"]))) and (1, 1))

    def move_note(self):
        clip = self.pick(clip for clip in self.clips("midi") if clip["notes"])
        return clip and self.replace(self.rng.choice(clip["notes"]), 1, self.maker.beat)

    def point(self):
        envelope = self.pick(e for track in self.set["tracks"] for e in track["envelopes"])
        if not envelope:
            return None
        if envelope["points"] and self.maker.flag():
            envelope["points"].pop()
        else:
            envelope["points"] = sorted([*envelope["points"], [self.maker.beat(), self.maker.number()]])
        return 1, 1

    # What comes, goes and moves.

    def add_track(self):
        returns = len(self.tracks("return"))
        track = self.maker.track(self.rng.choice(("audio", "midi")), self.set["scenes"], returns)
        self.set["tracks"].insert(self.rng.randrange(len(self.set["tracks"]) + 1 - returns), track)
        return 1, count_track(track)

    def remove_track(self):
        track = self.pick(self.tracks("audio", "midi", "group"))
        if not track or len(self.tracks()) < 5:
            return None
        self.set["tracks"].remove(track)
        members = [each for each in self.set["tracks"] if each["group"] == track["id"]]
        for member in members:
            member["group"] = None
        return 1 + len(members), 1 + len(members)

    def move_track(self):
        tracks = self.set["tracks"]
        track = tracks.pop(self.rng.randrange(len(tracks)))
        tracks.insert(self.rng.randrange(len(tracks) + 1), track)
        return 1, 0

    def add_scene(self):
        scene = self.maker.scene()
        self.set["scenes"].insert(self.rng.randrange(len(self.set["scenes"]) + 1), scene)
        for track in [*self.set["tracks"], self.set["master"]]:
            track["slots"][scene["id"]] = {"has_stop": True, "clip": None}
        return 1, 1 + len(self.tracks())

    def remove_scene(self):
        if len(self.set["scenes"]) < 2:
            return None
        scene = self.set["scenes"].pop(self.rng.randrange(len(self.set["scenes"])))
        slots = [track["slots"].pop(scene["id"], None) for track in [*self.set["tracks"], self.set["master"]]]
        return 1 + sum(bool(slot and slot["clip"]) for slot in slots), 1 + len(self.tracks())

    def move_scene(self):
        scenes = self.set["scenes"]
        scene = scenes.pop(self.rng.randrange(len(scenes)))
        scenes.insert(self.rng.randrange(len(scenes) + 1), scene)
        return 1, 0

    def add_device(self):
        devices, _ = self.pick(self.holders())
        device = self.maker.device("audio", depth=2)
        devices.insert(self.rng.randrange(len(devices) + 1), device)
        return 1, count_device(device)

    def remove_device(self):
        devices, track = self.pick([(d, t) for d, t in self.holders() if d] or [(None, None)])
        if not devices:
            return None
        device = devices.pop(self.rng.randrange(len(devices)))
        gone = self.automation_of(track, [device])
        track["envelopes"] = [each for each in track["envelopes"] if each not in gone]
        return 1 + len(gone), 1 + len(gone)

    def move_device(self):
        """That a device went past another may as well be told of the other."""
        devices, _ = self.pick([(d, t) for d, t in self.holders() if len(d) > 1] or [(None, None)])
        if not devices:
            return None
        device = devices.pop(self.rng.randrange(len(devices)))
        devices.insert(self.rng.randrange(len(devices) + 1), device)
        return 1, 1 + max(map(count_device, devices))

    def automation_of(self, track, devices):
        targets = {p["target"] for p in all_parameters({"devices": devices})}
        targets |= {device["id"] + 3_000_000 for device in all_devices({"devices": devices})}
        return [each for each in track["envelopes"] if each["target"] in targets]

    def add_automation(self):
        """The parameter then is automated."""
        track = self.pick(self.tracks())
        free = {p["target"] for p in all_parameters(track)} - {each["target"] for each in track["envelopes"]}
        if not free:
            return None
        track["envelopes"].append(self.maker.envelope(self.pick(sorted(free))))
        return 1, 2

    def remove_automation(self):
        track = self.pick(track for track in self.tracks() if track["envelopes"])
        return track and (track["envelopes"].pop(self.rng.randrange(len(track["envelopes"]))) and (1, 2))

    def set_clip(self):
        """One comes, or goes."""
        track = self.pick(self.tracks("audio", "midi"))
        slot = track and self.pick(track["slots"].values())
        if not slot:
            return None
        is_gone = slot["clip"] is not None
        slot["clip"] = None if is_gone else self.maker.clip(track["kind"])
        return 1, 2 if is_gone else 1 + count_clip(slot["clip"])

    def arrange(self):
        track = self.pick(self.tracks("audio", "midi"))
        if not track:
            return None
        if track["clips"] and self.maker.flag():
            track["clips"].pop(self.rng.randrange(len(track["clips"])))
            return 1, 1
        clip = self.maker.clip(track["kind"])
        track["clips"].insert(self.rng.randrange(len(track["clips"]) + 1), clip)
        return 1, count_clip(clip)

    def locate(self):
        locators = self.set["locators"]
        if locators and self.maker.flag():
            locators.pop(self.rng.randrange(len(locators)))
        else:
            locators.insert(self.rng.randrange(len(locators) + 1), self.maker.locator())
        return 1, 1


ACTS = [
    Editor.rename_track, Editor.rename_scene, Editor.rename_clip, Editor.rename_device, Editor.color_track,
    Editor.color_clip, Editor.mute_track, Editor.pan_track, Editor.volume, Editor.send, Editor.tempo, Editor.route,
    Editor.parameter, Editor.switch_device, Editor.loop, Editor.add_note, Editor.remove_note, Editor.move_note,
    Editor.point, Editor.add_track, Editor.remove_track, Editor.move_track, Editor.add_scene, Editor.remove_scene,
    Editor.move_scene, Editor.add_device, Editor.remove_device, Editor.move_device, Editor.add_automation,
    Editor.remove_automation, Editor.set_clip, Editor.arrange, Editor.locate,
]  # fmt: skip


# How many nodes there are.


def count_clip(clip):
    return 1 + len(clip["envelopes"]) + (clip["sample"] is not None)


def count_device(device):
    chains = sum(2 + sum(map(count_device, chain["devices"])) for chain in device["chains"])
    return 1 + len(device["parameters"]) + chains + bool(device.get("sample"))


def count_track(track):
    slots = sum(1 + (count_clip(slot["clip"]) if slot["clip"] else 0) for slot in track["slots"].values())
    clips = sum(map(count_clip, track["clips"]))
    return 2 + slots + clips + sum(map(count_device, track["devices"])) + len(track["envelopes"])
