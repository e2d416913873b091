/* Looks whether LMDB survives the snapshots' file: in a child, which may die of it. */
#include "store/log_internal.h"
#include "store/snapshots_internal.h"

#include <errno.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static bool walk_all(const char *dir, bool is_lockless);
static bool walk_env(MDB_env *env);
static int walk(MDB_txn *txn, MDB_dbi dbi);

bool sl_snapshots_is_sound(const char *dir, bool is_lockless)
{
    const pid_t child = fork();
    if (child < 0) return true; /* then it has to be risked */
    if (child == 0) {
        setrlimit(RLIMIT_CORE, &(struct rlimit){0});
        close(STDERR_FILENO); /* LMDB's last words */
        _exit(walk_all(dir, is_lockless) ? 0 : 1);
    }
    int ended = 0;
    pid_t got = 0;
    do {
        got = waitpid(child, &ended, 0);
    } while (got < 0 && errno == EINTR);
    return got == child && WIFEXITED(ended) && WEXITSTATUS(ended) == 0;
}

/* The child's: nothing that the parent has open is touched. */
static bool walk_all(const char *dir, bool is_lockless)
{
    MDB_env *env = NULL;
    if (mdb_env_create(&env) != 0) return false;
    const unsigned flags = MDB_RDONLY | MDB_NOTLS | (is_lockless ? MDB_NOLOCK : 0);
    bool is_sound = mdb_env_set_maxdbs(env, SL_SNAPSHOTS_DATABASES) == 0;
    is_sound = is_sound && mdb_env_open(env, dir, flags, 0600) == 0 && walk_env(env);
    mdb_env_close(env);
    return is_sound;
}

/* Everything but the states' bytes, which their digests prove; that they are there at all the file's size tells. */
static bool walk_env(MDB_env *env)
{
    MDB_envinfo info;
    MDB_stat stat;
    mdb_filehandle_t fd;
    struct stat file;
    if (mdb_env_info(env, &info) != 0 || mdb_env_stat(env, &stat) != 0) return false;
    if (mdb_env_get_fd(env, &fd) != 0 || fstat(fd, &file) != 0) return false;
    if ((uint64_t)file.st_size < ((uint64_t)info.me_last_pgno + 1) * stat.ms_psize) return false;

    const MDB_dbi free_pages = 0; /* LMDB's own list */
    MDB_txn *txn = NULL;
    MDB_dbi names;
    MDB_dbi states;
    if (mdb_txn_begin(env, NULL, MDB_RDONLY, &txn) != 0) return false;
    int code = walk(txn, free_pages);
    if (code == 0) code = mdb_dbi_open(txn, NULL, 0, &names);
    if (code == 0) code = walk(txn, names);
    if (code == 0) code = mdb_dbi_open(txn, SL_SNAPSHOTS_STATES, 0, &states);
    if (code == 0) code = walk(txn, states);
    mdb_txn_abort(txn);
    return code == 0 || code == MDB_NOTFOUND; /* its making was cut short */
}

static int walk(MDB_txn *txn, MDB_dbi dbi)
{
    MDB_cursor *cursor = NULL;
    int code = mdb_cursor_open(txn, dbi, &cursor);
    if (code != 0) return code;
    MDB_val key;
    MDB_val value;
    code = mdb_cursor_get(cursor, &key, &value, MDB_FIRST);
    while (code == 0) code = mdb_cursor_get(cursor, &key, &value, MDB_NEXT);
    mdb_cursor_close(cursor);
    return code == MDB_NOTFOUND ? 0 : code;
}
