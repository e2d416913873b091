/* Starting it, and asking it. */
#include "tests/bench/sounding.h"

#include "tools/symlog/rpc_client.h"

#include <stdio.h>
#include <string.h>

enum { PATIENCE_MS = 20000 };
static const uint64_t LOOK_NS = 50000000, WARM_UP_NS = 2000000000;

static bool is_running(const sounding *sounding)
{
    json_t *status = sounding_status(sounding);
    const char *phase = json_string_value(json_object_get(status, "phase"));
    const bool is_running = phase != NULL && strncmp(phase, "running", strlen("running")) == 0;
    json_decref(status);
    return is_running;
}

void sounding_open(sounding *sounding, const bench *bench, unsigned block, const char *const *words)
{
    char dir[BENCH_DIR_BYTES];
    memset(sounding, 0, sizeof *sounding);
    sounding->bench = bench;
    sounding->block = block;
    if (!sound_card_open(&sounding->card, block)) bench_die("sound: jackd does not start again");
    bench_make_dir(bench, dir);
    sounding->serving = serving_open_with(bench, dir, words);
    snprintf(sounding->url, sizeof sounding->url, "ws://127.0.0.1:%u", serving_ws_port(sounding->serving));
    const uint64_t until_ns = bench_now_ns() + PATIENCE_MS * UINT64_C(1000000);
    while (!is_running(sounding)) {
        if (bench_now_ns() > until_ns) bench_die("sound: serve does not sound");
        bench_wait_until(bench_now_ns() + LOOK_NS);
    }
}

void sounding_play(sounding *sounding, const bench *bench, unsigned block, const char *code)
{
    char frames[16];
    snprintf(frames, sizeof frames, "%u", block);
    sounding_open(sounding, bench, block, (const char *const[]){"--sound", "--block", frames, NULL});
    json_t *answer = sounding_ask(sounding, "eval", json_pack("{s:s, s:s}", "code", code, "quantize", "off"));
    if (!json_is_true(json_object_get(answer, "success"))) bench_die("sound: the code is refused");
    json_decref(answer);
    json_decref(sounding_ask(sounding, "play", NULL));
    bench_wait_until(bench_now_ns() + WARM_UP_NS);
}

void sounding_close(sounding *sounding)
{
    serving_close(sounding->serving);
    sound_card_close(&sounding->card);
}

json_t *sounding_ask(const sounding *sounding, const char *method, json_t *params)
{
    char errmsg[SL_RPC_CLIENT_ERRMSG_BYTES];
    json_t *result = NULL;
    if (sl_rpc_client_call(sounding->url, method, params, SL_RPC_CLIENT_TIMEOUT_MS, &result, errmsg) != SL_OK)
        bench_die("sound: %s: %s", method, errmsg);
    json_decref(params);
    return result;
}

json_t *sounding_status(const sounding *sounding)
{
    json_t *result = sounding_ask(sounding, "getAudioStatus", NULL);
    json_t *status = json_incref(json_object_get(result, "status"));
    json_decref(result);
    return status;
}

double sounding_number(const json_t *status, const char *object, const char *name)
{
    return json_number_value(json_object_get(json_object_get(status, object), name));
}
