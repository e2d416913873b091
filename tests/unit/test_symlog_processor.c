/* A processor that is loaded: what is refused, its parameters, its sound, and what is none. */
#include "tests/unit/processor_fixture.h"

#include <stdio.h>

static const symlog_transport playing = {.is_playing = true, .bpm = 120, .beat = 8, .bar = 2, .frame = 96000};

#define DESCRIPTION(fields) PROCESS_BEGIN "}\nconst symlog_processor_description symlog_processor = {" fields "};\n"
#define PARAMETERS(list, count)                                                                                        \
    PROCESS_BEGIN                                                                                                      \
    "}\nstatic const symlog_parameter all[] = {" list "};\n"                                                           \
    "const symlog_processor_description symlog_processor = {.abi = SYMLOG_PROCESSOR_ABI, .process = process,\n"        \
    "    .parameters = all, .parameter_count = " count "};\n"
#define LONG "abcdefghijklmnopqrstuvwxyz0123456"

static void test_symlog_processor_load_refused(void **state)
{
    (void)state;
    static const struct {
        const char *source, *message;
    } cases[] = {
        {"int x;", "my.c: defines no symlog_processor: end the file with"},
        {"float other(float);\n" PROCESS_BEGIN LOOP("other(x)") PROCESS_END,
         "my.c: other is declared, but defined nowhere"},
        {DESCRIPTION(".process = process"), "my.c: symlog_processor has no abi: write .abi = SYMLOG_PROCESSOR_ABI"},
        {DESCRIPTION(".abi = 99, .process = process"), "my.c: is written for version 99 of symlog_processor.h"},
        {DESCRIPTION(".abi = 1"), "my.c: symlog_processor has no process: write"},
        {DESCRIPTION(".abi = 1, .process = process, .parameter_count = 33"), "my.c: has 33 parameters; 32 is the most"},
        {DESCRIPTION(".abi = 1, .process = process, .parameter_count = 1"),
         "my.c: symlog_processor has a parameter_count, but no parameters"},
        {"#include <stddef.h>\nstatic void *init(double rate) { return NULL; }\n" DESCRIPTION(
             ".abi = 1, .process = process, .init = init"),
         "my.c: its init gave NULL"},
        {PARAMETERS("{.name = 0, .max = 1}", "1"), "my.c: parameter 0 has no name"},
        {PARAMETERS("{.name = \"a\", .max = 1}, {.name = \"\", .max = 1}", "2"), "my.c: parameter 1 has no name"},
        {PARAMETERS("{.name = \"" LONG "\", .max = 1}", "1"), "my.c: the name of parameter 0 is longer than 32 bytes"},
        {PARAMETERS("{.name = \"a b\", .max = 1}", "1"), "my.c: a parameter's name is made of letters"},
        {PARAMETERS("{.name = \"a\", .unit = \"" LONG "\", .max = 1}", "1"),
         "my.c: the unit of \"a\" is longer than 16 bytes"},
        {PARAMETERS("{.name = \"a\", .max = 1}, {.name = \"a\", .max = 1}", "2"),
         "my.c: two parameters are named \"a\""},
        {PARAMETERS("{.name = \"a\", .min = 1, .max = 1, .initial = 1}", "1"), "my.c: the range of \"a\" is 1 to 1"},
        {PARAMETERS("{.name = \"a\", .max = __builtin_nanf(\"\")}", "1"), "my.c: the range of \"a\" is 0 to nan"},
        {PARAMETERS("{.name = \"a\", .max = __builtin_inff()}", "1"), "my.c: the range of \"a\" is 0 to inf"},
        {PARAMETERS("{.name = \"a\", .min = -3e38f, .max = 3e38f}", "1"), "my.c: the range of \"a\" is -3e+38 to"},
        {PARAMETERS("{.name = \"a\", .max = 1, .initial = 2}", "1"),
         "my.c: the initial value of \"a\" is 2, which is not within 0 to 1"},
        {PARAMETERS("{.name = \"a\", .max = 1, .initial = __builtin_nanf(\"\")}", "1"),
         "my.c: the initial value of \"a\" is nan"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char message[SL_PROCESSOR_MESSAGE_BYTES];
        sl_processor *processor;
        assert_int_equal(load(cases[i].source, &processor, message), SL_ERR_REFUSED);
        assert_null(processor);
        message[strlen(cases[i].message)] = '\0';
        assert_string_equal(message, cases[i].message);
    }
}

static void test_symlog_processor_load_no_object(void **state)
{
    (void)state;
    char message[SL_PROCESSOR_MESSAGE_BYTES];
    sl_processor *processor;
    assert_int_equal(sl_processor_load("/nowhere/a.so", "my.c", RATE, &processor, message), SL_ERR_REFUSED);
    assert_memory_equal(message, "my.c: cannot be loaded: ", 24);
}

static void test_symlog_processor_gain(void **state)
{
    (void)state;
    sl_processor *gain = load_example("tools/symlog/processors/gain.c");
    sound *in = make_level(0.25F, -0.5F), *out = make_sound();
    sl_processor_run(gain, in->in, out->out, 1000, &playing); /* 0 dB at first */
    for (size_t i = 0; i < 1000; i++) {
        assert_true(out->planes[0][i] == 0.25F);
        assert_true(out->planes[1][i] == -0.5F);
    }
    assert_true(out->planes[0][1000] == 0); /* and not a frame more */
    assert_int_equal(sl_processor_set(gain, 0, -20), SL_OK);
    sl_processor_run(gain, in->in, out->out, 1000, &playing);
    assert_true(fabsf(out->planes[0][999] - 0.025F) < 1e-6F);
    assert_true(fabsf(out->planes[1][999] + 0.05F) < 1e-6F);
    assert_true(greatest_step(out, 1000) < 0.5F * 0.01F); /* 20 dB in 240 frames: a hundredth each at most */
    free(in);
    free(out);
    sl_processor_close(gain);
}

/* The greatest sample of a sine of this frequency behind the filter, once it has settled. */
static float height_behind(sl_processor *filter, double frequency)
{
    sound *in = make_sound(), *out = make_sound();
    for (size_t i = 0; i < RATE / 2; i++)
        for (int c = 0; c < 2; c++) in->planes[c][i] = (float)sin(2 * M_PI * frequency * (double)i / (int)RATE);
    sl_processor_run(filter, in->in, out->out, RATE / 2, &playing);
    float height = 0;
    for (size_t i = RATE / 4; i < RATE / 2; i++) {
        height = fmaxf(height, fabsf(out->planes[0][i]));
        assert_true(out->planes[0][i] == out->planes[1][i]);
    }
    free(in);
    free(out);
    return height;
}

static void test_symlog_processor_filter(void **state)
{
    (void)state;
    sl_processor *filter = load_example("tools/symlog/processors/filter.c");
    size_t resonance;
    assert_int_equal(sl_processor_find(filter, "processor.resonance", &resonance), SL_OK);
    assert_int_equal(sl_processor_set(filter, resonance, 0), SL_OK);
    assert_true(fabsf(height_behind(filter, 50) - 1) < 0.01F);
    assert_true(fabsf(height_behind(filter, 1000) - 0.5F) < 0.01F); /* damped critically: -6 dB at the cutoff */
    assert_true(height_behind(filter, 8000) < 0.02F);               /* 12 dB an octave */
    assert_int_equal(sl_processor_set(filter, resonance, 100), SL_OK);
    assert_true(fabsf(height_behind(filter, 1000) - 10) < 0.2F); /* lifted: 1 / 0.1 */
    sl_processor_close(filter);
}

#define ONE_PARAMETER                                                                                                  \
    PROCESS_BEGIN LOOP("values[0][i]") "}\nstatic const symlog_parameter all[] = {{.name = \"level\", .unit = \"V\", " \
                                       ".min = -1, .max = 3, .initial = 2}};\n"                                        \
                                       "const symlog_processor_description symlog_processor = {.abi = "                \
                                       "SYMLOG_PROCESSOR_ABI, .process = process,\n"                                   \
                                       "    .parameters = all, .parameter_count = 1};\n"

static void test_symlog_processor_parameters(void **state)
{
    (void)state;
    sl_processor *processor = load_well(ONE_PARAMETER);
    sl_processor_parameter listed[2];
    size_t index = 9;
    assert_int_equal(sl_processor_set(processor, 0, 99), SL_OK); /* clamped */
    assert_int_equal(sl_processor_set(processor, 1, 0), SL_ERR_RANGE);
    assert_int_equal(sl_processor_set(processor, 0, NAN), SL_ERR_RANGE);
    assert_int_equal(sl_processor_list(processor, 0, NULL, 0), 1);
    assert_int_equal(sl_processor_list(processor, 0, listed, 2), 1);
    assert_string_equal(listed[0].id, "processor.level");
    assert_string_equal(listed[0].name, "level");
    assert_string_equal(listed[0].unit, "V");
    assert_true(listed[0].min == -1 && listed[0].max == 3 && listed[0].initial == 2 && listed[0].value == 3);
    assert_int_equal(sl_processor_find(processor, "level", &index), SL_OK);
    assert_int_equal(sl_processor_find(processor, "processor.level", &index), SL_OK);
    assert_int_equal(index, 0);
    assert_int_equal(sl_processor_find(processor, "processor.levels", &index), SL_ERR_NOT_FOUND);
    assert_int_equal(sl_processor_set(processor, 0, -INFINITY), SL_OK);
    assert_int_equal(sl_processor_list(processor, 0, listed, 2), 1);
    assert_true(listed[0].value == -1);
    sl_processor_close(processor);
}

/* Straight, over 5 ms, however the blocks fall, and from where it is when it is set anew. */
static void test_symlog_processor_ramp(void **state)
{
    (void)state;
    static const size_t blocks[] = {1, 7, 64, 100, 512, 1000};
    for (size_t b = 0; b < sizeof blocks / sizeof blocks[0]; b++) {
        sl_processor *processor = load_well(ONE_PARAMETER);
        sound *out = make_sound();
        const sound *in = out;
        assert_int_equal(sl_processor_set(processor, 0, -1), SL_OK);
        for (size_t at = 0; at < 1000; at += blocks[b]) {
            float *const to[2] = {out->planes[0] + at, out->planes[1] + at};
            sl_processor_run(processor, in->in, to, blocks[b], &playing);
        }
        for (size_t i = 0; i < 1000; i++) {
            const float part = i < RAMP_FRAMES ? (float)(i + 1) / (int)RAMP_FRAMES : 1;
            assert_true(fabsf(out->planes[0][i] - (2 - 3 * part)) < 1e-5F);
        }
        assert_true(out->planes[0][RAMP_FRAMES - 1] == -1); /* exactly */
        free(out);
        sl_processor_close(processor);
    }
}

static void test_symlog_processor_ramp_anew(void **state)
{
    (void)state;
    sl_processor *processor = load_well(ONE_PARAMETER);
    sound *out = make_sound();
    const sound *in = out;
    for (size_t at = 0; at < 2000; at += 50) {
        float *const to[2] = {out->planes[0] + at, out->planes[1] + at};
        assert_int_equal(sl_processor_set(processor, 0, (at / 50) % 3 == 0 ? -1 : 3), SL_OK);
        sl_processor_run(processor, in->in, to, 50, &playing);
    }
    assert_true(greatest_step(out, 2000) <= 4.0F / (int)RAMP_FRAMES + 1e-5F);
    free(out);
    sl_processor_close(processor);
}

static void test_symlog_processor_inherit(void **state)
{
    (void)state;
    sl_processor *former = load_well(ONE_PARAMETER);
    sl_processor *next = load_well(PARAMETERS("{.name = \"other\", .max = 1}, {.name = \"level\", .max = 1}", "2"));
    sl_processor *same = load_well(ONE_PARAMETER);
    sl_processor_parameter listed[2];
    assert_int_equal(sl_processor_set(former, 0, 3), SL_OK);
    sl_processor_inherit(next, former);
    assert_int_equal(sl_processor_list(next, 0, listed, 2), 2);
    assert_true(listed[0].value == 0 && listed[1].value == 1); /* clamped */
    sl_processor_inherit(same, NULL);
    sl_processor_inherit(same, former);
    sound *out = make_sound();
    const sound *in = out;
    sl_processor_run(same, in->in, out->out, 10, &playing);
    assert_true(out->planes[0][0] == 3); /* from the first frame on */
    free(out);
    sl_processor_close(former);
    sl_processor_close(next);
    sl_processor_close(same);
}

/* Each call says how many frames it had, and where. */
static void test_symlog_processor_split(void **state)
{
    (void)state;
    sl_processor *processor =
        load_well(PROCESS_BEGIN "out[0][0] = frames;\nout[0][1] = (transport->frame - 96000) / 2;\n"
                                "out[0][2] = transport->beat;\nout[0][3] = transport->bpm;\n"
                                "out[0][4] = transport->is_playing;\n" PROCESS_END);
    sound *in = make_level(7, 7), *out = make_level(7, 7);
    sl_processor_run(processor, in->in, out->out, 1100, &playing);
    const float *calls[] = {out->planes[0], out->planes[0] + 512, out->planes[0] + 1024};
    assert_true(calls[0][0] == 512 && calls[1][0] == 512 && calls[2][0] == 76);
    assert_true(calls[0][1] == 0 && calls[1][1] == 256 && calls[2][1] == 512);
    assert_true(calls[0][2] == 8 && fabsf(calls[2][2] - (8 + 1024.0F / (int)RATE * 2)) < 1e-5F);
    assert_true(calls[2][3] == 120 && calls[2][4] == 1);
    assert_true(calls[0][5] == 0 && out->planes[1][1099] == 0); /* what it leaves out is silence */
    assert_true(out->planes[0][1100] == 7);
    const symlog_transport stopped = {.bpm = 120, .beat = 8, .frame = 96000};
    sl_processor_run(processor, in->in, out->out, 1100, &stopped);
    assert_true(calls[2][1] == 512 && calls[2][2] == 8 && calls[2][4] == 0);
    free(in);
    free(out);
    sl_processor_close(processor);
}

/* Its state is made for the rate, and freed (ASan would say so). */
static void test_symlog_processor_state(void **state)
{
    (void)state;
    sl_processor *processor = load_well(
        "#include <stdlib.h>\n#include \"symlog_processor.h\"\n"
        "static void *init(double rate) { double *s = malloc(8); *s = rate; return s; }\n" PROCESS_BEGIN LOOP(
            "*(double *)state / 96000") "}\nconst symlog_processor_description symlog_processor = {.abi = "
                                        "SYMLOG_PROCESSOR_ABI, .process = process, .init = init, .destroy = free};\n");
    sound *out = make_sound();
    const sound *in = out;
    sl_processor_run(processor, in->in, out->out, 10, &playing);
    assert_true(out->planes[1][9] == 0.5F);
    assert_int_equal(sl_processor_ramp_frames(processor), RAMP_FRAMES);
    assert_true(sl_processor_rate(processor) == (int)RATE);
    free(out);
    sl_processor_close(processor);
    sl_processor_close(NULL);
}

/* `expression` gives 0.5 up to frame 96000 + 1000, and something else from there on. */
static void check_failure(const char *expression, sl_processor_fault fault, const char *said)
{
    char source[2048], message[SL_PROCESSOR_MESSAGE_BYTES];
    (void)snprintf(source, sizeof source, "#include <math.h>\n%s%s%s%s", PROCESS_BEGIN "static volatile float zero;\n",
                   "(void)zero; for (int i = 0; i < frames; i++) { const int64_t at = transport->frame + i - 97000;\n"
                   "out[0][i] = 0.5f; out[1][i] = at < 0 ? 0.5f : ",
                   expression, "; }\n" PROCESS_END);
    sl_processor *processor = load_well(source);
    sound *out = make_sound();
    const sound *in = out;
    sl_processor_failure failure = {.fault = SL_PROCESSOR_WELL};
    for (size_t at = 0; at < 2000; at += 100) {
        float *const to[2] = {out->planes[0] + at, out->planes[1] + at};
        const symlog_transport now = sl_processor_later(&playing, at, RATE);
        assert_int_equal(sl_processor_has_failed(processor, &failure), at > 1000);
        sl_processor_run(processor, in->in, to, 100, &now);
    }
    assert_int_equal(failure.fault, fault);
    assert_int_equal(failure.channel, 1);
    assert_int_equal(failure.frame, 97000);
    assert_true(greatest_step(out, 2000) < 0.5F / (int)RAMP_FRAMES + 1e-5F); /* to silence, without a step */
    assert_true(out->planes[1][999] == 0.5F && out->planes[1][1100] > 0 && out->planes[1][1000 + RAMP_FRAMES] == 0);
    sl_processor_describe(&failure, "my.c", message);
    message[strlen(said)] = '\0';
    assert_string_equal(message, said);
    free(out);
    sl_processor_close(processor);
}

static void test_symlog_processor_nan(void **state)
{
    (void)state;
    check_failure("zero / zero", SL_PROCESSOR_NAN, "my.c gave NaN in the right channel, at frame 97000: ");
}

static void test_symlog_processor_infinite(void **state)
{
    (void)state;
    check_failure("-1 / zero", SL_PROCESSOR_INFINITE, "my.c gave -inf in the right channel, at frame 97000: ");
}

static void test_symlog_processor_too_loud(void **state)
{
    (void)state;
    check_failure("1000.5f", SL_PROCESSOR_TOO_LOUD, "my.c gave 1000.5 in the right channel, at frame 97000: ");
}

static void test_symlog_processor_loud(void **state)
{
    (void)state;
    sl_processor *processor = load_well(PROCESS_BEGIN LOOP("-1000") PROCESS_END);
    sound *out = make_sound();
    const sound *in = out;
    sl_processor_failure failure;
    sl_processor_run(processor, in->in, out->out, 100, &playing);
    assert_false(sl_processor_has_failed(processor, &failure));
    free(out);
    sl_processor_close(processor);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_symlog_processor_load_refused), cmocka_unit_test(test_symlog_processor_load_no_object),
        cmocka_unit_test(test_symlog_processor_gain),         cmocka_unit_test(test_symlog_processor_filter),
        cmocka_unit_test(test_symlog_processor_parameters),   cmocka_unit_test(test_symlog_processor_ramp),
        cmocka_unit_test(test_symlog_processor_ramp_anew),    cmocka_unit_test(test_symlog_processor_inherit),
        cmocka_unit_test(test_symlog_processor_split),        cmocka_unit_test(test_symlog_processor_state),
        cmocka_unit_test(test_symlog_processor_nan),          cmocka_unit_test(test_symlog_processor_infinite),
        cmocka_unit_test(test_symlog_processor_too_loud),     cmocka_unit_test(test_symlog_processor_loud),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
