/* Walks the leaf pages of an LMDB file, believing nothing. (Source: the structures in mdb.c of LMDB 0.9.) */
#include "core/bytes.h"
#include "store/salvage_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    PAGE_BYTES_USUAL = 4096,
    PAGE_BYTES_MIN = 512,
    PAGE_BYTES_MAX = 65536,
    PAGE_HEADER_BYTES = 16, /* page number u64, pad u16, flags u16, lower u16, upper u16 */
    PAGE_FLAGS_AT = 10,
    PAGE_LOWER_AT = 12,
    PAGE_FLAGS_LOOKED_AT = 0x2f, /* branch, leaf, overflow, meta, leaf2 */
    PAGE_LEAF = 2,
    META_MAGIC_AT = 16, /* of the first page */
    META_PAGE_BYTES_AT = 40,
    NODE_HEADER_BYTES = 8, /* data length u32, flags u16, key length u16 */
    NODE_BIG_DATA = 1,     /* the data is the number of the page on which it stands */
    CHUNK_BYTES = 1 << 20  /* read at once; a multiple of every page size */
};

static const uint32_t META_MAGIC = 0xBEEFC0DE;

/* A page that was read, and where it stands in the file. */
typedef struct page {
    const uint8_t *bytes;
    uint64_t position;
} page;

static sl_err walk_page(const sl_salvage_pages *pages, page page,
                        sl_err (*take)(void *ctx, const sl_salvage_node *node), void *ctx);
static bool read_node(const sl_salvage_pages *pages, page page, size_t at, sl_salvage_node *node);

uint32_t sl_salvage_page_bytes(int fd)
{
    uint8_t head[META_PAGE_BYTES_AT + 4];
    if (pread(fd, head, sizeof head, 0) != (ssize_t)sizeof head) return PAGE_BYTES_USUAL;
    if (sl_get_le(head + META_MAGIC_AT, 4) != META_MAGIC) return PAGE_BYTES_USUAL;
    uint32_t size = (uint32_t)sl_get_le(head + META_PAGE_BYTES_AT, 4);
    bool is_power = (size & (size - 1)) == 0;
    return is_power && size >= PAGE_BYTES_MIN && size <= PAGE_BYTES_MAX ? size : PAGE_BYTES_USUAL;
}

sl_err sl_salvage_walk(const sl_salvage_pages *pages, sl_err (*take)(void *ctx, const sl_salvage_node *node), void *ctx)
{
    uint8_t *chunk = malloc(CHUNK_BYTES);
    if (chunk == NULL) return SL_ERR_MEMORY;
    sl_err err = SL_OK;
    for (uint64_t position = 0; err == SL_OK && position < pages->file_bytes; position += CHUNK_BYTES) {
        ssize_t got = pread(pages->fd, chunk, CHUNK_BYTES, (off_t)position);
        if (got < 0) got = 0; /* A part of the disk that cannot be read holds no events. */
        for (size_t at = 0; err == SL_OK && at + pages->page_bytes <= (size_t)got; at += pages->page_bytes) {
            err = walk_page(pages, (page){chunk + at, position + at}, take, ctx);
        }
    }
    free(chunk);
    return err;
}

static sl_err walk_page(const sl_salvage_pages *pages, page page,
                        sl_err (*take)(void *ctx, const sl_salvage_node *node), void *ctx)
{
    if ((sl_get_le(page.bytes + PAGE_FLAGS_AT, 2) & PAGE_FLAGS_LOOKED_AT) != PAGE_LEAF) return SL_OK;
    size_t lower = (size_t)sl_get_le(page.bytes + PAGE_LOWER_AT, 2);
    if (lower > pages->page_bytes) return SL_OK;
    sl_err err = SL_OK;
    for (size_t at = PAGE_HEADER_BYTES; err == SL_OK && at + 2 <= lower; at += 2) {
        sl_salvage_node node;
        if (read_node(pages, page, (size_t)sl_get_le(page.bytes + at, 2), &node)) err = take(ctx, &node);
    }
    return err;
}

/* False: there is no whole entry at `at`. */
static bool read_node(const sl_salvage_pages *pages, page page, size_t at, sl_salvage_node *node)
{
    if (at < PAGE_HEADER_BYTES || at + NODE_HEADER_BYTES > pages->page_bytes) return false;
    const uint8_t *head = page.bytes + at;
    node->data_length = sl_get_le(head, 4);
    node->key_length = (size_t)sl_get_le(head + 6, 2);
    node->key = head + NODE_HEADER_BYTES;
    const size_t room = pages->page_bytes - at - NODE_HEADER_BYTES;
    if (node->key_length > room) return false;
    const uint8_t *data = node->key + node->key_length;
    const size_t rest = room - node->key_length;
    node->data_position = page.position + (uint64_t)(data - page.bytes);
    node->data = data;
    if ((sl_get_le(head + 4, 2) & NODE_BIG_DATA) == 0) return node->data_length <= rest;
    if (rest < 8) return false;
    const uint64_t number = sl_get_le(data, 8);
    if (number >= pages->file_bytes / pages->page_bytes) return false;
    node->data = NULL;
    node->data_position = number * pages->page_bytes + PAGE_HEADER_BYTES;
    return node->data_length <= pages->file_bytes - node->data_position;
}
