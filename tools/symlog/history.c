/* Telling again what was told. */
#include "tools/symlog/history.h"

#include "core/message.h"
#include "tools/symlog/host.h"

#include <stdatomic.h>
#include <stdio.h>

/* While a stretch is told. */
typedef struct telling {
    sl_text *text;
    bool has_message; /* one at all */
    bool is_open;     /* the last one wants its end, which bears the event's number if none follows */
} telling;

static sl_err find_end(const sl_nearest *nearest, uint64_t from, uint64_t *through, char reason[256]);
static sl_err tell_events(sl_log_reader *reader, sl_state *state, uint64_t through, const _Atomic bool *is_cancelled,
                          sl_answer *answer);
static void tell(void *ctx, const sl_state *state, const sl_effect *effect);

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
    telling telling = {.text = &answer->result};
    const sl_output output = {.tell = tell, .ctx = &telling};
    while (sl_state_seq(state) < through && answer->result.length < SL_HISTORY_BYTES_MAX) {
        sl_event event;
        if (atomic_load(is_cancelled)) return SL_ERR_END;
        sl_err err = sl_log_read(reader, &event);
        if (err != SL_OK) {
            sl_host_read_error(reader, err, answer->reason);
            return err;
        }
        err = sl_reduce(state, &event, &output);
        if (err != SL_OK) {
            snprintf(answer->reason, sizeof answer->reason, "%s", sl_err_text(err));
            return err;
        }
        if (telling.is_open) sl_message_close(telling.text, event.seq);
        telling.is_open = false;
    }
    return SL_OK;
}

static void tell(void *ctx, const sl_state *state, const sl_effect *effect)
{
    telling *telling = ctx;
    if (effect->type == SL_EFFECT_GROUP_BEGIN || effect->type == SL_EFFECT_GROUP_END) return;
    if (telling->is_open) sl_message_close(telling->text, 0);
    if (telling->has_message) sl_text_string(telling->text, ",");
    sl_message_effect(telling->text, state, effect);
    telling->has_message = true;
    telling->is_open = true;
}
