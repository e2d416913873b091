/* Events from the pages of a damaged log: found by number, proven by checksum. */
#include "store/salvage.h"

#include "core/bytes.h"
#include "core/digest.h"
#include "store/log_internal.h"
#include "store/salvage_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { RECORD_BYTES_MAX = SL_RECORD_HEADER_BYTES + SL_LOG_INLINE_BYTES_MAX };

/* A record that may be a wanted event's. */
typedef struct found {
    uint64_t seq;
    uint64_t position; /* in the file, as all positions */
    uint32_t length;
} found;

/* A payload that may be one's. */
typedef struct blob {
    uint8_t digest[SL_DIGEST_BYTES];
    uint64_t position;
    uint32_t length;
} blob;

/* A growing list of items of one size. */
typedef struct list {
    void *items;
    size_t count;
    size_t capacity;
} list;

struct sl_salvage {
    sl_salvage_pages pages;
    uint8_t id[SL_LOG_ID_BYTES];
    bool has_id;
    const sl_log_range *ranges; /* while it looks */
    size_t range_count;
    list found;                          /* of found, by number once it has looked */
    list blobs;                          /* of blob */
    uint8_t record[2][RECORD_BYTES_MAX]; /* as they were read: the good one, and another to be compared with it */
    uint8_t *buffer;                     /* a blob's payload */
    size_t buffer_capacity;
    char error[SL_LOG_ERRMSG_BYTES];
};

static sl_err take_id(void *ctx, const sl_salvage_node *node);
static sl_err take_node(void *ctx, const sl_salvage_node *node);
static sl_err take_record(sl_salvage *salvage, const sl_salvage_node *node);
static sl_err take_blob(sl_salvage *salvage, const sl_salvage_node *node);
static bool is_wanted(const sl_salvage *salvage, uint64_t seq);
static sl_err list_add(list *list, const void *item, size_t item_bytes);
static int compare_found(const void *a, const void *b);
static size_t find_first(const sl_salvage *salvage, uint64_t seq);
static bool read_bytes(const sl_salvage *salvage, uint64_t position, uint8_t *bytes, size_t length);
static sl_err take_apart(sl_salvage *salvage, uint64_t seq, const uint8_t *record, sl_event *out);
static sl_err read_blob(sl_salvage *salvage, const uint8_t *digest, sl_event *out);

sl_err sl_salvage_open(sl_salvage **out, const char *dir, char errmsg[SL_LOG_ERRMSG_BYTES])
{
    *out = NULL;
    char path[4096];
    int length = snprintf(path, sizeof path, "%s/data.mdb", dir);
    if (length < 0 || (size_t)length >= sizeof path) return sl_log_explain(errmsg, "salvage", ENAMETOOLONG);
    sl_salvage *salvage = calloc(1, sizeof *salvage);
    if (salvage == NULL) return sl_log_explain(errmsg, "salvage", ENOMEM);
    salvage->pages.fd = open(path, O_RDONLY | O_CLOEXEC);
    struct stat stat;
    if (salvage->pages.fd < 0 || fstat(salvage->pages.fd, &stat) != 0) {
        const int code = errno;
        sl_err err = sl_log_explain(errmsg, path, code);
        sl_salvage_close(salvage);
        return code == ENOENT ? SL_ERR_NOT_FOUND : err;
    }
    salvage->pages.file_bytes = (uint64_t)stat.st_size;
    salvage->pages.page_bytes = sl_salvage_page_bytes(salvage->pages.fd);
    *out = salvage;
    return SL_OK;
}

void sl_salvage_close(sl_salvage *salvage)
{
    if (salvage == NULL) return;
    if (salvage->pages.fd >= 0) close(salvage->pages.fd);
    free(salvage->found.items);
    free(salvage->blobs.items);
    free(salvage->buffer);
    free(salvage);
}

const char *sl_salvage_error(const sl_salvage *salvage)
{
    return salvage->error;
}

sl_err sl_salvage_id(sl_salvage *salvage, uint8_t id[SL_LOG_ID_BYTES])
{
    sl_err err = sl_salvage_walk(&salvage->pages, take_id, salvage);
    if (err != SL_OK) return sl_log_explain(salvage->error, "salvage", ENOMEM);
    if (!salvage->has_id) return SL_ERR_NOT_FOUND;
    memcpy(id, salvage->id, SL_LOG_ID_BYTES);
    return SL_OK;
}

/* An entry of `meta`, not of `blobs`, whose keys are longer. */
static sl_err take_id(void *ctx, const sl_salvage_node *node)
{
    sl_salvage *salvage = ctx;
    static const char name[] = "log_id";
    if (node->key_length != sizeof name - 1 || memcmp(node->key, name, sizeof name - 1) != 0) return SL_OK;
    if (node->data == NULL || node->data_length != SL_LOG_ID_BYTES) return SL_OK;
    memcpy(salvage->id, node->data, SL_LOG_ID_BYTES);
    salvage->has_id = true;
    return SL_OK;
}

sl_err sl_salvage_look(sl_salvage *salvage, const uint8_t id[SL_LOG_ID_BYTES], const sl_log_range *ranges, size_t count)
{
    memcpy(salvage->id, id, SL_LOG_ID_BYTES);
    salvage->ranges = ranges;
    salvage->range_count = count;
    salvage->found.count = salvage->blobs.count = 0;
    sl_err err = sl_salvage_walk(&salvage->pages, take_node, salvage);
    if (err != SL_OK) return sl_log_explain(salvage->error, "salvage", ENOMEM);
    if (salvage->found.count > 0) {
        qsort(salvage->found.items, salvage->found.count, sizeof(found), compare_found);
    }
    return SL_OK;
}

static sl_err take_node(void *ctx, const sl_salvage_node *node)
{
    sl_salvage *salvage = ctx;
    if (node->key_length == sizeof(uint64_t)) return take_record(salvage, node);
    if (node->key_length == SL_DIGEST_BYTES) return take_blob(salvage, node);
    return SL_OK;
}

/* Keeps what may be a wanted record; one with its payload inline only if its checksum fits. */
static sl_err take_record(sl_salvage *salvage, const sl_salvage_node *node)
{
    sl_event event;
    memcpy(&event.seq, node->key, sizeof event.seq); /* LMDB aligns keys to 2 bytes only */
    const uint64_t seq = event.seq;
    if (node->data == NULL || node->data_length < SL_RECORD_HEADER_BYTES || !is_wanted(salvage, seq)) return SL_OK;
    if (sl_record_decode(node->data, SL_RECORD_HEADER_BYTES, &event) != SL_OK) return SL_OK;
    const bool is_blob = event.length > SL_LOG_INLINE_BYTES_MAX;
    if (node->data_length != SL_RECORD_HEADER_BYTES + (is_blob ? (uint64_t)SL_DIGEST_BYTES : event.length))
        return SL_OK;
    event.seq = seq;
    event.payload = node->data + SL_RECORD_HEADER_BYTES;
    if (!is_blob && sl_record_check(&event, salvage->id, node->data) != SL_OK) return SL_OK;

    found found = {.seq = seq, .position = node->data_position, .length = (uint32_t)node->data_length};
    return list_add(&salvage->found, &found, sizeof found);
}

static sl_err take_blob(sl_salvage *salvage, const sl_salvage_node *node)
{
    if (node->data_length <= SL_LOG_BLOB_HEADER_BYTES + SL_LOG_INLINE_BYTES_MAX) return SL_OK;
    if (node->data_length > SL_LOG_BLOB_HEADER_BYTES + (uint64_t)SL_PAYLOAD_BYTES_MAX) return SL_OK;
    blob blob = {.position = node->data_position + SL_LOG_BLOB_HEADER_BYTES,
                 .length = (uint32_t)(node->data_length - SL_LOG_BLOB_HEADER_BYTES)};
    memcpy(blob.digest, node->key, sizeof blob.digest);
    return list_add(&salvage->blobs, &blob, sizeof blob);
}

static bool is_wanted(const sl_salvage *salvage, uint64_t seq)
{
    size_t low = 0;
    size_t high = salvage->range_count;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (salvage->ranges[middle].end < seq) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low < salvage->range_count && salvage->ranges[low].begin <= seq;
}

/* Copies an item to the end of its list. */
static sl_err list_add(list *list, const void *item, size_t item_bytes)
{
    if (list->count == list->capacity) {
        size_t capacity = 2 * list->capacity + 64;
        void *grown = realloc(list->items, capacity * item_bytes);
        if (grown == NULL) return SL_ERR_MEMORY;
        list->items = grown;
        list->capacity = capacity;
    }
    memcpy((uint8_t *)list->items + list->count * item_bytes, item, item_bytes);
    list->count++;
    return SL_OK;
}

static int compare_found(const void *a, const void *b)
{
    const found *left = a;
    const found *right = b;
    return (left->seq > right->seq) - (left->seq < right->seq);
}

uint64_t sl_salvage_last(const sl_salvage *salvage)
{
    const found *items = salvage->found.items;
    return salvage->found.count > 0 ? items[salvage->found.count - 1].seq : 0;
}

/* A number often stands on several pages, since LMDB writes a page anew for each change: all must say the same. */
sl_err sl_salvage_read(sl_salvage *salvage, uint64_t seq, sl_event *out)
{
    const found *items = salvage->found.items;
    const found *good = NULL;
    uint8_t *first = salvage->record[0];
    for (size_t i = find_first(salvage, seq); i < salvage->found.count && items[i].seq == seq; i++) {
        const found *other = &items[i];
        uint8_t *record = good == NULL ? first : salvage->record[1];
        if (!read_bytes(salvage, other->position, record, other->length)) continue;
        if (good != NULL && good->length == other->length && memcmp(first, record, good->length) == 0) continue;
        sl_err err = take_apart(salvage, seq, record, out);
        if (err == SL_ERR_NOT_FOUND) continue;
        if (err != SL_OK) return err;
        if (good != NULL) return SL_ERR_NOT_FOUND;
        good = other;
    }
    return good != NULL ? take_apart(salvage, seq, first, out) : SL_ERR_NOT_FOUND;
}

static bool read_bytes(const sl_salvage *salvage, uint64_t position, uint8_t *bytes, size_t length)
{
    return pread(salvage->pages.fd, bytes, length, (off_t)position) == (ssize_t)length;
}

static size_t find_first(const sl_salvage *salvage, uint64_t seq)
{
    const found *items = salvage->found.items;
    size_t low = 0;
    size_t high = salvage->found.count;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (items[middle].seq < seq) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

/* SL_ERR_NOT_FOUND: its payload is nowhere, or its checksum does not fit. */
static sl_err take_apart(sl_salvage *salvage, uint64_t seq, const uint8_t *record, sl_event *out)
{
    if (sl_record_decode(record, SL_RECORD_HEADER_BYTES, out) != SL_OK) return SL_ERR_NOT_FOUND;
    out->seq = seq;
    out->payload = record + SL_RECORD_HEADER_BYTES;
    sl_err err = out->length > SL_LOG_INLINE_BYTES_MAX ? read_blob(salvage, out->payload, out) : SL_OK;
    if (err != SL_OK) return err;
    return sl_record_check(out, salvage->id, record) == SL_OK ? SL_OK : SL_ERR_NOT_FOUND;
}

/* A blob that was written anew stands in several places, all but one of them perhaps used for something else since. */
static sl_err read_blob(sl_salvage *salvage, const uint8_t *digest, sl_event *out)
{
    if (out->length > salvage->buffer_capacity) {
        uint8_t *grown = realloc(salvage->buffer, out->length);
        if (grown == NULL) return sl_log_explain(salvage->error, "salvage", ENOMEM);
        salvage->buffer = grown;
        salvage->buffer_capacity = out->length;
    }
    out->payload = salvage->buffer;
    const blob *items = salvage->blobs.items;
    for (size_t i = 0; i < salvage->blobs.count; i++) {
        const blob *blob = &items[i];
        if (blob->length != out->length || memcmp(blob->digest, digest, SL_DIGEST_BYTES) != 0) continue;
        if (!read_bytes(salvage, blob->position, salvage->buffer, blob->length)) continue;
        const sl_digest is = sl_digest_bytes(out->payload, out->length);
        if (sl_get_le(digest, 8) == is.low && sl_get_le(digest + 8, 8) == is.high) return SL_OK;
    }
    return SL_ERR_NOT_FOUND;
}
