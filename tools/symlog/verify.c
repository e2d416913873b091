/*
 * The checks of `symlog verify`, in two passes over the log: the first reads every record and collects the
 * checkpoints, since each tells of a state that lies before it; the second applies the events and compares.
 */
#include "tools/symlog/verify.h"

#include "store/salvage.h"
#include "tools/symlog/beginning.h"
#include "tools/symlog/claims.h"
#include "tools/symlog/command.h"
#include "tools/symlog/host.h"
#include "tools/symlog/nearest.h"
#include "tools/symlog/printer.h"
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

    sl_snapshots *snapshots; // NULL: there are none.
    uint64_t *snapshot_seqs; // Ascending.
    size_t snapshot_count;
    size_t snapshot_next; // The first that has not been looked at.
    uint64_t snapshots_good;
    uint64_t snapshots_bad;
    uint64_t first_bad_snapshot;

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
    uint64_t pruned;         // Those of events that are no longer there.
    uint64_t wrong;
    char wrong_text[256]; // The first of those.
} verify;

static sl_err check(verify *run, char errmsg[256]);
static sl_err read_all(verify *run, char errmsg[256]);
static void note_damage(verify *run, const sl_log_reader *reader, sl_err err);
static void list_snapshots(verify *run);
static sl_err apply_all(verify *run, char errmsg[256]);
static bool is_provable(verify *run, const sl_claim *claim, uint64_t first, uint64_t whole);
static sl_err apply_through(verify *run, sl_log_reader *reader, sl_state *state, uint64_t through,
                            sl_progress *progress);
static void check_snapshot(verify *run, sl_state *state);
static void judge(verify *run, const sl_claim *claim, sl_digest digest);
static int print_verdict(const verify *run);

int sl_verify_run(const char *db, sl_verify_trace *trace)
{
    char errmsg[256];
    verify run = {.trace = trace};
    sl_err err = sl_host_open_log(db, &run.log, errmsg);
    if (err == SL_OK) run.snapshots = sl_host_open_snapshots(db, run.log);
    if (err == SL_OK) err = check(&run, errmsg);
    bool is_damaged = (err == SL_ERR_CORRUPT || err == SL_ERR_MALFORMED) && !trace->is_applying;
    bool is_unwritable = err != SL_OK && trace->is_listing;
    int status = err == SL_OK ? print_verdict(&run) : SL_EXIT_FOUND;
    if (is_damaged) status = sl_verify_pages(db, errmsg);
    if (is_unwritable) {
        status = sl_verify_free_pages(errmsg);
    } else if (err != SL_OK && !is_damaged) {
        status = sl_failure("verify", "%s", errmsg);
    }
    trace->is_done = true;
    sl_claims_clear(&run.claims);
    free(run.snapshot_seqs);
    sl_snapshots_close(run.snapshots);
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
    if (err != SL_OK || last == 0) { /* perhaps it is no log at all */
        return sl_failure("verify", "not ok: its file cannot be read (%s), and no event stands in it", how);
    }
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

int sl_verify_free_pages(const char *how)
{
    return sl_failure("verify",
                      "not ok: every event is whole, but LMDB's list of free pages is not (%s), so that nothing can be "
                      "recorded behind them; symlog verify --repair DIR makes a new log of them",
                      how);
}

static sl_err check(verify *run, char errmsg[256])
{
    uint64_t count = 0;
    sl_err err = sl_log_count(run->log, &count);
    if (err == SL_OK) err = sl_log_last(run->log, &run->last);
    sl_log_beginning beginning = {.first_seq = 1};
    if (err == SL_OK) err = sl_log_begins(run->log, &beginning);
    if (err != SL_OK) {
        snprintf(errmsg, 256, "%.255s", sl_log_error(run->log));
        return err;
    }
    run->first = beginning.first_seq;
    const uint64_t oldest = run->first > 1 && beginning.oldest_seq > 0 ? beginning.oldest_seq : 1;
    if (run->last < oldest + count - 1) run->last = oldest + count - 1; // A damaged tree ends where it should not.
    err = read_all(run, errmsg);
    if (err != SL_OK) return err;
    sl_claims_sort(&run->claims);
    run->not_comparable = run->claims.unreadable;
    list_snapshots(run);
    err = apply_all(run, errmsg);
    if (err != SL_OK || run->damaged > 0) return err;
    // Last, since every event may be whole though this is not.
    run->trace->is_listing = true;
    err = sl_log_check_free_pages(run->log);
    if (err != SL_OK) snprintf(errmsg, 256, "%.255s", sl_log_error(run->log));
    return err;
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
        if (err == SL_ERR_END) err = SL_ERR_GAP; // Its last leaf has another number than the tree leads to.
        if (err == SL_ERR_GAP || err == SL_ERR_CORRUPT || err == SL_ERR_MALFORMED) {
            note_damage(run, reader, err);
            sl_log_reader_skip(reader);
            err = SL_OK;
            continue;
        }
        if (err == SL_OK) err = sl_claims_see(&run->claims, &event);
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

/* Those of our version. A prune or serve may remove some while we look. */
static void list_snapshots(verify *run)
{
    if (run->snapshots != NULL) run->snapshot_seqs = calloc(SL_SNAPSHOTS_COUNT_MAX, sizeof(uint64_t));
    if (run->snapshot_seqs == NULL) return;
    uint64_t *end = run->snapshot_seqs + SL_SNAPSHOTS_COUNT_MAX;
    uint64_t *first = end;
    uint64_t seq = run->last;
    while (first > run->snapshot_seqs && sl_snapshots_nearest(run->snapshots, SL_REDUCER_VERSION, seq, &seq) == SL_OK) {
        *--first = seq;
        if (seq-- == 0) break;
    }
    run->snapshot_count = (size_t)(end - first);
    memmove(run->snapshot_seqs, first, run->snapshot_count * sizeof(uint64_t));
}

/* Second pass: as far as a checkpoint or a snapshot tells of, but not beyond damage. */
static sl_err apply_all(verify *run, char errmsg[256])
{
    sl_log_reader *reader = NULL;
    sl_state *state = NULL;
    sl_err err = sl_beginning_state(run->log, &state, errmsg);
    if (err != SL_OK) return err;
    const uint64_t first = sl_state_seq(state) + 1;
    const uint64_t whole = run->first_bad > 0 ? run->first_bad - 1 : run->last;
    err = sl_log_reader_open(run->log, first, &reader);
    sl_progress progress = sl_progress_begin("applying", whole, true);
    run->trace->is_applying = true;
    for (size_t i = 0; i < run->claims.count && err == SL_OK; i++) {
        const sl_claim *claim = &run->claims.items[i];
        if (!is_provable(run, claim, first, whole)) continue;
        uint64_t through = claim->checkpoint.through_seq < whole ? claim->checkpoint.through_seq : whole;
        err = apply_through(run, reader, state, through, &progress);
        sl_digest digest;
        if (err == SL_OK) sl_state_digests(state, NULL, &digest);
        if (err == SL_OK) judge(run, claim, digest);
    }
    const uint64_t through = run->snapshot_count > 0 ? run->snapshot_seqs[run->snapshot_count - 1] : 0;
    if (err == SL_OK) err = apply_through(run, reader, state, through < whole ? through : whole, &progress);
    sl_progress_end(&progress);
    if (err != SL_OK)
        snprintf(errmsg, 256, "after event %llu: %s", (unsigned long long)sl_state_seq(state), sl_err_text(err));
    if (reader != NULL) sl_log_reader_close(reader);
    sl_state_destroy(state);
    return err;
}

/* Counts the claim if the state that it tells of cannot be had. One of a later event is judged all the same. */
static bool is_provable(verify *run, const sl_claim *claim, uint64_t first, uint64_t whole)
{
    const uint64_t through = claim->checkpoint.through_seq;
    const bool is_later = through >= claim->seq;
    uint64_t *why = NULL;
    if (through + 1 < first) {
        why = &run->pruned;
    } else if (!is_later && through > whole) {
        why = &run->unreached;
    } else if (!is_later && run->first_lost > 0 && through >= run->first_lost) {
        why = &run->after_loss;
    }
    if (why != NULL) (*why)++;
    return why == NULL;
}

static sl_err apply_through(verify *run, sl_log_reader *reader, sl_state *state, uint64_t through,
                            sl_progress *progress)
{
    sl_err err = SL_OK;
    check_snapshot(run, state);
    while (err == SL_OK && sl_state_seq(state) < through) {
        sl_event event;
        run->trace->reading_seq = sl_log_reader_next_seq(reader);
        err = sl_log_read(reader, &event);
        if (err == SL_OK) err = sl_reduce(state, &event, NULL);
        if (err == SL_OK) check_snapshot(run, state);
        sl_progress_show(progress, sl_state_seq(state));
    }
    return err;
}

/* Whether the snapshot of the event that `state` is after, if there is one, is the same. */
static void check_snapshot(verify *run, sl_state *state)
{
    const uint64_t seq = sl_state_seq(state);
    while (run->snapshot_next < run->snapshot_count && run->snapshot_seqs[run->snapshot_next] < seq) {
        run->snapshot_next++; /* of what was pruned */
    }
    if (run->snapshot_next == run->snapshot_count || run->snapshot_seqs[run->snapshot_next] > seq) return;
    run->snapshot_next++;
    sl_state *kept = NULL;
    sl_err err = sl_nearest_load(run->snapshots, seq, &kept);
    if (err == SL_ERR_NOT_FOUND) return; /* thinned out meanwhile */
    sl_digest digest;
    sl_digest kept_digest = {0};
    sl_state_digests(state, NULL, &digest);
    if (err == SL_OK) sl_state_digests(kept, NULL, &kept_digest);
    sl_state_destroy(kept);
    if (err == SL_OK && sl_digest_equal(digest, kept_digest)) {
        run->snapshots_good++;
        return;
    }
    if (run->snapshots_bad++ == 0) run->first_bad_snapshot = seq;
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
    bool is_ok = run->damaged == 0 && run->wrong == 0 && run->snapshots_bad == 0;
    assert((run->first_bad == 0) == (run->damaged == 0));
    fputs(is_ok ? "ok: " : "not ok: ", stdout);
    if (run->damaged > 0) {
        printf("damaged, first at event %llu (%s); symlog verify --repair DIR saves the others; ",
               (unsigned long long)run->first_bad, run->damage);
    }
    if (run->wrong > 0) printf("%s; ", run->wrong_text);
    printf("%llu events", (unsigned long long)(run->last + 1 - run->first));
    if (run->first > 1) printf(" from %llu on", (unsigned long long)run->first);
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
    if (run->pruned > 0) printf(", %llu of events that were pruned", (unsigned long long)run->pruned);
    if (run->unreached > 0) printf(", %llu behind damage", (unsigned long long)run->unreached);
    if (run->snapshots_good + run->snapshots_bad > 0) {
        printf("; snapshots: %llu good", (unsigned long long)run->snapshots_good);
    }
    if (run->snapshots_bad > 0) {
        printf(", %llu bad, first of event %llu (no harm to the log: delete its folder snapshots)",
               (unsigned long long)run->snapshots_bad, (unsigned long long)run->first_bad_snapshot);
    }
    putchar('\n');
    sl_printer printer = sl_printer_stdout();
    return sl_printer_close(&printer, "verify", is_ok ? SL_EXIT_OK : SL_EXIT_FOUND);
}
