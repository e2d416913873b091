/* The tree of a project file on disk. */
#ifndef SL_TOOLS_PROJECT_TREE_H
#define SL_TOOLS_PROJECT_TREE_H

#include "core/err.h"
#include "core/tree.h"

/* Reads the file at `path` as a tree, the caller's. Errors as sl_project_file_read and sl_als_read; errmsg names the
 * file and says what is wrong with it. */
sl_err sl_project_tree_read(const char *path, sl_tree **tree, char errmsg[256]);

#endif
