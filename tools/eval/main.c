/*
 * symlog-eval: one edit of live code, evaluated behind walls. One request from standard input, one answer to standard
 * output (eval_wire.h), and the end. symlog starts it, watches its memory and its time, and kills it (evaluation.h
 * in tools/symlog).
 *
 * The engine starts before the walls close, for it looks at the machine then; nobody's code is read before they are.
 */
#include "tools/eval/buffers.h"
#include "tools/eval/sandbox.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static bool read_all(sl_writer *in)
{
    for (;;) {
        ssize_t count = read(STDIN_FILENO, in->bytes + in->length, in->capacity - in->length);
        if (count <= 0) return count == 0;
        in->length += (size_t)count;
        if (in->length == in->capacity) return false;
    }
}

static bool write_all(const sl_writer *out)
{
    for (size_t done = 0; done < out->length;) {
        ssize_t count = write(STDOUT_FILENO, out->bytes + done, out->length - done);
        if (count <= 0) return false;
        done += (size_t)count;
    }
    return true;
}

static int fail(const char *what)
{
    (void)fprintf(stderr, "symlog-eval: %s\n", what);
    return EXIT_FAILURE;
}

int main(void)
{
    static uint8_t in_bytes[SL_EVAL_REQUEST_BYTES_MAX], out_bytes[SL_EVAL_ANSWER_BYTES_MAX];
    static uint8_t score_bytes[SL_SCORE_BYTES_MAX], printed_bytes[SL_EVAL_PRINTED_BYTES_MAX];
    sl_writer in = {.bytes = in_bytes, .capacity = sizeof in_bytes};
    sl_writer out = {.bytes = out_bytes, .capacity = sizeof out_bytes};
    const sl_writer score = {.bytes = score_bytes, .capacity = sizeof score_bytes};
    const sl_writer printed = {.bytes = printed_bytes, .capacity = sizeof printed_bytes};
    static sl_engine engine;
    static sl_buffers buffers;
    static sl_eval_request request;
    static sl_eval_answer answer;
    if (isatty(STDIN_FILENO)) return fail("it is symlog that talks to it: symlog eval --help");
    if (!sl_sandbox_limit()) return fail("the system does not limit this process");
    if (!sl_engine_create(&engine, score, printed)) return fail("the JavaScript engine does not start");
    if (!sl_sandbox_enter()) return fail("the system does not filter this process's calls (seccomp)");
    if (!read_all(&in) || sl_eval_request_decode(in.bytes, in.length, &request) != SL_OK) return fail("no request");
    sl_buffers_run(&buffers, &engine, &request, &answer);
    if (sl_eval_answer_encode(&answer, &out) != SL_OK || !write_all(&out)) _exit(EXIT_FAILURE);
    _exit(EXIT_SUCCESS); /* The engine takes longer to end in order. */
}
