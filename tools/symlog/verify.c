/*
 * The checks of `symlog verify`, in two passes over the log: the first reads every record and collects the
 * checkpoints, since each tells of a state that lies before it; the second applies the events and compares.
 */
#include "tools/symlog/verify.h"

#include "tools/symlog/beginning.h"
#include "tools/symlog/claims.h"
#include "tools/symlog/command.h"
#include "tools/symlog/host.h"
#include "tools/symlog/progress.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DAMAGED_MAX = 1000000 /* bad events counted before the rest is given up */ };

/* What one run works with, and what it has found. */
typedef struct verify {
    sl_verify_trace *trace;
    sl_log *log;
    uint64_t first; // What a prune left; 1: there was none.
    uint64_t last;  // What is appended from now on is not looked at.
    sl_claims claims;

    uint64_t damaged;   // Events that cannot be read.
    uint64_t first_bad; // The first of them; 0: none.
    bool is_given_up;   // Too many of them to count.
    char damage[256];   // What is wrong with the first.

    uint64_t proven;         // Checkpoints whose digest is that of the state.
    uint64_t not_comparable; // Those of another reducer version.
    uint64_t unreached;      // Those behind damage.
    uint64_t pruned;         // Those of events that are no longer there.
    uint64_t wrong;
    char wrong_text[256]; // The first of those.
} verify;

static sl_err check(verify *run, char errmsg[256]);
static sl_err read_all(verify *run, char errmsg[256]);
static void note_damage(verify *run, const sl_log_reader *reader, sl_err err);
static sl_err apply_all(verify *run, char errmsg[256]);
static void judge(verify *run, const sl_claim *claim, sl_digest digest);
static int print_verdict(const verify *run);

int sl_verify_run(const char *db, sl_verify_trace *trace)
{
    char errmsg[256];
    verify run = {.trace = trace};
    sl_err err = sl_host_open_log(db, &run.log, errmsg);
    if (err == SL_OK) err = check(&run, errmsg);
    int status = err == SL_OK ? print_verdict(&run) : sl_failure("verify", "%s", errmsg);
    trace->is_done = true;
    sl_claims_clear(&run.claims);
    sl_log_close(run.log);
    return status;
}

static sl_err check(verify *run, char errmsg[256])
{
    sl_log_beginning beginning;
    sl_err err = sl_log_last(run->log, &run->last);
    if (err == SL_OK) err = sl_log_begins(run->log, &beginning);
    if (err != SL_OK) {
        snprintf(errmsg, 256, "%.255s", sl_log_error(run->log));
        return err;
    }
    run->first = beginning.first_seq;
    err = read_all(run, errmsg);
    if (err != SL_OK) return err;
    sl_claims_sort(&run->claims);
    run->not_comparable = run->claims.unreadable;
    return apply_all(run, errmsg);
}

/* First pass: every record, damaged ones passed over. */
static sl_err read_all(verify *run, char errmsg[256])
{
    sl_log_reader *reader = NULL;
    sl_err err = sl_log_reader_open(run->log, run->first, &reader);
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
        if (err == SL_OK) err = sl_claims_see(&run->claims, &event);
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
        snprintf(run->damage, sizeof run->damage, "%s", sl_err_text(err));
    }
    run->damaged++;
    run->is_given_up = run->damaged == DAMAGED_MAX;
}

/* Second pass: as far as a checkpoint tells of, but not beyond damage. */
static sl_err apply_all(verify *run, char errmsg[256])
{
    sl_log_reader *reader = NULL;
    sl_state *state = NULL;
    sl_err err = sl_beginning_state(run->log, &state, errmsg);
    if (err != SL_OK) return err;
    err = sl_log_reader_open(run->log, sl_state_seq(state) + 1, &reader);
    uint64_t whole = run->first_bad > 0 ? run->first_bad - 1 : run->last;
    sl_progress progress = sl_progress_begin("applying", whole, true);
    run->trace->is_applying = true;
    for (size_t i = 0; i < run->claims.count && err == SL_OK; i++) {
        const sl_claim *claim = &run->claims.items[i];
        if (claim->checkpoint.through_seq < sl_state_seq(state) && claim->checkpoint.through_seq + 1 < run->first) {
            run->pruned++;
            continue;
        }
        if (claim->checkpoint.through_seq < claim->seq && claim->checkpoint.through_seq > whole) {
            run->unreached++;
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
        snprintf(errmsg, 256, "after event %llu: %s", (unsigned long long)sl_state_seq(state), sl_err_text(err));
    if (reader != NULL) sl_log_reader_close(reader);
    sl_state_destroy(state);
    return err;
}

/* `digest` is that of the state after the event that the checkpoint tells of. */
static void judge(verify *run, const sl_claim *claim, sl_digest digest)
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
        printf("damaged, first at event %llu (%s), before which symlog replay --to %llu still reads; ",
               (unsigned long long)run->first_bad, run->damage, (unsigned long long)run->first_bad - 1);
    }
    if (run->wrong > 0) printf("%s; ", run->wrong_text);
    printf("%llu events", (unsigned long long)(run->last + 1 - run->first));
    if (run->first > 1) printf(" from %llu on", (unsigned long long)run->first);
    if (run->damaged > 0) {
        printf(", %llu%s of them damaged", (unsigned long long)run->damaged, run->is_given_up ? " or more" : "");
    }
    printf("; checkpoints: %llu proven", (unsigned long long)run->proven);
    if (run->wrong > 0) printf(", %llu wrong", (unsigned long long)run->wrong);
    if (run->not_comparable > 0) {
        printf(", %llu not comparable (another reducer version)", (unsigned long long)run->not_comparable);
    }
    if (run->pruned > 0) printf(", %llu of events that were pruned", (unsigned long long)run->pruned);
    if (run->unreached > 0) printf(", %llu behind damage", (unsigned long long)run->unreached);
    putchar('\n');
    return is_ok ? SL_EXIT_OK : SL_EXIT_FOUND;
}
