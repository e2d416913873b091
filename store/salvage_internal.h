/* LMDB's file, page by page. For store/salvage*.c alone. */
#ifndef SL_STORE_SALVAGE_INTERNAL_H
#define SL_STORE_SALVAGE_INTERNAL_H

#include "store/salvage.h"

/* An entry of a leaf page. */
typedef struct sl_salvage_node {
    const uint8_t *key;
    size_t key_length;
    const uint8_t *data;    /* NULL: it stands on pages of its own */
    uint64_t data_position; /* in the file */
    uint64_t data_length;
} sl_salvage_node;

typedef struct sl_salvage_pages {
    int fd;
    uint64_t file_bytes;
    uint32_t page_bytes;
} sl_salvage_pages;

/* The page size that the file's first page tells, or LMDB's usual one. */
uint32_t sl_salvage_page_bytes(int fd);

/* Calls `take` for every entry of every leaf page, until it fails. */
sl_err sl_salvage_walk(const sl_salvage_pages *pages, sl_err (*take)(void *ctx, const sl_salvage_node *node),
                       void *ctx);

#endif
