/* The pure part of a snapshot: JSON text, read with jansson, to core's picture. */
#include "core/heap.h"
#include "core/picture.h"
#include "ingest/snapshot.h"

#include <assert.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    CAPACITY_FIRST = 64 << 10,
    VALUES_MAX = 16 << 20,          /* jansson makes up to a hundred bytes of one byte of text */
    NODE_BYTES = 1 + 1 + 4 + 4 + 1, /* of a node in a picture, besides its id */
    VALUE_BYTES = 1 + 1 + 8,        /* of an attribute, besides its text */
    REASON_BYTES = 256
};

typedef struct encoder {
    sl_writer out; /* grows; malloc'ed */
    sl_picture_writer picture;
    char *reason; /* REASON_BYTES */
    /* The node being read, for the reason. */
    uint32_t node;
    const char *node_type;
} encoder;

static bool has_too_many_values(const char *json, size_t length);
static sl_err encode(encoder *encoder, const json_t *ast);
static sl_err encode_node(encoder *encoder, const json_t *source, unsigned depth);
static sl_err encode_children(encoder *encoder, const json_t *source, unsigned depth);
static sl_err encode_attribute(encoder *encoder, sl_attribute attribute, const json_t *given);
static sl_err read_type(encoder *encoder, const json_t *source, sl_node_type *type);
static sl_err read_id(encoder *encoder, const json_t *source, sl_node_type type, const char **id, size_t *length);
static sl_err read_scene(encoder *encoder, const json_t *attributes, uint32_t *position);
static bool read_value(const json_t *given, sl_value_type type, sl_value *out);
static bool read_int(const json_t *given, int64_t *out);
static sl_err check(encoder *encoder);
static sl_err make_room(encoder *encoder, size_t more);
static sl_err refuse(encoder *encoder, const char *subject, const char *what);

sl_err sl_snapshot_picture(const char *json, size_t length, uint8_t **payload, size_t *payload_length,
                           char reason[REASON_BYTES])
{
    *payload = NULL;
    *payload_length = 0;
    if (length > SL_SNAPSHOT_JSON_BYTES_MAX || has_too_many_values(json, length)) {
        snprintf(reason, REASON_BYTES, "the JSON is too big");
        return SL_ERR_REFUSED;
    }
    json_error_t error;
    json_t *ast = json_loadb(json, length, JSON_ALLOW_NUL, &error);
    if (ast == NULL) {
        if (json_error_code(&error) == json_error_out_of_memory) return SL_ERR_MEMORY;
        snprintf(reason, REASON_BYTES, "invalid JSON at line %d, column %d: %.160s", error.line, error.column,
                 error.text);
        return SL_ERR_MALFORMED;
    }
    encoder encoder = {.reason = reason, .node_type = "project"};
    sl_err err = encode(&encoder, ast);
    json_decref(ast);
    if (err == SL_OK) err = check(&encoder);
    if (err != SL_OK) {
        free(encoder.out.bytes);
        return err;
    }
    *payload = encoder.out.bytes;
    *payload_length = encoder.out.length;
    return SL_OK;
}

/* Counts what begins a value or a key, in the text, before jansson gives memory to each. */
static bool has_too_many_values(const char *json, size_t length)
{
    size_t count = 0;
    bool is_in_text = false;
    for (size_t i = 0; i < length; i++) {
        char c = json[i];
        if (c == '"') is_in_text = !is_in_text;
        if (c == '\\' && is_in_text) i++;
        if (!is_in_text && (c == ',' || c == ':' || c == '[' || c == '{')) count++;
    }
    return count > VALUES_MAX;
}

static sl_err encode(encoder *encoder, const json_t *ast)
{
    sl_err err = make_room(encoder, NODE_BYTES);
    if (err != SL_OK) return err;
    sl_picture_begin(&encoder->picture, &encoder->out);
    err = encode_node(encoder, ast, 0);
    if (err != SL_OK) return err;
    sl_picture_end(&encoder->picture);
    assert(!encoder->out.bad);
    return SL_OK;
}

static sl_err encode_node(encoder *encoder, const json_t *source, unsigned depth)
{
    encoder->node = encoder->picture.node_count;
    encoder->node_type = "unknown";
    if (depth >= SL_PICTURE_DEPTH_MAX) return refuse(encoder, "it", "is nested too deep");
    sl_node_type type = SL_NODE_PROJECT;
    sl_err err = read_type(encoder, source, &type);
    if (err != SL_OK) return err;
    if (depth == 0 && type != SL_NODE_PROJECT) return refuse(encoder, "the first node", "must be the project");
    const json_t *attributes = json_object_get(source, "attributes");
    if (attributes != NULL && !json_is_object(attributes)) return refuse(encoder, "attributes", "is not an object");
    uint32_t position = 0;
    if (type == SL_NODE_CLIP_SLOT) err = read_scene(encoder, attributes, &position);
    if (err != SL_OK) return err;
    const char *id;
    size_t id_length;
    err = read_id(encoder, source, type, &id, &id_length);
    if (err == SL_OK) err = make_room(encoder, NODE_BYTES + id_length);
    if (err != SL_OK) return err;
    sl_picture_node(&encoder->picture, type, (uint8_t)depth, position, id, id_length);

    size_t count;
    const sl_attribute *stored = sl_schema_attributes(type, &count);
    for (size_t i = 0; i < count && err == SL_OK; i++) {
        const char *name = sl_schema_attribute_name(stored[i]);
        const json_t *given = json_object_get(attributes, name);
        if (given != NULL) err = encode_attribute(encoder, stored[i], given);
    }
    return err == SL_OK ? encode_children(encoder, source, depth) : err;
}

static sl_err encode_children(encoder *encoder, const json_t *source, unsigned depth)
{
    const json_t *children = json_object_get(source, "children");
    if (children == NULL) return SL_OK;
    if (!json_is_array(children)) return refuse(encoder, "children", "is not a list");
    for (size_t i = 0; i < json_array_size(children); i++) {
        sl_err err = encode_node(encoder, json_array_get(children, i), depth + 1);
        if (err != SL_OK) return err;
    }
    return SL_OK;
}

static sl_err encode_attribute(encoder *encoder, sl_attribute attribute, const json_t *given)
{
    sl_value_type type = sl_schema_value_type(attribute);
    sl_value value;
    char *compact = NULL;
    if (type == SL_VALUE_JSON && !json_is_null(given)) {
        compact = json_dumps(given, JSON_COMPACT | JSON_ENCODE_ANY);
        if (compact == NULL) return SL_ERR_MEMORY;
        value = sl_value_text(compact, strlen(compact));
        value.type = SL_VALUE_JSON;
    } else if (!read_value(given, type, &value)) {
        return refuse(encoder, sl_schema_attribute_name(attribute), "has a value of the wrong type");
    }
    bool has_text = value.type == SL_VALUE_TEXT || value.type == SL_VALUE_JSON;
    sl_err err = make_room(encoder, VALUE_BYTES + (has_text ? value.length : 0));
    if (err == SL_OK) sl_picture_attribute(&encoder->picture, attribute, &value);
    free(compact);
    return err;
}

static sl_err read_type(encoder *encoder, const json_t *source, sl_node_type *type)
{
    if (!json_is_object(source)) return refuse(encoder, "it", "is not an object");
    const json_t *name = json_object_get(source, "node_type");
    if (!json_is_string(name)) return refuse(encoder, "node_type", "is missing or not a text");
    *type = sl_schema_type_by_name(json_string_value(name), json_string_length(name));
    if (*type == SL_NODE_TYPE_COUNT) return refuse(encoder, json_string_value(name), "is no node_type");
    encoder->node_type = sl_schema_type_name(*type);
    return SL_OK;
}

/* The id that is given; empty where it is to be made. The project's is always the same. */
static sl_err read_id(encoder *encoder, const json_t *source, sl_node_type type, const char **id, size_t *length)
{
    const json_t *given = json_object_get(source, "id");
    *id = type == SL_NODE_PROJECT ? "project" : "";
    *length = strlen(*id);
    if (type == SL_NODE_PROJECT || given == NULL || json_is_null(given)) return SL_OK;
    *id = json_string_value(given);
    *length = json_string_length(given);
    if (!json_is_string(given) || *length == 0 || *length > SL_ID_BYTES_MAX)
        return refuse(encoder, "id", "is not a text of 1 to 95 bytes");
    return SL_OK;
}

/* Where a slot stands. */
static sl_err read_scene(encoder *encoder, const json_t *attributes, uint32_t *position)
{
    int64_t index;
    if (!read_int(json_object_get(attributes, "scene_index"), &index))
        return refuse(encoder, "scene_index", "is not a whole number");
    if (index < 0 || index >= SL_POSITION_MAX) return refuse(encoder, "scene_index", "is that of no scene");
    *position = (uint32_t)index;
    return SL_OK;
}

/* A value of any type but JSON. Text is kept up to its first NUL, as in messages. */
static bool read_value(const json_t *given, sl_value_type type, sl_value *out)
{
    int64_t integer = 0;
    *out = sl_value_null();
    if (json_is_null(given)) return true;
    switch (type) {
    case SL_VALUE_BOOL: *out = sl_value_bool(json_is_true(given)); return json_is_boolean(given);
    case SL_VALUE_INT: {
        bool is_int = read_int(given, &integer);
        *out = sl_value_int(integer);
        return is_int;
    }
    case SL_VALUE_FLOAT: *out = sl_value_float(json_number_value(given)); return json_is_number(given);
    case SL_VALUE_TEXT:
        if (!json_is_string(given)) return false;
        *out = sl_value_text(json_string_value(given), strlen(json_string_value(given)));
        return true;
    case SL_VALUE_ABSENT:
    case SL_VALUE_NULL:
    case SL_VALUE_JSON: break;
    }
    return false;
}

/* An integer, or a whole number written as a float. */
static bool read_int(const json_t *given, int64_t *out)
{
    if (json_is_integer(given)) {
        *out = json_integer_value(given);
        return true;
    }
    double number = json_number_value(given);
    if (!json_is_real(given) || trunc(number) != number || number < -0x1p63 || number >= 0x1p63) return false;
    *out = (int64_t)number;
    return true;
}

/* All the rules that concern more than one node are core's. */
static sl_err check(encoder *encoder)
{
    sl_picture_error error = {0};
    sl_err err = sl_picture_check(encoder->out.bytes, encoder->out.length, sl_heap_memory(), &error);
    if (err == SL_ERR_REFUSED) snprintf(encoder->reason, REASON_BYTES, "node %u: %s", error.node, error.what);
    return err;
}

static sl_err make_room(encoder *encoder, size_t more)
{
    sl_writer *out = &encoder->out;
    if (more <= out->capacity - out->length) return SL_OK;
    size_t capacity = out->capacity == 0 ? CAPACITY_FIRST : out->capacity;
    while (capacity - out->length < more) capacity *= 2;
    uint8_t *bytes = realloc(out->bytes, capacity);
    if (bytes == NULL) return SL_ERR_MEMORY;
    out->bytes = bytes;
    out->capacity = capacity;
    return SL_OK;
}

static sl_err refuse(encoder *encoder, const char *subject, const char *what)
{
    snprintf(encoder->reason, REASON_BYTES, "node %u (%s): %.60s %s", encoder->node, encoder->node_type, subject, what);
    return SL_ERR_REFUSED;
}
