/* The pool: blocks of 28 sizes cut from chunks; what is bigger gets a chunk of its own. */
#include "core/memory.h"

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

enum {
    ALIGNMENT = 16,
    CHUNK_BYTES = 64 * 1024,
    LINEAR_CLASSES = 4,     /* 16, 32, 48, 64; then four sizes to each power of two */
    BLOCK_BYTES_MAX = 4096, /* of the largest class */
};

/* Begins every chunk. */
typedef struct chunk {
    struct chunk *next;
    struct chunk *previous;
    size_t size; /* bytes, this header included */
} chunk;

enum { CHUNK_HEADER_BYTES = (sizeof(chunk) + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT };

/* Begins every free block. */
typedef struct free_block {
    struct free_block *next;
} free_block;

static unsigned class_of(size_t size);
static size_t class_size(unsigned class);
static chunk *take_chunk(sl_pool *pool, size_t size);
static void give_chunk(sl_pool *pool, chunk *gone);
static bool renew_rest(sl_pool *pool);
static void push_free(sl_pool *pool, unsigned class, void *block);

void sl_pool_open(sl_pool *pool, sl_memory memory)
{
    *pool = (sl_pool){.memory = memory};
}

void sl_pool_close(sl_pool *pool)
{
    while (pool->chunks != NULL) give_chunk(pool, pool->chunks);
    assert(pool->size_bytes == 0);
    *pool = (sl_pool){.memory = pool->memory};
}

void *sl_pool_take(sl_pool *pool, size_t size)
{
    if (size > BLOCK_BYTES_MAX) {
        if (size > SIZE_MAX - CHUNK_HEADER_BYTES) return NULL;
        chunk *own = take_chunk(pool, CHUNK_HEADER_BYTES + size);
        return own != NULL ? (char *)own + CHUNK_HEADER_BYTES : NULL;
    }
    unsigned class = class_of(size);
    free_block *reused = pool->free_blocks[class];
    if (reused != NULL) {
        pool->free_blocks[class] = reused->next;
        return reused;
    }
    size_t needed = class_size(class);
    if (needed > pool->left && !renew_rest(pool)) return NULL;
    void *block = pool->next;
    pool->next += needed;
    pool->left -= needed;
    return block;
}

void sl_pool_give(sl_pool *pool, void *block, size_t size)
{
    if (block == NULL) return;
    if (size > BLOCK_BYTES_MAX) {
        chunk *own = (chunk *)(void *)((char *)block - CHUNK_HEADER_BYTES);
        assert(own->size == CHUNK_HEADER_BYTES + size);
        give_chunk(pool, own);
        return;
    }
    push_free(pool, class_of(size), block);
}

static unsigned class_of(size_t size)
{
    size_t last = size > 0 ? size - 1 : 0;
    if (last < (size_t)LINEAR_CLASSES * ALIGNMENT) return (unsigned)(last / ALIGNMENT);
    /* last is in [2^bit, 2^(bit + 1)); the two bits below the highest say which quarter. */
    unsigned bit = 31 - (unsigned)__builtin_clz((unsigned)last);
    unsigned quarter = (unsigned)(last >> (bit - 2)) & 3;
    return LINEAR_CLASSES + (bit - 6) * 4 + quarter;
}

static size_t class_size(unsigned class)
{
    assert(class < SL_POOL_CLASSES);
    if (class < LINEAR_CLASSES) return ((size_t) class + 1) * ALIGNMENT;
    unsigned octave = (class - LINEAR_CLASSES) / 4;
    unsigned quarter = (class - LINEAR_CLASSES) % 4;
    return (size_t)(5 + quarter) << (4 + octave);
}

static chunk *take_chunk(sl_pool *pool, size_t size)
{
    chunk *taken = pool->memory.resize(pool->memory.ctx, NULL, 0, size);
    if (taken == NULL) return NULL;
    assert((uintptr_t)taken % ALIGNMENT == 0);
    chunk *first = pool->chunks;
    *taken = (chunk){.next = first, .size = size};
    if (first != NULL) first->previous = taken;
    pool->chunks = taken;
    pool->size_bytes += size;
    return taken;
}

static void give_chunk(sl_pool *pool, chunk *gone)
{
    if (gone->next != NULL) gone->next->previous = gone->previous;
    if (gone->previous != NULL) {
        gone->previous->next = gone->next;
    } else {
        pool->chunks = gone->next;
    }
    pool->size_bytes -= gone->size;
    (void)pool->memory.resize(pool->memory.ctx, gone, gone->size, 0);
}

/* A fresh chunk to cut from. What is left of the old one becomes free blocks, so that nothing is lost. */
static bool renew_rest(sl_pool *pool)
{
    chunk *fresh = take_chunk(pool, CHUNK_BYTES);
    if (fresh == NULL) return false;
    while (pool->left >= ALIGNMENT) {
        unsigned class = class_of(pool->left);
        if (class_size(class) > pool->left) class --;
        size_t size = class_size(class);
        push_free(pool, class, pool->next);
        pool->next += size;
        pool->left -= size;
    }
    pool->next = (char *)fresh + CHUNK_HEADER_BYTES;
    pool->left = CHUNK_BYTES - CHUNK_HEADER_BYTES;
    return true;
}

static void push_free(sl_pool *pool, unsigned class, void *block)
{
    free_block *freed = block;
    freed->next = pool->free_blocks[class];
    pool->free_blocks[class] = freed;
}
