/* Making a log's file so that it is there whole or not at all. */
#include "store/log_internal.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define DATA_FILE "data.mdb" /* LMDB's */
#define FRESH_DIR "new"      /* where it is made */

static int make_env(const char *dir);

int sl_log_make_file(const char *dir)
{
    char path[PATH_MAX];
    char fresh_dir[PATH_MAX];
    char fresh_path[PATH_MAX];
    int length = snprintf(fresh_path, sizeof fresh_path, "%s/" FRESH_DIR "/" DATA_FILE, dir);
    if (length < 0 || (size_t)length >= sizeof fresh_path) return ENAMETOOLONG;
    snprintf(path, sizeof path, "%s/" DATA_FILE, dir);
    snprintf(fresh_dir, sizeof fresh_dir, "%s/" FRESH_DIR, dir);
    if (access(path, F_OK) == 0) return 0;
    if (errno != ENOENT) return errno;
    if (mkdir(fresh_dir, 0700) != 0 && errno != EEXIST) return errno;
    if (unlink(fresh_path) != 0 && errno != ENOENT) return errno; /* of a making that was cut short */
    int code = make_env(fresh_dir);
    if (code == 0 && rename(fresh_path, path) != 0) code = errno;
    if (code == 0) code = sl_log_dir_sync(dir);
    (void)rmdir(fresh_dir);
    return code;
}

/* An environment without databases, flushed. */
static int make_env(const char *dir)
{
    MDB_env *env = NULL;
    int code = mdb_env_create(&env);
    if (code != 0) return code;
    code = mdb_env_open(env, dir, MDB_NOLOCK, 0600);
    if (code == 0) code = mdb_env_sync(env, 1);
    mdb_env_close(env);
    return code;
}
