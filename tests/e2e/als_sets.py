"""Makes Live sets (.als): believable XML of Live 9, 10, 11 or 12, packed with gzip; the same for the same seed.

A set is a dict of plain values (`random_set`), which tests may change, written by `write_set`. The tree that a save must
give is not said here: als_reader.py reads it from the XML, without knowing how that was made.
"""

import gzip
import itertools
import random
from xml.sax.saxutils import quoteattr

WORDS = "Kick Bass Pad Lead Vox Keys Noise Ätherisch 低音 Été Perc Drone 🥁 Stab A&B <Dub> \"Q\"".split()
VERSIONS = {
    9: ("9.7_9.7.7", "Ableton Live 9.7.7"),
    10: ("10.0_377", "Ableton Live 10.1.25"),
    11: ("11.0_11300", "Ableton Live 11.3.35"),
    12: ("12.0_12043", "Ableton Live 12.0.1"),
}
KINDS = {"audio": "AudioTrack", "midi": "MidiTrack", "group": "GroupTrack", "return": "ReturnTrack"}
NATIVE_DEVICES = {  # Tag -> paths of its parameters.
    "Eq8": [f"Bands.{band}/ParameterA/{name}" for band in range(4) for name in ("IsOn", "Freq", "Gain", "Q")],
    "Compressor2": ["Threshold", "Ratio", "Attack", "SideChain/OnOff", "SideChain/DryWet"],
    "Reverb": ["PreDelay", "DecayTime", "MixDirect"],
    "DeviceOfTomorrow": ["Wonder"],
}
INSTRUMENTS = {
    "OriginalSimpler": ["Player/Loop", "Filter/Freq", "VolumeAndPan/Volume"],
    "UltraAnalog": ["SignalChain1/OscillatorToggle", "Volume"],
}
RACKS = {
    "audio": ("AudioEffectGroupDevice", "AudioEffectBranch", "AudioToAudioDeviceChain"),
    "midi": ("InstrumentGroupDevice", "InstrumentBranch", "MidiToAudioDeviceChain"),
}
BEFORE_ALL = -63072000


class Maker:
    """Makes random parts of a set; ids are never given twice, as in Live."""

    def __init__(self, seed, version=12):
        self.rng = random.Random(seed)
        self.version = version
        self.ids = itertools.count(100)  # Of tracks, scenes, clips, devices.
        self.targets = itertools.count(10_000)  # Of what automation can reach.

    # Chance.

    def name(self):
        word = self.rng.choice(WORDS)
        return f"{word} {self.rng.randint(1, 9)}" if self.rng.random() < 0.5 else word

    def flag(self, chance=0.5):
        return self.rng.random() < chance

    def number(self, low=0.0, high=1.0):
        return round(self.rng.uniform(low, high), 6)

    def color(self):
        return self.rng.randrange(70)

    def beat(self, limit=64):
        return self.rng.randrange(limit * 4) / 4

    # Parts.

    def set(self, tracks=8, scenes=6, returns=2, noise=0):
        scene_list = [self.scene() for _ in range(scenes)]
        made = {
            "version": self.version, "tempo": self.number(60, 180), "signature": self.rng.choice((3, 2, 201, 204, 300)),
            "scenes": scene_list, "tracks": [], "locators": [self.locator() for _ in range(3)], "noise": noise,
        }  # fmt: skip
        group = None
        for _ in range(tracks):
            track = self.track(self.rng.choice(("audio", "midi", "midi", "group")), scene_list, returns)
            if track["kind"] == "group":
                group = track["id"]
            elif group is not None and self.flag(0.7):
                track["group"] = group
            made["tracks"].append(track)
        made["tracks"] += [self.track("return", [], returns) for _ in range(returns)]
        made["master"] = self.track("master", [], 0)
        return made

    def scene(self):
        return {
            "id": next(self.ids), "name": self.name(), "color": self.color(), "tempo": self.number(60, 180),
            "is_tempo_enabled": self.flag(), "note": self.name(), "signature": 201, "is_signature_enabled": self.flag(),
        }  # fmt: skip

    def locator(self):
        return {"id": next(self.ids), "name": self.name(), "time": self.beat(), "note": ""}

    def track(self, kind, scenes, returns):
        track = {
            "id": next(self.ids), "kind": kind, "name": self.name(), "color": self.color(), "group": None,
            "is_frozen": self.flag(0.1), "is_armed": self.flag(0.2), "is_muted": self.flag(0.2),
            "is_soloed": self.flag(0.1), "volume": self.number(0.01, 1.9), "pan": self.number(-1), "crossfade": 1,
            "sends": [[self.number(), self.flag()] for _ in range(returns)], "input": "AudioIn/External/S0",
            "output": "AudioOut/Master", "midi_input": "MidiIn/External.All/-1", "midi_output": "MidiOut/None",
            "slots": {}, "clips": [], "devices": [],
            "targets": {name: next(self.targets) for name in ("volume", "pan", "mute", "crossfade", "tempo", "signature")},
        }  # fmt: skip
        track["send_targets"] = [next(self.targets) for _ in range(returns)]
        for scene in scenes:
            has_clip = kind in ("audio", "midi") and self.flag(0.6)
            clip = self.clip(kind) if has_clip else None
            track["slots"][scene["id"]] = {"has_stop": self.flag(0.9), "clip": clip}
        if kind in ("audio", "midi"):
            track["clips"] = [self.clip(kind) for _ in range(self.rng.randrange(3))]
        track["devices"] = [self.device(kind) for _ in range(self.rng.randrange(4))]
        track["envelopes"] = [self.envelope(target) for target in self.reachable(track)]
        return track

    def reachable(self, track):
        """Some of what automation of this track can move, the master's tempo and signature always."""
        if track["kind"] == "master":
            return [track["targets"]["signature"], track["targets"]["tempo"]]
        known = [*track["targets"].values(), *track["send_targets"], *(p["target"] for p in all_parameters(track))]
        return self.rng.sample(known, min(2, len(known)))

    def envelope(self, target):
        points = [[self.beat(), self.number(0, 100)] for _ in range(self.rng.randrange(6))]
        return {"id": next(self.ids), "target": target, "points": sorted(points), "is_bool": self.flag(0.1)}

    def clip(self, kind):
        clip = {
            "id": next(self.ids), "kind": kind, "name": self.name(), "color": self.color(), "start": self.beat(),
            "end": 64.0 + self.beat(), "loop_start": self.beat(8), "loop_end": 8 + self.beat(8),
            "is_looped": self.flag(), "is_muted": self.flag(0.1), "is_warped": self.flag(), "warp_mode": 4,
            "notes": [], "sample": None, "envelopes": [],
        }  # fmt: skip
        if kind == "midi":
            clip["notes"] = [self.note() for _ in range(self.rng.randrange(24))]
            clip["envelopes"] = [self.envelope(next(self.targets))] if self.flag(0.3) else []
        else:
            clip["sample"] = f"{self.name()}.wav"
        return clip

    def note(self):
        key, velocity = self.rng.randrange(128), self.rng.randrange(1, 128)
        return [key, self.beat(16), self.rng.randint(1, 16) / 8, velocity, self.flag(0.9)]

    def device(self, kind, depth=0):
        what = self.rng.random()
        user_name = self.name() if self.flag(0.3) else ""
        made = {"id": next(self.ids), "user_name": user_name, "is_on": self.flag(0.8), "chains": [], "rack": None}
        if what < 0.25 and depth < 3:
            rack = RACKS["midi" if kind == "midi" and depth == 0 else "audio"]
            chains = [self.chain(kind, depth) for _ in range(self.rng.randint(1, 3))]
            names = [f"MacroControls.{number}" for number in range(8)]
            made |= {"tag": rack[0], "rack": rack, "chains": chains, "names": names}
        elif what < 0.45:
            made |= {"tag": "PluginDevice", "format": self.rng.choice(("Vst", "Vst3", "Au")), "plugin": self.name()}
            made["names"] = [f"Macro {number}" for number in range(self.rng.randrange(20))]
        elif what < 0.6:
            tag = {"audio": "MxDeviceAudioEffect", "midi": "MxDeviceInstrument"}.get(kind, "MxDeviceAudioEffect")
            made |= {"tag": tag, "patch": self.name(), "names": ["Rate", "Depth & <more>"]}
        else:
            table = INSTRUMENTS if kind == "midi" and self.flag() else NATIVE_DEVICES
            tag = self.rng.choice(sorted(table))
            made |= {"tag": tag, "names": table[tag], "sample": "hit.wav" if tag == "OriginalSimpler" else None}
        made["parameters"] = [self.parameter(name) for name in made["names"]]
        return made

    def parameter(self, name):
        if name.endswith(("On", "OnOff", "Toggle")):
            return {"name": name, "value": self.flag(), "range": None, "target": next(self.targets)}
        return {"name": name, "value": self.number(), "range": [0.0, 1.0], "target": next(self.targets)}

    def chain(self, kind, depth):
        devices = [self.device(kind, depth + 1) for _ in range(self.rng.randrange(3))]
        return {"id": next(self.ids), "name": self.name(), "color": self.color(), "is_soloed": self.flag(0.1),
                "volume": self.number(), "pan": 0.0, "is_muted": self.flag(0.1), "devices": devices}  # fmt: skip


def random_set(seed, version=12, **size):
    return Maker(seed, version).set(**size)


def all_devices(holder):
    """Those of a track or a chain, with all that are nested in them."""
    for device in holder["devices"]:
        yield device
        for chain in device["chains"]:
            yield from all_devices(chain)


def all_parameters(holder):
    for device in all_devices(holder):
        yield from device["parameters"]


def pack(xml):
    """gzip without a time in it."""
    return gzip.compress(xml.encode(), 6, mtime=0)


def als_bytes(live_set):
    return pack(write_set(live_set))


# Writing.


class Xml:
    """Collects lines; `with xml.open(tag)` nests."""

    def __init__(self):
        self.lines = ['<?xml version="1.0" encoding="UTF-8"?>']
        self.tags = []

    def add(self, tag, value=None, **attributes):
        self.lines.append("\t" * len(self.tags) + f"<{tag}{_attributes(value, attributes)} />")

    def open(self, tag, value=None, **attributes):
        self.lines.append("\t" * len(self.tags) + f"<{tag}{_attributes(value, attributes)}>")
        self.tags.append(tag)
        return self

    def __enter__(self):
        return self

    def __exit__(self, *_):
        tag = self.tags.pop()
        self.lines.append("\t" * len(self.tags) + f"</{tag}>")

    def text(self):
        return "\n".join(self.lines) + "\n"


def _attributes(value, attributes):
    given = attributes if value is None else attributes | {"Value": value}
    return "".join(f" {name}={quoteattr(_word(it))}" for name, it in given.items() if it is not None)


def _word(value):
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def write_set(live_set):
    return _Writer(live_set).write()


class _Writer:
    def __init__(self, live_set):
        self.set = live_set
        self.version = live_set["version"]
        self.noise = random.Random(live_set["noise"])  # View state and the like, which says nothing about the music.
        self.xml = Xml()

    def write(self):
        minor, creator = VERSIONS[self.version]
        xml = self.xml
        with xml.open("Ableton", MajorVersion=5, MinorVersion=minor, Creator=creator, Revision="0"), xml.open("LiveSet"):
            xml.add("NextPointeeId", self.noise.randrange(99999))
            with xml.open("Tracks"):
                for track in self.set["tracks"]:
                    self.track(track, KINDS[track["kind"]])
            self.track(self.set["master"], "MainTrack" if self.version >= 12 else "MasterTrack")
            self.scenes()
            with xml.open("Transport"):
                xml.add("CurrentTime", self.noise.randrange(100))
            with xml.open("Locators"), xml.open("Locators"):
                for locator in self.set["locators"]:
                    self.locator(locator)
            xml.add("HighlightedTrackIndex", self.noise.randrange(4))
        return xml.text()

    def locator(self, locator):
        with self.xml.open("Locator", Id=locator["id"]):
            self.xml.add("LomId", 0)
            self.xml.add("Time", locator["time"])
            self.xml.add("Name", locator["name"])
            self.xml.add("Annotation", locator["note"])

    def scenes(self):
        is_old = self.version <= 10
        with self.xml.open("SceneNames" if is_old else "Scenes"):
            for scene in self.set["scenes"]:
                with self.xml.open("Scene", scene["name"] if is_old else None, Id=scene["id"]):
                    if not is_old:
                        with self.xml.open("FollowAction"):
                            self.xml.add("FollowTime", 4)
                        self.xml.add("Name", scene["name"])
                    self.xml.add("Annotation", scene["note"])
                    self.color(scene["color"])
                    if not is_old:
                        self.xml.add("Tempo", scene["tempo"])
                        self.xml.add("IsTempoEnabled", scene["is_tempo_enabled"])
                        self.xml.add("TimeSignatureId", scene["signature"])
                        self.xml.add("IsTimeSignatureEnabled", scene["is_signature_enabled"])

    def color(self, color):
        self.xml.add("ColorIndex" if self.version <= 10 else "Color", color)

    def track(self, track, tag):
        xml = self.xml
        with xml.open(tag, Id=None if track["kind"] == "master" else track["id"]):
            xml.add("LomId", 0)
            xml.add("PreferredContentViewMode", self.noise.randrange(2))
            self.name(track["name"])
            self.color(track["color"])
            self.envelopes("AutomationEnvelopes", track["envelopes"], "AutomationEnvelope")
            xml.add("TrackGroupId", -1 if track["group"] is None else track["group"])
            xml.add("TrackUnfolded", self.noise.random() < 0.5)
            if track["kind"] != "master":
                xml.add("Freeze", track["is_frozen"])
            with xml.open("DeviceChain"):
                self.routing(track)
                self.mixer(track)
                if track["kind"] in ("audio", "midi", "group"):
                    self.sequencer("MainSequencer", track, track["slots"])
                    empty = {scene: {"has_stop": True, "clip": None} for scene in track["slots"]}
                    self.sequencer("FreezeSequencer", track, empty)
                with xml.open("DeviceChain"):
                    self.devices(track["devices"])

    def name(self, name):
        with self.xml.open("Name"):
            self.xml.add("EffectiveName", name)
            self.xml.add("UserName", name)
            self.xml.add("Annotation", "")

    def routing(self, track):
        for direction, target in (("AudioInput", "input"), ("MidiInput", "midi_input"), ("AudioOutput", "output"),
                                  ("MidiOutput", "midi_output")):  # fmt: skip
            with self.xml.open(f"{direction}Routing"):
                self.xml.add("Target", track[target])
                self.xml.add("UpperDisplayString", "Ext. In")

    def member(self, tag, value, target, limits=None):
        """A value that automation can reach."""
        with self.xml.open(tag):
            self.xml.add("LomId", 0)
            with self.xml.open("KeyMidi"):
                self.xml.add("Channel", self.noise.randrange(16))
            self.xml.add("Manual", value)
            if limits:
                with self.xml.open("MidiControllerRange"):
                    self.xml.add("Min", limits[0])
                    self.xml.add("Max", limits[1])
            with self.xml.open("AutomationTarget", Id=target):
                self.xml.add("LockEnvelope", 0)
            self.xml.add("ModulationTarget", Id=target + 1_000_000)

    def mixer(self, track):
        xml, targets = self.xml, track["targets"]
        with xml.open("Mixer"):
            self.member("On", True, targets["volume"] + 2_000_000)
            with xml.open("Sends"):
                for number, (level, is_active) in enumerate(track["sends"]):
                    with xml.open("TrackSendHolder", Id=number):
                        self.member("Send", level, track["send_targets"][number], (0.0003, 1))
                        xml.add("Active", is_active)
            self.member("Speaker", not track["is_muted"], targets["mute"])
            xml.add("SoloSink", track["is_soloed"])
            self.member("Pan", track["pan"], targets["pan"], (-1, 1))
            self.member("SplitStereoPanL", -1, targets["pan"] + 2_000_000, (-1, 1))
            self.member("Volume", track["volume"], targets["volume"], (0.0003, 2))
            xml.add("ViewStateSesstionTrackWidth", self.noise.randrange(60, 90))
            self.member("CrossFadeState", track["crossfade"], targets["crossfade"])
            if track["kind"] == "master":
                self.member("Tempo", self.set["tempo"], targets["tempo"], (60, 200))
                self.member("TimeSignature", self.set["signature"], targets["signature"])

    def sequencer(self, tag, track, slots):
        xml = self.xml
        is_main = tag == "MainSequencer"
        with xml.open(tag):
            with xml.open("ClipSlotList"):
                for scene in self.set["scenes"]:
                    self.slot(scene["id"], slots[scene["id"]])
            if track["kind"] != "group":
                with xml.open("ClipTimeable" if track["kind"] == "midi" else "Sample"), xml.open("ArrangerAutomation"):
                    with xml.open("Events"):
                        for clip in track["clips"] if is_main else []:
                            self.clip(clip)
            with xml.open("Recorder"):
                xml.add("IsArmed", track["is_armed"] if is_main else False)

    def slot(self, number, slot):
        with self.xml.open("ClipSlot", Id=number):
            self.xml.add("LomId", 0)
            with self.xml.open("ClipSlot"):
                if slot["clip"] is None:
                    self.xml.add("Value")
                else:
                    with self.xml.open("Value"):
                        self.clip(slot["clip"])
            self.xml.add("HasStop", slot["has_stop"])
            self.xml.add("NeedRefreeze", self.noise.random() < 0.5)

    def clip(self, clip):
        xml = self.xml
        with xml.open("MidiClip" if clip["kind"] == "midi" else "AudioClip", Id=clip["id"], Time=clip["start"]):
            xml.add("CurrentStart", clip["start"])
            xml.add("CurrentEnd", clip["end"])
            with xml.open("Loop"):
                xml.add("LoopStart", clip["loop_start"])
                xml.add("LoopEnd", clip["loop_end"])
                xml.add("StartRelative", 0)
                xml.add("LoopOn", clip["is_looped"])
            xml.add("Name", clip["name"])
            self.color(clip["color"])
            with xml.open("TimeSelection"):
                xml.add("AnchorTime", self.noise.randrange(64))
            self.envelopes("Envelopes", clip["envelopes"], "ClipEnvelope")
            xml.add("Disabled", clip["is_muted"])
            if clip["kind"] == "midi":
                self.notes(clip["notes"])
            else:
                xml.add("IsWarped", clip["is_warped"])
                self.sample(clip["sample"])
                xml.add("WarpMode", clip["warp_mode"])

    def sample(self, name):
        with self.xml.open("SampleRef"), self.xml.open("FileRef"):
            if self.version >= 11:
                self.xml.add("RelativePath", f"Samples/{name}")
                self.xml.add("Path", f"/sets/Samples/{name}")
            else:
                with self.xml.open("RelativePath"):
                    for number, folder in enumerate(("", "Samples")):
                        self.xml.add("RelativePathElement", Id=number, Dir=folder)
                self.xml.add("Name", name)
            self.xml.add("Type", 2)
            if self.version >= 11:
                self.xml.add("OriginalCrc", 14702)

    def notes(self, notes):
        keys = sorted({note[0] for note in notes})
        with self.xml.open("Notes"), self.xml.open("KeyTracks"):
            for number, key in enumerate(keys):
                with self.xml.open("KeyTrack", Id=number):
                    with self.xml.open("Notes"):
                        for index, note in enumerate(sorted(n for n in notes if n[0] == key)):
                            _, start, duration, velocity, is_enabled = note
                            self.xml.add("MidiNoteEvent", Time=start, Duration=duration, Velocity=velocity,
                                         OffVelocity=64, IsEnabled=is_enabled, NoteId=index)  # fmt: skip
                    self.xml.add("MidiKey", key)

    def envelopes(self, tag, envelopes, item):
        with self.xml.open(tag), self.xml.open("Envelopes"):
            for envelope in envelopes:
                with self.xml.open(item, Id=envelope["id"]):
                    with self.xml.open("EnvelopeTarget"):
                        self.xml.add("PointeeId", envelope["target"])
                    with self.xml.open("Automation"), self.xml.open("Events"):
                        self.points(envelope)

    def points(self, envelope):
        kind = "BoolEvent" if envelope["is_bool"] else "FloatEvent"
        points = [[BEFORE_ALL, 0.0], *envelope["points"]]
        for number, (time, value) in enumerate(points):
            self.xml.add(kind, value > 50 if envelope["is_bool"] else value, Id=number, Time=time)

    def devices(self, devices):
        with self.xml.open("Devices"):
            for device in devices:
                self.device(device)

    def device(self, device):
        xml = self.xml
        with xml.open(device["tag"], Id=device["id"]):
            xml.add("IsExpanded", self.noise.random() < 0.5)
            self.member("On", device["is_on"], device["id"] + 3_000_000)
            with xml.open("LastPresetRef"), xml.open("Value"), xml.open("FilePresetRef", Id=0), xml.open("FileRef"):
                xml.add("Path", f"/presets/{self.noise.randrange(9)}.adv")
            xml.add("UserName", device["user_name"])
            xml.add("Annotation", "")
            if device.get("plugin"):
                self.plugin(device)
            elif device.get("patch"):
                self.max_device(device)
            elif device["rack"]:
                self.rack(device)
            else:
                self.members(device["parameters"])
                if device.get("sample"):
                    with xml.open("Player"), xml.open("MultiSampleMap"):
                        self.sample(device["sample"])

    def members(self, parameters):
        """Nested by the parts of their names."""
        for _, group in itertools.groupby(parameters, key=lambda each: each["name"].rpartition("/")[0]):
            group = list(group)
            folders = group[0]["name"].split("/")[:-1]
            for folder in folders:
                self.xml.open(folder)
            for parameter in group:
                name = parameter["name"].rpartition("/")[2]
                self.member(name, parameter["value"], parameter["target"], parameter["range"])
            for _ in folders:
                self.xml.__exit__()

    def plugin(self, device):
        xml = self.xml
        is_vst = device["format"] == "Vst"
        with xml.open("PluginDesc"), xml.open(f"{device['format']}PluginInfo", Id=0):
            with xml.open("Preset"), xml.open(f"{device['format']}Preset", Id=1):
                xml.add("Name", "Default")
            xml.add("PlugName" if is_vst else "Name", device["plugin"])
        with xml.open("ParameterList"):
            for number, parameter in enumerate(device["parameters"]):
                with xml.open("PluginFloatParameter", Id=number):
                    xml.add("ParameterName", parameter["name"])
                    xml.add("ParameterId", number)
                    self.member("ParameterValue", parameter["value"], parameter["target"], parameter["range"])

    def max_device(self, device):
        xml = self.xml
        patch = "MxPatchRef" if self.version >= 12 else "MxDPatchRef"
        with xml.open("PatchSlot"), xml.open("Value"), xml.open(patch, Id=0), xml.open("FileRef"):
            if self.version >= 11:
                xml.add("Path", f"/library/{device['patch']}.amxd")
            else:
                xml.add("Name", f"{device['patch']}.amxd")
        with xml.open("ParameterList"), xml.open("ParameterList"):
            for number, parameter in enumerate(device["parameters"]):
                with xml.open("MxDFloatParameter", Id=number):
                    xml.add("Index", number)
                    xml.add("Name", parameter["name"])
                    xml.add("ShortName", parameter["name"][:3])
                    self.member("Timeable", parameter["value"], parameter["target"], parameter["range"])

    def rack(self, device):
        xml = self.xml
        _, branch, chain_tag = device["rack"]
        with xml.open("Branches"):
            for chain in device["chains"]:
                with xml.open(branch, Id=chain["id"]):
                    self.name(chain["name"])
                    with xml.open("DeviceChain"), xml.open(chain_tag, Id=0):
                        self.devices(chain["devices"])
                    xml.add("IsSoloed", chain["is_soloed"])
                    self.color(chain["color"])
                    with xml.open("MixerDevice"):
                        self.member("On", True, chain["id"] + 4_000_000)
                        self.member("Speaker", not chain["is_muted"], chain["id"] + 5_000_000)
                        self.member("Volume", chain["volume"], chain["id"] + 6_000_000, (0, 2))
                        self.member("Panorama", chain["pan"], chain["id"] + 7_000_000, (-1, 1))
        self.members(device["parameters"])
