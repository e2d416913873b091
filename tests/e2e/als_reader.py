"""Reads a Live set with ElementTree, written without the program's code: what a save must give as a tree, and what there
is to count in it.
"""

import gzip
from collections import Counter
from xml.etree import ElementTree

# Live's palette, five rows of fourteen, as in its colour chooser.
PALETTE = """
ff94a6 ffa529 cc9927 f7f47c bffb00 1aff2f 25ffa8 5cffe8 8bc5ff 5480e4 92a7ff d86ce4 e553a0 ffffff
ff3636 f66c03 99724b fff034 87ff67 3dc300 00bfaf 19e9ff 10a4ee 007dc0 886ce4 b677c6 ff39d4 d0d0d0
e2675a ffa374 d3ad71 edffae d2e498 bad074 9bc48d d4fde1 cdf1f8 b9c1e3 cdbbe4 ae98e5 e5dce1 a9a9a9
c6928b b78256 99836a bfba69 a6be00 7db04d 88c2ba 9bb3c4 85a5c2 8393cc a595b5 bf9fbe bc7196 7b7b7b
af3333 a95131 724f41 dbc300 85961f 539f31 0a9c8e 236384 1a2f96 2f52a2 624bad a34bad cc2e6e 3c3c3c
""".split()
TYPES = {
    "AudioTrack": "audio", "MidiTrack": "midi", "GroupTrack": "group", "ReturnTrack": "return",
    "MasterTrack": "master", "MainTrack": "master",
}  # fmt: skip
FORMATS = {"VstPluginInfo": "VST", "Vst3PluginInfo": "VST3", "AuPluginInfo": "AU"}
BEFORE_ALL = -63072000
CHAINS = ("Branches", "ReturnBranches")
OTHERS = ("LastPresetRef", "SourceContext", "PluginDesc", "PatchSlot", "On", "UserName", *CHAINS)


def load(path):
    data = path.read_bytes()
    return ElementTree.fromstring(gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data)


# Counts, by looking at nothing but names.


def counts(root):
    live_set = root.find("LiveSet")
    tracks = [*live_set.find("Tracks"), *live_set.findall("MasterTrack"), *live_set.findall("MainTrack")]
    counted = Counter(tracks=len(tracks))
    counted["scenes"] = len(live_set.find("SceneNames" if live_set.find("Scenes") is None else "Scenes"))
    counted["locators"] = len(live_set.findall("Locators/Locators/Locator"))
    for track in tracks:
        devices = [device for holder in track.iter("Devices") for device in holder]
        counted["devices"] += len(devices)
        counted["parameters"] += sum(len(list(_parameters(device))) for device in devices)
        events = [*track.findall("DeviceChain/MainSequencer/*/ArrangerAutomation/Events/*")]
        session = track.findall("DeviceChain/MainSequencer/ClipSlotList/ClipSlot/ClipSlot/Value/*")
        counted["clips"] += len(events) + len(session)
        counted["notes"] += sum(len(list(clip.iter("MidiNoteEvent"))) for clip in events + session)
        envelopes = [*track.findall("AutomationEnvelopes/Envelopes/*")]
        for clip in events + session:
            envelopes += clip.findall("Envelopes/Envelopes/*")
        counted["points"] += sum(
            float(event.get("Time")) > BEFORE_ALL for each in envelopes for event in each.findall("Automation/Events/*")
        )
    return +counted


def counts_of_tree(ast):
    """The same of what symlog says."""
    counted = Counter()
    names = {"track": "tracks", "scene": "scenes", "locator": "locators", "device": "devices",
             "parameter": "parameters", "clip": "clips", "arrangement_clip": "clips"}  # fmt: skip

    def count(node):
        if node["node_type"] in names:
            counted[names[node["node_type"]]] += 1
        counted["notes"] += len(node["attributes"].get("notes") or [])
        counted["points"] += node["attributes"].get("point_count") or 0
        for child in node.get("children") or []:
            count(child)

    count(ast)
    return +counted


# The tree.


def tree(root):
    """The project as symlog is to show it, without ids."""
    return _Reader(root).project()


def _value(element, path, convert=str):
    found = element.find(path)
    return None if found is None or found.get("Value") in (None, "") else convert(found.get("Value"))


def _text(element, path):
    found = element.find(path)
    return None if found is None else found.get("Value")


def _bool(text):
    return text == "true"


def _number(text):
    return {"true": 1.0, "false": 0.0}[text] if text in ("true", "false") else float(text)


def _color(element):
    index = _value(element, "Color" if element.find("Color") is not None else "ColorIndex", int)
    if index is not None and index >= 140:
        index -= 140
    return None if index is None or index < 0 else int(PALETTE[index], 16)


def _node(node_type, attributes, children=()):
    order = ["track", "device", "parameter", "clip_slot", "clip", "mixer", "scene", "file_ref", "automation", "groove",
             "lane", "step", "chain", "arrangement_clip", "locator"]  # fmt: skip
    told = {name: value for name, value in attributes.items() if value is not None}
    children = sorted(children, key=lambda child: order.index(child["node_type"]))
    return {"node_type": node_type, "id": None, "attributes": told, "children": children}


def _parameters(device):
    """(name, element) of whatever in a device has a value that automation can reach."""
    for child in device:
        if child.tag not in OTHERS:
            yield from _parameters_in(child, ())


def _parameters_in(element, above):
    part = element.tag if element.get("Id") is None else f"{element.tag}.{element.get('Id')}"
    for name in ("ParameterName", "Name"):
        part = _value(element, name) or part
    above = (*above, part)
    if element.find("Manual") is not None and element.find("AutomationTarget") is not None:
        yield _parameter_name(above), element
        return
    for child in element:
        if child.tag != "SampleRef":
            yield from _parameters_in(child, above)


def _parameter_name(parts):
    parts = list(parts)
    if parts[0] == "ParameterList":
        parts = [part for part in parts if part not in ("ParameterList", "ParameterValue", "Timeable")]
    return "/".join(parts)


class _Reader:
    def __init__(self, root):
        self.root = root
        self.targets = {}  # Id -> what it moves, as automation names it.
        self.is_automated = {int(each.get("Value")) for each in root.iter("PointeeId")}

    def project(self):
        live_set = self.root.find("LiveSet")
        masters = [*live_set.findall("MasterTrack"), *live_set.findall("MainTrack")]
        tracks = [*live_set.find("Tracks"), *masters]
        scenes = live_set.find("SceneNames" if live_set.find("Scenes") is None else "Scenes")
        children = [self.track(track, index) for index, track in enumerate(tracks)]
        children += [self.scene(scene, index) for index, scene in enumerate(scenes)]
        children += [self.locator(locator) for locator in live_set.findall("Locators/Locators/Locator")]
        for child in children:
            self.name_targets(child)
        mixer = "DeviceChain/Mixer"
        signature = _value(masters[0], f"{mixer}/TimeSignature/Manual", int)
        attributes = {
            "version": self.root.get("MinorVersion"), "creator": self.root.get("Creator"),
            "tempo": _value(masters[0], f"{mixer}/Tempo/Manual", float),
            "time_signature": f"{signature % 99 + 1}/{2 ** (signature // 99)}",
        }  # fmt: skip
        return _node("project", attributes, children)

    def name_targets(self, node):
        if node["node_type"] == "automation":
            target = self.targets.get(node["attributes"].pop("target"))
            if target:
                node["attributes"]["target"] = target
        for child in node["children"]:
            self.name_targets(child)

    def scene(self, scene, index):
        name = scene.get("Value") if scene.get("Value") is not None else _text(scene, "Name")
        return _node("scene", {
            "name": name, "index": index, "annotation": _text(scene, "Annotation"), "color": _color(scene),
            "tempo": _value(scene, "Tempo", float), "is_tempo_enabled": _value(scene, "IsTempoEnabled", _bool),
            "time_signature_id": _value(scene, "TimeSignatureId", int),
            "is_time_signature_enabled": _value(scene, "IsTimeSignatureEnabled", _bool),
        })  # fmt: skip

    def locator(self, locator):
        return _node("locator", {"name": _text(locator, "Name"), "time": _value(locator, "Time", float),
                                 "annotation": _text(locator, "Annotation")})  # fmt: skip

    def track(self, track, index):
        chain = track.find("DeviceChain")
        mixer = self.mixer(chain.find("Mixer"), True)
        shared = {name: mixer["attributes"].get(name) for name in ("is_muted", "is_soloed", "pan")}
        group = _value(track, "TrackGroupId", int)
        attributes = {
            "name": _text(track, "Name/EffectiveName"), "index": index, "type": TYPES.get(track.tag, track.tag),
            "color": _color(track), "is_frozen": _value(track, "Freeze", _bool),
            "is_armed": _value(chain, "MainSequencer/Recorder/IsArmed", _bool),
            "group": f"track-live-{group}" if group is not None and group >= 0 else None,
            "audio_input": _text(chain, "AudioInputRouting/Target"),
            "audio_output": _text(chain, "AudioOutputRouting/Target"),
            "midi_input": _text(chain, "MidiInputRouting/Target"),
            "midi_output": _text(chain, "MidiOutputRouting/Target"), **shared,
        }  # fmt: skip
        slots = chain.find("MainSequencer/ClipSlotList")
        children = [self.slot(slot, index, number) for number, slot in enumerate(slots if slots is not None else ())]
        children += [self.device(device) for device in chain.find("DeviceChain/Devices")]
        children += [self.clip(clip, "arrangement_clip")
                     for clip in chain.findall("MainSequencer/*/ArrangerAutomation/Events/*")]  # fmt: skip
        return _node("track", attributes, [*children, mixer, *self.envelopes(track.find("AutomationEnvelopes"))])

    def mixer(self, mixer, is_of_track):
        pan = "Pan" if mixer.find("Pan") is not None else "Panorama"
        for tag, label in (("Volume", "Volume"), (pan, "Pan"), ("Speaker", "Mute"), ("CrossFadeState", "Crossfader"),
                           ("Tempo", "Tempo"), ("TimeSignature", "Time Signature")):  # fmt: skip
            self.target(mixer.find(f"{tag}/AutomationTarget"), label)
        sends = []
        for number, holder in enumerate(mixer.find("Sends") if is_of_track else ()):
            self.target(holder.find("Send/AutomationTarget"), "Send")
            sends.append({"index": number, "level": _value(holder, "Send/Manual", float),
                          "is_active": _value(holder, "Active", _bool) is not False})  # fmt: skip
        side = _value(mixer, "CrossFadeState/Manual", int)
        return _node("mixer", {
            "volume": _value(mixer, "Volume/Manual", float), "pan": _value(mixer, f"{pan}/Manual", float),
            "is_muted": not _value(mixer, "Speaker/Manual", _bool), "is_soloed": _value(mixer, "SoloSink", _bool),
            "crossfader": None if side is None else ("A", "none", "B")[side], "sends": sends if is_of_track else None,
        })  # fmt: skip

    def target(self, element, name):
        if element is not None:
            self.targets[int(element.get("Id"))] = name

    def slot(self, slot, track, scene):
        clips = [self.clip(clip, "clip") for clip in slot.findall("ClipSlot/Value/*")]
        attributes = {"has_clip": bool(clips), "has_stop_button": _value(slot, "HasStop", _bool), "track_index": track,
                      "scene_index": scene}  # fmt: skip
        return _node("clip_slot", attributes, clips)

    def clip(self, clip, node_type):
        notes = [self.note(note, int(_text(key, "MidiKey")))
                 for key in clip.findall("Notes/KeyTracks/KeyTrack") for note in key.find("Notes")]  # fmt: skip
        files = [self.file(each) for each in clip.findall("SampleRef/FileRef")]
        has_notes = clip.find("Notes") is not None
        attributes = {
            "name": _text(clip, "Name"), "clip_type": {"MidiClip": "midi", "AudioClip": "audio"}[clip.tag],
            "start_time": _value(clip, "CurrentStart", float), "end_time": _value(clip, "CurrentEnd", float),
            "loop_start": _value(clip, "Loop/LoopStart", float), "loop_end": _value(clip, "Loop/LoopEnd", float),
            "is_looped": _value(clip, "Loop/LoopOn", _bool), "color": _color(clip),
            "is_muted": _value(clip, "Disabled", _bool), "is_warped": _value(clip, "IsWarped", _bool),
            "warp_mode": _value(clip, "WarpMode", int), "notes": sorted(notes) if has_notes else None,
            "note_count": len(notes) if has_notes else None,
            "sample_name": files[-1]["attributes"]["name"] if files else None,
        }  # fmt: skip
        return _node(node_type, attributes, [*files, *self.envelopes(clip.find("Envelopes"))])

    def note(self, note, key):
        numbers = [float(note.get(name)) for name in ("Time", "Duration", "Velocity")]
        return [key, *numbers, note.get("IsEnabled") == "true"]

    def envelopes(self, holder):
        for envelope in holder.findall("Envelopes/*") if holder is not None else ():
            events = [(float(each.get("Time")), _number(each.get("Value"))) for each in envelope.find("Automation/Events")]
            points = [[time, value] for time, value in events if time > BEFORE_ALL]
            target = _value(envelope, "EnvelopeTarget/PointeeId", int)
            yield _node("automation", {"target": target, "point_count": len(points), "points": points})

    def file(self, file):
        path, name = _text(file, "Path"), _text(file, "Name")
        folders = [each.get("Dir") or ".." for each in file.findall("RelativePath/RelativePathElement")]
        if path is None and folders:
            path = "/".join([*folders, name])
        return _node("file_ref", {"name": name if name is not None else path.rpartition("/")[2], "path": path,
                                  "ref_type": _text(file, "Type"), "hash": _text(file, "OriginalCrc")})  # fmt: skip

    def device_name(self, device):
        patch = device.find("PatchSlot/Value")
        said = [_value(device, "UserName")]
        for info in device.find("PluginDesc") if device.find("PluginDesc") is not None else ():
            said += [_value(info, "PlugName"), _value(info, "Name")]
        for reference in patch if patch is not None else ():
            for word in (_value(reference, "FileRef/Path"), _value(reference, "FileRef/Name")):
                said.append(word and word.rpartition("/")[2].rpartition(".")[0])
        return next(filter(None, said), device.tag)

    def device(self, device):
        name = self.device_name(device)
        self.target(device.find("On/AutomationTarget"), "On")
        children = []
        for parameter_name, element in _parameters(device):
            target = int(element.find("AutomationTarget").get("Id"))
            self.targets[target] = f"{name}/{parameter_name}"
            children.append(_node("parameter", {
                "name": parameter_name, "value": _value(element, "Manual", _number),
                "min": _value(element, "MidiControllerRange/Min", float),
                "max": _value(element, "MidiControllerRange/Max", float), "is_automated": target in self.is_automated,
            }))  # fmt: skip
        children += [self.chain(branch) for tag in CHAINS for branch in device.findall(f"{tag}/*")]
        files = [self.file(each) for each in self.samples(device)]
        info = device.find("PluginDesc")
        plugin = {"format": FORMATS[info[0].tag]} if info is not None and len(info) else None
        attributes = {"name": name, "device_type": device.tag, "is_enabled": _value(device, "On/Manual", _bool),
                      "plugin_info": plugin}  # fmt: skip
        return _node("device", attributes, [*children, *files])

    def samples(self, device):
        for child in device:
            if child.tag == "SampleRef":
                yield from child.findall("FileRef")
            elif child.tag not in OTHERS:
                yield from child.findall(".//SampleRef/FileRef")

    def chain(self, branch):
        devices = [self.device(device) for device in branch.findall("DeviceChain/*/Devices/*")]
        mixer = branch.find("MixerDevice")
        attributes = {"name": _text(branch, "Name/EffectiveName"), "color": _color(branch),
                      "is_soloed": _value(branch, "IsSoloed", _bool),
                      "is_muted": not _value(mixer, "Speaker/Manual", _bool)}  # fmt: skip
        return _node("chain", attributes, [*devices, self.mixer(mixer, False)])
