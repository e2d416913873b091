/* sl_evaluate: what it gives, what it refuses, several at once, cancelled; typescript's map. */
#include "tools/symlog/evaluation.h"

#include "tests/unit/cmocka_small.h"
#include "tools/symlog/child.h"
#include "tools/symlog/typescript.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* The one that was built beside the program: tests stand beside none. */
static int find_process(void **state)
{
    (void)state;
    return setenv("SYMLOG_EVAL", "zig-out/test/program-off/symlog-eval", 0);
}

static sl_err evaluate(const char *code, const atomic_bool *is_cancelled, sl_evaluation_result *result)
{
    const sl_evaluation_buffer buffer = {
        .name = "main", .name_length = 4, .source = code, .source_length = strlen(code)};
    const sl_evaluation_request request = {.buffers = &buffer,
                                           .buffer_count = 1,
                                           .code_seq = 9,
                                           .quantize = SL_QUANTIZE_BAR,
                                           .is_cancelled = is_cancelled};
    return sl_evaluate(&request, result);
}

static void assert_no_child(void)
{
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
    assert_int_equal(errno, ECHILD);
}

static void test_symlog_evaluation_score(void **state)
{
    (void)state;
    sl_evaluation_result result;
    assert_int_equal(evaluate("console.log('hi'); track('a', Drums.kick())", NULL, &result), SL_OK);
    const sl_event event = {.kind = SL_KIND_SCORE,
                            .version = SL_SCORE_VERSION,
                            .payload = result.score,
                            .length = (uint32_t)result.score_length};
    sl_score_error error;
    assert_int_equal(sl_score_check(&event, &error), SL_OK);
    assert_string_equal(result.printed, "hi\n");
    sl_evaluation_free(&result);
    assert_no_child();
}

static void test_symlog_evaluation_ready(void **state)
{
    (void)state;
    static const char code[] = "track('a', Drums.kick())";
    const sl_evaluation_buffer buffer = {.name = "", .source = code, .source_length = sizeof code - 1};
    sl_child ready = {.pid = 0};
    const sl_evaluation_request request = {.buffers = &buffer, .buffer_count = 1, .ready = &ready};
    sl_evaluation_result result;
    for (int i = 0; i < 3; i++) { /* none is ready, one is, one that was killed is */
        if (i > 0) sl_evaluation_prepare(&ready);
        const int pid = ready.pid;
        if (i > 0) sl_evaluation_prepare(&ready);
        assert_int_equal(ready.pid, pid); /* the same waits on */
        if (i == 2) assert_int_equal(kill(pid, SIGKILL), 0);
        if (i == 2) nanosleep(&(struct timespec){.tv_nsec = 50000000}, NULL);
        assert_int_equal(sl_evaluate(&request, &result), SL_OK);
        assert_non_null(result.score);
        assert_int_equal(ready.pid, 0);
        sl_evaluation_free(&result);
    }
    sl_evaluation_prepare(&ready); /* one that is not used */
    sl_child_drop(&ready);
    sl_child_drop(&ready);
    assert_no_child();
}

static void test_symlog_evaluation_refused(void **state)
{
    (void)state;
    sl_evaluation_result result;
    assert_int_equal(evaluate("\n missing()", NULL, &result), SL_ERR_REFUSED);
    assert_null(result.score);
    assert_string_equal(result.message, "Can't find variable: missing");
    assert_true(result.line == 2 && result.column == 9);
    sl_evaluation_free(&result);
}

static void test_symlog_evaluation_bounds(void **state)
{
    (void)state;
    sl_evaluation_result result;
    static sl_evaluation_buffer buffers[SL_EVALUATION_BUFFERS_MAX + 1];
    char *source = malloc(SL_EVALUATION_SOURCE_BYTES_MAX + 1);
    assert_non_null(source);
    memset(source, ' ', SL_EVALUATION_SOURCE_BYTES_MAX + 1);
    for (size_t i = 0; i <= SL_EVALUATION_BUFFERS_MAX; i++)
        buffers[i] =
            (sl_evaluation_buffer){.name = "", .source = source, .source_length = SL_EVALUATION_SOURCE_BYTES_MAX};
    sl_evaluation_request request = {.buffers = buffers};
    assert_int_equal(sl_evaluate(&request, &result), SL_ERR_REFUSED);
    request.buffer_count = SL_EVALUATION_BUFFERS_MAX + 1;
    assert_int_equal(sl_evaluate(&request, &result), SL_ERR_REFUSED);
    request.buffer_count = 5;
    assert_int_equal(sl_evaluate(&request, &result), SL_ERR_REFUSED);
    assert_string_equal(result.message, "all buffers together have 5242880 bytes of code; 4 MiB is the most");
    request.buffer_count = 4;
    assert_int_equal(sl_evaluate(&request, &result), SL_OK);
    sl_evaluation_free(&result);
    buffers[0].source_length++;
    assert_int_equal(sl_evaluate(&request, &result), SL_ERR_REFUSED);
    buffers[0] = (sl_evaluation_buffer){.name = source, .name_length = 256, .source = ""};
    assert_int_equal(sl_evaluate(&request, &result), SL_ERR_REFUSED);
    free(source);
}

static void *cancel(void *flag)
{
    nanosleep(&(struct timespec){.tv_nsec = 100000000}, NULL);
    atomic_store((atomic_bool *)flag, true);
    return NULL;
}

static void test_symlog_evaluation_cancelled(void **state)
{
    (void)state;
    atomic_bool is_cancelled = false;
    pthread_t thread;
    struct timespec begun, ended;
    sl_evaluation_result result;
    assert_int_equal(pthread_create(&thread, NULL, cancel, &is_cancelled), 0);
    clock_gettime(CLOCK_MONOTONIC, &begun);
    assert_int_equal(evaluate("for (;;);", &is_cancelled, &result), SL_ERR_END);
    clock_gettime(CLOCK_MONOTONIC, &ended);
    pthread_join(thread, NULL);
    sl_evaluation_free(&result);
    assert_true(ended.tv_sec - begun.tv_sec <= 1);
    assert_no_child();
}

static void *evaluate_some(void *ok)
{
    for (int i = 0; i < 5; i++) {
        sl_evaluation_result result;
        bool is_bad = i % 2 == 1;
        sl_err err = evaluate(is_bad ? "x" : "track('a', Drums.kick())", NULL, &result);
        sl_evaluation_free(&result);
        if (err != (is_bad ? SL_ERR_REFUSED : SL_OK)) *(bool *)ok = false;
    }
    return NULL;
}

static void test_symlog_evaluation_side_by_side(void **state)
{
    (void)state;
    enum { THREADS = 4 };
    pthread_t threads[THREADS];
    bool ok[THREADS] = {true, true, true, true};
    for (size_t i = 0; i < THREADS; i++) assert_int_equal(pthread_create(&threads[i], NULL, evaluate_some, &ok[i]), 0);
    for (size_t i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
        assert_true(ok[i]);
    }
    assert_no_child();
}

static sl_child_end run_child(const char *script, size_t out_max, sl_child_result *result)
{
    const char *const argv[] = {"sh", "-c", script, NULL};
    const sl_child_job job = {.path = "/bin/sh",
                              .argv = argv,
                              .in = (const uint8_t *)"in",
                              .in_length = 2,
                              .out_max = out_max,
                              .time_ms_max = 300,
                              .memory_mb_max = 64};
    assert_int_equal(sl_child_run(&job, 1, result), SL_OK);
    free(result->out);
    return result->end;
}

static void test_symlog_child_ends(void **state)
{
    (void)state;
    sl_child_result result;
    assert_int_equal(run_child("cat; echo x >&2", 100, &result), SL_CHILD_DONE);
    assert_int_equal(result.out_length, 4);
    assert_int_equal(run_child("test \"$(env | grep -vc -e ^PWD= -e ^_= -e ^SHLVL=)\" = 0", 100, &result),
                     SL_CHILD_DONE);
    assert_int_equal(run_child("exit 3", 100, &result), SL_CHILD_FAILED);
    assert_int_equal(run_child("kill -9 $$", 100, &result), SL_CHILD_FAILED);
    assert_int_equal(run_child("while :; do :; done", 100, &result), SL_CHILD_TIME);
    assert_int_equal(run_child("exec >&- 2>&- <&-; while :; do :; done", 100, &result), SL_CHILD_TIME);
    assert_int_equal(run_child("while :; do echo xxxxxxxxxxxxxxxxxxxxxxxxxxxxx; done", 1 << 20, &result),
                     SL_CHILD_OUTPUT);
    assert_no_child();
}

static void test_symlog_typescript_places(void **state)
{
    (void)state;
    sl_typescript_mark marks[] = {{0, 0, 3, 4}, {0, 8, 3, 20}, {2, 2, 9, 0}};
    const sl_typescript script = {.marks = marks, .mark_count = 3};
    static const uint32_t places[][4] = {{1, 1, 4, 5}, {1, 9, 4, 21}, {1, 30, 4, 21}, {2, 1, 4, 21}, {3, 5, 10, 1}};
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        uint32_t line = places[i][0], column = places[i][1];
        sl_typescript_place(&script, &line, &column);
        assert_int_equal(line, places[i][2]);
        assert_int_equal(column, places[i][3]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_symlog_evaluation_score),     cmocka_unit_test(test_symlog_evaluation_ready),
        cmocka_unit_test(test_symlog_evaluation_refused),   cmocka_unit_test(test_symlog_evaluation_bounds),
        cmocka_unit_test(test_symlog_evaluation_cancelled), cmocka_unit_test(test_symlog_evaluation_side_by_side),
        cmocka_unit_test(test_symlog_child_ends),           cmocka_unit_test(test_symlog_typescript_places),
    };
    return cmocka_run_group_tests(tests, find_process, NULL);
}
