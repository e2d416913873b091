/*
 * Memory in core comes only from what the caller gives: one `resize` function, so that a test can fail it at will and
 * a state can be counted in bytes.
 *
 * sl_pool cuts the big chunks that it takes from there into blocks of a few sizes and keeps freed blocks for reuse:
 * after warm-up the hot path takes and frees blocks without calling `resize`. One thread at a time.
 */
#ifndef SL_CORE_MEMORY_H
#define SL_CORE_MEMORY_H

#include <stddef.h>

/* Like realloc, with the old size told: ptr NULL allocates, new_size 0 frees (and returns NULL). Returns NULL on
 * failure, the old block then stays as it was. Results are aligned to 16 bytes. */
typedef struct sl_memory {
    void *(*resize)(void *ctx, void *ptr, size_t old_size, size_t new_size);
    void *ctx;
} sl_memory;

enum { SL_POOL_CLASSES = 28 };

typedef struct sl_pool {
    sl_memory memory;
    void *chunks;                       /* every chunk taken, linked, for sl_pool_close */
    char *next;                         /* the free rest of the newest chunk */
    size_t left;                        /* bytes in that rest */
    void *free_blocks[SL_POOL_CLASSES]; /* by size class, linked */
    size_t size_bytes;                  /* taken from `memory` in all */
} sl_pool;

/* Begins with no memory; takes chunks from `memory` when needed. */
void sl_pool_open(sl_pool *pool, sl_memory memory);

/* Gives every chunk back. Every block of the pool is gone with it. */
void sl_pool_close(sl_pool *pool);

/* A block of at least `size` bytes, not cleared, aligned to 16; NULL when memory has run out. Pool's until freed. */
void *sl_pool_take(sl_pool *pool, size_t size);

/* Frees a block taken with the same `size`; NULL is passed over. */
void sl_pool_give(sl_pool *pool, void *block, size_t size);

#endif
