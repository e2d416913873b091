/* Finding a state at or before an event. */
#include "tools/symlog/nearest.h"

#include "core/state_codec.h"
#include "tools/symlog/beginning.h"
#include "tools/symlog/host.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdio.h>

enum { CANCEL_EVERY = 1024 /* events between looks */ };

static sl_err find_snapshot(const sl_nearest *from, uint64_t oldest, uint64_t seq, sl_state **state);
static sl_err apply_through(sl_log_reader *reader, sl_state *state, uint64_t seq, const _Atomic bool *is_cancelled,
                            char errmsg[256]);

sl_err sl_nearest_state(const sl_nearest *from, uint64_t seq, sl_state **state, char errmsg[256])
{
    assert(from != NULL && from->log != NULL && state != NULL);
    *state = NULL;
    sl_log_beginning beginning;
    sl_err err = sl_log_begins(from->log, &beginning);
    if (err != SL_OK) {
        snprintf(errmsg, 256, "%.255s", sl_log_error(from->log));
        return err;
    }
    err = find_snapshot(from, beginning.first_seq - 1, seq, state);
    if (err == SL_ERR_MEMORY) snprintf(errmsg, 256, "%s", sl_err_text(err));
    if (err == SL_OK || err == SL_ERR_MEMORY) return err;
    err = sl_beginning_state(from->log, state, errmsg);
    if (err != SL_OK || sl_state_seq(*state) <= seq) return err;
    snprintf(errmsg, 256, "what lay before event %llu was pruned", (unsigned long long)sl_state_seq(*state) + 1);
    sl_state_destroy(*state);
    *state = NULL;
    return SL_ERR_RANGE;
}

/* The newest good one from `oldest` to `seq`; SL_ERR_NOT_FOUND. */
static sl_err find_snapshot(const sl_nearest *from, uint64_t oldest, uint64_t seq, sl_state **state)
{
    if (from->snapshots == NULL) return SL_ERR_NOT_FOUND;
    for (;;) {
        uint64_t found = 0;
        sl_err err = sl_snapshots_nearest(from->snapshots, SL_REDUCER_VERSION, seq, &found);
        if (err != SL_OK || found < oldest) return SL_ERR_NOT_FOUND;
        err = sl_nearest_load(from->snapshots, found, state);
        if (err == SL_OK || err == SL_ERR_MEMORY) return err;
        /* One that went meanwhile was made room of. */
        if (err != SL_ERR_NOT_FOUND && from->report != NULL) from->report(from->ctx, found, sl_err_text(err));
        if (found == 0) return SL_ERR_NOT_FOUND;
        seq = found - 1;
    }
}

sl_err sl_nearest_load(sl_snapshots *snapshots, uint64_t seq, sl_state **state)
{
    sl_text bytes;
    sl_text_open(&bytes, sl_host_memory());
    sl_snapshot snapshot = {.seq = seq, .reducer_version = SL_REDUCER_VERSION};
    *state = NULL;
    sl_err err = sl_snapshots_read(snapshots, &snapshot, &bytes);
    if (err == SL_OK) err = sl_state_load((const uint8_t *)bytes.bytes, bytes.length, sl_host_memory(), state);
    sl_text_close(&bytes);
    if (err != SL_OK) return err;
    sl_digest digest;
    sl_state_digests(*state, NULL, &digest);
    if (sl_state_seq(*state) == seq && sl_digest_equal(digest, snapshot.digest)) return SL_OK;
    sl_state_destroy(*state);
    *state = NULL;
    return SL_ERR_CORRUPT;
}

sl_err sl_nearest_reach(const sl_nearest *from, uint64_t seq, const _Atomic bool *is_cancelled, sl_state **state,
                        char errmsg[256])
{
    sl_log_reader *reader = NULL;
    sl_err err = sl_nearest_state(from, seq, state, errmsg);
    if (err != SL_OK) return err;
    err = sl_log_reader_open(from->log, sl_state_seq(*state) + 1, &reader);
    if (err != SL_OK) {
        snprintf(errmsg, 256, "%.255s", sl_log_error(from->log));
    } else {
        err = apply_through(reader, *state, seq, is_cancelled, errmsg);
        sl_log_reader_close(reader);
    }
    if (err == SL_OK) return SL_OK;
    sl_state_destroy(*state);
    *state = NULL;
    return err;
}

static sl_err apply_through(sl_log_reader *reader, sl_state *state, uint64_t seq, const _Atomic bool *is_cancelled,
                            char errmsg[256])
{
    sl_err err = SL_OK;
    while (err == SL_OK && sl_state_seq(state) < seq) {
        sl_event event;
        const bool is_due = is_cancelled != NULL && sl_state_seq(state) % CANCEL_EVERY == 0;
        err = is_due && atomic_load(is_cancelled) ? SL_ERR_END : sl_log_read(reader, &event);
        if (err == SL_OK) {
            err = sl_reduce(state, &event, NULL);
            if (err != SL_OK) snprintf(errmsg, 256, "memory ran out after event %llu", (unsigned long long)event.seq);
        } else if (err == SL_ERR_END) {
            snprintf(errmsg, 256, "the log ends with event %llu", (unsigned long long)sl_state_seq(state));
        } else {
            sl_host_read_error(reader, err, errmsg);
        }
    }
    return err;
}
