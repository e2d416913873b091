/* The codecs of the events of sound. */
#include "core/sound_events.h"

#include <string.h>

enum { RATE_MIN = 8000, RATE_MAX = 384000 };

static const char *const type_names[SL_PLAYER_TYPE_LAST + 1] = {
    [SL_PLAYER_TIMER] = "timer", [SL_PLAYER_SOUND] = "sound", [SL_PLAYER_NO_DEVICE] = "no device"};

const char *sl_player_type_name(uint8_t type)
{
    return type <= SL_PLAYER_TYPE_LAST ? type_names[type] : NULL;
}

static sl_err begin_read(const sl_event *event, sl_reader *reader)
{
    *reader = (sl_reader){.bytes = event->payload, .length = event->length};
    return event->version == 1 ? SL_OK : SL_ERR_VERSION;
}

static sl_err end_read(const sl_reader *reader, bool is_valid)
{
    return reader->bad || reader->position != reader->length || !is_valid ? SL_ERR_MALFORMED : SL_OK;
}

static sl_err written(const sl_writer *out)
{
    return out->bad ? SL_ERR_FULL : SL_OK;
}

static bool is_rate(uint32_t rate)
{
    return rate >= RATE_MIN && rate <= RATE_MAX;
}

sl_err sl_parameter_event_encode(const sl_parameter_event *in, sl_writer *out)
{
    uint64_t value;
    memcpy(&value, &in->value, sizeof value);
    sl_write_le(out, value, 8);
    sl_write_text(out, in->id, in->id_length);
    return written(out);
}

sl_err sl_parameter_event_decode(const sl_event *event, sl_parameter_event *out)
{
    sl_reader reader;
    const sl_err err = begin_read(event, &reader);
    if (err != SL_OK) return err;
    const uint64_t value = sl_read_le(&reader, 8);
    *out = (sl_parameter_event){0};
    memcpy(&out->value, &value, sizeof value);
    out->id = sl_read_text(&reader, &out->id_length);
    const bool is_finite = out->value - out->value == 0;
    return end_read(&reader, is_finite && out->id_length > 0 && out->id_length <= SL_PARAMETER_ID_BYTES_MAX);
}

sl_err sl_player_event_encode(const sl_player_event *in, sl_writer *out)
{
    sl_write_le(out, in->type, 1);
    sl_write_le(out, in->rate, 4);
    sl_write_le(out, in->block, 4);
    sl_write_text(out, in->device, in->device_length);
    return written(out);
}

sl_err sl_player_event_decode(const sl_event *event, sl_player_event *out)
{
    sl_reader reader;
    const sl_err err = begin_read(event, &reader);
    if (err != SL_OK) return err;
    *out = (sl_player_event){.type = (uint8_t)sl_read_le(&reader, 1)};
    out->rate = (uint32_t)sl_read_le(&reader, 4);
    out->block = (uint32_t)sl_read_le(&reader, 4);
    out->device = sl_read_text(&reader, &out->device_length);
    return end_read(&reader, out->type <= SL_PLAYER_TYPE_LAST && is_rate(out->rate) &&
                                 out->device_length <= SL_DEVICE_BYTES_MAX);
}

sl_err sl_heard_encode(const sl_heard *in, sl_writer *out)
{
    sl_write_le(out, in->frame, 8);
    sl_write_le(out, in->frames, 4);
    sl_write_le(out, in->rate, 4);
    sl_write_le(out, in->missed, 4);
    sl_write_le(out, in->version, 4);
    sl_write_le(out, in->digest.low, 8);
    sl_write_le(out, in->digest.high, 8);
    return written(out);
}

sl_err sl_heard_decode(const sl_event *event, sl_heard *out)
{
    sl_reader reader;
    const sl_err err = begin_read(event, &reader);
    if (err != SL_OK) return err;
    *out = (sl_heard){.frame = sl_read_le(&reader, 8)};
    out->frames = (uint32_t)sl_read_le(&reader, 4);
    out->rate = (uint32_t)sl_read_le(&reader, 4);
    out->missed = (uint32_t)sl_read_le(&reader, 4);
    out->version = (uint32_t)sl_read_le(&reader, 4);
    out->digest.low = sl_read_le(&reader, 8);
    out->digest.high = sl_read_le(&reader, 8);
    return end_read(&reader, is_rate(out->rate) && out->frames > 0 && out->frames <= 2 * out->rate &&
                                 out->missed <= out->frames && out->frame < UINT64_MAX - out->frames);
}

sl_err sl_processor_event_encode(const sl_processor_event *in, sl_writer *out)
{
    sl_write_text(out, in->path, in->path_length);
    sl_write_text(out, in->source, in->source_length);
    return written(out);
}

sl_err sl_processor_event_decode(const sl_event *event, sl_processor_event *out)
{
    sl_reader reader;
    const sl_err err = begin_read(event, &reader);
    if (err != SL_OK) return err;
    *out = (sl_processor_event){0};
    out->path = sl_read_text(&reader, &out->path_length);
    out->source = sl_read_text(&reader, &out->source_length);
    return end_read(&reader, out->source_length <= SL_PROCESSOR_BYTES_MAX);
}
