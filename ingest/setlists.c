/* programs.json to the payload of a setlists event. */
#include "ingest/setlists.h"

#include "core/patch.h"
#include "core/payload.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FORMAT = 2 };

typedef struct maker {
    sl_writer out;
    sl_patch *patch; /* for checking: too big for a stack */
    char *reason;    /* SL_SETLISTS_REASON_BYTES */
} maker;

static sl_err make(maker *maker, const json_t *root);
static sl_err make_list(maker *maker, const json_t *list, size_t number);
static sl_err make_item(maker *maker, const json_t *program, const char *title, size_t number);

sl_err sl_setlists_make(const char *json, size_t json_length, uint8_t **payload, size_t *length,
                        char reason[SL_SETLISTS_REASON_BYTES])
{
    json_error_t error;
    json_t *root = json_loadb(json, json_length, 0, &error);
    if (root == NULL) {
        snprintf(reason, SL_SETLISTS_REASON_BYTES, "no JSON at line %d, column %d: %s", error.line, error.column,
                 error.text);
        return SL_ERR_MALFORMED;
    }
    maker maker = {.patch = malloc(sizeof *maker.patch), .reason = reason};
    maker.out.bytes = malloc(SL_SETLISTS_BYTES_MAX);
    maker.out.capacity = SL_SETLISTS_BYTES_MAX;
    sl_err err = SL_ERR_MEMORY;
    snprintf(reason, SL_SETLISTS_REASON_BYTES, "out of memory");
    if (maker.patch != NULL && maker.out.bytes != NULL) err = make(&maker, root);
    json_decref(root);
    free(maker.patch);
    if (err == SL_OK && maker.out.bad) {
        snprintf(reason, SL_SETLISTS_REASON_BYTES, "all together are longer than %d bytes", SL_SETLISTS_BYTES_MAX);
        err = SL_ERR_FULL;
    }
    if (err != SL_OK) {
        free(maker.out.bytes);
        return err;
    }
    *payload = maker.out.bytes;
    *length = maker.out.length;
    return SL_OK;
}

static sl_err refuse(const maker *maker, sl_err err, const char *what)
{
    snprintf(maker->reason, SL_SETLISTS_REASON_BYTES, "%s", what);
    return err;
}

static sl_err make(maker *maker, const json_t *root)
{
    const json_t *format = json_object_get(root, "format");
    const json_t *lists = json_object_get(root, "setlists");
    if (!json_is_integer(format) || json_integer_value(format) != FORMAT)
        return refuse(maker, SL_ERR_VERSION, "\"format\" is not 2, the one that this program knows");
    if (!json_is_array(lists)) return refuse(maker, SL_ERR_REFUSED, "\"setlists\" is not a list");
    const size_t count = json_array_size(lists);
    if (count > SL_SETLISTS_LISTS_MAX) return refuse(maker, SL_ERR_FULL, "there are too many set lists");
    sl_setlists_encode_begin((uint32_t)count, &maker->out);
    for (size_t i = 0; i < count; i++) {
        sl_err err = make_list(maker, json_array_get(lists, i), i);
        if (err != SL_OK) return err;
    }
    return SL_OK;
}

static sl_err make_list(maker *maker, const json_t *list, size_t number)
{
    const json_t *title = json_object_get(list, "title");
    const json_t *programs = json_object_get(list, "programs");
    if (!json_is_string(title) || !json_is_array(programs)) {
        snprintf(maker->reason, SL_SETLISTS_REASON_BYTES, "set list %zu lacks a \"title\" or its \"programs\"", number);
        return SL_ERR_REFUSED;
    }
    const char *text = json_string_value(title);
    const size_t count = json_array_size(programs);
    if (count > SL_SETLISTS_ITEMS_MAX) {
        snprintf(maker->reason, SL_SETLISTS_REASON_BYTES, "set list \"%.60s\" has too many programs", text);
        return SL_ERR_FULL;
    }
    sl_setlists_encode_list(text, json_string_length(title), (uint32_t)count, &maker->out);
    for (size_t i = 0; i < count; i++) {
        sl_err err = make_item(maker, json_array_get(programs, i), text, i);
        if (err != SL_OK) return err;
    }
    return SL_OK;
}

static sl_err make_item(maker *maker, const json_t *program, const char *title, size_t number)
{
    const json_t *name = json_object_get(program, "name");
    const json_t *patch = json_object_get(program, "prog");
    if (!json_is_string(name) || !json_is_string(patch)) {
        snprintf(maker->reason, SL_SETLISTS_REASON_BYTES,
                 "set list \"%.60s\", program %zu: it lacks a \"name\" or its \"prog\"", title, number);
        return SL_ERR_REFUSED;
    }
    const char *text = json_string_value(patch);
    const size_t length = json_string_length(patch);
    sl_patch_error error;
    if (sl_patch_parse(text, length, maker->patch, &error) != SL_OK) {
        snprintf(maker->reason, SL_SETLISTS_REASON_BYTES,
                 "set list \"%.60s\", program %zu \"%.60s\": at byte %zu of it %s is expected", title, number,
                 json_string_value(name), error.position, error.expected);
        return SL_ERR_REFUSED;
    }
    sl_setlists_encode_item(json_string_value(name), json_string_length(name), text, length, &maker->out);
    return SL_OK;
}

sl_err sl_setlists_read(const char *path, uint8_t **payload, size_t *length, char reason[SL_SETLISTS_REASON_BYTES])
{
    FILE *file = fopen(path, "rbe");
    char *json = malloc(SL_SETLISTS_FILE_BYTES_MAX + 1);
    size_t count = 0;
    sl_err err = file != NULL && json != NULL ? SL_OK : SL_ERR_IO;
    if (err == SL_OK) count = fread(json, 1, SL_SETLISTS_FILE_BYTES_MAX + 1, file);
    if (err == SL_OK && ferror(file) != 0) err = SL_ERR_IO;
    if (err != SL_OK) snprintf(reason, SL_SETLISTS_REASON_BYTES, "it cannot be read: %s", strerror(errno));
    if (err == SL_OK && count > SL_SETLISTS_FILE_BYTES_MAX) {
        snprintf(reason, SL_SETLISTS_REASON_BYTES, "it is longer than %d bytes", SL_SETLISTS_FILE_BYTES_MAX);
        err = SL_ERR_FULL;
    }
    if (err == SL_OK) err = sl_setlists_make(json, count, payload, length, reason);
    if (file != NULL) fclose(file);
    free(json);
    return err;
}
