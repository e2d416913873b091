#include "ingest/project_save.h"

#include "core/heap.h"
#include "core/payload.h"
#include "core/picture.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SAVE_HEAD_BYTES = 16, REFUSED_BYTES = 512, PICTURE_BYTES_FIRST = 64 << 10, PICTURE_HEAD_BYTES = 8 };

static sl_event event_of(const sl_project_save *save, sl_kind kind, const sl_writer *payload)
{
    return (sl_event){.kind = (uint16_t)kind,
                      .version = SL_PAYLOAD_VERSION,
                      .source = save->source,
                      .session = save->session,
                      .source_seq = SL_SOURCE_SEQ_NONE,
                      .time_ns = save->time_ns,
                      .payload = payload->bytes,
                      .length = (uint32_t)payload->length};
}

static sl_err make_save(const sl_project_save *save, sl_project_events *out)
{
    size_t path_length = strlen(save->path);
    sl_writer writer = {.capacity = SAVE_HEAD_BYTES + path_length + save->length};
    writer.bytes = out->memory[0] = malloc(writer.capacity);
    if (writer.bytes == NULL) return SL_ERR_MEMORY;
    sl_err err = sl_save_encode(&(sl_save){.mtime_ns = save->mtime_ns,
                                           .path = save->path,
                                           .path_length = path_length,
                                           .bytes = save->bytes,
                                           .length = save->length},
                                &writer);
    assert(err == SL_OK);
    out->save = event_of(save, SL_KIND_SAVE, &writer);
    return err;
}

/* Written into memory that doubles until it fits. */
static sl_err make_picture(const sl_project_save *save, const sl_tree *tree, sl_project_events *out)
{
    sl_err err = SL_ERR_FULL;
    for (size_t capacity = PICTURE_BYTES_FIRST; err == SL_ERR_FULL && capacity <= SL_PAYLOAD_BYTES_MAX; capacity *= 2) {
        free(out->memory[1]);
        sl_writer writer = {.bytes = out->memory[1] = malloc(capacity), .capacity = capacity};
        if (writer.bytes == NULL) return SL_ERR_MEMORY;
        sl_write_le(&writer, save->saved_ns, PICTURE_HEAD_BYTES);
        err = sl_picture_write(tree, &writer);
        out->answer = event_of(save, SL_KIND_PICTURE, &writer);
        out->answer.version = SL_PICTURE_SAVE_VERSION;
    }
    if (err == SL_ERR_FULL) snprintf(out->reason, sizeof out->reason, "its picture is too big");
    return err;
}

/* The rules of a picture are looked at once more, as those of every picture that comes in. */
static sl_err check_picture(sl_project_events *out)
{
    sl_picture_error error;
    sl_err err = sl_picture_check(out->answer.payload + PICTURE_HEAD_BYTES, out->answer.length - PICTURE_HEAD_BYTES,
                                  sl_heap_memory(), &error);
    if (err == SL_ERR_REFUSED) snprintf(out->reason, sizeof out->reason, "node %u: %s", error.node, error.what);
    return err;
}

static sl_err make_refused(const sl_project_save *save, sl_project_events *out)
{
    char text[SL_ALS_REASON_BYTES + 64];
    const char *slash = strrchr(save->path, '/');
    int length = snprintf(text, sizeof text, "%.60s: %s", slash != NULL ? slash + 1 : save->path, out->reason);
    sl_writer writer = {.capacity = REFUSED_BYTES};
    writer.bytes = out->memory[1] = malloc(REFUSED_BYTES);
    if (writer.bytes == NULL) return SL_ERR_MEMORY;
    sl_refused refused = {.kind = SL_KIND_SAVE, .reason = text, .reason_length = (size_t)length};
    sl_err err = sl_refused_encode(&refused, &writer);
    assert(err == SL_OK);
    out->answer = event_of(save, SL_KIND_REFUSED, &writer);
    return err;
}

sl_err sl_project_events_make(const sl_project_save *save, sl_project_events *out)
{
    *out = (sl_project_events){0};
    sl_tree *tree = NULL;
    out->verdict = sl_als_read(save->bytes, save->length, sl_heap_memory(), &tree, out->reason);
    if (out->verdict == SL_OK) {
        out->node_count = sl_tree_node_count(tree);
        out->verdict = make_picture(save, tree, out);
        sl_tree_destroy(tree);
        if (out->verdict == SL_OK) out->verdict = check_picture(out);
    }
    sl_err err = out->verdict == SL_ERR_MEMORY ? SL_ERR_MEMORY : make_save(save, out);
    if (err == SL_OK && out->verdict != SL_OK) {
        free(out->memory[1]);
        err = make_refused(save, out);
    }
    if (err != SL_OK) sl_project_events_close(out);
    return err;
}

sl_err sl_project_events_refuse(const sl_project_save *save, const char *reason, sl_project_events *out)
{
    assert(save->length == 0);
    *out = (sl_project_events){.verdict = SL_ERR_IO};
    snprintf(out->reason, sizeof out->reason, "%s", reason);
    sl_err err = make_save(save, out);
    if (err == SL_OK) err = make_refused(save, out);
    if (err != SL_OK) sl_project_events_close(out);
    return err;
}

void sl_project_events_close(sl_project_events *events)
{
    free(events->memory[0]);
    free(events->memory[1]);
    events->memory[0] = events->memory[1] = NULL;
}
