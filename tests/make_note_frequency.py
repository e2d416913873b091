"""Writes core/note_frequency.h: the frequencies of the 128 MIDI notes, A4 (69) = 440 Hz.

python3 tests/make_note_frequency.py > core/note_frequency.h
"""

from decimal import Decimal, getcontext

COUNT, A4, A4_HZ = 128, 69, 440
IN_A_ROW = 4


def main():
    getcontext().prec = 40
    semitone = Decimal(2) ** (Decimal(1) / 12)
    values = [f"{float(A4_HZ * semitone ** (note - A4))!r}" for note in range(COUNT)]
    print("/* Frequencies of the MIDI notes in Hz, A4 = 440. Written by tests/make_note_frequency.py. */")
    print("#ifndef SL_CORE_NOTE_FREQUENCY_H\n#define SL_CORE_NOTE_FREQUENCY_H\n")
    print(f"enum {{ SL_NOTE_COUNT = {COUNT} }};\n")
    print("/* clang-format off */")
    print("static const double sl_note_frequency[SL_NOTE_COUNT] = {")
    for first in range(0, COUNT, IN_A_ROW):
        print("    " + ", ".join(values[first : first + IN_A_ROW]) + ",")
    print("};\n/* clang-format on */\n\n#endif")


if __name__ == "__main__":
    main()
