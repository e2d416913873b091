/*
 * Collecting the parts of snapshots, on a thread of its own.
 *
 * The receiver puts each part into a ring and goes on. When that is full, the part is lost to the worker; it learns so
 * from the one place `lost` beside the ring, or, when that is taken, from sl_snapshot_settle.
 */
#include "ingest/snapshot.h"

#include "core/number.h"
#include "ingest/gunzip.h"
#include "ingest/ring.h"
#include "ingest/snapshot_answers.h"
#include "ingest/snapshot_parts.h"
#include "ingest/thread.h"

#include <assert.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

enum {
    JOBS_BYTES = 8 << 20, /* of parts that wait for the worker */
    COLLECTIONS_MAX = 64  /* sources whose snapshots are known, one each */
};

typedef enum stage {
    STAGE_NONE = 0, /* a free place */
    STAGE_COLLECTING,
    STAGE_BROKEN, /* to be refused, as soon as no other part of it can come */
    STAGE_ENDED   /* there is an event; what still comes of it is passed over */
} stage;

/* The newest snapshot of a source. */
typedef struct collection {
    stage stage;
    sl_event header; /* of its event; source_seq is the last part's */
    int64_t session; /* the sender's */
    sl_snapshot_parts parts;
    const char *why; /* it is broken; static */
} collection;

struct sl_snapshot {
    /* Immutable. */
    pthread_t thread;
    int wake_fd; /* an eventfd; -1: nobody is to be woken */

    /* Receiver writes, worker reads. A job is a part: its payload is the message's type tags with their NUL, then its
     * arguments; or it is of kind SL_KIND_GAVE_UP: see sl_snapshot_settle. */
    sl_ring *jobs;
    uint8_t staging[SL_OSC_PACKET_BYTES_MAX]; /* Receiver thread only: a job's payload in one piece. */

    /* The header of the snapshot whose part did not fit: the receiver's to write while is_lost is false, else the
     * worker's. */
    sl_event lost;
    atomic_bool is_lost;
    atomic_bool is_stopping;

    /* Worker thread only. */
    collection collections[COLLECTIONS_MAX];
    unsigned collection_next; /* gives way when all are used */
    size_t size_bytes;        /* of all their parts */
    sl_snapshot_answers answers;
};

static const char too_fast[] = "its parts came faster than they could be taken";

static void wake(const sl_snapshot *snapshot);
static void *run(void *ctx);
static void take_loss(sl_snapshot *snapshot);
static void settle(sl_snapshot *snapshot, const sl_event *job);
static collection *collect(sl_snapshot *snapshot, const sl_event *job);
static collection *find(sl_snapshot *snapshot, uint32_t source);
static collection *begin(sl_snapshot *snapshot, const sl_event *header, const sl_snapshot_part *part);
static void add(sl_snapshot *snapshot, collection *collection, const sl_snapshot_part *part);
static void give_way(sl_snapshot *snapshot, collection *collection, const char *why);
static void finish(sl_snapshot *snapshot, collection *collection);
static void end(sl_snapshot *snapshot, collection *collection);

sl_err sl_snapshot_open(sl_snapshot **out, sl_sink sink, uint64_t start_ns)
{
    sl_snapshot *snapshot = calloc(1, sizeof *snapshot);
    if (snapshot == NULL) return SL_ERR_MEMORY;
    snapshot->answers.sink = sink;
    snapshot->answers.start_ns = start_ns;
    snapshot->wake_fd = -1;
    sl_err err = sl_ring_create(JOBS_BYTES, &snapshot->jobs);
    *out = err == SL_OK ? snapshot : NULL;
    if (err != SL_OK) free(snapshot);
    return err;
}

void sl_snapshot_close(sl_snapshot *snapshot)
{
    if (snapshot == NULL) return;
    for (size_t i = 0; i < COLLECTIONS_MAX; i++) end(snapshot, &snapshot->collections[i]);
    if (snapshot->wake_fd >= 0) close(snapshot->wake_fd);
    sl_ring_destroy(snapshot->jobs);
    free(snapshot);
}

sl_err sl_snapshot_start(sl_snapshot **out, sl_sink sink, uint64_t start_ns)
{
    sl_snapshot *snapshot;
    sl_err err = sl_snapshot_open(&snapshot, sink, start_ns);
    if (err != SL_OK) return err;
    snapshot->wake_fd = eventfd(0, EFD_CLOEXEC);
    err = snapshot->wake_fd >= 0 ? sl_thread_start(&snapshot->thread, "snapshot", run, snapshot) : SL_ERR_IO;
    *out = err == SL_OK ? snapshot : NULL;
    if (err != SL_OK) sl_snapshot_close(snapshot);
    return err;
}

void sl_snapshot_stop(sl_snapshot *snapshot)
{
    if (snapshot == NULL) return;
    atomic_store(&snapshot->is_stopping, true);
    wake(snapshot);
    pthread_join(snapshot->thread, NULL);
    sl_snapshot_close(snapshot);
}

void sl_snapshot_take(sl_snapshot *snapshot, const sl_event *draft, const sl_osc_message *message)
{
    size_t tags_length = message->tag_count + 1;
    size_t length = tags_length + message->arguments_length;
    assert(length <= sizeof snapshot->staging);
    memcpy(snapshot->staging, message->tags, tags_length);
    memcpy(snapshot->staging + tags_length, message->arguments, message->arguments_length);
    sl_event job = *draft;
    job.payload = snapshot->staging;
    job.length = (uint32_t)length;
    bool is_full = sl_ring_put(snapshot->jobs, &job) != SL_OK;
    if (is_full && !atomic_load(&snapshot->is_lost)) {
        snapshot->lost = *draft;
        if (!sl_snapshot_last(draft, message, &snapshot->lost.source_seq))
            snapshot->lost.source_seq = SL_SOURCE_SEQ_NONE;
        atomic_store(&snapshot->is_lost, true);
    }
    wake(snapshot);
}

bool sl_snapshot_last(const sl_event *draft, const sl_osc_message *message, uint64_t *last)
{
    sl_snapshot_part part;
    bool is_part = sl_snapshot_part_read(message->tags, message->arguments, &part) == NULL;
    *last = is_part ? sl_snapshot_part_last(&part, draft->source_seq) : draft->source_seq;
    return draft->source_seq != SL_SOURCE_SEQ_NONE;
}

bool sl_snapshot_settle(sl_snapshot *snapshot, uint32_t source, uint64_t session, uint64_t last)
{
    sl_event job = {.kind = SL_KIND_GAVE_UP, .source = source, .session = session, .source_seq = last};
    if (sl_ring_put(snapshot->jobs, &job) != SL_OK) return false;
    wake(snapshot);
    return true;
}

static void wake(const sl_snapshot *snapshot)
{
    if (snapshot->wake_fd < 0) return;
    ssize_t written = write(snapshot->wake_fd, &(uint64_t){1}, sizeof(uint64_t));
    assert(written == sizeof(uint64_t));
}

static void *run(void *ctx)
{
    sl_snapshot *snapshot = ctx;
    while (true) {
        bool is_last = atomic_load(&snapshot->is_stopping); /* Read first: what came before it is still taken. */
        while (sl_snapshot_work(snapshot)) {
        }
        take_loss(snapshot);
        if (is_last) break;
        uint64_t count;
        ssize_t got = read(snapshot->wake_fd, &count, sizeof count);
        assert(got == sizeof count || errno == EINTR);
    }
    for (size_t i = 0; i < COLLECTIONS_MAX; i++)
        give_way(snapshot, &snapshot->collections[i], "symlog stopped before its last part came");
    sl_snapshot_answer_all(&snapshot->answers);
    return NULL;
}

bool sl_snapshot_work(sl_snapshot *snapshot)
{
    sl_event job;
    if (sl_ring_take(snapshot->jobs, &job, 1) == 0) return false;
    collection *complete = NULL;
    if (job.kind == SL_KIND_GAVE_UP)
        settle(snapshot, &job);
    else
        complete = collect(snapshot, &job);
    sl_ring_release(snapshot->jobs); /* Before the long work. */
    if (complete != NULL) finish(snapshot, complete);
    return true;
}

/* What it holds is of no use any more. */
static void break_off(sl_snapshot *snapshot, collection *collection, const char *why)
{
    if (collection->stage != STAGE_COLLECTING) return;
    end(snapshot, collection);
    collection->stage = STAGE_BROKEN;
    collection->why = why;
}

static bool is_of(const collection *collection, const sl_event *header)
{
    return collection != NULL && collection->header.session == header->session &&
           collection->header.source_seq == header->source_seq;
}

static void take_loss(sl_snapshot *snapshot)
{
    if (!atomic_load(&snapshot->is_lost)) return;
    collection *collection = find(snapshot, snapshot->lost.source);
    if (is_of(collection, &snapshot->lost)) break_off(snapshot, collection, too_fast);
    atomic_store(&snapshot->is_lost, false);
}

/* Every number of a snapshot has come or was given up; if nothing has become of it yet, now it is refused. */
static void settle(sl_snapshot *snapshot, const sl_event *job)
{
    collection *collection = find(snapshot, job->source);
    bool is_older = collection != NULL && collection->header.session == job->session &&
                    collection->header.source_seq != SL_SOURCE_SEQ_NONE &&
                    sl_number_distance(job->source_seq, collection->header.source_seq) < 0;
    if (is_of(collection, job))
        give_way(snapshot, collection, "a part is missing");
    else if (!is_older && !sl_snapshot_answer_waits(&snapshot->answers, job))
        sl_snapshot_answer_refusal(&snapshot->answers, job, too_fast); /* Nothing of it got here. */
    sl_snapshot_answer_settled(&snapshot->answers, job->source, job->session, job->source_seq);
}

/* Adds a part to what its source has sent. Returns the collection if it is complete now, else NULL. */
static collection *collect(sl_snapshot *snapshot, const sl_event *job)
{
    sl_snapshot_part part;
    const char *tags = (const char *)job->payload;
    const char *why = sl_snapshot_part_read(tags, job->payload + strlen(tags) + 1, &part);
    if (why != NULL) {
        sl_snapshot_answer_refusal(&snapshot->answers, job, why);
        return NULL;
    }
    sl_event header = *job;
    header.source_seq = sl_snapshot_part_last(&part, job->source_seq);
    bool is_numbered = header.source_seq != SL_SOURCE_SEQ_NONE;
    collection *collection = find(snapshot, job->source);
    bool is_same = is_of(collection, &header);
    if (is_same && !is_numbered) {
        /* Nothing but the parts themselves tells where the next snapshot begins. */
        bool is_there = sl_snapshot_parts_have(&collection->parts, (uint32_t)part.number);
        is_same = collection->stage != STAGE_ENDED && !is_there && part.number > 0;
    }
    if (!is_same && is_numbered && collection != NULL && collection->header.session == job->session &&
        collection->header.source_seq != SL_SOURCE_SEQ_NONE &&
        sl_number_distance(header.source_seq, collection->header.source_seq) < 0) {
        /* Late. The reducer waits for an answer to every last part. */
        if (part.number == part.count - 1)
            sl_snapshot_answer_refusal(&snapshot->answers, &header, "a newer one began before its last part came");
        return NULL;
    }
    if (!is_same) collection = begin(snapshot, &header, &part);
    add(snapshot, collection, &part);
    if (collection->stage == STAGE_COLLECTING && collection->parts.missing_count == 0) return collection;
    if (!is_numbered && part.number == part.count - 1) give_way(snapshot, collection, "a part is missing");
    return NULL;
}

static collection *find(sl_snapshot *snapshot, uint32_t source)
{
    for (size_t i = 0; i < COLLECTIONS_MAX; i++) {
        collection *collection = &snapshot->collections[i];
        if (collection->stage != STAGE_NONE && collection->header.source == source) return collection;
    }
    return NULL;
}

/* An empty collection for the source of `header`: its own place, a free one, or one that has to give way. */
static collection *begin(sl_snapshot *snapshot, const sl_event *header, const sl_snapshot_part *part)
{
    collection *place = find(snapshot, header->source);
    const char *why = "another began before its last part came";
    for (size_t i = 0; i < COLLECTIONS_MAX && place == NULL; i++)
        if (snapshot->collections[i].stage == STAGE_NONE) place = &snapshot->collections[i];
    if (place == NULL) {
        place = &snapshot->collections[snapshot->collection_next++ % COLLECTIONS_MAX];
        why = "too many sources send snapshots at the same time";
    }
    give_way(snapshot, place, why);
    *place = (collection){.stage = STAGE_COLLECTING, .header = *header, .session = part->session};
    sl_err err = sl_snapshot_parts_begin(&place->parts, (uint32_t)part->count);
    snapshot->size_bytes += sl_snapshot_parts_size_bytes(&place->parts);
    if (err != SL_OK) break_off(snapshot, place, "out of memory");
    return place;
}

static void add(sl_snapshot *snapshot, collection *collection, const sl_snapshot_part *part)
{
    if (collection->stage != STAGE_COLLECTING) return;
    sl_snapshot_parts *parts = &collection->parts;
    const char *why = NULL;
    if (part->count != parts->count) why = "a part with another count of parts";
    if (part->session != collection->session) why = "a part of another session";
    if (parts->length + part->length > SL_SNAPSHOT_PACKED_BYTES_MAX) why = "it is longer than 64 MiB";
    size_t before = sl_snapshot_parts_size_bytes(parts);
    if (snapshot->size_bytes + part->length > SL_SNAPSHOT_ALL_BYTES_MAX) why = "too much is sent at the same time";
    uint32_t number = (uint32_t)part->number;
    if (why == NULL && sl_snapshot_parts_have(parts, number)) return;
    if (why == NULL && sl_snapshot_parts_add(parts, number, part->bytes, part->length) != SL_OK) why = "out of memory";
    snapshot->size_bytes += sl_snapshot_parts_size_bytes(parts) - before;
    if (why != NULL) break_off(snapshot, collection, why);
}

/* No other part will be taken: refuses a snapshot of which there is no event yet. */
static void give_way(sl_snapshot *snapshot, collection *collection, const char *why)
{
    bool is_due = collection->stage == STAGE_COLLECTING || collection->stage == STAGE_BROKEN;
    if (collection->stage == STAGE_BROKEN) why = collection->why;
    end(snapshot, collection);
    if (is_due) sl_snapshot_answer_refusal(&snapshot->answers, &collection->header, why);
}

/* Makes a picture of a complete collection. */
static void finish(sl_snapshot *snapshot, collection *collection)
{
    char reason[SL_SNAPSHOT_REASON_BYTES] = "out of memory";
    const char *why = reason;
    char *json = NULL;
    size_t json_length;
    uint8_t *picture = NULL;
    size_t picture_length;
    sl_snapshot_parts *parts = &collection->parts;
    snapshot->size_bytes -= sl_snapshot_parts_size_bytes(parts);
    sl_err err = sl_snapshot_parts_join(parts);
    snapshot->size_bytes += sl_snapshot_parts_size_bytes(parts);
    if (err == SL_OK)
        err = sl_gunzip(parts->bytes, parts->length, SL_SNAPSHOT_JSON_BYTES_MAX, &json, &json_length, &why);
    if (err == SL_OK) err = sl_snapshot_picture(json, json_length, &picture, &picture_length, reason);
    free(json);
    if (err == SL_OK) {
        err = sl_snapshot_answer_picture(&snapshot->answers, &collection->header, picture, picture_length);
        if (err != SL_OK) why = "the log's queue has no room for it";
    }
    free(picture);
    if (err != SL_OK) sl_snapshot_answer_refusal(&snapshot->answers, &collection->header, why);
    end(snapshot, collection);
}

/* Frees what a collection holds. Its place stays taken, so that its other parts are known. */
static void end(sl_snapshot *snapshot, collection *collection)
{
    if (collection->stage == STAGE_NONE) return;
    snapshot->size_bytes -= sl_snapshot_parts_size_bytes(&collection->parts);
    sl_snapshot_parts_clear(&collection->parts);
    collection->stage = STAGE_ENDED;
}
