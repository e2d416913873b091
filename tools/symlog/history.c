/* Telling again what was told. */
#include "tools/symlog/history.h"

#include "tools/symlog/host.h"
#include "tools/symlog/teller.h"

#include <stdatomic.h>
#include <stdio.h>

static sl_err find_end(const sl_nearest *nearest, uint64_t from, uint64_t *through, char reason[256]);
static sl_err tell_events(sl_log_reader *reader, sl_state *state, uint64_t through, const _Atomic bool *is_cancelled,
                          sl_answer *answer);
static void on_message(void *ctx, const sl_message_view *message);

sl_err sl_history_write(const sl_nearest *from_nearest, uint64_t from, uint64_t through,
                        const _Atomic bool *is_cancelled, sl_answer *answer)
{
    sl_state *state = NULL;
    sl_log_reader *reader = NULL;
    sl_err err = find_end(from_nearest, from, &through, answer->reason);
    if (err == SL_OK) err = sl_nearest_reach(from_nearest, from - 1, is_cancelled, &state, answer->reason);
    if (err != SL_OK) return err;
    err = sl_log_reader_open(from_nearest->log, from, &reader);
    if (err != SL_OK) {
        snprintf(answer->reason, sizeof answer->reason, "%.255s", sl_log_error(from_nearest->log));
    } else {
        sl_text_string(&answer->result, "{\"messages\":[");
        err = tell_events(reader, state, through, is_cancelled, answer);
        sl_log_reader_close(reader);
        sl_text_string(&answer->result, "],\"from\":");
        sl_text_u64(&answer->result, from);
        sl_text_string(&answer->result, ",\"to\":");
        sl_text_u64(&answer->result, sl_state_seq(state));
        sl_text_string(&answer->result, "}");
    }
    sl_state_destroy(state);
    return err;
}

/* Nothing is told of what comes while it is being told. */
static sl_err find_end(const sl_nearest *nearest, uint64_t from, uint64_t *through, char reason[256])
{
    uint64_t last = 0;
    sl_err err = sl_log_last(nearest->log, &last);
    if (err != SL_OK) {
        snprintf(reason, 256, "%.255s", sl_log_error(nearest->log));
        return err;
    }
    if (from > last) {
        snprintf(reason, 256, "the log ends with event %llu", (unsigned long long)last);
        return SL_ERR_RANGE;
    }
    if (*through > last) *through = last;
    if (*through - from >= SL_HISTORY_EVENTS_MAX) *through = from + SL_HISTORY_EVENTS_MAX - 1;
    return SL_OK;
}

static sl_err tell_events(sl_log_reader *reader, sl_state *state, uint64_t through, const _Atomic bool *is_cancelled,
                          sl_answer *answer)
{
    sl_teller teller;
    const sl_listener listener = {.ctx = &answer->result, .message = on_message};
    sl_teller_open(&teller, &listener);
    sl_err err = SL_OK;
    while (err == SL_OK && sl_state_seq(state) < through && answer->result.length < SL_HISTORY_BYTES_MAX) {
        sl_event event;
        err = atomic_load(is_cancelled) ? SL_ERR_END : sl_log_read(reader, &event);
        if (err == SL_OK) {
            err = sl_teller_apply(&teller, state, &event);
            if (err != SL_OK) snprintf(answer->reason, sizeof answer->reason, "%s", sl_err_text(err));
        } else if (err != SL_ERR_END) {
            sl_host_read_error(reader, err, answer->reason);
        }
    }
    sl_teller_close(&teller);
    return err;
}

static void on_message(void *ctx, const sl_message_view *message)
{
    sl_text *text = ctx;
    if (text->bad) return;
    const bool is_first = text->bytes[text->length - 1] == '[';
    if (!is_first) sl_text_string(text, ",");
    sl_text_bytes(text, message->bytes, message->length);
}
