/* The codecs of symlog's own payloads. */
#include "core/payload.h"

#include <assert.h>

static sl_err written(const sl_writer *out);
static sl_err begin_read(const sl_event *event, uint16_t version_max, sl_reader *reader);
static sl_err end_read(const sl_reader *reader);
static void write_digest(sl_writer *out, sl_digest digest);
static sl_digest read_digest(sl_reader *reader);

sl_err sl_start_encode(const sl_start *in, sl_writer *out)
{
    sl_write_le(out, (uint64_t)in->wall_ns, 8);
    sl_write_le(out, in->reducer_version, 4);
    sl_write_bytes(out, in->boot_id, sizeof in->boot_id);
    sl_write_text(out, in->program, in->program_length);
    sl_write_text(out, in->options, in->options_length);
    return written(out);
}

sl_err sl_start_decode(const sl_event *event, sl_start *out)
{
    sl_reader reader;
    sl_err err = begin_read(event, SL_PAYLOAD_VERSION, &reader);
    if (err != SL_OK) return err;
    *out = (sl_start){0};
    out->wall_ns = (int64_t)sl_read_le(&reader, 8);
    out->reducer_version = (uint32_t)sl_read_le(&reader, 4);
    const uint8_t *boot_id = sl_read_view(&reader, sizeof out->boot_id);
    if (boot_id != NULL) memcpy(out->boot_id, boot_id, sizeof out->boot_id);
    out->program = sl_read_text(&reader, &out->program_length);
    out->options = sl_read_text(&reader, &out->options_length);
    return end_read(&reader);
}

sl_err sl_session_encode(const sl_session *in, sl_writer *out)
{
    assert(in->input <= SL_INPUT_LAST && in->name_length <= SL_NAME_BYTES_MAX);
    sl_write_le(out, in->input, 1);
    sl_write_le(out, in->has_hello, 1);
    sl_write_text(out, in->name, in->name_length);
    return written(out);
}

sl_err sl_session_decode(const sl_event *event, sl_session *out)
{
    sl_reader reader;
    sl_err err = begin_read(event, SL_SESSION_VERSION, &reader);
    if (err != SL_OK) return err;
    *out = (sl_session){0};
    out->input = (uint8_t)sl_read_le(&reader, 1);
    uint64_t has_hello = event->version >= 2 ? sl_read_le(&reader, 1) : 0;
    if (has_hello > 1) return SL_ERR_MALFORMED;
    out->has_hello = has_hello == 1;
    out->name = sl_read_text(&reader, &out->name_length);
    if (out->input > SL_INPUT_LAST || out->name_length > SL_NAME_BYTES_MAX) return SL_ERR_MALFORMED;
    return end_read(&reader);
}

sl_err sl_counters_encode(const sl_counters *in, sl_writer *out)
{
    assert(in->count <= SL_SOURCES_MAX + 1);
    sl_write_le(out, in->kernel_drops, 8);
    sl_write_le(out, in->refused_unnamed, 8);
    sl_write_le(out, in->count, 4);
    for (uint32_t i = 0; i < in->count; i++) {
        const sl_source_counts *counts = &in->sources[i];
        sl_write_le(out, counts->source, 4);
        sl_write_le(out, counts->received, 8);
        sl_write_le(out, counts->processed, 8);
        sl_write_le(out, counts->dropped, 8);
        sl_write_le(out, counts->parse_errors, 8);
        sl_write_le(out, counts->duplicates, 8);
        sl_write_le(out, counts->resends, 8);
        sl_write_le(out, counts->heartbeats, 8);
        sl_write_le(out, counts->ignored, 8);
        sl_write_le(out, counts->queue_size, 8);
        sl_write_le(out, counts->queue_max, 8);
    }
    return written(out);
}

sl_err sl_counters_decode(const sl_event *event, sl_counters *out)
{
    sl_reader reader;
    sl_err err = begin_read(event, SL_COUNTERS_VERSION, &reader);
    if (err != SL_OK) return err;
    *out = (sl_counters){0};
    out->kernel_drops = sl_read_le(&reader, 8);
    out->refused_unnamed = sl_read_le(&reader, 8);
    out->count = (uint32_t)sl_read_le(&reader, 4);
    if (out->count > SL_SOURCES_MAX + 1) return SL_ERR_MALFORMED;
    for (uint32_t i = 0; i < out->count; i++) {
        sl_source_counts *counts = &out->sources[i];
        counts->source = (uint32_t)sl_read_le(&reader, 4);
        counts->received = sl_read_le(&reader, 8);
        counts->processed = sl_read_le(&reader, 8);
        counts->dropped = sl_read_le(&reader, 8);
        counts->parse_errors = sl_read_le(&reader, 8);
        counts->duplicates = sl_read_le(&reader, 8);
        if (event->version >= 2) {
            counts->resends = sl_read_le(&reader, 8);
            counts->heartbeats = sl_read_le(&reader, 8);
            counts->ignored = sl_read_le(&reader, 8);
        }
        counts->queue_size = sl_read_le(&reader, 8);
        counts->queue_max = sl_read_le(&reader, 8);
    }
    return end_read(&reader);
}

sl_err sl_checkpoint_encode(const sl_checkpoint *in, sl_writer *out)
{
    sl_write_le(out, in->through_seq, 8);
    sl_write_le(out, in->reducer_version, 4);
    write_digest(out, in->digest);
    return written(out);
}

sl_err sl_checkpoint_decode(const sl_event *event, sl_checkpoint *out)
{
    sl_reader reader;
    sl_err err = begin_read(event, SL_PAYLOAD_VERSION, &reader);
    if (err != SL_OK) return err;
    *out = (sl_checkpoint){0};
    out->through_seq = sl_read_le(&reader, 8);
    out->reducer_version = (uint32_t)sl_read_le(&reader, 4);
    out->digest = read_digest(&reader);
    return end_read(&reader);
}

sl_err sl_refused_encode(const sl_refused *in, sl_writer *out)
{
    sl_write_le(out, in->kind, 2);
    sl_write_text(out, in->reason, in->reason_length);
    if (in->code_seq > 0) {
        sl_write_le(out, in->code_seq, 8);
        sl_write_le(out, in->line, 4);
        sl_write_le(out, in->column, 4);
    }
    return written(out);
}

sl_err sl_refused_decode(const sl_event *event, sl_refused *out)
{
    sl_reader reader;
    sl_err err = begin_read(event, SL_REFUSED_VERSION, &reader);
    if (err != SL_OK) return err;
    *out = (sl_refused){0};
    out->kind = (uint16_t)sl_read_le(&reader, 2);
    out->reason = sl_read_text(&reader, &out->reason_length);
    if (event->version >= 2) {
        out->code_seq = sl_read_le(&reader, 8);
        out->line = (uint32_t)sl_read_le(&reader, 4);
        out->column = (uint32_t)sl_read_le(&reader, 4);
    }
    return end_read(&reader);
}

sl_err sl_gave_up_encode(const sl_gave_up *in, sl_writer *out)
{
    sl_write_le(out, in->through, 8);
    return written(out);
}

sl_err sl_gave_up_decode(const sl_event *event, sl_gave_up *out)
{
    sl_reader reader;
    sl_err err = begin_read(event, SL_PAYLOAD_VERSION, &reader);
    if (err != SL_OK) return err;
    *out = (sl_gave_up){.through = sl_read_le(&reader, 8)};
    return end_read(&reader);
}

sl_err sl_base_encode(const sl_base *in, sl_writer *out)
{
    sl_write_le(out, in->before_seq, 8);
    sl_write_bytes(out, in->state, in->state_length);
    return written(out);
}

sl_err sl_base_decode(const sl_event *event, sl_base *out)
{
    sl_reader reader;
    sl_err err = begin_read(event, SL_PAYLOAD_VERSION, &reader);
    if (err != SL_OK) return err;
    *out = (sl_base){.before_seq = sl_read_le(&reader, 8)};
    out->state_length = reader.length - reader.position;
    out->state = sl_read_view(&reader, out->state_length);
    return end_read(&reader);
}

sl_err sl_paused_encode(const sl_paused *in, sl_writer *out)
{
    sl_write_le(out, in->is_paused, 1);
    return written(out);
}

sl_err sl_save_encode(const sl_save *in, sl_writer *out)
{
    sl_write_le(out, (uint64_t)in->mtime_ns, 8);
    sl_write_text(out, in->path, in->path_length);
    sl_write_bytes(out, in->bytes, in->length);
    return written(out);
}

sl_err sl_save_decode(const sl_event *event, sl_save *out)
{
    sl_reader reader;
    sl_err err = begin_read(event, SL_PAYLOAD_VERSION, &reader);
    if (err != SL_OK) return err;
    *out = (sl_save){0};
    out->mtime_ns = (int64_t)sl_read_le(&reader, 8);
    out->path = sl_read_text(&reader, &out->path_length);
    if (reader.bad) return SL_ERR_MALFORMED;
    out->length = event->length - reader.position;
    out->bytes = event->payload + reader.position;
    return SL_OK;
}

sl_err sl_paused_decode(const sl_event *event, sl_paused *out)
{
    sl_reader reader;
    sl_err err = begin_read(event, SL_PAYLOAD_VERSION, &reader);
    if (err != SL_OK) return err;
    uint64_t is_paused = sl_read_le(&reader, 1);
    if (is_paused > 1) return SL_ERR_MALFORMED;
    *out = (sl_paused){.is_paused = is_paused == 1};
    return end_read(&reader);
}

sl_err sl_sysex_sent_encode(const sl_sysex_sent *in, sl_writer *out)
{
    sl_write_le(out, in->to, 4);
    sl_write_bytes(out, in->frame, in->frame_length);
    return written(out);
}

sl_err sl_sysex_sent_decode(const sl_event *event, sl_sysex_sent *out)
{
    sl_reader reader;
    sl_err err = begin_read(event, SL_PAYLOAD_VERSION, &reader);
    if (err != SL_OK) return err;
    *out = (sl_sysex_sent){.to = (uint32_t)sl_read_le(&reader, 4)};
    out->frame_length = reader.length - reader.position;
    out->frame = sl_read_view(&reader, out->frame_length);
    return end_read(&reader);
}

void sl_setlists_encode_begin(uint32_t list_count, sl_writer *out)
{
    sl_write_le(out, list_count, 4);
}

void sl_setlists_encode_list(const char *title, size_t title_length, uint32_t item_count, sl_writer *out)
{
    sl_write_text(out, title, title_length);
    sl_write_le(out, item_count, 4);
}

void sl_setlists_encode_item(const char *name, size_t name_length, const char *patch, size_t patch_length,
                             sl_writer *out)
{
    sl_write_text(out, name, name_length);
    sl_write_text(out, patch, patch_length);
}

static sl_err check_setlists(sl_setlists lists)
{
    const char *text;
    size_t length;
    uint32_t item_count;
    if (lists.list_count > SL_SETLISTS_LISTS_MAX || lists.reader.length > SL_SETLISTS_BYTES_MAX)
        return SL_ERR_MALFORMED;
    for (uint32_t list = 0; list < lists.list_count; list++) {
        sl_setlists_next_list(&lists, &text, &length, &item_count);
        if (item_count > SL_SETLISTS_ITEMS_MAX) return SL_ERR_MALFORMED;
        for (uint32_t item = 0; item < item_count; item++)
            sl_setlists_next_item(&lists, &text, &length, &text, &length);
    }
    return end_read(&lists.reader);
}

sl_err sl_setlists_decode(const sl_event *event, sl_setlists *out)
{
    *out = (sl_setlists){0};
    sl_err err = begin_read(event, SL_PAYLOAD_VERSION, &out->reader);
    if (err != SL_OK) return err;
    out->list_count = (uint32_t)sl_read_le(&out->reader, 4);
    return check_setlists(*out);
}

void sl_setlists_next_list(sl_setlists *lists, const char **title, size_t *title_length, uint32_t *item_count)
{
    *title = sl_read_text(&lists->reader, title_length);
    *item_count = (uint32_t)sl_read_le(&lists->reader, 4);
}

void sl_setlists_next_item(sl_setlists *lists, const char **name, size_t *name_length, const char **patch,
                           size_t *patch_length)
{
    *name = sl_read_text(&lists->reader, name_length);
    *patch = sl_read_text(&lists->reader, patch_length);
}

static sl_err written(const sl_writer *out)
{
    return out->bad ? SL_ERR_FULL : SL_OK;
}

static sl_err begin_read(const sl_event *event, uint16_t version_max, sl_reader *reader)
{
    *reader = (sl_reader){.bytes = event->payload, .length = event->length};
    return event->version >= 1 && event->version <= version_max ? SL_OK : SL_ERR_VERSION;
}

static sl_err end_read(const sl_reader *reader)
{
    return reader->bad || reader->position != reader->length ? SL_ERR_MALFORMED : SL_OK;
}

static void write_digest(sl_writer *out, sl_digest digest)
{
    sl_write_le(out, digest.low, 8);
    sl_write_le(out, digest.high, 8);
}

static sl_digest read_digest(sl_reader *reader)
{
    uint64_t low = sl_read_le(reader, 8);
    uint64_t high = sl_read_le(reader, 8);
    return (sl_digest){.low = low, .high = high};
}
