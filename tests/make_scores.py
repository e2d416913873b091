#!/usr/bin/env python3
"""Makes fixtures/scores.txt: random scores of one track, and the notes that the model finds in them.

A line: the score in hex, its length in ticks, then start,pitch,length,velocity of each note, between blanks.
"""
import random
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
from tests.model import score  # noqa: E402


def random_ticks(rng):
    return rng.choice([score.BEAT * 4 // 2**n for n in range(6)] + [score.BEAT // 3, score.BEAT * 3 // 2, rng.randint(1, 50000)])


def random_operation(rng, depth):
    kinds = ["note"] * 8 + ["rest", "dynamics", "swing", "quantize", "euclid"] + ["loop", "stack", "transpose"] * (depth < 3)
    kind = rng.choice(kinds)
    if kind == "note":
        tie = rng.choice([0, 0, 0, 1, 2, 3])
        return kind, rng.choice([0, 60, 61, 60, 127]), random_ticks(rng), rng.randint(0, 10000), rng.randint(0, 5) | tie << 4
    if kind == "rest":
        return kind, random_ticks(rng)
    if kind == "dynamics":
        return kind, rng.choice([65535, rng.randint(0, 10000)]), rng.randint(0, 10000), random_ticks(rng)
    if kind == "swing":
        return kind, rng.choice([0, 5000, rng.randint(0, 10000)])
    if kind == "quantize":
        return kind, rng.choice([0, score.BEAT // 4, score.BEAT // 3]), rng.choice([10000, rng.randint(0, 10000)])
    if kind == "euclid":
        steps = rng.randint(0, 20)
        return kind, rng.randint(0, steps), steps, rng.randint(0, 30), rng.randint(0, 2), 36, 9000, random_ticks(rng)
    inside = [random_operation(rng, depth + 1) for _ in range(rng.randint(0, 4))]
    if kind == "loop":
        return kind, rng.randint(0, 3), inside
    return (kind, inside) if kind == "stack" else (kind, rng.randint(-12, 12), inside)


def main():
    lines = []
    for seed in range(200):
        rng = random.Random(seed)
        clips = [[random_operation(rng, 0) for _ in range(rng.randint(0, 10))] for _ in range(rng.randint(0, 3))]
        length, notes = score.compile_track(clips)
        told = " ".join(",".join(map(str, note)) for note in notes)
        lines.append(f"{score.encode([(b'a', clips)]).hex()} {length} {told}".rstrip())
    (ROOT / "fixtures" / "scores.txt").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
