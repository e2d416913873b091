/* Reads the lines of an exported log, trusting nothing in them. */
#include "tools/symlog/log_file.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

/* A number of an event's line. */
typedef struct field {
    const char *name;
    uint64_t max;
    uint64_t value;
    bool is_signed;   // Written as an int64, whose 64 bits count; `max` does not.
    bool may_be_null; // null then stands for all ones.
} field;

static bool has_only_known_keys(const json_t *object, char reason[SL_LOG_FILE_REASON_BYTES]);
static sl_err read_field(const json_t *object, field *field, char reason[SL_LOG_FILE_REASON_BYTES]);
static sl_err read_kind(const json_t *object, uint16_t *kind, char reason[SL_LOG_FILE_REASON_BYTES]);
static sl_err read_payload(const json_t *object, sl_event *event, sl_text *payload,
                           char reason[SL_LOG_FILE_REASON_BYTES]);
static bool read_hex(const char *hex, size_t length, uint8_t *bytes);
static int hex_digit(char c);

bool sl_log_file_is_head(const json_t *object)
{
    return json_object_get(object, "symlog_log") != NULL;
}

sl_err sl_log_file_read_head(const json_t *object, uint8_t id[SL_LOG_ID_BYTES], char reason[SL_LOG_FILE_REASON_BYTES])
{
    const json_t *version = json_object_get(object, "symlog_log");
    const json_t *hex = json_object_get(object, "log_id");
    if (!json_is_integer(version)) {
        snprintf(reason, SL_LOG_FILE_REASON_BYTES, "{\"symlog_log\":1,\"log_id\":…} is expected first");
        return SL_ERR_MALFORMED;
    }
    if (json_integer_value(version) != SL_LOG_FILE_VERSION) {
        snprintf(reason, SL_LOG_FILE_REASON_BYTES, "a log of form %lld; this symlog reads form %d",
                 (long long)json_integer_value(version), SL_LOG_FILE_VERSION);
        return SL_ERR_VERSION;
    }
    size_t digits = 2 * (size_t)SL_LOG_ID_BYTES;
    if (json_string_length(hex) != digits || !read_hex(json_string_value(hex), digits, id)) {
        snprintf(reason, SL_LOG_FILE_REASON_BYTES, "log_id must be %zu hex digits", digits);
        return SL_ERR_MALFORMED;
    }
    return SL_OK;
}

sl_err sl_log_file_read_first(const json_t *object, uint64_t *first_seq, char reason[SL_LOG_FILE_REASON_BYTES])
{
    const json_t *first = json_object_get(object, "first");
    *first_seq = first != NULL ? (uint64_t)json_integer_value(first) : 1;
    if (first == NULL || (json_is_integer(first) && json_integer_value(first) >= 1)) return SL_OK;
    snprintf(reason, SL_LOG_FILE_REASON_BYTES, "\"first\" must be an event's number");
    return SL_ERR_MALFORMED;
}

sl_err sl_log_file_read_event(const json_t *object, sl_event *event, sl_text *payload,
                              char reason[SL_LOG_FILE_REASON_BYTES])
{
    enum { SEQ, TIME, VERSION, SOURCE, SESSION, SOURCE_SEQ, FIELD_COUNT };
    field fields[FIELD_COUNT] = {
        [SEQ] = {.name = "seq", .max = INT64_MAX},
        [TIME] = {.name = "time_ns", .max = INT64_MAX},
        [VERSION] = {.name = "version", .max = UINT16_MAX},
        [SOURCE] = {.name = "source", .max = UINT32_MAX},
        [SESSION] = {.name = "session", .is_signed = true},
        [SOURCE_SEQ] = {.name = "source_seq", .is_signed = true, .may_be_null = true},
    };
    assert(event != NULL && payload != NULL);
    if (!has_only_known_keys(object, reason)) return SL_ERR_MALFORMED;
    for (size_t i = 0; i < FIELD_COUNT; i++) {
        sl_err err = read_field(object, &fields[i], reason);
        if (err != SL_OK) return err;
    }
    *event = (sl_event){
        .seq = fields[SEQ].value,
        .version = (uint16_t)fields[VERSION].value,
        .source = (uint32_t)fields[SOURCE].value,
        .session = fields[SESSION].value,
        .source_seq = fields[SOURCE_SEQ].value,
        .time_ns = fields[TIME].value,
    };
    sl_err err = read_kind(object, &event->kind, reason);
    return err == SL_OK ? read_payload(object, event, payload, reason) : err;
}

/* A misspelt key must not pass for a missing one, nor a later version's for nothing. */
static bool has_only_known_keys(const json_t *object, char reason[SL_LOG_FILE_REASON_BYTES])
{
    static const char *const known[] = {"seq",     "time_ns",    "kind",    "version", "source",
                                        "session", "source_seq", "payload", "text"};
    const char *key = NULL;
    json_t *value = NULL;
    json_object_foreach((json_t *)object, key, value)
    {
        bool is_known = false;
        for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) is_known |= strcmp(key, known[i]) == 0;
        if (is_known) continue;
        snprintf(reason, SL_LOG_FILE_REASON_BYTES, "an event has no \"%.60s\"", key);
        return false;
    }
    return true;
}

static sl_err read_field(const json_t *object, field *field, char reason[SL_LOG_FILE_REASON_BYTES])
{
    const json_t *value = json_object_get(object, field->name);
    if (json_is_null(value) && field->may_be_null) {
        field->value = UINT64_MAX;
        return SL_OK;
    }
    if (!json_is_integer(value)) {
        snprintf(reason, SL_LOG_FILE_REASON_BYTES, "\"%s\" %s", field->name,
                 value == NULL ? "is missing" : "must be a whole number");
        return SL_ERR_MALFORMED;
    }
    json_int_t number = json_integer_value(value);
    if (!field->is_signed && (number < 0 || (uint64_t)number > field->max)) {
        snprintf(reason, SL_LOG_FILE_REASON_BYTES, "\"%s\" is %lld, beyond what it can be", field->name,
                 (long long)number);
        return SL_ERR_RANGE;
    }
    field->value = (uint64_t)number;
    return SL_OK;
}

/* By name, or by number: a kind that this version does not know has no name. */
static sl_err read_kind(const json_t *object, uint16_t *kind, char reason[SL_LOG_FILE_REASON_BYTES])
{
    const json_t *value = json_object_get(object, "kind");
    if (json_is_string(value)) {
        *kind = sl_kind_by_name(json_string_value(value));
        if (*kind != 0) return SL_OK;
        snprintf(reason, SL_LOG_FILE_REASON_BYTES, "there is no kind \"%.60s\"", json_string_value(value));
        return SL_ERR_MALFORMED;
    }
    field number = {.name = "kind", .max = UINT16_MAX};
    sl_err err = read_field(object, &number, reason);
    *kind = (uint16_t)number.value;
    return err;
}

static sl_err read_payload(const json_t *object, sl_event *event, sl_text *payload,
                           char reason[SL_LOG_FILE_REASON_BYTES])
{
    const json_t *hex = json_object_get(object, "payload");
    const char *digits = json_string_value(hex);
    size_t count = json_string_length(hex);
    if (digits == NULL || count % 2 != 0) {
        snprintf(reason, SL_LOG_FILE_REASON_BYTES, "\"payload\" must be an even number of hex digits");
        return SL_ERR_MALFORMED;
    }
    if (count / 2 > SL_PAYLOAD_BYTES_MAX) {
        snprintf(reason, SL_LOG_FILE_REASON_BYTES, "\"payload\" is longer than %d bytes", SL_PAYLOAD_BYTES_MAX);
        return SL_ERR_RANGE;
    }
    event->length = (uint32_t)(count / 2);
    size_t begin = payload->length;
    uint8_t bytes[256];
    for (size_t done = 0; done < count; done += 2 * sizeof bytes) {
        size_t part = count - done < 2 * sizeof bytes ? count - done : 2 * sizeof bytes;
        if (!read_hex(digits + done, part, bytes)) {
            payload->length = begin;
            snprintf(reason, SL_LOG_FILE_REASON_BYTES, "\"payload\" must be an even number of hex digits");
            return SL_ERR_MALFORMED;
        }
        sl_text_bytes(payload, (const char *)bytes, part / 2);
    }
    if (!payload->bad) return SL_OK;
    snprintf(reason, SL_LOG_FILE_REASON_BYTES, "memory ran out");
    return SL_ERR_MEMORY;
}

/* `length` digits, an even number, to half as many bytes. */
static bool read_hex(const char *hex, size_t length, uint8_t *bytes)
{
    for (size_t i = 0; i < length; i += 2) {
        int high = hex_digit(hex[i]);
        int low = hex_digit(hex[i + 1]);
        if (high < 0 || low < 0) return false;
        bytes[i / 2] = (uint8_t)(high << 4 | low);
    }
    return true;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}
