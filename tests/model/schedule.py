"""The schedule, written from the words of core/schedule.h, core/score.h and core/tempo.h and never from their C: the
inputs of a log give the notes that were sent.

It goes from happening to happening: which notes are held now is a list, and each thing that happens at a tick takes
from it or adds to it. Marks that a later one voids are left out by whoever feeds it (`marks_that_count`).
"""
import math
import struct
from dataclasses import dataclass, field

from tests.model import score

BEAT = score.BEAT
PIECES = 16
OFF, SAME_BEAT, BAR, DEFAULT = 0, 1, 2, 255
PLAY, PAUSE, STOP, PANIC, TEMPO, QUANTIZE, UNDO, REDO, CHANNEL, INSTRUMENT, EFFECT = range(1, 12)
NEVER = 1 << 62


@dataclass
class Track:
    name: bytes
    channel: int
    who: tuple  # instrument, params, effects
    music: bytes
    length: int
    notes: list  # (start, pitch, velocity, sounds), by start and pitch
    cues: list
    is_stopped: bool = False

    def is_same(self, other):
        return self.who == other.who and self.channel == other.channel and self.music == other.music


def make_track(decoded):
    length, notes, cues = score.carry_out(decoded["clips"])
    sounds = score.sounding(length, notes)
    told = [(note["start"], note["pitch"], note["velocity"], sound) for note, sound in zip(notes, sounds)]
    who = (decoded["instrument"], decoded["params"], tuple(decoded["effects"]))
    return Track(decoded["name"], decoded["channel"], who, decoded["music"], length, told, cues)


@dataclass
class Voice:
    number: int
    track: Track
    origin: int
    begin: int
    end: int
    is_lane: bool

    def starts(self, tick):
        """(ordinal, note) of those that begin at a tick."""
        length = self.track.length
        if not self.track.notes or not self.begin <= tick < self.end:
            return
        for turn in range(max(0, (tick - self.origin) // length - 2), (tick - self.origin) // length + 1):
            for index, note in enumerate(self.track.notes):
                if note[3] and self.origin + turn * length + note[0] == tick:
                    yield turn * len(self.track.notes) + index, note

    def next_of(self, places, tick):
        """The first time at or after a tick that one of the places in the track comes."""
        tick = max(tick, self.begin)
        if not places or not self.track.length or tick >= self.end:
            return NEVER
        gone = tick - self.origin
        best = min(
            self.origin + turn * self.track.length + place
            for place in places
            for turn in [max(0, -((place - gone) // self.track.length))]
        )
        return best if best < self.end else NEVER


@dataclass
class Tempo:
    """From tick `begin` on from one tempo to another, in a number of ticks; `tick` falls on `frame`."""

    begin: int = 0
    ticks: int = 0
    curve: int = 0
    first: float = 120.0
    last: float = 120.0
    tick: int = 0
    frame: float = 0.0
    rate: int = 48000

    def share(self, place):
        return [place, place * place, 1 - (1 - place) ** 2, 2 * place * place if place < 0.5 else 1 - 2 * (1 - place) ** 2][self.curve]

    def pieces(self):
        count = 1 if self.curve == 0 else PIECES
        for i in range(count if self.ticks else 0):
            ends = [self.first + (self.last - self.first) * self.share(at / count) for at in (i, i + 1)]
            yield i * self.ticks // count, (i + 1) * self.ticks // count, *ends

    def bpm(self, tick):
        place = tick - self.begin
        for begin, end, first, last in self.pieces():
            if begin <= place < end:
                return first + (last - first) * (place - begin) / (end - begin)
        return self.last

    def exact(self, tick):
        """The frame of a tick, with its part."""
        minutes = 0.0  # of beats, in ticks
        for begin, end, first, last in self.pieces():
            low, high = max(self.begin + begin, self.tick), min(self.begin + end, tick)
            if low < high:
                a, b = (first + (last - first) * (at - self.begin - begin) / (end - begin) for at in (low, high))
                minutes += (high - low) * (1 / a if abs(b - a) < 1e-9 else math.log(b / a) / (b - a))
        behind = max(self.begin + self.ticks, self.tick)
        minutes += max(0, tick - behind) / self.last
        return self.frame + minutes / BEAT * 60 * self.rate

    def at(self, tick):
        """The first whole frame that is not before the tick."""
        return math.ceil(self.exact(tick))

    def first_tick(self, frame):
        low, high = self.tick, self.tick + 1
        if self.at(low) >= frame:
            return low
        while self.at(high) < frame:
            low, high = high, high + 2 * (high - self.tick)
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (low, middle) if self.at(middle) >= frame else (middle, high)
        return high

    def change(self, tick, bpm, ticks=0, curve=0, is_running=True):
        present = self.bpm(tick)
        self.frame = self.exact(tick) if is_running else self.frame
        self.tick = self.begin = tick
        self.first, self.last, self.ticks, self.curve = present if ticks else bpm, bpm, ticks, curve


@dataclass
class Clock:
    tempo: Tempo = field(default_factory=Tempo)
    tick: int = 0  # what happens before it has happened
    is_running: bool = False
    is_stopped: bool = True
    origin: int = 0  # of the bars
    numerator: int = 4
    denominator: int = 4

    def copy(self):
        return Clock(Tempo(**vars(self.tempo)), **{name: value for name, value in vars(self).items() if name != "tempo"})

    def sign(self, tick, numerator, denominator):
        if (numerator, denominator) != (self.numerator, self.denominator):
            self.origin, self.numerator, self.denominator = tick, numerator, denominator


class Schedule:
    def __init__(self, bpm=120.0):
        self.clock = Clock(Tempo(first=bpm, last=bpm))
        self.history, self.present = [([], None, None)], 0  # sessions: tracks, bpm, signature
        self.session = self.history[0]
        self.quantize, self.inputs, self.plans, self.voices = BAR, [], [], []
        self.lanes, self.lanes_run, self.lanes_length, self.lanes_origin = [], False, 0, 0
        self.voice_next, self.held, self.released_at, self.panics = 1, [], None, 0
        self.told = []

    # Inputs wait for their mark.

    def take(self, kind, seq, payload):
        """kind: "score" or "transport". False: it cannot be applied."""
        if kind == "score":
            decoded = score.decode(payload)
            tracks = [make_track(track) for track in decoded["tracks"]]
            old, bpm, signature = self.history[self.present]
            for index, track in enumerate(tracks):
                same = [other for other in old if other.name == track.name and other.is_same(track)]
                tracks[index] = Track(**{**vars(same[0]), "is_stopped": False}) if same else track
            if not decoded["replaces"]:
                new = {track.name: track for track in tracks}
                tracks = [new.pop(track.name, track) for track in old] + list(new.values())
            session = (tracks, decoded["bpm"] or bpm, decoded["signature"] or signature)
            return self.change(seq, decoded["quantize"], session)
        action, quantize, value = struct.unpack_from("<BBd", payload)
        reader = score.Reader(payload[10:])
        track, name, params = reader.text(), reader.text(), reader.text()
        if action == QUANTIZE:
            self.quantize = quantize
        elif action in (UNDO, REDO):
            step = -1 if action == UNDO else 1
            if not 0 <= self.present + step < len(self.history):
                return False
            self.present += step
            self.wait(seq, 0, quantize, self.history[self.present])
        elif action in (CHANNEL, INSTRUMENT, EFFECT) or (action == STOP and track):
            return self.take_track(seq, action, quantize, value, track, name, params)
        else:
            self.wait(seq, action, quantize, value)
        return True

    def take_track(self, seq, action, quantize, value, name, word, params):
        tracks, bpm, signature = self.history[self.present]
        if name not in [track.name for track in tracks]:
            return False
        tracks = [Track(**vars(track)) for track in tracks]
        track = next(track for track in tracks if track.name == name)
        if action == STOP:
            track.is_stopped = True
        elif action == CHANNEL:
            track.channel = int(value)
        elif action == INSTRUMENT:
            track.who = (word, params, track.who[2])
        else:
            effects = dict(track.who[2]) | {word: params}
            track.who = (*track.who[:2], tuple(effects.items()))
        return self.change(seq, quantize, (tracks, bpm, signature))

    def change(self, seq, quantize, session):
        self.history[self.present + 1 :] = [session]
        self.history = self.history[-64:]
        self.present = len(self.history) - 1
        self.wait(seq, 0, quantize, session)
        return True

    def follow(self, seq, action, value=0.0):
        self.wait(seq, action, OFF, value)

    def follow_lanes(self, seq, runs, length, payload):
        lanes = [make_track(track) for track in score.decode(payload)["tracks"]]
        self.wait(seq, "lanes", OFF, (runs, length, lanes))

    def wait(self, seq, action, quantize, value):
        self.inputs.append((seq, action, self.quantize if quantize == DEFAULT else quantize, value))

    # Time.

    def plan(self, tick, kind, *operands):
        self.forget(kind, tick)
        self.plans.append((tick, kind, *operands))
        self.plans.sort(key=lambda plan: plan[0])

    def forget(self, kind, tick):
        self.plans = [plan for plan in self.plans if plan[1] != kind or plan[0] < tick]

    def next_happening(self, clock):
        times = [plan[0] for plan in self.plans if plan[0] >= clock.tick]
        times += [voice.next_of([cue[0] for cue in voice.track.cues], clock.tick) for voice in self.voices]
        return min(times, default=NEVER)

    def happen(self, clock, tick):
        """What changes the clock at a tick; True if it halts."""
        now = [plan for plan in self.plans if plan[0] == tick]
        if any(plan[1] == "halt" for plan in now):
            clock.is_running, clock.is_stopped, clock.tick = False, True, tick
            return True
        cues = [cue[1:] for voice in self.voices for cue in self.cues_at(voice, tick)]
        for kind, *operands in [plan[1:] for plan in now] + cues:
            if kind == "tempo":
                clock.tempo.change(tick, *operands)
            else:
                clock.sign(tick, *operands)
        clock.tick = tick + 1
        return False

    def cues_at(self, voice, tick):
        length = voice.track.length
        if not length or not voice.begin <= tick < voice.end:
            return []
        gone = tick - voice.origin
        here = [cue for cue in voice.track.cues if gone >= cue[0] and (gone - cue[0]) % length == 0]
        return sorted(here, key=lambda cue: gone - cue[0])  # a repetition's end comes before the next one's beginning

    def line(self, tick, quantize):
        """The first beat or bar at or after a tick."""
        clock = self.clock.copy()
        if quantize == OFF:
            return tick
        while True:
            unit = 4 * BEAT // clock.denominator * (clock.numerator if quantize == BAR else 1)
            line = clock.origin + -(-(tick - clock.origin) // unit) * unit
            happening = self.next_happening(clock) if clock.is_running else NEVER
            if happening >= line or self.happen(clock, happening):
                return line
            if clock.origin == happening >= tick:
                return happening

    # What sounds.

    def tell(self, frame, tick, is_start, voice, note):
        self.told.append((frame, tick, is_start, note[1], note[2], voice.track.name, voice.is_lane))

    def release(self, frame, tick, is_ending):
        going = sorted((held for held in self.held if is_ending(held)), key=lambda held: (held[0].number, held[1]))
        for held in going:
            self.tell(frame, tick, False, held[0], held[2])
            self.held.remove(held)

    def sound(self, tick):
        frame = self.clock.tempo.at(tick)
        self.release(frame, tick, lambda held: held[3] == tick or held[0].end == tick)
        for voice in sorted(self.voices, key=lambda voice: voice.number):
            for ordinal, note in voice.starts(tick):
                self.tell(frame, tick, True, voice, note)
                self.held.append((voice, ordinal, note, tick + note[3]))

    def next_sound(self, tick):
        ends = [end for voice, _, _, begin_end in self.held for end in (voice.end, begin_end) if end >= tick]
        starts = [voice.next_of([note[0] for note in voice.track.notes if note[3]], tick) for voice in self.voices]
        return min(ends + starts, default=NEVER)

    def advance(self, frame):
        """Plays until a frame; returns the first tick that falls on it or after it."""
        if not self.clock.is_running and self.released_at is not None and self.released_at < frame:
            self.release(self.released_at, self.clock.tick, lambda held: True)
            self.released_at = None
        at = self.clock.tick
        while self.clock.is_running:
            happening, sounding = self.next_happening(self.clock), self.next_sound(at)
            tick = min(happening, sounding)
            if tick >= self.clock.tempo.first_tick(frame):
                self.clock.tick = max(self.clock.tick, self.clock.tempo.first_tick(frame))
                break
            halts = any(plan[:2] == (tick, "halt") for plan in self.plans)
            if halts:
                self.release(self.clock.tempo.at(tick), tick, lambda held: True)
            else:
                self.sound(tick)
            if tick == happening:
                self.happen(self.clock, tick)
            at = tick + 1
        return self.clock.tick

    # What counts from a frame on.

    def mark(self, through, frame, rate=48000):
        tick = self.advance(frame)
        tempo = self.clock.tempo
        if rate != tempo.rate:
            if self.clock.is_running:
                tempo.frame, tempo.tick = tempo.exact(tick), tick
            tempo.rate = rate
        for entry in [entry for entry in self.inputs if entry[0] <= through]:
            self.inputs.remove(entry)
            self.count(*entry[1:], tick, frame)
        self.voices = [voice for voice in self.voices if voice.end >= tick]
        self.plans = [plan for plan in self.plans if plan[0] >= tick]

    def count(self, action, quantize, value, tick, frame):
        clock = self.clock
        if action == 0:
            self.count_session(value, quantize, tick)
        elif action == "lanes":
            self.count_lanes(*value, tick)
        elif action == PLAY:
            self.forget("halt", -1)
            if not clock.is_running:
                self.released_at = None
                if clock.is_stopped:
                    self.begin_anew(tick)
                clock.tempo.tick, clock.tempo.frame = tick, float(frame)
                clock.is_running, clock.is_stopped = True, False
        elif action == TEMPO:
            self.forget("tempo", tick)
            clock.tempo.change(tick, value, is_running=clock.is_running)
        else:
            self.panics += action == PANIC
            self.forget("halt", -1)
            at = self.line(tick, quantize) if action == STOP and clock.is_running else tick
            if not clock.is_running:
                clock.is_stopped = clock.is_stopped or action != PAUSE
            elif at > tick:
                self.plan(at, "halt")
            else:
                clock.is_running, clock.is_stopped, clock.tick = False, action != PAUSE, tick
                self.released_at = frame

    def count_session(self, session, quantize, tick):
        (old, old_bpm, old_signature), (new, bpm, signature) = self.session, session
        is_stopped = not self.clock.is_running and self.clock.is_stopped
        at = tick if is_stopped else self.line(tick, quantize)
        before = {track.name: track for track in old}
        for track in [] if is_stopped else new:
            same = before.get(track.name)
            if not (same and same.is_same(track) and same.is_stopped == track.is_stopped):
                self.splice(track, at, not track.is_stopped)
        for track in [] if is_stopped else old:
            if track.name not in [other.name for other in new]:
                self.splice(track, at, False)
        if bpm is not None and bpm != old_bpm:
            self.later(at, tick, "tempo", bpm)
        if signature is not None and signature != old_signature:
            self.later(at, tick, "signature", *signature)
        self.session = session

    def later(self, at, now, kind, *operands):
        if at > now:
            self.plan(at, kind, *operands)
            return
        self.forget(kind, now)
        if kind == "tempo":
            self.clock.tempo.change(now, *operands, is_running=self.clock.is_running)
        else:
            self.clock.sign(now, *operands)

    def end(self, name, is_lane, tick):
        """What the track plays ends; what it was to play goes. Returns what it played."""
        playing = None
        for voice in [voice for voice in self.voices if voice.track.name == name and voice.is_lane == is_lane]:
            if voice.begin >= tick:
                self.voices.remove(voice)
            elif voice.end > tick:
                voice.end, playing = tick, voice
        return playing

    def splice(self, track, tick, starts):
        playing = self.end(track.name, False, tick)
        if starts:
            goes_on = playing is not None and playing.track.music == track.music
            self.add(track, playing.origin if goes_on else tick, tick, NEVER, False)

    def add(self, track, origin, begin, end, is_lane):
        self.voices.append(Voice(self.voice_next, track, origin, begin, end, is_lane))
        self.voice_next += 1

    def begin_anew(self, tick):
        for voice in list(self.voices):
            voice.end = min(voice.end, tick)
            if voice.begin >= tick:
                self.voices.remove(voice)
        waiting, self.plans = self.plans, []
        for _, kind, *operands in waiting:
            self.later(tick, tick, kind, *operands)
        self.clock.origin = tick
        for track in self.session[0]:
            if not track.is_stopped:
                self.splice(track, tick, True)
        self.begin_lanes(tick)

    def begin_lanes(self, tick):
        if self.lanes_run:
            self.lanes_origin = tick
            for lane in self.lanes:
                self.splice_lane(lane, tick)

    def splice_lane(self, lane, tick):
        self.end(lane.name, True, tick)
        end = self.lanes_origin + self.lanes_length if self.lanes_length else NEVER
        if end > tick:
            self.add(lane, self.lanes_origin, tick, end, True)

    def count_lanes(self, runs, length, lanes, tick):
        old, has_run, is_as_long = self.lanes, self.lanes_run, length == self.lanes_length
        is_stopped = not self.clock.is_running and self.clock.is_stopped
        before = {lane.name: lane for lane in old}
        lanes = [before[lane.name] if lane.name in before and before[lane.name].is_same(lane) else lane for lane in lanes]
        self.lanes, self.lanes_run, self.lanes_length = lanes, runs, length
        if is_stopped:
            return
        if not runs:
            for lane in old:
                self.end(lane.name, True, tick)
        elif not has_run:
            self.begin_lanes(self.line(tick, BAR))
        else:
            tick = max(tick, self.lanes_origin)
            for lane in lanes:
                if not is_as_long or before.get(lane.name) is not lane:
                    self.splice_lane(lane, tick)
            for lane in old:
                if lane.name not in [other.name for other in lanes]:
                    self.end(lane.name, True, tick)

    def play(self, frame):
        """What is told until a frame: (frame, tick, is_start, pitch, velocity, track, is_lane)."""
        self.advance(frame)
        told, self.told = self.told, []
        return told


def marks_that_count(marks):
    """Of (through, frame, rate, is_late), in the log's order: those that no later one voids."""
    counting, has_before = [], False
    for mark in marks:
        if mark[3] and has_before:
            counting[-1] = mark
        else:
            counting.append(mark)
            has_before = True
    return counting
