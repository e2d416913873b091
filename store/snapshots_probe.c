/* Looks whether LMDB survives the snapshots' file: in a child, which may die of it. */
#include "store/log_internal.h"
#include "store/snapshots_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static bool try_all(const char *dir, bool is_writer, bool is_lockless);
static bool has_whole_file(MDB_env *env);
static int walk_all(MDB_txn *txn);
static int walk(MDB_txn *txn, MDB_dbi dbi);
static int delete_all(MDB_txn *txn);

bool sl_snapshots_is_sound(const char *dir, bool is_writer, bool is_lockless)
{
    const pid_t child = fork();
    if (child < 0) return true; /* then it has to be risked */
    if (child == 0) {
        setrlimit(RLIMIT_CORE, &(struct rlimit){0});
        signal(SIGBUS, SIG_DFL); /* whoever guards against a damaged log says nothing of this one */
        signal(SIGSEGV, SIG_DFL);
        /* LMDB's last words. Not closed: the next file opened would be standard error, and get them. */
        const int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
        if (nowhere < 0 || dup2(nowhere, STDERR_FILENO) < 0) _exit(1);
        _exit(try_all(dir, is_writer, is_lockless) ? 0 : 1);
    }
    int ended = 0;
    pid_t got = 0;
    do {
        got = waitpid(child, &ended, 0);
    } while (got < 0 && errno == EINTR);
    return got == child && WIFEXITED(ended) && WEXITSTATUS(ended) == 0;
}

/* The child's: nothing that the parent has open is touched, and nothing is written. */
static bool try_all(const char *dir, bool is_writer, bool is_lockless)
{
    MDB_env *env = NULL;
    MDB_txn *txn = NULL;
    if (mdb_env_create(&env) != 0) return false;
    const unsigned access = is_writer ? 0 : MDB_RDONLY;
    int code = mdb_env_set_maxdbs(env, SL_SNAPSHOTS_DATABASES);
    if (code == 0) code = mdb_env_open(env, dir, MDB_NOTLS | access | (is_lockless ? MDB_NOLOCK : 0), 0600);
    if (code != 0 || !has_whole_file(env)) return false;
    code = mdb_txn_begin(env, NULL, MDB_RDONLY, &txn);
    if (code == 0) code = walk_all(txn);
    mdb_txn_abort(txn);
    txn = NULL;
    if (code == 0 && is_writer) {
        code = mdb_txn_begin(env, NULL, 0, &txn);
        if (code == 0) code = delete_all(txn);
        mdb_txn_abort(txn);
    }
    mdb_env_close(env);
    return code == 0 || code == MDB_NOTFOUND; /* its making was cut short */
}

/* LMDB maps the file without asking how long it is. */
static bool has_whole_file(MDB_env *env)
{
    MDB_envinfo info;
    MDB_stat stat;
    mdb_filehandle_t fd;
    struct stat file;
    if (mdb_env_info(env, &info) != 0 || mdb_env_stat(env, &stat) != 0) return false;
    if (mdb_env_get_fd(env, &fd) != 0 || fstat(fd, &file) != 0) return false;
    return (uint64_t)file.st_size >= ((uint64_t)info.me_last_pgno + 1) * stat.ms_psize;
}

/* Everything but the states' bytes, which their digests prove. */
static int walk_all(MDB_txn *txn)
{
    MDB_dbi names;
    MDB_dbi states;
    int code = sl_log_walk_free(txn);
    if (code == 0) code = mdb_dbi_open(txn, NULL, 0, &names);
    if (code == 0) code = walk(txn, names);
    if (code == 0) code = mdb_dbi_open(txn, SL_SNAPSHOTS_STATES, 0, &states);
    return code == 0 ? walk(txn, states) : code;
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

/* Has every page changed or freed, which looks at it more closely than reading does; in a transaction that is thrown
 * away. */
static int delete_all(MDB_txn *txn)
{
    MDB_dbi states;
    MDB_cursor *cursor = NULL;
    int code = mdb_dbi_open(txn, SL_SNAPSHOTS_STATES, 0, &states);
    if (code == 0) code = mdb_cursor_open(txn, states, &cursor);
    if (code != 0) return code;
    MDB_val key;
    MDB_val value;
    while (code == 0) {
        code = mdb_cursor_get(cursor, &key, &value, MDB_FIRST);
        if (code == 0) code = mdb_cursor_del(cursor, 0);
    }
    mdb_cursor_close(cursor);
    return code == MDB_NOTFOUND ? 0 : code;
}
