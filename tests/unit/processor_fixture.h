/* What the tests of processors share: sources compiled and loaded, and sound to give them. */
#ifndef SL_TESTS_PROCESSOR_FIXTURE_H
#define SL_TESTS_PROCESSOR_FIXTURE_H

#include "tests/unit/cmocka_small.h"
#include "tools/symlog/processor.h"
#include "tools/symlog/processor_build.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { RATE = 48000, RAMP_FRAMES = RATE * SL_PROCESSOR_RAMP_MS / 1000, SOUND_FRAMES_MAX = 1 << 16 };

/* The beginning of most sources: `LOOP(e)` gives e for both channels, x being the input. */
#define PROCESS_BEGIN                                                                                                  \
    "#include \"symlog_processor.h\"\n"                                                                                \
    "static void process(void *state, const float *const in[2], float *const out[2], int frames,\n"                    \
    "                    const float *const *values, const symlog_transport *transport)\n{\n"
#define PROCESS_END                                                                                                    \
    "}\nconst symlog_processor_description symlog_processor = {.abi = SYMLOG_PROCESSOR_ABI, .process = process};\n"
#define LOOP(expression)                                                                                               \
    "for (int c = 0; c < 2; c++) for (int i = 0; i < frames; i++) { const float x = in[c][i]; (void)x; "               \
    "out[c][i] = (float)(" expression "); }\n"

/* Sound in two planes. */
typedef struct sound {
    float planes[2][SOUND_FRAMES_MAX];
    const float *in[2];
    float *out[2];
} sound;

static inline sound *make_sound(void)
{
    sound *made = calloc(1, sizeof *made);
    assert_non_null(made);
    for (int c = 0; c < 2; c++) made->in[c] = made->out[c] = made->planes[c];
    return made;
}

/* Of one height, left and right. */
static inline sound *make_level(float left, float right)
{
    sound *made = make_sound();
    for (size_t i = 0; i < SOUND_FRAMES_MAX; i++) {
        made->planes[0][i] = left;
        made->planes[1][i] = right;
    }
    return made;
}

/* The greatest difference between neighbours. */
static inline float greatest_step(const sound *sound, size_t frames)
{
    float greatest = 0;
    for (size_t i = 1; i < frames; i++)
        for (int c = 0; c < 2; c++) greatest = fmaxf(greatest, fabsf(sound->planes[c][i] - sound->planes[c][i - 1]));
    return greatest;
}

static inline sl_err load(const char *source, sl_processor **out, char *message)
{
    sl_processor_build build;
    if (sl_processor_compile("my.c", source, strlen(source), NULL, &build) != SL_OK) fail_msg("%s", build.message);
    const sl_err err = sl_processor_load(build.path, "my.c", RATE, out, message);
    sl_processor_build_remove(&build);
    return err;
}

static inline sl_processor *load_well(const char *source)
{
    char message[SL_PROCESSOR_MESSAGE_BYTES];
    sl_processor *processor = NULL;
    if (load(source, &processor, message) != SL_OK) fail_msg("%s", message);
    return processor;
}

static inline sl_processor *load_example(const char *path)
{
    char message[SL_PROCESSOR_BUILD_TEXT_BYTES];
    char *source = NULL;
    size_t length;
    if (sl_processor_read(path, &source, &length, message) != SL_OK) fail_msg("%s", message);
    sl_processor *processor = load_well(source);
    free(source);
    return processor;
}

#endif
