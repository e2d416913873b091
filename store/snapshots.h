/*
 * Snapshots: states as bytes, by the number of the event that they are after. A cache beside the log, in an LMDB
 * environment of its own (the folder `snapshots` in the log's), so that writing one never holds up an append. Losing
 * any of them, or all, costs time and nothing else. What the bytes mean is not known here.
 *
 * Bounded: when there are too many, those go first whose neighbours are nearest, measured by the square root of how far
 * back they lie. So they are dense near the head, and nowhere much more than three times as far apart as if they were
 * even.
 *
 * One process writes (the log's writer), any number may read. Records are drawn in store/README.md.
 */
#ifndef SL_STORE_SNAPSHOTS_H
#define SL_STORE_SNAPSHOTS_H

#include "core/digest.h"
#include "core/err.h"
#include "core/event.h"
#include "core/text.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SL_SNAPSHOTS_ERRMSG_BYTES = 256, SL_SNAPSHOTS_COUNT_MAX = 1024, SL_SNAPSHOTS_BYTES_MAX = 1 << 30 };

typedef struct sl_snapshots sl_snapshots;

typedef struct sl_snapshots_options {
    const char *dir;       /* the log's folder */
    const uint8_t *log_id; /* SL_LOG_ID_BYTES: snapshots of another log are none */
    bool is_writer;
    size_t count_max; /* 0: SL_SNAPSHOTS_COUNT_MAX */
    size_t bytes_max; /* 0: SL_SNAPSHOTS_BYTES_MAX */
} sl_snapshots_options;

/* What identifies one, and proves it. */
typedef struct sl_snapshot {
    uint64_t seq;             /* the state is that after this event */
    uint32_t reducer_version; /* those of different versions do not see each other */
    sl_digest digest;         /* of the state */
} sl_snapshot;

/* Opens the snapshots of the log in options->dir, once in a process at a time, and not for use after a fork. LMDB ends
 * a process that meets a damaged page, so a child (forked and gone within this call) walks the file first; a writer
 * begins anew where that went wrong, or where they were condemned, and *was_damaged (may be NULL) says so. `errmsg`
 * gets a sentence on failure. SL_ERR_NOT_FOUND: reading, and there are none; SL_ERR_CORRUPT: reading, and they are
 * damaged; SL_ERR_BUSY, as for a log; SL_ERR_IO, SL_ERR_MEMORY. */
sl_err sl_snapshots_open(sl_snapshots **out, const sl_snapshots_options *options, bool *was_damaged,
                         char errmsg[SL_SNAPSHOTS_ERRMSG_BYTES]);

/* NULL is passed over. */
void sl_snapshots_close(sl_snapshots *snapshots);

/* Keeps one, in the place of any of the same number and version, and makes room. SL_ERR_FULL: it alone is more than
 * bytes_max, or the map is full; SL_ERR_CORRUPT: condemned; SL_ERR_IO, SL_ERR_MEMORY: sl_snapshots_error. One thread at
 * a time, as all that writes. */
sl_err sl_snapshots_put(sl_snapshots *snapshots, const sl_snapshot *snapshot, const void *bytes, size_t length);

/* The number of the newest snapshot of a version at or before `seq`. SL_ERR_NOT_FOUND: there is none. Any thread, as
 * all that reads. */
sl_err sl_snapshots_nearest(sl_snapshots *snapshots, uint32_t reducer_version, uint64_t seq, uint64_t *found);

/* Appends the bytes of the snapshot with this number and version to `bytes` and sets snapshot->digest.
 * SL_ERR_NOT_FOUND; SL_ERR_CORRUPT: damaged, or another log's. */
sl_err sl_snapshots_read(sl_snapshots *snapshots, sl_snapshot *snapshot, sl_text *bytes);

/* Removes those of a version below `first` and above `last`: the log no longer leads from or to them. */
sl_err sl_snapshots_keep(sl_snapshots *snapshots, uint32_t reducer_version, uint64_t first, uint64_t last);

/* One of them was bad, so more may be: to write into a damaged file may end the process. Nothing is written any more
 * (put and keep give SL_ERR_CORRUPT), and who opens them for writing next begins anew. */
void sl_snapshots_condemn(sl_snapshots *snapshots);

/* Why the last put or keep failed. The writing thread; valid until its next call. */
const char *sl_snapshots_error(const sl_snapshots *snapshots);

#endif
