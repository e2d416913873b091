/* LMDB's list of free pages, which only a writer reads: a log may be read to its end while this is damaged. */
#include "store/log.h"
#include "store/log_internal.h"

#include <string.h>

enum { FREE_PAGES = 0 /* LMDB's own list, as a database */, META_PAGES = 2 };

static bool is_page_list(const MDB_val *value);

sl_err sl_log_check_free_pages(sl_log *log)
{
    MDB_txn *txn = NULL;
    int code = sl_log_view_begin(log, &txn);
    if (code != 0) return sl_log_note(log, "free pages: mdb_txn_begin", code);
    code = sl_log_walk_free(txn);
    mdb_txn_abort(txn);
    return code == 0 ? SL_OK : sl_log_note(log, "free pages", code);
}

int sl_log_walk_free(MDB_txn *txn)
{
    MDB_cursor *cursor = NULL;
    int code = mdb_cursor_open(txn, FREE_PAGES, &cursor);
    if (code != 0) return code;
    MDB_val key;
    MDB_val value;
    code = mdb_cursor_get(cursor, &key, &value, MDB_FIRST);
    while (code == 0) {
        if (!is_page_list(&value)) code = MDB_CORRUPTED;
        if (code == 0) code = mdb_cursor_get(cursor, &key, &value, MDB_NEXT);
    }
    mdb_cursor_close(cursor);
    return code == MDB_NOTFOUND ? 0 : code;
}

/* A count, then so many page numbers, falling. LMDB believes them, and would write over pages in use. */
static bool is_page_list(const MDB_val *value)
{
    size_t count = 0;
    if (value->mv_size < sizeof count) return false;
    memcpy(&count, value->mv_data, sizeof count);
    if (count > value->mv_size / sizeof count - 1) return false;
    size_t former = SIZE_MAX;
    for (size_t i = 1; i <= count; i++) {
        size_t page = 0;
        memcpy(&page, (const uint8_t *)value->mv_data + i * sizeof page, sizeof page);
        if (page >= former || page < META_PAGES) return false;
        former = page;
    }
    return true;
}
