/*
 * The checks of `symlog verify`, in two passes over the log: the first reads every record and collects the
 * checkpoints, since each tells of a state that lies before it; the second applies the events and compares.
 */
#include "tools/symlog/verify.h"

#include "core/payload.h"
#include "store/salvage.h"
#include "tools/symlog/command.h"
#include "tools/symlog/host.h"
#include "tools/symlog/progress.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DAMAGED_MAX = 1000000 /* bad events counted before the rest is given up */ };

/* A checkpoint as it stands in the log. */
typedef struct claim {
    uint64_t seq; // Of the checkpoint.
    sl_checkpoint checkpoint;
} claim;

/* What one run works with, and what it has found. */
typedef struct verify {
    sl_verify_trace *trace;
    sl_log *log;
    uint64_t last; // What is appended from now on is not looked at.
    claim *claims;
    size_t claim_count;
    size_t claim_capacity;

    uint64_t damaged;   // Events that cannot be read.
    uint64_t first_bad; // The first of them; 0: none.
    bool is_given_up;   // Too many of them to count.
    char damage[256];   // What is wrong with the first.

    uint64_t lost;       // Tombstones that a repair left.
    uint64_t first_lost; // The first of them; 0: none.

    uint64_t proven;         // Checkpoints whose digest is that of the state.
    uint64_t not_comparable; // Those of another reducer version.
    uint64_t after_loss;     // Those of a state that the lost events would have changed.
    uint64_t unreached;      // Those behind damage.
    uint64_t wrong;
    char wrong_text[256]; // The first of those.
} verify;

static sl_err check(verify *run, char errmsg[256]);
static sl_err read_all(verify *run, char errmsg[256]);
static void note_damage(verify *run, const sl_log_reader *reader, sl_err err);
static sl_err note_checkpoint(verify *run, const sl_event *event);
static int compare_claims(const void *a, const void *b);
static sl_err apply_all(verify *run, char errmsg[256]);
static void judge(verify *run, const claim *claim, sl_digest digest);
static int print_verdict(const verify *run);

int sl_verify_run(const char *db, sl_verify_trace *trace)
{
    char errmsg[256];
    verify run = {.trace = trace};
    sl_err err = sl_host_open_log(db, &run.log, errmsg);
    if (err == SL_OK) err = check(&run, errmsg);
    bool is_damaged = (err == SL_ERR_CORRUPT || err == SL_ERR_MALFORMED) && !trace->is_applying;
    int status = err == SL_OK ? print_verdict(&run) : SL_EXIT_FOUND;
    if (is_damaged) status = sl_verify_pages(db, errmsg);
    if (err != SL_OK && !is_damaged) status = sl_failure("verify", "%s", errmsg);
    trace->is_done = true;
    free(run.claims);
    sl_log_close(run.log);
    return status;
}

int sl_verify_pages(const char *db, const char *how)
{
    char dir[SL_HOST_DIR_BYTES];
    char errmsg[256];
    uint8_t id[SL_LOG_ID_BYTES];
    sl_salvage *salvage = NULL;
    const sl_log_range all = {1, UINT64_MAX};
    sl_err err = sl_host_db_dir(db, dir, sizeof dir, errmsg) ? SL_OK : SL_ERR_NOT_FOUND;
    if (err == SL_OK) err = sl_salvage_open(&salvage, dir, errmsg);
    if (err == SL_OK) err = sl_salvage_id(salvage, id);
    if (err == SL_OK) err = sl_salvage_look(salvage, id, &all, 1);
    uint64_t first = 1;
    sl_event event;
    while (err == SL_OK && sl_salvage_read(salvage, first, &event) == SL_OK) first++;
    const unsigned long long last = err == SL_OK ? sl_salvage_last(salvage) : 0;
    sl_salvage_close(salvage);
    if (err != SL_OK || last == 0) return sl_failure("verify", "not ok: %s", how); /* perhaps it is no log at all */
    if (first > last) {
        return sl_failure("verify",
                          "not ok: damaged so that it cannot be opened, first after event %llu, the last that stands "
                          "in its file (%s); symlog verify --repair DIR saves what can be saved",
                          last, how);
    }
    return sl_failure("verify",
                      "not ok: damaged so that it cannot be opened, first at event %llu (%s); symlog verify --repair "
                      "DIR saves what can be saved",
                      (unsigned long long)first, how);
}

static sl_err check(verify *run, char errmsg[256])
{
    uint64_t count = 0;
    sl_err err = sl_log_count(run->log, &count);
    if (err == SL_OK) err = sl_log_last(run->log, &run->last);
    if (run->last < count) run->last = count; // A damaged tree ends where it should not.
    if (err != SL_OK) {
        snprintf(errmsg, 256, "%.255s", sl_log_error(run->log));
        return err;
    }
    err = read_all(run, errmsg);
    if (err != SL_OK) return err;
    if (run->claim_count > 0) qsort(run->claims, run->claim_count, sizeof(claim), compare_claims);
    return apply_all(run, errmsg);
}

/* First pass: every record, damaged ones passed over. */
static sl_err read_all(verify *run, char errmsg[256])
{
    sl_log_reader *reader = NULL;
    sl_err err = sl_log_reader_open(run->log, 1, &reader);
    if (err != SL_OK) {
        snprintf(errmsg, 256, "%.255s", sl_log_error(run->log));
        return err;
    }
    sl_progress progress = sl_progress_begin("reading", run->last, true);
    while (sl_log_reader_next_seq(reader) <= run->last && !run->is_given_up) {
        run->trace->reading_seq = sl_log_reader_next_seq(reader);
        sl_event event;
        err = sl_log_read(reader, &event);
        sl_progress_show(&progress, run->trace->reading_seq);
        if (err == SL_ERR_GAP || err == SL_ERR_CORRUPT || err == SL_ERR_MALFORMED) {
            note_damage(run, reader, err);
            sl_log_reader_skip(reader);
            err = SL_OK;
            continue;
        }
        if (err == SL_OK && event.kind == SL_KIND_CHECKPOINT) err = note_checkpoint(run, &event);
        if (err == SL_OK && event.kind == SL_KIND_LOST && run->lost++ == 0) run->first_lost = event.seq;
        if (err != SL_OK) break;
    }
    sl_progress_end(&progress);
    if (err == SL_ERR_MEMORY)
        snprintf(errmsg, 256, "memory ran out");
    else if (err != SL_OK)
        sl_host_read_error(reader, err, errmsg);
    sl_log_reader_close(reader);
    return err;
}

static void note_damage(verify *run, const sl_log_reader *reader, sl_err err)
{
    if (run->first_bad == 0) {
        run->first_bad = sl_log_reader_next_seq(reader);
        run->trace->first_bad = run->first_bad;
        snprintf(run->damage, sizeof run->damage, "%s", sl_err_text(err));
    }
    run->damaged++;
    run->is_given_up = run->damaged == DAMAGED_MAX;
}

/* One that cannot be read proves nothing, and is no damage: its checksum fits. */
static sl_err note_checkpoint(verify *run, const sl_event *event)
{
    claim claim = {.seq = event->seq};
    if (sl_checkpoint_decode(event, &claim.checkpoint) != SL_OK) {
        run->not_comparable++;
        return SL_OK;
    }
    if (run->claim_count == run->claim_capacity) {
        size_t capacity = run->claim_capacity > 0 ? 2 * run->claim_capacity : 64;
        void *grown = realloc(run->claims, capacity * sizeof claim);
        if (grown == NULL) return SL_ERR_MEMORY;
        run->claims = grown;
        run->claim_capacity = capacity;
    }
    run->claims[run->claim_count++] = claim;
    return SL_OK;
}

static int compare_claims(const void *a, const void *b)
{
    const claim *left = a;
    const claim *right = b;
    uint64_t left_seq = left->checkpoint.through_seq;
    uint64_t right_seq = right->checkpoint.through_seq;
    return (left_seq > right_seq) - (left_seq < right_seq);
}

/* Second pass: as far as a checkpoint tells of, but not beyond damage. */
static sl_err apply_all(verify *run, char errmsg[256])
{
    sl_log_reader *reader = NULL;
    sl_state *state = NULL;
    sl_err err = sl_state_create(sl_host_memory(), &state);
    if (err == SL_OK) err = sl_log_reader_open(run->log, 1, &reader);
    uint64_t whole = run->first_bad > 0 ? run->first_bad - 1 : run->last;
    sl_progress progress = sl_progress_begin("applying", whole, true);
    run->trace->is_applying = true;
    for (size_t i = 0; i < run->claim_count && err == SL_OK; i++) {
        const claim *claim = &run->claims[i];
        if (claim->checkpoint.through_seq < claim->seq && claim->checkpoint.through_seq > whole) {
            run->unreached++;
            continue;
        }
        if (run->first_lost > 0 && claim->checkpoint.through_seq >= run->first_lost &&
            claim->checkpoint.through_seq < claim->seq) {
            run->after_loss++;
            continue;
        }
        uint64_t through = claim->checkpoint.through_seq < whole ? claim->checkpoint.through_seq : whole;
        sl_event event;
        while (err == SL_OK && sl_state_seq(state) < through) {
            run->trace->reading_seq = sl_log_reader_next_seq(reader);
            err = sl_log_read(reader, &event);
            if (err == SL_OK) err = sl_reduce(state, &event, NULL);
            sl_progress_show(&progress, sl_state_seq(state));
        }
        sl_digest digest;
        if (err == SL_OK) sl_state_digests(state, NULL, &digest);
        if (err == SL_OK) judge(run, claim, digest);
    }
    sl_progress_end(&progress);
    if (err != SL_OK)
        snprintf(errmsg, 256, "after event %llu: %s", state != NULL ? (unsigned long long)sl_state_seq(state) : 0,
                 sl_err_text(err));
    if (reader != NULL) sl_log_reader_close(reader);
    if (state != NULL) sl_state_destroy(state);
    return err;
}

/* `digest` is that of the state after the event that the checkpoint tells of. */
static void judge(verify *run, const claim *claim, sl_digest digest)
{
    const sl_checkpoint *checkpoint = &claim->checkpoint;
    bool is_later = checkpoint->through_seq >= claim->seq;
    if (!is_later && checkpoint->reducer_version != SL_REDUCER_VERSION) {
        run->not_comparable++;
        return;
    }
    if (!is_later && sl_digest_equal(checkpoint->digest, digest)) {
        run->proven++;
        return;
    }
    run->wrong++;
    if (run->wrong > 1) return;
    char said[SL_DIGEST_HEX + 1];
    char found[SL_DIGEST_HEX + 1];
    sl_digest_hex(checkpoint->digest, said);
    sl_digest_hex(digest, found);
    if (is_later) {
        snprintf(run->wrong_text, sizeof run->wrong_text, "checkpoint %llu tells of event %llu, which comes after it",
                 (unsigned long long)claim->seq, (unsigned long long)checkpoint->through_seq);
    } else {
        snprintf(run->wrong_text, sizeof run->wrong_text,
                 "checkpoint %llu says that event %llu gave the state %s, but it gives %s",
                 (unsigned long long)claim->seq, (unsigned long long)checkpoint->through_seq, said, found);
    }
}

static int print_verdict(const verify *run)
{
    bool is_ok = run->damaged == 0 && run->wrong == 0;
    assert((run->first_bad == 0) == (run->damaged == 0));
    fputs(is_ok ? "ok: " : "not ok: ", stdout);
    if (run->damaged > 0) {
        printf("damaged, first at event %llu (%s); symlog verify --repair DIR saves the others; ",
               (unsigned long long)run->first_bad, run->damage);
    }
    if (run->wrong > 0) printf("%s; ", run->wrong_text);
    printf("%llu events", (unsigned long long)run->last);
    if (run->damaged > 0) {
        printf(", %llu%s of them damaged", (unsigned long long)run->damaged, run->is_given_up ? " or more" : "");
    }
    if (run->lost > 0) {
        printf(", %llu of them lost, first event %llu", (unsigned long long)run->lost,
               (unsigned long long)run->first_lost);
    }
    printf("; checkpoints: %llu proven", (unsigned long long)run->proven);
    if (run->wrong > 0) printf(", %llu wrong", (unsigned long long)run->wrong);
    if (run->not_comparable > 0) {
        printf(", %llu not comparable (another reducer version)", (unsigned long long)run->not_comparable);
    }
    if (run->after_loss > 0) {
        printf(", %llu not comparable after a loss", (unsigned long long)run->after_loss);
    }
    if (run->unreached > 0) printf(", %llu behind damage", (unsigned long long)run->unreached);
    putchar('\n');
    return is_ok ? SL_EXIT_OK : SL_EXIT_FOUND;
}
