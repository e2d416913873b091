"""Writes core/digest_powers.h: the powers of the base by which core/digest.c digests sequences.

python3 tests/make_digest_powers.py > core/digest_powers.h
"""

PRIME = 2**127 - 1
BASE = 0x121FB54442D18469898CC51701B839A2
COUNT = 33  # The places of a block (core/list.h), and one more.


def main():
    print("/* B^0 to B^32 in the field of core/digest.c, as {low, high}. Written by tests/make_digest_powers.py. */")
    print("#ifndef SL_CORE_DIGEST_POWERS_H\n#define SL_CORE_DIGEST_POWERS_H\n")
    print('#include "core/digest.h"\n')
    print(f"enum {{ SL_DIGEST_POWERS = {COUNT} }};\n")
    print("static const sl_digest sl_digest_powers[SL_DIGEST_POWERS] = {")
    for exponent in range(COUNT):
        power = pow(BASE, exponent, PRIME)
        print(f"    {{0x{power & (2**64 - 1):016x}, 0x{power >> 64:016x}}},")
    print("};\n\n#endif")


if __name__ == "__main__":
    main()
