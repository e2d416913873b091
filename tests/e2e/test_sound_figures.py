"""Figures of the sound itself: how loud the instruments are beside each other, and what a saw of 5 kHz has that is no
harmonic of it."""

import array
import subprocess
from concurrent.futures import ThreadPoolExecutor

import pytest
from loudness import loudness
from spectrogram import aliases
from tally import BUILT

RATE = 48000
INSTRUMENTS = ("bass", "lead", "pad", "keys", "pluck", "kit")
SPREAD_LU_MAX = 6
ALIASES_DB_MAX = -60
WAVE_HZ = 440 * 2 ** ((111 - 69) / 12)  # tests/portable/sound.c's D#8

program = BUILT / "native-ReleaseFast" / "sound"
pytestmark = pytest.mark.skipif(not program.exists(), reason="the sound of core alone is not built: zig build test-binaries")


def play(*arguments):
    samples = array.array("f")
    samples.frombytes(subprocess.run([program, *arguments], check=True, stdout=subprocess.PIPE).stdout)
    return samples[0::2], samples[1::2]


def test_instruments_are_as_loud_as_each_other():
    with ThreadPoolExecutor() as pool:
        played = dict(zip(INSTRUMENTS, pool.map(lambda name: play("--scene", name), INSTRUMENTS)))
    lufs = {name: loudness(list(channels), RATE) for name, channels in played.items()}
    assert max(lufs.values()) - min(lufs.values()) <= SPREAD_LU_MAX, lufs


def test_a_saw_has_no_aliases():
    left, right = play("--wave")
    mono = [(a + b) / 2 for a, b in zip(left, right)]
    assert aliases(mono, RATE, WAVE_HZ) <= ALIASES_DB_MAX
