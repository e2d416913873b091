"""Loudness of samples: tests/loudness.py [RATE] NAME=FILE... (float32 stereo, as tests/portable/sound.c writes them).

A K-weighted meter as ITU-R BS.1770 describes it (two filters, blocks of 400 ms, gates at -70 LUFS and 10 LU below the
mean), in plain Python. Prints LUFS, peak and the spread.
"""

import array
import math
import sys


def main(arguments):
    rate = int(arguments.pop(0)) if arguments and arguments[0].isdigit() else 48000
    results = {}
    for argument in arguments:
        name, _, path = argument.partition("=")
        samples = array.array("f")
        with open(path, "rb") as file:
            samples.frombytes(file.read())
        results[name] = loudness([samples[0::2], samples[1::2]], rate)
        print(f"{name:10} {results[name]:7.1f} LUFS   peak {20 * math.log10(max(map(abs, samples)) or 1e-9):6.1f} dB")
    print(f"spread {max(results.values()) - min(results.values()):.1f} LU")


def loudness(channels, rate):
    block, hop = int(0.4 * rate), int(0.1 * rate)
    sums = []
    for samples in channels:
        squares = [x * x for x in filtered(filtered(samples, shelf(rate)), high_pass(rate))]
        sums.append([sum(squares[at : at + hop]) for at in range(0, len(squares) - hop + 1, hop)])
    powers = [
        sum(sum(channel[at : at + 4]) for channel in sums) / block for at in range(len(sums[0]) - 3)
    ]
    kept = [power for power in powers if lufs(power) > -70]
    if not kept:
        return -70.0
    gate = lufs(sum(kept) / len(kept)) - 10
    kept = [power for power in kept if lufs(power) > gate]
    return lufs(sum(kept) / len(kept))


def lufs(power):
    return -0.691 + 10 * math.log10(power) if power > 0 else -200.0


def filtered(samples, coefficients):
    b0, b1, b2, a1, a2 = coefficients
    x1 = x2 = y1 = y2 = 0.0
    out = []
    for x in samples:
        y = b0 * x + b1 * x1 + b2 * x2 - a1 * y1 - a2 * y2
        x2, x1, y2, y1 = x1, x, y1, y
        out.append(y)
    return out


def shelf(rate):
    """The head: +4 dB above 1.7 kHz."""
    gain, q, k = 10 ** (3.999843853973347 / 20), 0.7071752369554196, math.tan(math.pi * 1681.974450955533 / rate)
    middle = gain**0.4996667741545416
    a0 = 1 + k / q + k * k
    return (
        (gain + middle * k / q + k * k) / a0,
        2 * (k * k - gain) / a0,
        (gain - middle * k / q + k * k) / a0,
        2 * (k * k - 1) / a0,
        (1 - k / q + k * k) / a0,
    )


def high_pass(rate):
    q, k = 0.5003270373238773, math.tan(math.pi * 38.13547087602444 / rate)
    a0 = 1 + k / q + k * k
    return 1.0, -2.0, 1.0, 2 * (k * k - 1) / a0, (1 - k / q + k * k) / a0


if __name__ == "__main__":
    main(sys.argv[1:])
