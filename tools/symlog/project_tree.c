#include "tools/symlog/project_tree.h"

#include "ingest/als.h"
#include "ingest/project_file.h"
#include "tools/symlog/host.h"

#include <stdio.h>

sl_err sl_project_tree_read(const char *path, sl_tree **tree, char errmsg[256])
{
    sl_project_file file;
    char reason[SL_ALS_REASON_BYTES];
    sl_err err = sl_project_file_read(path, &file, reason);
    if (err == SL_OK) err = sl_als_read(file.bytes, file.length, sl_host_memory(), tree, reason);
    sl_project_file_free(&file);
    if (err != SL_OK) snprintf(errmsg, 256, "%.100s: %.150s", path, reason);
    return err;
}
