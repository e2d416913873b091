/*
 * Any bytes as the file that `log import` reads: what is taken comes back from an export as it was, and what is not is
 * refused with its reason.
 */
#include "core/message.h"
#include "tests/fuzz/fuzz.h"
#include "tools/symlog/log_file.h"
#include "tools/symlog/ndjson.h"

static void read_lines(sl_ndjson *input, sl_text *payloads);
static void read_line(const json_t *object, bool is_head, sl_text *payloads);
static void check_again(const sl_event *event);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    sl_ndjson input = {.file = fmemopen((void *)data, size, "r")};
    if (input.file == NULL) return 0; /* of no bytes at all it makes no file */
    sl_text payloads;
    sl_text_open(&payloads, sl_host_memory());
    read_lines(&input, &payloads);
    sl_text_close(&payloads);
    sl_ndjson_close(&input);
    return 0;
}

/* Goes on behind a bad line, which import does not, so that more is tried at a time. */
static void read_lines(sl_ndjson *input, sl_text *payloads)
{
    for (uint64_t line = 1;; line++) {
        char reason[SL_NDJSON_REASON_BYTES] = "";
        json_t *object = NULL;
        sl_err err = sl_ndjson_next(input, &object, reason);
        if (err == SL_ERR_END) return;
        require(input->line_number >= line);
        if (err == SL_OK) {
            require(json_is_object(object));
            read_line(object, sl_log_file_is_head(object), payloads);
            json_decref(object);
        } else {
            require(err == SL_ERR_MALFORMED && reason[0] != '\0');
        }
    }
}

static void read_line(const json_t *object, bool is_head, sl_text *payloads)
{
    char reason[SL_LOG_FILE_REASON_BYTES] = "";
    uint8_t id[SL_LOG_ID_BYTES];
    sl_event event;
    sl_err err = is_head ? sl_log_file_read_head(object, id, reason) : SL_OK;
    require(err == SL_OK || reason[0] != '\0');
    reason[0] = '\0';
    const size_t begin = payloads->length;
    err = sl_log_file_read_event(object, &event, payloads, reason);
    require(err == SL_OK || reason[0] != '\0');
    require(payloads->length == begin + (err == SL_OK ? event.length : 0));
    if (err != SL_OK) return;
    if (event.length > 0) event.payload = (const uint8_t *)payloads->bytes + begin;
    check_again(&event);
}

/* Exports the event and imports that. */
static void check_again(const sl_event *event)
{
    sl_text line;
    sl_text payload;
    sl_text_open(&line, sl_host_memory());
    sl_text_open(&payload, sl_host_memory());
    sl_text_event_json(&line, event, NULL);
    require(!line.bad);
    json_t *object = json_loadb(line.bytes, line.length, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, NULL);
    require(object != NULL);

    char reason[SL_LOG_FILE_REASON_BYTES];
    sl_event again;
    require(sl_log_file_read_event(object, &again, &payload, reason) == SL_OK);
    require(again.seq == event->seq && again.time_ns == event->time_ns && again.kind == event->kind);
    require(again.version == event->version && again.source == event->source && again.session == event->session);
    require(again.source_seq == event->source_seq && again.length == event->length);
    require(event->length == 0 || memcmp(payload.bytes, event->payload, event->length) == 0);
    json_decref(object);
    sl_text_close(&line);
    sl_text_close(&payload);
}
