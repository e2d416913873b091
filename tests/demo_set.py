"""Plays a generated Live session of about three minutes: as NDJSON lines, or over UDP with --to.

    demo_set.py > set.ndjson
    demo_set.py --to 127.0.0.1:9002 --speed 4 --loop

A line is {"t": seconds, "path": ..., "args": [[tag, value], ...]}; a blob stands as base64 text.
The same seed always gives the same lines. Only --to needs the package `python-osc`.
"""

import argparse
import base64
import heapq
import itertools
import json
import random
import socket
import sys
import time

from model.parts import split_snapshot
from model.tree import Tree

HELLO = "/symlog/hello"
BPM = 124.0
LEAD_IN_BEATS = 2  # From the snapshot to the press of play.
BAR_BEATS = 4
SLIDE_STEPS_PER_BEAT = 10  # About 20 values a second.
POSITION_STEPS_PER_BEAT = 2  # About 4 values a second.

# Name, type, colour, [(device, type, [parameters])], and the scenes in which it has a clip.
TRACKS = (
    ("Drums", "midi", 0xFF3A34, [
        ("Drum Rack", "instrument", ["Kick Tune", "Snare Decay", "Hat Tone", "Drive"]),
        ("Glue Compressor", "audio_effect", ["Threshold", "Ratio", "Makeup", "Dry/Wet"]),
    ], "Verse Build Drop Rise Finale Outro"),
    ("Bass", "midi", 0xFFA529, [
        ("Operator", "instrument", ["Osc A Level", "Filter Freq", "Filter Res", "Glide"]),
        ("Saturator", "audio_effect", ["Drive", "Color", "Output"]),
    ], "Verse Drop Break Finale"),
    ("Keys", "midi", 0xFFF034, [
        ("Electric", "instrument", ["M Force", "Tine Decay", "Tremolo"]),
        ("Chorus-Ensemble", "audio_effect", ["Rate", "Amount", "Dry/Wet"]),
    ], "Intro Verse Break Outro"),
    ("Pads", "midi", 0x54C8A8, [
        ("Wavetable", "instrument", ["Osc 1 Pos", "Filter 1 Freq", "Filter 1 Res", "LFO 1 Rate"]),
        ("Auto Filter", "audio_effect", ["Frequency", "Resonance", "LFO Amount", "Drive"]),
    ], "Intro Build Break Rise Outro"),
    ("Lead", "midi", 0x5C8DE8, [
        ("Drift", "instrument", ["Shape", "LP Freq", "LP Res", "Noise"]),
        ("EQ Eight", "audio_effect", ["1 Freq", "1 Gain", "8 Freq", "8 Gain"]),
    ], "Drop Finale"),
    ("Vox", "audio", 0xD86CE4, [
        ("Compressor", "audio_effect", ["Threshold", "Ratio", "Attack", "Release"]),
    ], "Break Finale"),
    ("A-Reverb", "return", 0x8CA0B4, [
        ("Hybrid Reverb", "audio_effect", ["Decay", "Size", "Pre-Delay", "Blend"]),
    ], ""),
    ("Master", "master", 0xC0C0C0, [
        ("Limiter", "audio_effect", ["Gain", "Ceiling"]),
    ], ""),
)  # fmt: skip

# Name, colour, and the bars that it plays.
SCENES = (
    ("Intro", 0x3C6E71, 8), ("Verse", 0x4F7CAC, 16), ("Build", 0xE9C46A, 8),
    ("Drop", 0xE76F51, 16), ("Break", 0x6D597A, 8), ("Rise", 0xF4A261, 8),
    ("Finale", 0xD62828, 16), ("Outro", 0x264653, 12),
)  # fmt: skip

GRID_TRACKS = [name for name, kind, *_ in TRACKS if kind in ("midi", "audio")]
DRUMS, BASS, KEYS, PADS, LEAD, VOX, REVERB, MASTER = range(len(TRACKS))


def main():
    options = _parse_options()
    lines = build_set(options.seed, options.session)
    if options.to:
        play(lines, options.to, options.speed, options.loop, options.session)
        return
    with open(options.out, "w") if options.out else sys.stdout as out:
        for line in lines:
            out.write(json.dumps(line_as_json(*line), ensure_ascii=False) + "\n")


def build_set(seed=1, session=1):
    """The whole set as [(seconds, path, args), ...] in order of time."""
    performance = Performance(seed, session)
    write_score(performance)
    return performance.run()


def line_as_json(seconds, path, args):
    shown = [[t, base64.b64encode(v).decode() if t == "b" else v] for t, v in args]
    return {"t": seconds, "path": path, "args": shown}


class Performance:
    """Carries out actions in order of their beats, and writes down the messages they send.

    Each message is applied to a model tree at once, so that actions can ask where things stand.
    """

    def __init__(self, seed, session):
        self.rng = random.Random(seed)
        self.session = session
        self.tree = Tree()
        self.lines = []
        self.seconds = 0.0
        self.beat = -float(LEAD_IN_BEATS)
        self._actions = []  # A heap of (beat, order of scheduling, action, its arguments).
        self._order = itertools.count()

    def at(self, beat, action, *args):
        """Schedules action(self, *args)."""
        heapq.heappush(self._actions, (beat, next(self._order), action, args))

    def slide(self, beat, beats, path, place, low, high, wobble=0.0):
        """Schedules a ramp of one value, with an uneven hand of the size `wobble`."""
        steps = max(1, round(beats * SLIDE_STEPS_PER_BEAT))
        for step in range(steps + 1):
            hand = self.rng.uniform(-wobble, wobble) if 0 < step < steps else 0.0
            value = low + (high - low) * step / steps + hand
            value = round(min(1.0, max(-1.0 if path.endswith("pan") else 0.0, value)), 4)
            self.at(beat + step / SLIDE_STEPS_PER_BEAT, _send, path, *place, value)

    def run(self):
        """Carries everything out; returns the lines."""
        while self._actions:
            beat, _, action, args = heapq.heappop(self._actions)
            tempo = self.tree.project.attributes.get("tempo") or BPM
            self.seconds += (beat - self.beat) * 60.0 / tempo
            self.beat = beat
            action(self, *args)
        return self.lines

    def send(self, path, *values):
        """Writes a message down; a bool, int, float or str gets the tag of its kind."""
        args = [_tagged(value) for value in values]
        refusal = self.tree.apply(path, args)
        assert refusal is None, f"{path} {values}: {refusal}"
        self._write(path, args)

    def send_picture(self):
        """Writes the opening down: hello, and the snapshot in its parts."""
        hello = [("h", self.session), ("s", "demo set"), ("s", "1"), ("i", 1)]
        self._write(HELLO, hello)
        snapshot = build_snapshot()
        refusal = self.tree.load_snapshot(snapshot)
        assert refusal is None, refusal
        for path, args in split_snapshot(snapshot, self.session):
            self._write(path, args)

    def scene_names(self):
        return [scene.attributes["name"] for scene in self.tree.project.all("scene")]

    def scene(self, name):
        return self.scene_names().index(name)

    def _write(self, path, args):
        self.lines.append((round(self.seconds, 4), path, args))


def _tagged(value):
    if isinstance(value, bool):
        return ("T" if value else "F", value)
    return ({int: "i", float: "f", str: "s"}[type(value)], value)


# The picture.


def build_snapshot():
    """The set as it is opened, shaped as FULL_AST's `ast`."""
    children = [_track_node(index, *track) for index, track in enumerate(TRACKS)]
    children += [_scene_node(index, *scene) for index, scene in enumerate(SCENES)]
    attributes = {
        "version": "12.1", "creator": "Ableton Live 12", "tempo": BPM, "time_signature": "4/4",
        "is_playing": False, "position": 0.0,
    }  # fmt: skip
    return _node("project", "project", attributes, children)


def _node(node_type, node_id, attributes, children=()):
    return {
        "node_type": node_type,
        "id": node_id,
        "attributes": attributes,
        "children": list(children),
    }


def _track_node(index, name, track_type, color, devices, scenes_with_clip):
    track_id = f"track_{index}"
    children = [_device_node(f"{track_id}_device_{n}", *d) for n, d in enumerate(devices)]
    if name in GRID_TRACKS:
        children += [
            _slot_node(index, n, f"{name} {scene}" if scene in scenes_with_clip.split() else None)
            for n, (scene, *_) in enumerate(SCENES)
        ]
    children.append(_mixer_node(track_id, track_type))
    attributes = {
        "name": name, "index": index, "color": color, "type": track_type, "is_muted": False,
        "is_soloed": False, "is_armed": False, "is_frozen": False, "volume": 0.85, "pan": 0.0,
    }  # fmt: skip
    return _node("track", track_id, attributes, children)


def _device_node(device_id, name, device_type, parameters):
    attributes = {"name": name, "device_type": device_type, "is_enabled": True, "plugin_info": {}}
    children = [
        _node("parameter", f"{device_id}_{n}", {
            "name": parameter, "value": 0.5, "min": 0.0, "max": 1.0, "is_automated": False,
        })
        for n, parameter in enumerate(parameters)
    ]  # fmt: skip
    return _node("device", device_id, attributes, children)


def _slot_node(track, scene, clip_name):
    slot_id = f"slot_{track}_{scene}"
    color = TRACKS[track][2]
    attributes = {
        "track_index": track, "scene_index": scene, "has_clip": clip_name is not None,
        "has_stop_button": True, "playing_status": 0, "is_playing": False, "is_triggered": False,
        "color": color if clip_name else None,
    }  # fmt: skip
    clips = [_clip_node(f"{slot_id}_clip", clip_name, track, color)] if clip_name else []
    return _node("clip_slot", slot_id, attributes, clips)


def _clip_node(clip_id, name, track, color):
    clip_type = TRACKS[track][1]
    attributes = {
        "name": name, "clip_type": clip_type, "start_time": 0.0, "end_time": 16.0,
        "loop_start": 0.0, "loop_end": 16.0, "is_looped": True, "is_muted": False, "color": color,
    }  # fmt: skip
    if clip_type == "midi":
        attributes["note_count"] = 16 + 8 * track
    else:
        attributes |= {"sample_name": f"{name}.wav", "is_warped": True, "warp_mode": 6}
    return _node("clip", clip_id, attributes)


def _mixer_node(track_id, track_type):
    sends = [] if track_type == "master" else [{"index": 0, "level": 0.2, "is_active": True}]
    attributes = {
        "volume": 0.85, "pan": 0.0, "is_muted": False, "is_soloed": False, "crossfader": "None",
        "sends": sends,
    }  # fmt: skip
    return _node("mixer", f"{track_id}_mixer", attributes)


def _scene_node(index, name, color, _bars):
    attributes = {
        "name": name, "index": index, "color": color, "tempo": BPM, "is_tempo_enabled": False,
        "time_signature_id": 201, "annotation": "",
    }  # fmt: skip
    return _node("scene", f"scene_{index}", attributes)


# The score: what is done when. Beats count from the press of play.


def write_score(performance):
    """Schedules the whole set."""
    starts, end = {}, 0.0
    for name, _, bars in SCENES:
        starts[name] = end
        end += bars * BAR_BEATS
    performance.at(-LEAD_IN_BEATS, Performance.send_picture)
    performance.at(-0.5, _send, "/live/transport/tempo", BPM)
    performance.at(0.0, _send, "/live/transport/play", True)
    for name, start in starts.items():
        performance.at(max(start - 2, -1.5), _trigger_scene, name)
        performance.at(start, _start_triggered)
    _score_transport(performance, starts, end)
    _score_mix(performance, starts)
    _score_edits(performance, starts)
    _score_cursor(performance, end)
    performance.at(end, _stop_everything)


def _score_transport(performance, starts, end):
    for step in range(int(end * POSITION_STEPS_PER_BEAT)):
        performance.at(step / POSITION_STEPS_PER_BEAT, _send_position)
    for beat, tempo in (
        (starts["Rise"], 124.5), (starts["Rise"] + 8, 125.0), (starts["Rise"] + 16, 126.0),
        (starts["Outro"], 125.0), (starts["Outro"] + 16, 124.0),
    ):  # fmt: skip
        performance.at(beat, _send, "/live/transport/tempo", tempo)


def _score_mix(performance, starts):
    """Sweeps, faders, mutes and solos."""
    param, volume, pan = "/live/device/param", "/live/track/volume", "/live/track/pan"
    slide = performance.slide
    slide(2.0, 28, param, (PADS, 1, 0), 0.15, 0.7, 0.01)
    slide(starts["Verse"] + 4, 12, param, (BASS, 0, 1), 0.3, 0.6, 0.02)
    slide(starts["Verse"] + 24, 8, param, (KEYS, 1, 1), 0.2, 0.55, 0.02)
    slide(starts["Verse"] + 40, 3, pan, (KEYS,), 0.0, -0.35, 0.02)
    slide(starts["Build"], 31, param, (PADS, 1, 0), 0.3, 1.0, 0.008)
    slide(starts["Build"] + 8, 23, param, (PADS, 1, 1), 0.1, 0.75, 0.01)
    slide(starts["Build"] + 16, 14, volume, (REVERB,), 0.85, 1.0, 0.01)
    slide(starts["Drop"], 1, volume, (REVERB,), 1.0, 0.7)
    slide(starts["Drop"] + 16, 16, param, (LEAD, 0, 1), 0.35, 0.9, 0.03)
    slide(starts["Drop"] + 40, 8, volume, (LEAD,), 0.85, 0.7, 0.01)
    slide(starts["Break"], 6, volume, (DRUMS,), 0.85, 0.4, 0.01)
    slide(starts["Break"] + 12, 16, param, (REVERB, 0, 0), 0.5, 0.95, 0.01)
    slide(starts["Rise"], 30, param, (PADS, 1, 0), 0.1, 1.0, 0.008)
    slide(starts["Rise"] + 4, 20, volume, (DRUMS,), 0.4, 0.85, 0.01)
    slide(starts["Finale"] + 8, 24, param, (LEAD, 0, 1), 0.4, 1.0, 0.04)
    slide(starts["Finale"] + 32, 16, param, (BASS, 0, 1), 0.5, 0.95, 0.02)
    slide(starts["Outro"] + 8, 36, volume, (MASTER,), 0.85, 0.0, 0.005)
    slide(starts["Outro"] + 4, 30, param, (PADS, 1, 0), 0.9, 0.1, 0.01)
    for beat, path, track, value in (
        (starts["Drop"] - 4, "/live/track/mute", DRUMS, True),
        (starts["Drop"], "/live/track/mute", DRUMS, False),
        (starts["Break"] + 8, "/live/track/solo", VOX, True),
        (starts["Break"] + 16, "/live/track/solo", VOX, False),
        (starts["Finale"] - 2, "/live/track/mute", BASS, True),
        (starts["Finale"], "/live/track/mute", BASS, False),
    ):
        performance.at(beat, _send, path, track, value)


def _score_edits(performance, starts):
    """What changes the set itself: renames, recordings, a device, and the order of scenes."""
    at = performance.at
    at(starts["Verse"] + 10, _send, "/live/track/renamed", KEYS, "Rhodes")
    at(starts["Verse"] + 30, _send, "/live/track/color", KEYS, 0xF2C14E)
    _score_recording(performance, starts["Verse"] + 16, VOX, "Verse", "Vox take 1")
    _score_recording(performance, starts["Drop"] + 16, VOX, "Drop", "Vox adlib")
    at(starts["Verse"] + 46, _insert_scene, 3, "Fill", 0xFFFFFF)
    at(starts["Verse"] + 48, _name_new_clip, DRUMS, "Fill", "Drum fill")
    at(starts["Drop"] + 6, _send, "/live/device/added", LEAD, 2, "Echo", "audio_effect")
    for index, low, high in ((0, 0.2, 0.5), (2, 0.0, 0.6), (3, 0.1, 0.35)):
        performance.slide(
            starts["Drop"] + 8 + 3 * index, 2.5, "/live/device/param", (LEAD, 2, index), low, high
        )
    at(starts["Drop"] + 30, _send, "/live/device/enabled", LEAD, 2, False)
    at(starts["Drop"] + 32, _send, "/live/device/enabled", LEAD, 2, True)
    at(starts["Break"] + 4, _rename_scene, "Drop", "Drop A")
    at(starts["Break"] + 20, _reorder_scenes, "Fill", "Outro")
    at(starts["Rise"] + 12, _send_to_clip, "/live/clip/color", BASS, "Finale", 0xFF0000)
    at(starts["Rise"] + 14, _send_to_clip, "/live/clip/name", BASS, "Finale", "Bass, louder")
    at(starts["Finale"] + 20, _send_to_clip, "/live/clip/looping", VOX, "Finale", False)
    at(starts["Outro"] + 30, _send_to_clip, "/live/clip/deleted", VOX, "Drop A")


def _score_recording(performance, beat, track, scene, name):
    """Arms a track, records a clip of eight beats into a slot, and goes on playing it."""
    performance.at(beat - 3, _send, "/live/track/arm", track, True)
    performance.at(beat - 1.5, _send_to_clip, "/live/clip_slot/playing_status", track, scene, 2)
    performance.at(beat, _send_to_clip, "/live/clip/added", track, scene, name)
    performance.at(beat, _send_to_clip, "/live/clip_slot/playing_status", track, scene, 1)
    performance.at(beat + 8, _send_to_clip, "/live/clip/looping", track, scene, True)
    performance.at(beat + 8.5, _send, "/live/track/arm", track, False)


def _score_cursor(performance, end):
    beat = 3.0
    while beat < end:
        performance.at(round(beat, 3), _move_cursor)
        beat += performance.rng.uniform(3.0, 9.0)


# Actions. Each is carried out at its beat.


def _send(performance, path, *values):
    performance.send(path, *values)


def _send_position(performance):
    performance.send("/live/transport/position", round(performance.beat, 4))


def _send_to_clip(performance, path, track, scene, *values):
    performance.send(path, track, performance.scene(scene), *values)


def _trigger_scene(performance, name):
    """The launch waits for the bar line: the scene's clips blink until then."""
    scene = performance.scene(name)
    performance.send("/live/batch/start", scene)
    performance.send("/live/scene/triggered", scene)
    for track in range(len(GRID_TRACKS)):
        if performance.tree.slot(track, scene).attributes["has_clip"]:
            performance.send("/live/clip_slot/playing_status", track, scene, 2)
    performance.send("/live/batch/end", scene)


def _start_triggered(performance):
    """On the bar line what blinked plays; what played on those tracks, or on a track whose slot in
    the launched scene only stops, is over."""
    for track in range(len(GRID_TRACKS)):
        for scene in range(len(performance.scene_names())):
            slot = performance.tree.slot(track, scene)
            if slot.attributes["is_playing"]:
                performance.send("/live/clip_slot/playing_status", track, scene, 0)
            elif slot.attributes["is_triggered"]:
                performance.send("/live/clip_slot/playing_status", track, scene, 1)


def _insert_scene(performance, index, name, color):
    """As today's sender tells it: each scene pushed down, the scene, then a slot on each track."""
    for place, pushed in list(enumerate(performance.scene_names()))[index:]:
        performance.send("/live/scene/reordered", place + 1, pushed)
    performance.send("/live/scene/added", index, name)
    for track in range(len(GRID_TRACKS)):
        performance.send("/live/clip_slot/created", track, index, False, True, 0)
    performance.send("/live/scene/color", index, color)


def _name_new_clip(performance, track, scene, name):
    _send_to_clip(performance, "/live/clip/added", track, scene, name)
    _send_to_clip(performance, "/live/clip/color", track, scene, TRACKS[track][2])


def _rename_scene(performance, old_name, new_name):
    performance.send("/live/scene/renamed", performance.scene(old_name), new_name)


def _reorder_scenes(performance, moved, before):
    """Drags one scene in front of another, which is told by scene/reordered alone."""
    names = performance.scene_names()
    order = [name for name in names if name != moved]
    order.insert(order.index(before), moved)
    for place, name in enumerate(order):
        if names[place] != name:
            performance.send("/live/scene/reordered", place, name)


def _move_cursor(performance):
    rng = performance.rng
    track, scene = rng.randrange(len(GRID_TRACKS)), rng.randrange(len(performance.scene_names()))
    attributes = performance.tree.track(track).attributes
    slot = performance.tree.slot(track, scene).attributes
    performance.send("/live/cursor/track", track, attributes["color"], attributes["name"])
    performance.send("/live/cursor/scene", scene)
    state = int(slot["has_clip"]), int(slot["is_playing"]), int(slot["is_triggered"])
    performance.send("/live/cursor/clip_slot", track, scene, *state)


def _stop_everything(performance):
    performance.send("/live/transport/play", False)
    for track in range(len(GRID_TRACKS)):
        for scene in range(len(performance.scene_names())):
            if performance.tree.slot(track, scene).attributes["playing_status"] != 0:
                performance.send("/live/clip/stopped", track, scene)


# Playing it.


def play(lines, address, speed, loop, session):
    """Sends the lines at their times as numbered datagrams; with `loop`, again and again."""
    from model import osc  # Only here, so that the lines can be written without the package.

    host, _, port = address.rpartition(":")
    target = (host or "127.0.0.1", int(port))
    sender = osc.Sender(session)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as out:
        while True:
            started = time.monotonic()
            for seconds, path, args in lines:
                time.sleep(max(0.0, started + seconds / speed - time.monotonic()))
                if path != HELLO:
                    out.sendto(sender.encode([(path, args)], time.time()), target)
                elif sender.next_seq == 0:  # Repetitions go on in the same session.
                    out.sendto(osc.encode_message(path, args), target)
            out.sendto(sender.encode_heartbeat(), target)
            if not loop:
                return
            time.sleep(2.0 / speed)


def _parse_options():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("out", nargs="?", help="a file for the lines; without it, stdout")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--session", type=int, default=1, help="the session in hello and snapshot")
    parser.add_argument("--to", metavar="HOST:PORT", help="play over UDP instead")
    parser.add_argument("--speed", type=float, default=1.0, help="times as fast (with --to)")
    parser.add_argument("--loop", action="store_true", help="again and again (with --to)")
    return parser.parse_args()


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        pass
