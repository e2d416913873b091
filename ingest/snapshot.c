/*
 * Collecting the parts of snapshots, on a thread of its own.
 *
 * The receiver puts each part into a ring and goes on. When that is full, the part is lost, which the worker must tell
 * even if no other part ever comes: hence the one place `lost` beside the ring.
 */
#include "ingest/snapshot.h"

#include "core/payload.h"
#include "core/picture.h"
#include "ingest/clock.h"
#include "ingest/gunzip.h"
#include "ingest/ring.h"
#include "ingest/thread.h"

#include <assert.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

enum {
    JOBS_BYTES = 8 << 20, /* of parts that wait for the worker */
    COLLECTIONS_MAX = 4,  /* sources that send a snapshot at the same time */
    PUT_TRIES_MAX = 1000, /* while the log's queue is full */
    PUT_PAUSE_NS = 10000000,
    REASON_BYTES = 256
};

/* A part, as its message tells. */
typedef struct part {
    int64_t session; /* the sender's */
    int64_t number;  /* from 0 */
    int64_t count;
    const uint8_t *bytes;
    size_t length;
} part;

/* The parts that a source has sent so far. */
typedef struct collection {
    bool is_used;
    bool is_refused; /* said already; the rest of its parts is passed over */
    sl_event last;   /* header of its newest part */
    int64_t session; /* the sender's */
    int64_t next;    /* number of the next part */
    int64_t count;
    uint8_t *packed; /* malloc'ed */
    size_t length;
    size_t capacity;
} collection;

struct sl_snapshot {
    /* Immutable. */
    sl_sink sink;
    uint64_t start_ns;
    pthread_t thread;
    int wake_fd; /* an eventfd */

    /* Receiver writes, worker reads. A job's payload is the message's type tags with their NUL, then its arguments. */
    sl_ring *jobs;
    uint8_t staging[SL_OSC_PACKET_BYTES_MAX]; /* Receiver thread only: a job's payload in one piece. */

    /* The header of a part that did not fit: the receiver's to write while is_lost is false, else the worker's. */
    sl_event lost;
    atomic_bool is_lost;
    atomic_bool is_stopping;

    /* Worker thread only. */
    collection collections[COLLECTIONS_MAX];
    unsigned collection_next; /* gives way when all are used */
};

static const char lost_reason[] = "its parts came faster than they could be taken";

static void wake(const sl_snapshot *snapshot);
static void *run(void *ctx);
static bool work(sl_snapshot *snapshot);
static void take_loss(sl_snapshot *snapshot);
static collection *collect(sl_snapshot *snapshot, const sl_event *job);
static bool read_part(const sl_event *job, part *out);
static collection *find(sl_snapshot *snapshot, uint32_t source);
static collection *begin(sl_snapshot *snapshot, const sl_event *job, const part *part);
static const char *why_not(const collection *collection, const sl_event *job, const part *part);
static const char *add(collection *collection, const part *part);
static void finish(sl_snapshot *snapshot, collection *collection);
static void drop(sl_snapshot *snapshot, collection *collection, const char *why);
static void empty(collection *collection);
static void refuse(sl_snapshot *snapshot, const sl_event *header, const char *why);
static sl_err put(sl_snapshot *snapshot, const sl_event *header, sl_kind kind, const void *payload, size_t length);

sl_err sl_snapshot_start(sl_snapshot **out, sl_sink sink, uint64_t start_ns)
{
    sl_snapshot *snapshot = calloc(1, sizeof *snapshot);
    if (snapshot == NULL) return SL_ERR_MEMORY;
    snapshot->sink = sink;
    snapshot->start_ns = start_ns;
    snapshot->wake_fd = eventfd(0, EFD_CLOEXEC);
    sl_err err = snapshot->wake_fd >= 0 ? sl_ring_create(JOBS_BYTES, &snapshot->jobs) : SL_ERR_IO;
    if (err == SL_OK) err = sl_thread_start(&snapshot->thread, "snapshot", run, snapshot);
    if (err == SL_OK) {
        *out = snapshot;
        return SL_OK;
    }
    if (snapshot->wake_fd >= 0) close(snapshot->wake_fd);
    sl_ring_destroy(snapshot->jobs);
    free(snapshot);
    return err;
}

void sl_snapshot_stop(sl_snapshot *snapshot)
{
    if (snapshot == NULL) return;
    atomic_store(&snapshot->is_stopping, true);
    wake(snapshot);
    pthread_join(snapshot->thread, NULL);
    close(snapshot->wake_fd);
    sl_ring_destroy(snapshot->jobs);
    free(snapshot);
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
        atomic_store(&snapshot->is_lost, true);
    }
    wake(snapshot);
}

static void wake(const sl_snapshot *snapshot)
{
    ssize_t written = write(snapshot->wake_fd, &(uint64_t){1}, sizeof(uint64_t));
    assert(written == sizeof(uint64_t));
}

static void *run(void *ctx)
{
    sl_snapshot *snapshot = ctx;
    while (true) {
        bool is_last = atomic_load(&snapshot->is_stopping); /* Read first: what came before it is still taken. */
        while (work(snapshot)) {
        }
        take_loss(snapshot);
        if (is_last) break;
        uint64_t count;
        ssize_t got = read(snapshot->wake_fd, &count, sizeof count);
        assert(got == sizeof count || errno == EINTR);
    }
    for (size_t i = 0; i < COLLECTIONS_MAX; i++) {
        collection *collection = &snapshot->collections[i];
        if (collection->is_used) drop(snapshot, collection, "symlog stopped before its last part came");
    }
    return NULL;
}

/* Takes one part. False if none waits. */
static bool work(sl_snapshot *snapshot)
{
    sl_event job;
    if (sl_ring_take(snapshot->jobs, &job, 1) == 0) return false;
    collection *complete = collect(snapshot, &job);
    sl_ring_release(snapshot->jobs); /* Before the long work. */
    if (complete != NULL) finish(snapshot, complete);
    return true;
}

static void take_loss(sl_snapshot *snapshot)
{
    if (!atomic_load(&snapshot->is_lost)) return;
    collection *collection = find(snapshot, snapshot->lost.source);
    if (collection == NULL) collection = begin(snapshot, &snapshot->lost, &(part){0});
    collection->last = snapshot->lost;
    const bool is_late = collection->is_refused; /* and the lost part may have been the last: see collect */
    drop(snapshot, collection, lost_reason);
    if (is_late) refuse(snapshot, &snapshot->lost, lost_reason);
    atomic_store(&snapshot->is_lost, false);
}

/* Adds a part to what its source has sent. Returns the collection if it is complete now, else NULL. */
static collection *collect(sl_snapshot *snapshot, const sl_event *job)
{
    part part;
    if (!read_part(job, &part)) {
        refuse(snapshot, job, "a part's arguments are not h session, i part, i parts, b bytes");
        return NULL;
    }
    collection *collection = find(snapshot, job->source);
    if (collection == NULL) {
        collection = begin(snapshot, job, &part);
    } else if (part.number == 0) {
        drop(snapshot, collection, "another began before its last part came");
        collection = begin(snapshot, job, &part);
    }
    const char *why = why_not(collection, job, &part);
    collection->last = *job;
    if (why == NULL && !collection->is_refused) why = add(collection, &part);
    /* The reducer holds what follows a last part, also that of a snapshot whose refusal it has seen before. */
    const bool is_late = collection->is_refused && part.number == part.count - 1;
    if (why != NULL) drop(snapshot, collection, why);
    if (is_late) refuse(snapshot, job, "it was refused before its last part came");
    return !collection->is_refused && collection->next == collection->count ? collection : NULL;
}

static bool read_part(const sl_event *job, part *out)
{
    const char *tags = (const char *)job->payload;
    size_t tags_length = strlen(tags) + 1;
    bool fits = strlen(tags) >= 4 && strchr("hi", tags[0]) != NULL && strchr("hi", tags[1]) != NULL &&
                strchr("hi", tags[2]) != NULL && tags[3] == 'b';
    if (!fits) return false;
    sl_osc_cursor cursor = {.tags = tags, .bytes = job->payload + tags_length};
    sl_osc_argument arguments[4];
    for (size_t i = 0; i < 4; i++) (void)sl_osc_next(&cursor, &arguments[i]);
    *out = (part){.session = arguments[0].integer,
                  .number = arguments[1].integer,
                  .count = arguments[2].integer,
                  .bytes = arguments[3].bytes,
                  .length = arguments[3].length};
    return true;
}

static collection *find(sl_snapshot *snapshot, uint32_t source)
{
    for (size_t i = 0; i < COLLECTIONS_MAX; i++) {
        collection *collection = &snapshot->collections[i];
        if (collection->is_used && collection->last.source == source) return collection;
    }
    return NULL;
}

/* An empty collection for the source of `job`: its own, a free one, or one that has to give way. */
static collection *begin(sl_snapshot *snapshot, const sl_event *job, const part *part)
{
    collection *place = find(snapshot, job->source);
    for (size_t i = 0; i < COLLECTIONS_MAX && place == NULL; i++)
        if (!snapshot->collections[i].is_used) place = &snapshot->collections[i];
    if (place == NULL) {
        place = &snapshot->collections[snapshot->collection_next++ % COLLECTIONS_MAX];
        drop(snapshot, place, "too many sources send snapshots at the same time");
    }
    empty(place);
    place->is_used = true;
    place->is_refused = false;
    place->last = *job;
    place->session = part->session;
    place->next = 0;
    place->count = part->count;
    return place;
}

/* Why a part is not the next of a collection; NULL if it is. */
static const char *why_not(const collection *collection, const sl_event *job, const part *part)
{
    bool is_first = collection->next == 0;
    if (collection->is_refused) return NULL;
    if (part->count < 1 || part->count > SL_SNAPSHOT_PARTS_MAX) return "its count of parts is not 1 to 65536";
    if (part->number < 0 || part->number >= part->count) return "a part's number is not below the count of parts";
    if (part->session != collection->session || job->session != collection->last.session)
        return "a part of another session";
    if (part->count != collection->count) return "a part with another count of parts";
    if (part->number != collection->next) return is_first ? "its first part is missing" : "a part is missing";
    uint64_t before = collection->last.source_seq;
    bool is_numbered = before != SL_SOURCE_SEQ_NONE;
    bool follows = job->source_seq == before + 1 || (before == UINT32_MAX && job->source_seq == 0);
    if (!is_first && (is_numbered ? !follows : job->source_seq != before)) return "its parts are not consecutive";
    return NULL;
}

/* Copies a part's bytes; returns why it cannot, or NULL. */
static const char *add(collection *collection, const part *part)
{
    size_t length = collection->length + part->length;
    if (length > SL_SNAPSHOT_PACKED_BYTES_MAX) return "it is longer than 64 MiB";
    if (length > collection->capacity) {
        size_t capacity = length * 2;
        uint8_t *packed = realloc(collection->packed, capacity);
        if (packed == NULL) return "out of memory";
        collection->packed = packed;
        collection->capacity = capacity;
    }
    if (part->length > 0) memcpy(collection->packed + collection->length, part->bytes, part->length);
    collection->length = length;
    collection->next++;
    return NULL;
}

/* Makes a picture of a complete collection. */
static void finish(sl_snapshot *snapshot, collection *collection)
{
    char reason[REASON_BYTES] = "out of memory";
    const char *why = reason;
    char *json;
    size_t json_length;
    uint8_t *picture = NULL;
    size_t picture_length;
    sl_err err =
        sl_gunzip(collection->packed, collection->length, SL_SNAPSHOT_JSON_BYTES_MAX, &json, &json_length, &why);
    if (err == SL_OK) err = sl_snapshot_picture(json, json_length, &picture, &picture_length, reason);
    free(json);
    if (err == SL_OK) {
        err = put(snapshot, &collection->last, SL_KIND_PICTURE, picture, picture_length);
        if (err != SL_OK) why = "the log's queue has no room for it";
    }
    free(picture);
    if (err != SL_OK) refuse(snapshot, &collection->last, why);
    empty(collection);
    collection->is_used = false;
}

/* Refuses a collection, once, and frees what it holds. Its place stays taken, so that its other parts are known. */
static void drop(sl_snapshot *snapshot, collection *collection, const char *why)
{
    if (collection->is_refused) return;
    collection->is_refused = true;
    empty(collection);
    refuse(snapshot, &collection->last, why);
}

/* Frees the bytes of a collection. */
static void empty(collection *collection)
{
    free(collection->packed);
    collection->packed = NULL;
    collection->length = 0;
    collection->capacity = 0;
}

static void refuse(sl_snapshot *snapshot, const sl_event *header, const char *why)
{
    char reason[REASON_BYTES + 16];
    int reason_length = snprintf(reason, sizeof reason, "snapshot: %s", why);
    uint8_t payload[sizeof reason + 8];
    sl_writer writer = {.bytes = payload, .capacity = sizeof payload};
    sl_refused refused = {.kind = SL_KIND_OSC, .reason = reason, .reason_length = (size_t)reason_length};
    sl_err err = sl_refused_encode(&refused, &writer);
    assert(err == SL_OK);
    /* If even this finds no room for ten seconds, the log stands still, and whoever runs it knows. */
    err = put(snapshot, header, SL_KIND_REFUSED, payload, writer.length);
    (void)err;
}

/* Puts a draft that bears a part's source, session and number into the sink; waits while that is full. */
static sl_err put(sl_snapshot *snapshot, const sl_event *header, sl_kind kind, const void *payload, size_t length)
{
    sl_event draft = *header;
    draft.kind = (uint16_t)kind;
    draft.version = kind == SL_KIND_PICTURE ? SL_PICTURE_VERSION : SL_PAYLOAD_VERSION;
    draft.time_ns = sl_clock_boot_ns() - snapshot->start_ns;
    draft.payload = payload;
    draft.length = (uint32_t)length;
    sl_err err = snapshot->sink.put(snapshot->sink.ctx, &draft);
    for (int tries = 1; err == SL_ERR_FULL && tries < PUT_TRIES_MAX; tries++) {
        nanosleep(&(struct timespec){.tv_nsec = PUT_PAUSE_NS}, NULL);
        err = snapshot->sink.put(snapshot->sink.ctx, &draft);
    }
    return err;
}
