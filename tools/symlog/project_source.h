/* A project file as a source of the log: which number it has, and the session event that names it. */
#ifndef SL_TOOLS_PROJECT_SOURCE_H
#define SL_TOOLS_PROJECT_SOURCE_H

#include "core/bytes.h"
#include "core/payload.h"
#include "core/reduce.h"

#include <stdint.h>

typedef struct sl_project_source {
    char name[SL_NAME_BYTES_MAX + 1]; /* "project:" and the file's name, or that of its folder */
    uint32_t number;
    uint64_t session;
    bool is_new;
    uint8_t payload[SL_NAME_BYTES_MAX + 16]; /* of its session event */
} sl_project_source;

/* The one that the log knows by this name, in a new session; else one numbered `next`. */
void sl_project_source_find(sl_project_source *source, const sl_state *state, uint32_t next, const char *path);

/* Its session event, to be appended before anything else of it. Its payload is the source's. */
sl_event sl_project_source_event(sl_project_source *source, uint64_t time_ns);

#endif
