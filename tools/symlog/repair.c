/*
 * Repair, in three steps: children survey what LMDB can still read; the rest is looked for on the file's pages; then a
 * child reads the log once more, but for what is missing, and the parent merges both into the new one.
 *
 * The child is forked before the parent opens the new log, since a child must not inherit an open LMDB environment.
 */
#include "tools/symlog/repair.h"

#include "core/bytes.h"
#include "core/payload.h"
#include "store/salvage.h"
#include "tools/symlog/command.h"
#include "tools/symlog/host.h"
#include "tools/symlog/log_batch.h"
#include "tools/symlog/progress.h"
#include "tools/symlog/survey.h"

#include <assert.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { BATCH_EVENTS = 4096, HEAD_BYTES = 8 + SL_RECORD_HEADER_BYTES /* number and header, before each payload */ };

typedef struct repair {
    char from[SL_HOST_DIR_BYTES];
    sl_survey survey;
    sl_salvage *salvage;
    uint8_t id[SL_LOG_ID_BYTES];
    uint64_t last;
    sl_log_batch batch;
    FILE *events;     // From the child that reads what LMDB can read.
    pid_t child;      // 0: there is none.
    uint64_t time_ns; // Of the newest event saved; a tombstone's too.
    uint64_t lost;
    uint64_t lost_first; // 0: none.
    uint64_t salvaged;   // Found on a page that LMDB does not lead to.
} repair;

static bool has_log(const char *dir);
static sl_err look(repair *repair, char errmsg[512]);
static sl_err look_at_pages(repair *repair, char errmsg[512]);
static uint64_t find_first(repair *repair);
static sl_err start_child(repair *repair, char errmsg[512]);
static int send_events(const repair *repair, FILE *to);
static sl_err copy(repair *repair, char errmsg[512]);
static sl_err copy_missing(repair *repair, char errmsg[512]);
static sl_err copy_sent(repair *repair, char errmsg[512]);
static sl_err add(repair *repair, const sl_event *event, char errmsg[512]);
static void print_outcome(const repair *repair, const char *dir);
static void close_all(repair *repair);

int sl_repair_run(const char *db, const char *dir)
{
    char errmsg[512];
    repair repair = {0};
    if (!sl_host_db_dir(db, repair.from, sizeof repair.from, errmsg)) return sl_failure("verify", "%s", errmsg);
    if (has_log(dir)) {
        return sl_failure("verify", "%s holds a log already; name a new folder with --repair DIR", dir);
    }
    sl_err err = look(&repair, errmsg);
    if (err == SL_OK) err = start_child(&repair, errmsg);
    if (err == SL_OK) {
        err = sl_log_batch_open(&repair.batch, BATCH_EVENTS);
        if (err != SL_OK) snprintf(errmsg, sizeof errmsg, "memory ran out");
    }
    if (err == SL_OK) err = sl_log_batch_make(&repair.batch, dir, repair.id, repair.survey.first, errmsg);
    if (err == SL_OK) err = copy(&repair, errmsg);
    if (err == SL_OK) err = sl_log_batch_check(&repair.batch, errmsg);
    int status = SL_EXIT_OK;
    if (err == SL_OK) {
        print_outcome(&repair, dir);
    } else if (repair.batch.committed > 0) {
        status = sl_failure("verify", "%s; what stands in %s is not whole: remove it", errmsg, dir);
    } else {
        status = sl_failure("verify", "%s; nothing was repaired", errmsg);
    }
    close_all(&repair);
    return status;
}

/* Looked at before anything is opened: it may be the damaged log itself. */
static bool has_log(const char *dir)
{
    char path[SL_HOST_DIR_BYTES + sizeof "/data.mdb"];
    int length = snprintf(path, sizeof path, "%s/data.mdb", dir);
    return length > 0 && (size_t)length < sizeof path && access(path, F_OK) == 0;
}

/* Finds out which events there are, and where. */
static sl_err look(repair *repair, char errmsg[512])
{
    sl_survey *survey = &repair->survey;
    sl_err err = sl_survey_make(survey, repair->from, errmsg);
    if (err == SL_ERR_NOT_FOUND) {
        snprintf(errmsg, 512, "there is no log in %.300s; name one with --db DIR", repair->from);
    }
    if (err != SL_OK) return err;
    repair->last = survey->last;
    memcpy(repair->id, survey->id, sizeof repair->id);
    const bool is_all_there = survey->has_last && survey->missing_count == 0;
    return is_all_there ? SL_OK : look_at_pages(repair, errmsg);
}

static sl_err look_at_pages(repair *repair, char errmsg[512])
{
    const sl_survey *survey = &repair->survey;
    sl_err err = sl_salvage_open(&repair->salvage, repair->from, errmsg);
    if (err != SL_OK) return err;
    if (!survey->is_open) {
        err = sl_salvage_id(repair->salvage, repair->id);
        if (err == SL_ERR_NOT_FOUND) {
            snprintf(errmsg, 512, "nothing can be saved: %.300s/data.mdb does not even tell the log's id",
                     repair->from);
            return err;
        }
    }
    const sl_log_range all = {1, UINT64_MAX};
    const sl_log_range *ranges = survey->has_last ? survey->missing : &all;
    if (err == SL_OK) {
        err = sl_salvage_look(repair->salvage, repair->id, ranges, survey->has_last ? survey->missing_count : 1);
    }
    if (err != SL_OK) snprintf(errmsg, 512, "%s", sl_salvage_error(repair->salvage));
    if (!survey->has_last) repair->last = sl_salvage_last(repair->salvage);
    if (err == SL_OK && !survey->has_last) repair->survey.first = find_first(repair);
    return err;
}

/* Where a log begins of which LMDB can read nothing: where its newest base says. What lay before it was pruned, not
 * lost. */
static uint64_t find_first(repair *repair)
{
    for (uint64_t seq = repair->last; seq > 0; seq--) {
        sl_event event;
        sl_base base;
        if (sl_salvage_read(repair->salvage, seq, &event) != SL_OK || event.kind != SL_KIND_BASE) continue;
        if (sl_base_decode(&event, &base) == SL_OK && base.before_seq >= 1 && base.before_seq <= seq)
            return base.before_seq;
    }
    return 1;
}

/* Where LMDB can read nothing there is nothing to send. */
static sl_err start_child(repair *repair, char errmsg[512])
{
    if (!repair->survey.has_last) return SL_OK;
    int ends[2];
    fflush(NULL); // Or the child would print what is still in the buffers once more.
    if (pipe(ends) != 0) {
        snprintf(errmsg, 512, "no pipe: %s", strerror(errno));
        return SL_ERR_IO;
    }
    repair->child = fork();
    if (repair->child == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        close(ends[0]);
        FILE *to = fdopen(ends[1], "w");
        _exit(to != NULL ? send_events(repair, to) : 1);
    }
    close(ends[1]);
    repair->events = fdopen(ends[0], "r");
    if (repair->child > 0 && repair->events != NULL) return SL_OK;
    snprintf(errmsg, 512, "no child process can be started: %s", strerror(errno));
    if (repair->events == NULL) close(ends[0]);
    return SL_ERR_IO;
}

/* The child. Sends the events between what is missing; what it cannot is noticed by whoever waits for it. */
static int send_events(const repair *repair, FILE *to)
{
    char errmsg[256];
    sl_log *log = NULL;
    sl_log_reader *reader = NULL;
    const sl_log_options options = {.dir = repair->from};
    if (sl_log_open(&log, &options, errmsg) != SL_OK) return 1;
    const sl_survey *survey = &repair->survey;
    uint64_t from = survey->first;
    bool is_well = true;
    for (size_t i = 0; i <= survey->missing_count && is_well; i++) {
        const bool is_rest = i == survey->missing_count;
        const uint64_t end = is_rest ? survey->last : survey->missing[i].begin - 1;
        if (from <= end) is_well = sl_log_reader_open(log, from, &reader) == SL_OK;
        for (uint64_t seq = from; seq <= end && is_well; seq++) {
            sl_event event;
            uint8_t head[HEAD_BYTES];
            is_well = sl_log_read(reader, &event) == SL_OK;
            if (!is_well) break;
            sl_put_le(head, event.seq, 8);
            sl_record_encode(&event, repair->id, head + 8);
            is_well = fwrite(head, 1, sizeof head, to) == sizeof head &&
                      fwrite(event.payload, 1, event.length, to) == event.length;
        }
        if (reader != NULL) sl_log_reader_close(reader);
        reader = NULL;
        if (!is_rest) from = survey->missing[i].end + 1;
    }
    is_well = fflush(to) == 0 && is_well;
    return is_well ? 0 : 1;
}

/* Merges what the child sends and what the pages hold. */
static sl_err copy(repair *repair, char errmsg[512])
{
    const sl_survey *survey = &repair->survey;
    sl_progress progress = sl_progress_begin("saving", repair->last, true);
    sl_err err = SL_OK;
    size_t range = 0;
    for (uint64_t seq = survey->first; seq <= repair->last && err == SL_OK; seq++) {
        while (range < survey->missing_count && survey->missing[range].end < seq) range++;
        const bool is_missing = range < survey->missing_count && survey->missing[range].begin <= seq;
        err = is_missing || repair->events == NULL ? copy_missing(repair, errmsg) : copy_sent(repair, errmsg);
        sl_progress_show(&progress, seq);
    }
    if (err == SL_OK) err = sl_log_batch_commit(&repair->batch, errmsg);
    sl_progress_end(&progress);
    return err;
}

/* An event that LMDB cannot read, or its tombstone. */
static sl_err copy_missing(repair *repair, char errmsg[512])
{
    const uint64_t seq = sl_log_batch_next(&repair->batch);
    sl_event event;
    sl_err err = sl_salvage_read(repair->salvage, seq, &event);
    if (err == SL_OK) {
        repair->salvaged++;
        sl_text_bytes(&repair->batch.payloads, (const char *)event.payload, event.length);
        return add(repair, &event, errmsg);
    }
    if (err != SL_ERR_NOT_FOUND) {
        snprintf(errmsg, 512, "%s", sl_salvage_error(repair->salvage));
        return err;
    }
    if (repair->lost++ == 0) repair->lost_first = seq;
    const sl_event tombstone = {
        .seq = seq,
        .kind = SL_KIND_LOST,
        .version = SL_PAYLOAD_VERSION,
        .source = SL_SOURCE_SELF,
        .source_seq = SL_SOURCE_SEQ_NONE,
        .time_ns = repair->time_ns,
    };
    return add(repair, &tombstone, errmsg);
}

static sl_err copy_sent(repair *repair, char errmsg[512])
{
    uint8_t head[HEAD_BYTES];
    uint8_t bytes[4096];
    sl_event event;
    sl_text *payloads = &repair->batch.payloads;
    bool is_well = fread(head, 1, sizeof head, repair->events) == sizeof head &&
                   sl_record_decode(head + 8, SL_RECORD_HEADER_BYTES, &event) == SL_OK;
    const size_t begin = payloads->length;
    for (size_t left = is_well ? event.length : 0; is_well && left > 0;) {
        const size_t part = left < sizeof bytes ? left : sizeof bytes;
        is_well = fread(bytes, 1, part, repair->events) == part;
        sl_text_bytes(payloads, (const char *)bytes, part);
        left -= part;
    }
    event.seq = sl_log_batch_next(&repair->batch);
    event.payload = payloads->length > begin ? (const uint8_t *)payloads->bytes + begin : NULL;
    is_well = is_well && !payloads->bad && sl_record_check(&event, repair->id, head + 8) == SL_OK &&
              sl_get_le(head, 8) == event.seq;
    if (is_well) return add(repair, &event, errmsg);
    snprintf(errmsg, 512, "event %llu could be read at first and cannot be any more; is the log being written?",
             (unsigned long long)event.seq);
    return SL_ERR_IO;
}

static sl_err add(repair *repair, const sl_event *event, char errmsg[512])
{
    repair->time_ns = event->time_ns;
    return sl_log_batch_add(&repair->batch, event, errmsg);
}

static void print_outcome(const repair *repair, const char *dir)
{
    const unsigned long long saved = repair->last + 1 - repair->survey.first - repair->lost;
    printf("saved %llu events into %s, log %s", saved, dir, sl_log_id_hex(repair->batch.log));
    if (repair->salvaged > 0)
        printf("; %llu of them were found on their pages alone", (unsigned long long)repair->salvaged);
    if (repair->lost > 0) {
        printf("; lost %llu, first event %llu", (unsigned long long)repair->lost,
               (unsigned long long)repair->lost_first);
    }
    if (!repair->survey.has_last) {
        printf("; whether more came after event %llu cannot be told", (unsigned long long)repair->last);
    }
    putchar('\n');
}

static void close_all(repair *repair)
{
    if (repair->events != NULL) fclose(repair->events); // Ends a child that is still sending.
    if (repair->child > 0) {
        while (waitpid(repair->child, NULL, 0) < 0 && errno == EINTR) continue;
    }
    if (repair->batch.events != NULL) sl_log_batch_close(&repair->batch);
    sl_salvage_close(repair->salvage);
    sl_survey_close(&repair->survey);
}
