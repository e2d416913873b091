#!/usr/bin/env python3
"""Makes fixtures/schedules.txt: random sequences of inputs and marks, and the notes that the model finds in them.

Of each sequence, a line each: `new BPM` · `event KIND SEQ PAYLOAD` (hex) · `follow SEQ TYPE VALUE` · `lanes SEQ RUNS
TICKS SCORE` · `play FRAME NOTES`: what is told until that frame, each frame/tick/+ or -/pitch/velocity/track, a lane's
track with a `~` behind it.
"""
import random
import struct
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
from tests.model import schedule, score  # noqa: E402

SEQUENCES, STEPS = 200, 8
NAMES = [b"a", b"b", b"c"]
FOLLOWS = {schedule.PLAY: 1, schedule.STOP: 2, schedule.TEMPO: 3}


def random_bpm(rng):
    return rng.uniform(50, 240)  # so that no tick falls on a whole frame but by what is said


def random_track(rng, name, channel=None, with_cues=True):
    program = []
    for _ in range(rng.randint(0, 5)):
        ticks = score.BEAT // 6 * rng.randint(1, 9)
        kind = rng.choice(["note"] * 8 + ["rest"] + ["tempo", "ramp", "signature"] * with_cues)
        if kind == "note":
            program.append(("note", rng.randint(60, 63), ticks, rng.randint(0, 10000), rng.randint(0, 5)))
        elif kind == "rest":
            program.append(("rest", ticks))
        elif kind == "signature":
            program.append(("signature", rng.randint(2, 7), rng.choice([4, 8])))
        else:
            program.append(("tempo", random_bpm(rng), ticks if kind == "ramp" else 0, rng.randint(0, 3)))
    instrument = rng.choice([b"", b"", b"lead"])
    return name, [program], rng.randint(1, 16) if channel is None else channel, instrument


class Sequence:
    def __init__(self, seed):
        self.rng, self.seq, self.frame, self.lines = random.Random(seed), 0, 0, []
        bpm = random_bpm(self.rng)
        self.model = schedule.Schedule(bpm)
        self.say("new", struct.pack("<d", bpm).hex())

    def say(self, *words):
        self.lines.append(" ".join(map(str, words)))

    def event(self, kind, payload):
        self.seq += 1
        self.say("event", kind, self.seq, payload.hex())

    def evaluate(self):
        rng = self.rng
        names = rng.sample(NAMES, rng.randint(0, 3))
        signature = (rng.randint(2, 7), rng.choice([4, 8])) if rng.random() < 0.15 else None
        bpm = random_bpm(rng) if rng.random() < 0.2 else None
        tracks = [random_track(rng, name) for name in names]
        payload = score.encode(tracks, rng.random() < 0.4, rng.choice([0, 1, 2, 255]), bpm, signature)
        self.event("score", payload)
        self.model.take("score", self.seq, payload)

    def transport(self):
        rng = self.rng
        action = rng.choice([1, 1, 1, 1, 2, 3, 3, 3, 4, 5, 6, 7, 7, 8, 9, 10])
        of_track = action >= 9 or (action == 3 and rng.random() < 0.6)
        value = {5: random_bpm(rng), 9: float(rng.randint(1, 16))}.get(action, 0.0)
        track, name = rng.choice(NAMES) if of_track else b"", b"pad" if action == 10 else b""
        quantize = rng.choice([0, 1, 2] if action == 6 else [0, 1, 2, 255])
        payload = struct.pack("<BBd", action, quantize, value) + score.text(track) + score.text(name) + score.text(b"")
        self.event("transport", payload)
        self.model.take("transport", self.seq, payload)

    def follow(self):
        self.seq += 1
        for _ in range(self.rng.randint(1, 3)):
            action = self.rng.choice(list(FOLLOWS))
            value = random_bpm(self.rng) if action == schedule.TEMPO else 0.0
            self.say("follow", self.seq, FOLLOWS[action], struct.pack("<d", value).hex())
            self.model.follow(self.seq, action, value)

    def lanes(self):
        rng = self.rng
        self.seq += 1
        names = [b"a", b"kick", b"snare"][: rng.randint(1, 3)]
        payload = score.encode([random_track(random.Random(rng.randint(0, 3)), name, 10, False) for name in names])
        runs, ticks = rng.random() < 0.7, rng.choice([0, 0, score.BEAT * 7])
        self.say("lanes", self.seq, int(runs), ticks, payload.hex())
        self.model.follow_lanes(self.seq, runs, ticks, payload)

    def mark(self):
        """Sometimes one that comes too late, and the one that voids it."""
        through = self.seq - self.rng.choice([0, 0, 0, 0, 1])
        rate = self.rng.choice([48000] * 9 + [44100])
        is_late = self.rng.random() < 0.2 and self.frame > 100
        if is_late:
            early = self.frame - self.rng.randint(0, 100) if self.last < self.frame - 100 else self.frame
            self.event("applied", struct.pack("<QQIB", through, early, 48000, 0))
            through = self.seq - 1
        self.event("applied", struct.pack("<QQIB", through, self.frame, rate, is_late))
        self.model.mark(through, self.frame, rate)
        self.last = self.frame

    def run(self):
        self.last = 0
        self.evaluate()
        for _ in range(STEPS):
            for _ in range(self.rng.randint(0, 3)):
                self.rng.choice([self.evaluate, self.transport, self.transport, self.follow, self.lanes])()
            self.mark()
            self.frame += self.rng.choice([self.rng.randint(0, 1000), self.rng.randint(1000, 60000)])
            told = self.model.play(self.frame)
            self.say("play", self.frame, *map(spell, told))
        return self.lines


def spell(sound):
    frame, tick, is_start, pitch, velocity, track, is_lane = sound
    return f"{frame}/{tick}/{'+' if is_start else '-'}/{pitch}/{velocity}/{track.decode()}{'~' if is_lane else ''}"


def main():
    lines = [line for seed in range(SEQUENCES) for line in Sequence(seed).run()]
    (ROOT / "fixtures" / "schedules.txt").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
