/*
 * One save of a project file as events: the file as it is, then the picture made of it, or why it was refused.
 */
#ifndef SL_INGEST_PROJECT_SAVE_H
#define SL_INGEST_PROJECT_SAVE_H

#include "core/event.h"
#include "core/sink.h"
#include "ingest/als.h"

#include <stdint.h>

typedef struct sl_project_save {
    uint32_t source; /* a session event with the input SL_INPUT_PROJECT has named it */
    uint64_t session;
    uint64_t time_ns;  /* now, on the log's clock */
    uint64_t saved_ns; /* see core/picture.h, version 2 */
    int64_t mtime_ns;  /* wall clock */
    const char *path;
    const uint8_t *bytes;
    size_t length;
} sl_project_save;

/* A file that was read: both events, made before the first is put, so that neither is ever there alone for want of
 * memory. */
typedef struct sl_project_events {
    sl_event save;
    sl_event answer; /* a picture or a refused */
    sl_err verdict;  /* SL_OK, or sl_als_read's; not SL_ERR_MEMORY. SL_ERR_IO: it could not be read */
    size_t node_count;
    char reason[SL_ALS_REASON_BYTES];
    void *memory[2]; /* the payloads */
} sl_project_events;

/* Reads the file and makes its events. SL_ERR_MEMORY (nothing is to be closed then). Any thread. */
sl_err sl_project_events_make(const sl_project_save *save, sl_project_events *out);

/* The same of a file that could not be read: a save without bytes, and `reason` why. */
sl_err sl_project_events_refuse(const sl_project_save *save, const char *reason, sl_project_events *out);

void sl_project_events_close(sl_project_events *events);

#endif
