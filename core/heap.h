/* The C library's heap as an sl_memory, for core's users. Core itself, which takes no memory but what it is given,
 * includes this nowhere. */
#ifndef SL_CORE_HEAP_H
#define SL_CORE_HEAP_H

#include "core/memory.h"

#include <stdlib.h>

static inline void *sl_heap_resize(void *ctx, void *ptr, size_t old_size, size_t new_size)
{
    (void)ctx;
    (void)old_size;
    if (new_size > 0) return realloc(ptr, new_size);
    free(ptr);
    return NULL;
}

/* Any thread. */
static inline sl_memory sl_heap_memory(void)
{
    return (sl_memory){.resize = sl_heap_resize};
}

#endif
