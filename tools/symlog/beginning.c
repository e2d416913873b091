/* A log's first state. */
#include "tools/symlog/beginning.h"

#include "core/payload.h"
#include "core/state_codec.h"
#include "tools/symlog/host.h"

#include <stdio.h>

static sl_err make_empty(sl_state **state, char errmsg[256]);
static sl_err read_base(sl_log *log, const sl_log_beginning *beginning, sl_state **state, char errmsg[256]);
static sl_err load_base(const sl_event *event, uint64_t first_seq, sl_state **state, char errmsg[256]);

sl_err sl_beginning_state(sl_log *log, sl_state **state, char errmsg[256])
{
    sl_log_beginning beginning;
    *state = NULL;
    sl_err err = sl_log_begins(log, &beginning);
    if (err != SL_OK) {
        snprintf(errmsg, 256, "%.255s", sl_log_error(log));
        return err;
    }
    if (beginning.base_seq == 0) return make_empty(state, errmsg);
    err = read_base(log, &beginning, state, errmsg);
    return err == SL_ERR_VERSION && beginning.oldest_seq == 1 ? make_empty(state, errmsg) : err;
}

static sl_err make_empty(sl_state **state, char errmsg[256])
{
    sl_err err = sl_state_create(sl_host_memory(), state);
    if (err != SL_OK) snprintf(errmsg, 256, "%s", sl_err_text(err));
    return err;
}

static sl_err read_base(sl_log *log, const sl_log_beginning *beginning, sl_state **state, char errmsg[256])
{
    sl_log_reader *reader = NULL;
    sl_err err = sl_log_reader_open(log, beginning->base_seq, &reader);
    if (err != SL_OK) {
        snprintf(errmsg, 256, "%.255s", sl_log_error(log));
        return err;
    }
    sl_event event;
    err = sl_log_read(reader, &event);
    if (err != SL_OK) {
        sl_host_read_error(reader, err, errmsg);
    } else {
        err = load_base(&event, beginning->first_seq, state, errmsg);
    }
    sl_log_reader_close(reader);
    return err;
}

static sl_err load_base(const sl_event *event, uint64_t first_seq, sl_state **state, char errmsg[256])
{
    sl_base base;
    const unsigned long long seq = event->seq;
    sl_err err = sl_base_decode(event, &base);
    if (err == SL_OK && base.before_seq != first_seq) err = SL_ERR_MALFORMED;
    if (err == SL_OK) err = sl_state_load(base.state, base.state_length, sl_host_memory(), state);
    if (err == SL_OK && sl_state_seq(*state) + 1 != first_seq) {
        sl_state_destroy(*state);
        *state = NULL;
        err = SL_ERR_MALFORMED;
    }
    if (err == SL_ERR_VERSION) {
        snprintf(errmsg, 256,
                 "the log was pruned by another version of symlog: the state in its base (event %llu) means nothing to "
                 "this one, and what lay before event %llu is gone; use that version",
                 seq, (unsigned long long)first_seq);
    } else if (err != SL_OK) {
        snprintf(errmsg, 256, "the log begins with the state in event %llu, which cannot be loaded: %s", seq,
                 sl_err_text(err));
    }
    return err;
}
