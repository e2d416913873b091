/* Processors swapped while they sound: no gap, no step, and each is closed once. */
#include "tools/symlog/processor_slot.h"

#include "tests/unit/processor_fixture.h"

#include <pthread.h>
#include <stdio.h>
#include <time.h>

static const symlog_transport stopped = {.bpm = 120};

#define CONSTANT "for (int c = 0; c < 2; c++) for (int i = 0; i < frames; i++) out[c][i] = "

/* One that says this, whatever it hears. */
static sl_processor *load_constant(const char *level)
{
    char source[1024];
    (void)snprintf(source, sizeof source, "%s%s%s%s", PROCESS_BEGIN,
                   "for (int c = 0; c < 2; c++) for (int i = 0; i < frames; i++) out[c][i] = ", level,
                   ";\n" PROCESS_END);
    return load_well(source);
}

static void run_at(sl_processor_slot *slot, sound *out, size_t at, size_t frames)
{
    static const float silence[SOUND_FRAMES_MAX];
    const float *const in[2] = {silence, silence};
    float *const to[2] = {out->planes[0] + at, out->planes[1] + at};
    sl_processor_slot_run(slot, in, to, frames, &stopped);
}

static void test_symlog_processor_slot_empty(void **state)
{
    (void)state;
    static sl_processor_slot slot;
    sl_processor *former;
    sound *out = make_level(9, 9);
    run_at(&slot, out, 0, 1000);
    assert_true(out->planes[0][0] == 0 && out->planes[1][999] == 0 && out->planes[1][1000] == 9);
    assert_false(sl_processor_slot_collect(&slot, &former));
    assert_null(sl_processor_slot_withdraw(&slot));
    sl_processor_slot_close(&slot);
    free(out);
}

static void run_blocks(sl_processor_slot *slot, sound *out, size_t from, size_t to, size_t block)
{
    for (size_t at = from; at < to; at += block) run_at(slot, out, at, block < to - at ? block : to - at);
}

/* The first one fades in; the second takes over from it, however long the blocks are. */
static void test_symlog_processor_slot_swap(void **state)
{
    (void)state;
    static const size_t blocks[] = {1, 16, 240, 256, 500, 1500};
    for (size_t b = 0; b < sizeof blocks / sizeof blocks[0]; b++) {
        static sl_processor_slot slot;
        sl_processor *first = load_constant("0.5f"), *second = load_constant("-0.5f"), *former = first;
        sound *out = make_sound();
        assert_int_equal(sl_processor_slot_offer(&slot, first), SL_OK);
        run_blocks(&slot, out, 0, 1500, blocks[b]);
        assert_true(sl_processor_slot_collect(&slot, &former));
        assert_null(former);
        assert_false(sl_processor_slot_collect(&slot, &former));
        assert_int_equal(sl_processor_slot_offer(&slot, second), SL_OK);
        run_blocks(&slot, out, 1500, 3000, blocks[b]);
        assert_true(greatest_step(out, 3000) <= 1.0F / (int)RAMP_FRAMES + 1e-5F);
        assert_true(out->planes[0][0] > 0 && out->planes[0][RAMP_FRAMES - 1] == 0.5F);
        assert_true(out->planes[1][1499] == 0.5F && out->planes[1][1500] < 0.5F); /* at the block's beginning */
        assert_true(out->planes[1][1500 + RAMP_FRAMES - 1] == -0.5F && out->planes[0][2999] == -0.5F);
        assert_true(sl_processor_slot_collect(&slot, &former));
        assert_ptr_equal(former, first);
        sl_processor_close(former);
        assert_int_equal(sl_processor_slot_entered(&slot) % 2, 0);
        sl_processor_slot_close(&slot);
        free(out);
    }
}

static void test_symlog_processor_slot_busy(void **state)
{
    (void)state;
    static sl_processor_slot slot;
    sl_processor *first = load_constant("0.5f"), *second = load_constant("0"), *former;
    sound *out = make_sound();
    assert_int_equal(sl_processor_slot_offer(&slot, first), SL_OK);
    assert_int_equal(sl_processor_slot_offer(&slot, second), SL_ERR_BUSY); /* not taken */
    assert_ptr_equal(sl_processor_slot_withdraw(&slot), first);
    assert_int_equal(sl_processor_slot_offer(&slot, first), SL_OK);
    run_at(&slot, out, 0, 100);
    assert_null(sl_processor_slot_withdraw(&slot));
    assert_int_equal(sl_processor_slot_offer(&slot, second), SL_ERR_BUSY); /* fading */
    assert_false(sl_processor_slot_collect(&slot, &former));
    run_at(&slot, out, 100, 200);
    assert_int_equal(sl_processor_slot_offer(&slot, second), SL_ERR_BUSY); /* not collected */
    assert_true(sl_processor_slot_collect(&slot, &former));
    assert_int_equal(sl_processor_slot_offer(&slot, second), SL_OK);
    run_at(&slot, out, 300, 100); /* closed while it fades: both */
    sl_processor_slot_close(&slot);
    free(out);
}

/* Closed with one that is offered, and with one that is not collected. */
static void test_symlog_processor_slot_close(void **state)
{
    (void)state;
    static sl_processor_slot slot;
    sl_processor *former;
    sound *out = make_sound();
    assert_int_equal(sl_processor_slot_offer(&slot, load_constant("0.5f")), SL_OK);
    run_at(&slot, out, 0, 300);
    assert_true(sl_processor_slot_collect(&slot, &former));
    assert_int_equal(sl_processor_slot_offer(&slot, load_constant("0")), SL_OK);
    run_at(&slot, out, 300, 300);
    sl_processor_slot_close(&slot);
    assert_int_equal(sl_processor_slot_offer(&slot, load_constant("0")), SL_OK);
    sl_processor_slot_close(&slot);
    free(out);
}

/* One that failed is silent, and the next one fades in from there. */
static void test_symlog_processor_slot_after_failure(void **state)
{
    (void)state;
    static sl_processor_slot slot;
    sl_processor *bad = load_constant("transport->frame >= 500 ? __builtin_nanf(\"\") : 0.5f"), *former;
    sl_processor_failure failure;
    sound *out = make_sound();
    assert_int_equal(sl_processor_slot_offer(&slot, bad), SL_OK);
    run_at(&slot, out, 0, 500);
    const symlog_transport later = sl_processor_later(&stopped, 500, RATE);
    float *const to[2] = {out->planes[0] + 500, out->planes[1] + 500};
    sl_processor_slot_run(&slot, out->in, to, 500, &later);
    assert_true(sl_processor_has_failed(bad, &failure));
    assert_true(sl_processor_slot_collect(&slot, &former));
    assert_int_equal(sl_processor_slot_offer(&slot, load_constant("-0.5f")), SL_OK);
    run_at(&slot, out, 1000, 500);
    assert_true(greatest_step(out, 1500) <= 0.5F / (int)RAMP_FRAMES + 1e-5F);
    assert_true(out->planes[0][999] == 0 && out->planes[0][1499] == -0.5F);
    sl_processor_slot_close(&slot);
    free(out);
}

enum { SWAPS = 40, BLOCK_FRAMES = 64 };

typedef struct callback {
    sl_processor_slot slot;
    atomic_bool is_over;
    float greatest; /* step */
    float last;
} callback;

/* Two objects, each loaded many times: compilers take their time. */
static void build_constant(const char *level, sl_processor_build *build)
{
    char source[1024];
    (void)snprintf(source, sizeof source, "%s%s%s%s", PROCESS_BEGIN, CONSTANT, level, ";\n" PROCESS_END);
    assert_int_equal(sl_processor_compile("my.c", source, strlen(source), NULL, build), SL_OK);
}

static void *run_callback(void *context)
{
    callback *callback = context;
    sound *out = make_sound();
    while (!atomic_load(&callback->is_over)) {
        run_at(&callback->slot, out, 1, BLOCK_FRAMES);
        out->planes[0][0] = out->planes[1][0] = callback->last;
        callback->greatest = fmaxf(callback->greatest, greatest_step(out, BLOCK_FRAMES + 1));
        callback->last = out->planes[0][BLOCK_FRAMES];
    }
    free(out);
    return NULL;
}

static void test_symlog_processor_slot_threads(void **state)
{
    (void)state;
    static callback callback;
    pthread_t thread;
    sl_processor_build builds[2];
    build_constant("0.5f", &builds[0]);
    build_constant("-0.5f", &builds[1]);
    assert_int_equal(pthread_create(&thread, NULL, run_callback, &callback), 0);
    for (int i = 0; i < SWAPS; i++) {
        char message[SL_PROCESSOR_MESSAGE_BYTES];
        sl_processor *next, *former = NULL;
        assert_int_equal(sl_processor_load(builds[i % 2].path, "my.c", RATE, &next, message), SL_OK);
        assert_int_equal(sl_processor_slot_offer(&callback.slot, next), SL_OK);
        while (!sl_processor_slot_collect(&callback.slot, &former))
            nanosleep(&(struct timespec){.tv_nsec = 10000}, NULL);
        assert_int_equal(former == NULL, i == 0);
        sl_processor_close(former);
    }
    atomic_store(&callback.is_over, true);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_true(callback.greatest <= 1.0F / (int)RAMP_FRAMES + 1e-5F);
    sl_processor_slot_close(&callback.slot);
    for (int i = 0; i < 2; i++) sl_processor_build_remove(&builds[i]);
}

static void *run_once(void *context)
{
    sl_processor_slot *slot = context;
    sound *out = make_sound();
    run_at(slot, out, 0, BLOCK_FRAMES);
    free(out);
    return NULL;
}

/* It does not return before $SYMLOG_TEST_LOOP is gone. */
static void test_symlog_processor_slot_loop(void **state)
{
    (void)state;
    static sl_processor_slot slot;
    pthread_t thread;
    assert_int_equal(setenv("SYMLOG_TEST_LOOP", "1", 1), 0);
    sl_processor *looping = load_well("#include <stdlib.h>\n" PROCESS_BEGIN
                                      "while (getenv(\"SYMLOG_TEST_LOOP\")[0] == '1') continue;\n" PROCESS_END);
    assert_int_equal(sl_processor_slot_offer(&slot, looping), SL_OK);
    char *text = getenv("SYMLOG_TEST_LOOP");
    assert_int_equal(pthread_create(&thread, NULL, run_once, &slot), 0);
    while (sl_processor_slot_entered(&slot) == 0) nanosleep(&(struct timespec){.tv_nsec = 100000}, NULL);
    for (int i = 0; i < 10; i++) {
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
        assert_int_equal(sl_processor_slot_entered(&slot), 1);
    }
    *(volatile char *)text = '0';
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(sl_processor_slot_entered(&slot), 2);
    sl_processor_slot_close(&slot);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_symlog_processor_slot_empty),
        cmocka_unit_test(test_symlog_processor_slot_swap),
        cmocka_unit_test(test_symlog_processor_slot_busy),
        cmocka_unit_test(test_symlog_processor_slot_close),
        cmocka_unit_test(test_symlog_processor_slot_after_failure),
        cmocka_unit_test(test_symlog_processor_slot_threads),
        cmocka_unit_test(test_symlog_processor_slot_loop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
