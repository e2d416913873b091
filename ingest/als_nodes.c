/* Nodes and values of a Live set's tree. */
#include "core/picture.h"
#include "ingest/als_internal.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

_Static_assert((unsigned)SL_ALS_NODES_MAX <= SL_PICTURE_NODES_MAX, "a picture can be made of any tree");

enum { LOCAL_BYTES_MAX = 40, NEW_ID_BYTES = 256 };

static const char id_mark[] = "-live-";

/* Live's own ids down to the node: "16.3" of "device-live-16.3"; "" for the project. */
static sl_id path_of(const sl_node *node)
{
    const size_t mark_length = sizeof id_mark - 1;
    for (size_t at = 0; at + mark_length <= node->id_length; at++)
        if (memcmp(node->id + at, id_mark, mark_length) == 0)
            return (sl_id){node->id + at + mark_length, node->id_length - at - mark_length};
    return (sl_id){"", 0};
}

/* Too long (racks in racks in racks): a digest of it stands for the way down. */
static size_t shorten(char id[NEW_ID_BYTES], sl_node_type type, size_t length)
{
    sl_digest digest = sl_digest_bytes(id, length);
    int written = snprintf(id, NEW_ID_BYTES, "%s%s%016llx%016llx", sl_schema_type_name(type), id_mark,
                           (unsigned long long)digest.high, (unsigned long long)digest.low);
    return (size_t)written;
}

static sl_id make_id(als_reader *reader, const sl_node *parent, sl_node_type type, const char *local,
                     char id[NEW_ID_BYTES])
{
    sl_id path = path_of(parent);
    int written = snprintf(id, NEW_ID_BYTES, "%s%s%.*s%s%.*s", sl_schema_type_name(type), id_mark, (int)path.length,
                           path.bytes, path.length > 0 && local[0] != '\0' ? "." : "", LOCAL_BYTES_MAX, local);
    size_t length = (size_t)written;
    assert(length < NEW_ID_BYTES);
    if (length > SL_ID_BYTES_MAX) length = shorten(id, type, length);
    size_t plain = length;
    while (sl_tree_find(reader->tree, id, length) != NULL)
        length = plain + (size_t)snprintf(id + plain, NEW_ID_BYTES - plain, "~%u", ++reader->made_count);
    if (length > SL_ID_BYTES_MAX) length = shorten(id, type, length);
    return (sl_id){id, length};
}

static unsigned depth_of(const sl_node *node)
{
    unsigned depth = 0;
    while ((node = sl_node_parent(node)) != NULL) depth++;
    return depth;
}

static bool may_add(als_reader *reader, const sl_node *parent)
{
    if (reader->err != SL_OK) return false;
    if (sl_tree_node_count(reader->tree) >= SL_ALS_NODES_MAX)
        (void)als_fail(reader, SL_ERR_RANGE, "more than %d nodes", SL_ALS_NODES_MAX);
    else if (depth_of(parent) + 2 > SL_PICTURE_DEPTH_MAX)
        (void)als_fail(reader, SL_ERR_REFUSED, "racks nested too deep");
    return reader->err == SL_OK;
}

sl_node *als_add(als_reader *reader, sl_node *parent, sl_node_type type, const char *local)
{
    if (!may_add(reader, parent)) return NULL;
    char bytes[NEW_ID_BYTES];
    sl_node *node = NULL;
    sl_id id = make_id(reader, parent, type, local, bytes);
    uint32_t position = sl_node_child_count(parent, type);
    if (sl_tree_insert(reader->tree, parent, type, position, id, &node) == SL_OK) return node;
    (void)als_fail(reader, SL_ERR_MEMORY, "out of memory");
    return NULL;
}

void als_set(als_reader *reader, sl_node *node, sl_attribute attribute, sl_value value)
{
    if (reader->err != SL_OK || sl_schema_slot((sl_node_type)node->type, attribute) < 0) return;
    if (sl_tree_set(reader->tree, node, attribute, value, NULL, NULL) != SL_OK)
        (void)als_fail(reader, SL_ERR_MEMORY, "out of memory");
    sl_tree_bury(reader->tree);
}

bool als_bool(const char *text)
{
    return strcmp(text, "true") == 0 || strcmp(text, "1") == 0;
}

bool als_number(const char *text, double *out)
{
    char *end;
    *out = strtod(text, &end);
    return end != text && *end == '\0' && isfinite(*out);
}

void als_set_text(als_reader *reader, sl_node *node, sl_attribute attribute, const char *text)
{
    double number;
    bool is_number = als_number(text, &number);
    switch (sl_schema_value_type(attribute)) {
    case SL_VALUE_TEXT: als_set(reader, node, attribute, sl_value_text(text, strlen(text))); break;
    case SL_VALUE_BOOL: als_set(reader, node, attribute, sl_value_bool(als_bool(text))); break;
    case SL_VALUE_FLOAT:
        if (is_number) als_set(reader, node, attribute, sl_value_float(number));
        break;
    case SL_VALUE_INT:
        if (is_number && fabs(number) < 9e15) als_set(reader, node, attribute, sl_value_int((int64_t)number));
        break;
    case SL_VALUE_ABSENT:
    case SL_VALUE_NULL:
    case SL_VALUE_JSON: break; /* written by functions of their own */
    }
}

/* Live's palette, as its manual shows it: five rows of fourteen. */
static const int32_t palette[] = {
    0xff94a6, 0xffa529, 0xcc9927, 0xf7f47c, 0xbffb00, 0x1aff2f, 0x25ffa8, 0x5cffe8, 0x8bc5ff, 0x5480e4,
    0x92a7ff, 0xd86ce4, 0xe553a0, 0xffffff, 0xff3636, 0xf66c03, 0x99724b, 0xfff034, 0x87ff67, 0x3dc300,
    0x00bfaf, 0x19e9ff, 0x10a4ee, 0x007dc0, 0x886ce4, 0xb677c6, 0xff39d4, 0xd0d0d0, 0xe2675a, 0xffa374,
    0xd3ad71, 0xedffae, 0xd2e498, 0xbad074, 0x9bc48d, 0xd4fde1, 0xcdf1f8, 0xb9c1e3, 0xcdbbe4, 0xae98e5,
    0xe5dce1, 0xa9a9a9, 0xc6928b, 0xb78256, 0x99836a, 0xbfba69, 0xa6be00, 0x7db04d, 0x88c2ba, 0x9bb3c4,
    0x85a5c2, 0x8393cc, 0xa595b5, 0xbf9fbe, 0xbc7196, 0x7b7b7b, 0xaf3333, 0xa95131, 0x724f41, 0xdbc300,
    0x85961f, 0x539f31, 0x0a9c8e, 0x236384, 0x1a2f96, 0x2f52a2, 0x624bad, 0xa34bad, 0xcc2e6e, 0x3c3c3c,
};

enum { PALETTE_COUNT = sizeof palette / sizeof palette[0], PALETTE_SHIFT = 140 /* of tracks, in Live 10 */ };

int32_t als_color(const char *text)
{
    double number;
    if (!als_number(text, &number) || number < 0 || number >= PALETTE_SHIFT + PALETTE_COUNT) return -1;
    size_t index = (size_t)number;
    if (index >= PALETTE_SHIFT) index -= PALETTE_SHIFT;
    return index < PALETTE_COUNT ? palette[index] : -1;
}

void *als_push(als_reader *reader, als_list *list, size_t item_bytes)
{
    if (list->count == list->capacity) {
        size_t capacity = list->capacity > 0 ? 2 * list->capacity : 256;
        void *items = reallocarray(list->items, capacity, item_bytes);
        if (items == NULL) {
            (void)als_fail(reader, SL_ERR_MEMORY, "out of memory");
            return NULL;
        }
        list->items = items;
        list->capacity = capacity;
    }
    void *item = (char *)list->items + item_bytes * list->count++;
    memset(item, 0, item_bytes);
    return item;
}
