/* Making a base. */
#include "tools/symlog/prune.h"

#include "core/payload.h"
#include "core/state_codec.h"
#include "tools/symlog/beginning.h"
#include "tools/symlog/claims.h"
#include "tools/symlog/host.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

/* serve writes a checkpoint every 4,096 events: so far before the moment a state finds one to prove it, and a
 * checkpoint stands not farther than that behind the event that it tells of. */
enum { PROOF_EVENTS = 8192, CANCEL_EVERY = 1024 };

/* One way to the state. */
typedef struct way {
    const sl_nearest *from;
    uint64_t through; /* the state's event */
    const _Atomic bool *is_cancelled;
    sl_state *state;
    sl_claims claims;
    uint64_t proven;
    char *errmsg;
} way;

static sl_err check_range(sl_log *log, uint64_t before, char errmsg[256]);
static sl_err go(way *way, bool from_beginning);
static sl_err collect_claims(way *way);
static sl_err apply(way *way);
static sl_err judge(way *way, const sl_claim *claim);
static sl_err write_payload(const sl_state *state, uint64_t before, sl_text *payload, char errmsg[256]);
static void leave(way *way);

sl_err sl_prune_make_base(const sl_nearest *from, uint64_t before, const _Atomic bool *is_cancelled, sl_text *payload,
                          char errmsg[256])
{
    way way = {.from = from, .through = before - 1, .is_cancelled = is_cancelled, .errmsg = errmsg};
    sl_err err = check_range(from->log, before, errmsg);
    if (err == SL_OK) err = go(&way, false);
    if (err == SL_ERR_REFUSED || (err == SL_OK && way.proven == 0)) { /* it may be the snapshot that is wrong */
        leave(&way);
        err = go(&way, true);
    }
    if (err == SL_OK) err = write_payload(way.state, before, payload, errmsg);
    leave(&way);
    return err;
}

static sl_err check_range(sl_log *log, uint64_t before, char errmsg[256])
{
    sl_log_beginning beginning;
    uint64_t last = 0;
    sl_err err = sl_log_begins(log, &beginning);
    if (err == SL_OK) err = sl_log_last(log, &last);
    if (err != SL_OK) {
        snprintf(errmsg, 256, "%.255s", sl_log_error(log));
    } else if (before <= beginning.first_seq) {
        snprintf(errmsg, 256, "the log begins with event %llu, so nothing lies before event %llu",
                 (unsigned long long)beginning.first_seq, (unsigned long long)before);
        err = SL_ERR_RANGE;
    } else if (before > last + 1) {
        snprintf(errmsg, 256, "the log ends with event %llu, before event %llu", (unsigned long long)last,
                 (unsigned long long)before);
        err = SL_ERR_RANGE;
    }
    return err;
}

/* Makes the state from a snapshot that leaves room for a proof, or from the beginning. */
static sl_err go(way *way, bool from_beginning)
{
    sl_log_beginning beginning;
    sl_err err = sl_log_begins(way->from->log, &beginning);
    if (err != SL_OK) {
        snprintf(way->errmsg, 256, "%.255s", sl_log_error(way->from->log));
        return err;
    }
    const bool is_near = way->through < beginning.first_seq + PROOF_EVENTS;
    if (from_beginning || is_near) {
        err = sl_beginning_state(way->from->log, &way->state, way->errmsg);
        way->proven = 1; /* by what the log holds */
    } else {
        err = sl_nearest_state(way->from, way->through - PROOF_EVENTS, &way->state, way->errmsg);
    }
    if (err == SL_OK) err = collect_claims(way);
    return err == SL_OK ? apply(way) : err;
}

static void leave(way *way)
{
    if (way->state != NULL) sl_state_destroy(way->state);
    way->state = NULL;
    sl_claims_clear(&way->claims);
}

static sl_err read_next(way *way, sl_log_reader *reader, sl_event *event)
{
    const bool is_due = way->is_cancelled != NULL && sl_log_reader_next_seq(reader) % CANCEL_EVERY == 0;
    sl_err err = is_due && atomic_load(way->is_cancelled) ? SL_ERR_END : sl_log_read(reader, event);
    if (err == SL_ERR_END) snprintf(way->errmsg, 256, "stopped");
    if (err != SL_OK && err != SL_ERR_END) sl_host_read_error(reader, err, way->errmsg);
    return err;
}

static sl_err open_reader(const way *way, sl_log_reader **reader)
{
    sl_err err = sl_log_reader_open(way->from->log, sl_state_seq(way->state) + 1, reader);
    if (err != SL_OK) snprintf(way->errmsg, 256, "%.255s", sl_log_error(way->from->log));
    return err;
}

static sl_err collect_claims(way *way)
{
    sl_log_reader *reader = NULL;
    sl_err err = open_reader(way, &reader);
    if (err != SL_OK) return err;
    while (err == SL_OK && sl_log_reader_next_seq(reader) <= way->through + PROOF_EVENTS) {
        sl_event event;
        err = read_next(way, reader, &event);
        if (err == SL_ERR_END && sl_log_reader_next_seq(reader) > way->through) {
            err = SL_OK; /* the log's end */
            break;
        }
        if (err == SL_OK) err = sl_claims_see(&way->claims, &event);
        if (err == SL_ERR_MEMORY) snprintf(way->errmsg, 256, "%s", sl_err_text(err));
    }
    sl_log_reader_close(reader);
    sl_claims_sort(&way->claims);
    return err;
}

static sl_err apply(way *way)
{
    sl_log_reader *reader = NULL;
    sl_err err = open_reader(way, &reader);
    if (err != SL_OK) return err;
    size_t next = 0;
    while (err == SL_OK) {
        const uint64_t seq = sl_state_seq(way->state);
        const sl_claims *claims = &way->claims;
        for (; next < claims->count && claims->items[next].checkpoint.through_seq <= seq && err == SL_OK; next++) {
            if (claims->items[next].checkpoint.through_seq == seq) err = judge(way, &claims->items[next]);
        }
        if (seq == way->through || err != SL_OK) break;
        sl_event event;
        err = read_next(way, reader, &event);
        if (err == SL_OK) err = sl_reduce(way->state, &event, NULL);
        if (err == SL_ERR_MEMORY) snprintf(way->errmsg, 256, "%s", sl_err_text(err));
    }
    sl_log_reader_close(reader);
    return err;
}

static sl_err judge(way *way, const sl_claim *claim)
{
    sl_digest digest;
    if (claim->checkpoint.reducer_version != SL_REDUCER_VERSION) return SL_OK;
    sl_state_digests(way->state, NULL, &digest);
    if (sl_digest_equal(digest, claim->checkpoint.digest)) {
        way->proven++;
        return SL_OK;
    }
    snprintf(way->errmsg, 256,
             "checkpoint %llu does not find the state after event %llu that the events lead to, so nothing was pruned; "
             "symlog verify tells more",
             (unsigned long long)claim->seq, (unsigned long long)claim->checkpoint.through_seq);
    return SL_ERR_REFUSED;
}

static sl_err write_payload(const sl_state *state, uint64_t before, sl_text *payload, char errmsg[256])
{
    sl_text bytes;
    sl_text_open(&bytes, sl_host_memory());
    sl_err err = sl_state_save(state, &bytes);
    const sl_base base = {.before_seq = before, .state = (const uint8_t *)bytes.bytes, .state_length = bytes.length};
    sl_writer writer = {.capacity = sizeof before + bytes.length};
    writer.bytes = malloc(writer.capacity);
    if (writer.bytes == NULL) err = SL_ERR_MEMORY;
    if (err == SL_OK) err = sl_base_encode(&base, &writer);
    if (err == SL_OK && writer.length > SL_PAYLOAD_BYTES_MAX) err = SL_ERR_FULL;
    if (err == SL_OK) sl_text_bytes(payload, (const char *)writer.bytes, writer.length);
    if (err == SL_OK && payload->bad) err = SL_ERR_MEMORY;
    if (err != SL_OK) snprintf(errmsg, 256, "the state cannot be saved: %s", sl_err_text(err));
    free(writer.bytes);
    sl_text_close(&bytes);
    return err;
}
