"""Writes tests/unit/sound_digests.h: what each scene of tests/unit/sound_scenes.h sounds like, second by second.

python3 tests/sound_digests.py PROGRAM > tests/unit/sound_digests.h      PROGRAM: a build of tests/portable/sound.c

Listen to what changed (or look: tests/spectrogram.py) before it is committed, and raise SL_RENDERER_VERSION.
"""

import subprocess
import sys


def main(program):
    lines = subprocess.run([program, "--digests"], check=True, capture_output=True, text=True).stdout.split("\n")
    print("/* Each scene's seconds, XXH3 of the samples. Written by tests/sound_digests.py. */")
    print("#ifndef SL_TESTS_SOUND_DIGESTS_H\n#define SL_TESTS_SOUND_DIGESTS_H\n")
    print('#include "tests/unit/sound_scenes.h"\n')
    print("/* clang-format off */")
    print("static const char *const sound_digests[SOUND_SCENE_COUNT][SOUND_SECONDS] = {")
    for line in filter(None, lines):
        name, *digests = line.split()
        print(f"    /* {name} */")
        print("    {" + ",\n     ".join(f'"{digest}"' for digest in digests) + "},")
    print("};\n/* clang-format on */\n\n#endif")


if __name__ == "__main__":
    main(sys.argv[1])
