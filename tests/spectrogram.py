"""Pictures of samples: tests/spectrogram.py [--rate N] FILE PNG (float32 stereo, as tests/portable/sound.c writes them).

Above the wave, below it the spectrum over time (logarithmic, 40 Hz to 20 kHz, -100 to 0 dB). Standard library only;
numpy makes it quicker where there is some. Figures go to standard output: peak, when it begins, how long the attack is.
--aliases HZ: instead of a picture, the strongest part that is no harmonic of HZ, in dB below the strongest.
"""

import argparse
import array
import cmath
import math
import struct
import zlib

try:
    import numpy
except ImportError:
    numpy = None

SIZE, ROWS, COLUMNS, WAVE_ROWS = 2048, 256, 600, 96
FLOOR_DB, LOW_HZ, HIGH_HZ = -100, 40, 20000


def main():
    parser = argparse.ArgumentParser(description="Draws samples as wave and spectrogram.")
    parser.add_argument("--rate", type=int, default=48000)
    parser.add_argument("--aliases", type=float, metavar="HZ")
    parser.add_argument("file")
    parser.add_argument("png", nargs="?")
    options = parser.parse_args()
    samples = array.array("f")
    with open(options.file, "rb") as file:
        samples.frombytes(file.read())
    mono = [(left + right) / 2 for left, right in zip(samples[0::2], samples[1::2])]
    if options.aliases:
        print(f"aliases {aliases(mono, options.rate, options.aliases):.1f} dB")
        return
    print(*figures(mono, options.rate), sep=", ")
    if options.png:
        write_png(options.png, draw(mono, options.rate))


def figures(mono, rate):
    peak = max(map(abs, mono))
    start = next((at for at, value in enumerate(mono) if abs(value) > 1e-6), 0)
    high = next((at for at, value in enumerate(mono) if abs(value) > peak / 2), 0)
    step = max(abs(b - a) for a, b in zip(mono, mono[1:]))
    return [
        f"peak {20 * math.log10(peak or 1e-9):.1f} dB",
        f"begins at {start / rate * 1000:.2f} ms",
        f"half its peak {(high - start) / rate * 1000:.1f} ms later",
        f"largest step {step:.3f}",
    ]


def fft(values):
    """Of 2^n complex values."""
    if numpy is not None:
        return list(numpy.fft.fft(values))
    count = len(values)
    out = [values[int(f"{i:0{count.bit_length() - 1}b}"[::-1], 2)] for i in range(count)]
    size = 2
    while size <= count:
        turns = [cmath.exp(-2j * math.pi * k / size) for k in range(size // 2)]
        for first in range(0, count, size):
            for k in range(size // 2):
                a, b = out[first + k], out[first + k + size // 2] * turns[k]
                out[first + k], out[first + k + size // 2] = a + b, a - b
        size *= 2
    return out


def window(count):
    """Blackman-Harris: what leaks lies 92 dB below."""
    parts = (0.35875, -0.48829, 0.14128, -0.01168)
    return [sum(p * math.cos(2 * math.pi * n * i / count) for n, p in enumerate(parts)) for i in range(count)]


def spectrum(values, weights):
    full = fft([complex(value * weight) for value, weight in zip(values, weights)])
    scale = 2 / sum(weights)
    return [abs(value) * scale for value in full[: len(values) // 2]]


def aliases(mono, rate, hz):
    size = 32768
    bins = spectrum(mono[rate : rate + size], window(size))
    strongest = max(bins)
    width = rate / size
    other = max(
        value
        for number, value in enumerate(bins)
        if number > 8 and abs(number * width - round(number * width / hz) * hz) > 8 * width
    )
    return 20 * math.log10(other / strongest)


def draw(mono, rate):
    weights = window(SIZE)
    picture = [bytearray(3 * COLUMNS) for _ in range(WAVE_ROWS + ROWS)]
    for column in range(COLUMNS):
        first = column * len(mono) // COLUMNS
        part = mono[first : first + max(len(mono) // COLUMNS, 1)]
        top, bottom = (round((1 - value) / 2 * (WAVE_ROWS - 1)) for value in (max(part), min(part)))
        for row in range(max(top, 0), min(bottom, WAVE_ROWS - 1) + 1):
            picture[row][3 * column : 3 * column + 3] = b"\xa0\xd0\xff"
        values = mono[max(first - SIZE // 2, 0) :][:SIZE]
        bins = spectrum(values + [0.0] * (SIZE - len(values)), weights)
        for row in range(ROWS):
            hz = LOW_HZ * (HIGH_HZ / LOW_HZ) ** (1 - row / (ROWS - 1))
            value = bins[min(int(hz * SIZE / rate), len(bins) - 1)]
            level = 1 - 20 * math.log10(max(value, 1e-9)) / FLOOR_DB
            picture[WAVE_ROWS + row][3 * column : 3 * column + 3] = colour(min(max(level, 0), 1))
    return picture


def colour(level):
    return bytes((round(255 * min(1, 1.6 * level)), round(255 * level**2), round(255 * max(0, 0.5 - abs(level - 0.4)))))


def write_png(path, rows):
    def chunk(name, body):
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    head = struct.pack(">IIBBBBB", len(rows[0]) // 3, len(rows), 8, 2, 0, 0, 0)
    body = zlib.compress(b"".join(b"\0" + bytes(row) for row in rows))
    with open(path, "wb") as file:
        file.write(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", body) + chunk(b"IEND", b""))


if __name__ == "__main__":
    main()
