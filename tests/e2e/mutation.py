"""Random damage, the same for the same $SYMLOG_SEED."""

import os
import struct

SEED = int(os.environ.get("SYMLOG_SEED", "1"))
DATAGRAM_BYTES_MAX = 65507


def mutate(rng, choices):
    """One of the choices with something done to it, once or up to four times; at most a datagram's length."""
    data = bytearray(rng.choice(choices))
    for _ in range(rng.choice((1, 1, 1, 2, 4))):
        at = rng.randrange(len(data) + 1)
        word = at // 4 * 4
        match rng.randrange(8):
            case 0 if at < len(data):
                data[at] ^= 1 << rng.randrange(8)
            case 1 if at < len(data):
                data[at] = rng.choice((0, 1, 0x7F, 0x80, 0xFF, ord(","), ord("/"), ord("#"), rng.randrange(256)))
            case 2:
                del data[at:]
            case 3:
                del data[word:]
            case 4:
                data[word:word] = rng.randbytes(4)
            case 5:
                del data[word : word + 4 * rng.randint(1, 3)]
            case 6:
                data[word : word + 4] = struct.pack(">i", rng.choice((0, 1, 4, 8, -1, -4, 2**31 - 1, -(2**31), 65504)))
            case 7:
                other = rng.choice(choices)
                data[word:] = other[rng.randrange(len(other) // 4 + 1) * 4 :]
    return bytes(data[:DATAGRAM_BYTES_MAX])
