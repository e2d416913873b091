/* An sl_memory over the C library that counts what is out and can be told to fail. */
#ifndef SL_TESTS_COUNTED_MEMORY_H
#define SL_TESTS_COUNTED_MEMORY_H

#include "core/memory.h"

#include <stdint.h>
#include <stdlib.h>

typedef struct counted_memory {
    size_t size_bytes;   /* handed out now */
    uint64_t call_count; /* that asked for memory */
    uint64_t fail_at;    /* this call and all after it fail; 0: none */
} counted_memory;

static inline void *counted_resize(void *ctx, void *ptr, size_t old_size, size_t new_size)
{
    counted_memory *memory = ctx;
    if (new_size > 0 && ++memory->call_count >= memory->fail_at && memory->fail_at != 0) return NULL;
    void *moved = NULL;
    if (new_size == 0) free(ptr);
    if (new_size > 0) moved = realloc(ptr, new_size);
    if (new_size > 0 && moved == NULL) abort();
    memory->size_bytes += new_size - old_size;
    return moved;
}

static inline sl_memory counted_memory_of(counted_memory *memory)
{
    return (sl_memory){.resize = counted_resize, .ctx = memory};
}

#endif
