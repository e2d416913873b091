/*
 * An edit of live code: from its text to its checked score (sl_evaluate: a process with builder, walls and answer),
 * and from a client of serve to the answer that it was accepted (logged, evaluated, logged, marked by the player); each
 * beside a bare process of the same engine that is given the same text, started and read by the same means.
 */
#include "tests/bench/bench.h"

#include "tests/bench/serving.h"
#include "tests/bench/websocket.h"
#include "tools/symlog/child.h"
#include "tools/symlog/evaluation.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

enum { EDITS = 60 };

static const char edit[] = "const root = 'C4';\n"
                           "const riff = (b) => b.note(root, '8n').note('E4', '8n').staccato().note('G4', '4n.');\n"
                           "Session.create()\n"
                           "  .tempo(124)\n"
                           "  .track('lead', t => t.clip(riff(Clip.melody()).loop(4).rest('4n')))\n"
                           "  .track('bass', t => t.instrument('saw').clip(Clip.melody().note('C2', '8n').loop(8)))\n"
                           "  .track('drums', t => t.clip(Drums.euclidean(16, 5)));\n";

static double evaluate(void)
{
    const sl_evaluation_buffer buffer = {
        .name = "main", .name_length = 4, .source = edit, .source_length = sizeof edit - 1};
    const sl_evaluation_request request = {.buffers = &buffer, .buffer_count = 1, .quantize = SL_QUANTIZE_BAR};
    sl_evaluation_result result;
    uint64_t begun = bench_now_ns();
    sl_err err = sl_evaluate(&request, &result);
    double taken = (double)(bench_now_ns() - begun) / 1e6;
    if (err != SL_OK) bench_die("eval: %s", result.message);
    sl_evaluation_free(&result);
    return taken;
}

static double evaluate_bare(const char *path)
{
    const char *const argv[] = {path, NULL};
    const sl_child_job job = {.path = path,
                              .argv = argv,
                              .in = (const uint8_t *)edit,
                              .in_length = sizeof edit - 1,
                              .out_max = 16,
                              .time_ms_max = 2000,
                              .memory_mb_max = 256};
    sl_child_result result;
    uint64_t begun = bench_now_ns();
    sl_err err = sl_child_run(&job, 0, &result);
    double taken = (double)(bench_now_ns() - begun) / 1e6;
    free(result.out);
    if (err != SL_OK || result.end != SL_CHILD_DONE) bench_die("eval: %s does not run", path);
    return taken;
}

/* The edit as a client says it. */
static char *make_request(void)
{
    json_t *request =
        json_pack("{s:s, s:i, s:s, s:{s:s}}", "jsonrpc", "2.0", "id", 1, "method", "eval", "params", "code", edit);
    char *text = request != NULL ? json_dumps(request, JSON_COMPACT) : NULL;
    json_decref(request);
    if (text == NULL) bench_die("eval: memory ran out");
    return text;
}

static double be_accepted(websocket *client, const char *request)
{
    static const char answered[] = "\"id\":1", accepted[] = "\"success\":true";
    size_t length;
    uint64_t begun = bench_now_ns();
    websocket_send(client, request, strlen(request));
    const char *message = websocket_read(client, &length);
    while (memmem(message, length, answered, sizeof answered - 1) == NULL) message = websocket_read(client, &length);
    double taken = (double)(bench_now_ns() - begun) / 1e6;
    if (memmem(message, length, accepted, sizeof accepted - 1) == NULL) bench_die("eval: %.200s", message);
    return taken;
}

static void report(bench *bench, const char *name, const bench_series *own, const bench_series *bare)
{
    bench_report(bench, &(bench_figure){.name = name,
                                        .unit = "ms",
                                        .own = own,
                                        .peer_name = "bare JavaScriptCore process",
                                        .peer = bare,
                                        .limit_type = BENCH_LIMIT_RATIO_MAX,
                                        .limit = 1.5});
}

void bench_eval(bench *bench)
{
    if (bench->evaluator == NULL || bench->bare_evaluator == NULL) {
        bench_note(bench, "left out: it wants --evaluator and --bare-evaluator");
        return;
    }
    if (setenv("SYMLOG_EVAL", bench->evaluator, 1) != 0) bench_die("eval: no environment");
    bench_series own = {.count = 0}, served = {.count = 0}, bare = {.count = 0};
    serving *serving = bench->program != NULL ? serving_open(bench) : NULL;
    websocket *client = serving != NULL ? websocket_open_path(serving_ws_port(serving), "/?paths=scenes", 0) : NULL;
    char *request = make_request();
    for (int round = 0; round < BENCH_ROUNDS; round++) {
        double owns[EDITS], serveds[EDITS], bares[EDITS];
        for (int i = 0; i < EDITS; i++) {
            owns[i] = evaluate();
            serveds[i] = client != NULL ? be_accepted(client, request) : 0;
            bares[i] = evaluate_bare(bench->bare_evaluator);
        }
        bench_add(&own, bench_quantile(owns, EDITS, 0.5));
        bench_add(&served, bench_quantile(serveds, EDITS, 0.5));
        bench_add(&bare, bench_quantile(bares, EDITS, 0.5));
    }
    report(bench, "an edit to its score, p50", &own, &bare);
    if (client != NULL) report(bench, "an edit to its acceptance by serve, p50", &served, &bare);
    free(request);
    if (client != NULL) websocket_close(client);
    if (serving != NULL) serving_close(serving);
}
