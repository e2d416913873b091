/*
 * Any bytes as a Live set, packed or not: it is refused with a reason, or its tree is one that the reducer takes as a
 * picture, that subscribers can read, that is the same unpacked, and that does not differ from itself.
 */
#include "core/message.h"
#include "core/picture.h"
#include "ingest/als.h"
#include "ingest/gunzip.h"
#include "tests/fuzz/fuzz.h"
#include "tools/symlog/tree_diff.h"

enum { XML_BYTES_MAX = 4 << 20, PICTURE_BYTES_MAX = 16 << 20, JSON_BYTES_MAX = 1 << 20 };

static sl_tree *read_set(const uint8_t *data, size_t size);
static void check_unpacked(const uint8_t *data, size_t size, const sl_tree *tree);
static void check_picture(sl_tree *tree);
static void check_texts(sl_tree *tree);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    sl_tree *tree = read_set(data, size);
    check_unpacked(data, size, tree);
    if (tree == NULL) return 0;
    check_picture(tree);
    check_texts(tree);
    sl_tree_destroy(tree);
    return 0;
}

/* NULL: refused. */
static sl_tree *read_set(const uint8_t *data, size_t size)
{
    char reason[SL_ALS_REASON_BYTES] = "";
    sl_tree *tree;
    sl_err err = sl_als_read(data, size, sl_host_memory(), &tree, reason);
    require(err == SL_OK || err == SL_ERR_MALFORMED || err == SL_ERR_REFUSED || err == SL_ERR_RANGE);
    require((err == SL_OK) == (tree != NULL));
    require(err == SL_OK || reason[0] != '\0');
    if (tree != NULL) sl_tree_digest(tree);
    return tree;
}

static sl_digest whole_of(const sl_tree *tree)
{
    return sl_tree_project(tree)->whole;
}

/* What is packed is the same as what is not; but that nothing unpacked may be packed once more. */
static void check_unpacked(const uint8_t *data, size_t size, const sl_tree *tree)
{
    char *xml;
    size_t length;
    const char *reason;
    if (sl_gunzip(data, size, XML_BYTES_MAX, &xml, &length, &reason) != SL_OK) return;
    bool is_packed_twice = length >= 2 && (uint8_t)xml[0] == 0x1f && (uint8_t)xml[1] == 0x8b;
    sl_tree *again = is_packed_twice ? NULL : read_set((const uint8_t *)xml, length);
    /* Behind a gzip's head anything is given to the XML parser, which also knows what has no '<' at its begin. */
    require(again == NULL || (tree != NULL && sl_digest_equal(whole_of(again), whole_of(tree))));
    if (again != NULL) sl_tree_destroy(again);
    free(xml);
}

static void check_picture(sl_tree *tree)
{
    sl_writer writer = {.bytes = malloc(PICTURE_BYTES_MAX), .capacity = PICTURE_BYTES_MAX};
    require(writer.bytes != NULL);
    sl_err err = sl_picture_write(tree, &writer);
    require(err == SL_OK || err == SL_ERR_FULL);
    if (err == SL_OK) {
        sl_picture_error error;
        sl_tree *again;
        require(sl_tree_create(sl_host_memory(), &again) == SL_OK);
        require(sl_picture_build(writer.bytes, writer.length, "fuzz", again, &error) == SL_OK);
        sl_tree_digest(again);
        require(sl_digest_equal(whole_of(again), whole_of(tree)));
        sl_tree_destroy(again);
    }
    free(writer.bytes);
}

static void check_texts(sl_tree *tree)
{
    sl_tree_diff_counts counts;
    require(sl_tree_diff_print(NULL, tree, tree, &counts));
    require(counts.added + counts.removed + counts.moved + counts.changed == 0);
    sl_tree *empty;
    require(sl_tree_create(sl_host_memory(), &empty) == SL_OK);
    sl_tree_digest(empty);
    require(sl_tree_diff_print(NULL, empty, tree, &counts));
    require(sl_tree_diff_print(NULL, tree, empty, &counts));
    sl_tree_destroy(empty);
    sl_text text;
    sl_text_open(&text, sl_host_memory());
    sl_text_node(&text, tree, sl_tree_project(tree), -1);
    require(!text.bad);
    if (text.length <= JSON_BYTES_MAX) require_json(text.bytes, text.length);
    sl_text_close(&text);
}
