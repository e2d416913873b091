/* A project file on disk, read whole. */
#ifndef SL_INGEST_PROJECT_FILE_H
#define SL_INGEST_PROJECT_FILE_H

#include "core/err.h"
#include "ingest/als.h"

#include <stddef.h>
#include <stdint.h>

enum { SL_PROJECT_PATH_BYTES = 4096 };

/* A whole file in memory, its own; `mtime_ns`: wall clock. */
typedef struct sl_project_file {
    uint8_t *bytes; /* malloc'ed, NULL if length is 0 */
    size_t length;
    int64_t mtime_ns;
} sl_project_file;

/* Reads it whole. SL_ERR_IO, SL_ERR_RANGE (bigger than SL_ALS_FILE_BYTES_MAX), SL_ERR_MEMORY; `reason` says why,
 * without the path: "Permission denied". */
sl_err sl_project_file_read(const char *path, sl_project_file *file, char reason[SL_ALS_REASON_BYTES]);
void sl_project_file_free(sl_project_file *file);

#endif
