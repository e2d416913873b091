/* The codecs of live code's own payloads. */
#include "core/live_code.h"

#include <string.h>

enum { RATE_MIN = 8000, RATE_MAX = 384000 };

static const char *const action_names[SL_TRANSPORT_ACTION_LAST + 1] = {
    [SL_TRANSPORT_PLAY] = "play",       [SL_TRANSPORT_PAUSE] = "pause",
    [SL_TRANSPORT_STOP] = "stop",       [SL_TRANSPORT_PANIC] = "panic",
    [SL_TRANSPORT_TEMPO] = "tempo",     [SL_TRANSPORT_QUANTIZE] = "quantize",
    [SL_TRANSPORT_UNDO] = "undo",       [SL_TRANSPORT_REDO] = "redo",
    [SL_TRANSPORT_CHANNEL] = "channel", [SL_TRANSPORT_INSTRUMENT] = "instrument",
    [SL_TRANSPORT_EFFECT] = "effect",
};

const char *sl_transport_action_name(uint8_t action)
{
    return action <= SL_TRANSPORT_ACTION_LAST ? action_names[action] : NULL;
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

static bool is_quantize(uint8_t quantize)
{
    return quantize <= SL_QUANTIZE_BAR || quantize == SL_QUANTIZE_DEFAULT;
}

sl_err sl_code_encode(const sl_code *in, sl_writer *out)
{
    sl_write_le(out, in->quantize, 1);
    sl_write_le(out, in->language, 1);
    sl_write_text(out, in->buffer, in->buffer_length);
    sl_write_text(out, in->source, in->source_length);
    return written(out);
}

sl_err sl_code_decode(const sl_event *event, sl_code *out)
{
    sl_reader reader;
    sl_err err = begin_read(event, &reader);
    if (err != SL_OK) return err;
    *out = (sl_code){.quantize = (uint8_t)sl_read_le(&reader, 1), .language = (uint8_t)sl_read_le(&reader, 1)};
    out->buffer = sl_read_text(&reader, &out->buffer_length);
    out->source = sl_read_text(&reader, &out->source_length);
    return end_read(&reader, is_quantize(out->quantize) && out->language <= SL_LANGUAGE_TYPESCRIPT &&
                                 out->buffer_length <= SL_SCORE_NAME_BYTES_MAX);
}

sl_err sl_transport_encode(const sl_transport *in, sl_writer *out)
{
    uint64_t value;
    memcpy(&value, &in->value, sizeof value);
    sl_write_le(out, in->action, 1);
    sl_write_le(out, in->quantize, 1);
    sl_write_le(out, value, 8);
    sl_write_text(out, in->track, in->track_length);
    sl_write_text(out, in->name, in->name_length);
    sl_write_text(out, in->params, in->params_length);
    return written(out);
}

static bool is_value_of(const sl_transport *transport)
{
    double value = transport->value;
    switch (transport->action) {
    case SL_TRANSPORT_TEMPO: return value >= 1 && value <= 1000;
    case SL_TRANSPORT_CHANNEL: return value >= 0 && value <= 16 && (double)(int)value - value >= 0;
    case SL_TRANSPORT_QUANTIZE: return transport->quantize != SL_QUANTIZE_DEFAULT;
    default: return value - value >= 0; /* finite */
    }
}

sl_err sl_transport_decode(const sl_event *event, sl_transport *out)
{
    sl_reader reader;
    sl_err err = begin_read(event, &reader);
    if (err != SL_OK) return err;
    *out = (sl_transport){.action = (uint8_t)sl_read_le(&reader, 1), .quantize = (uint8_t)sl_read_le(&reader, 1)};
    uint64_t value = sl_read_le(&reader, 8);
    memcpy(&out->value, &value, sizeof value);
    out->track = sl_read_text(&reader, &out->track_length);
    out->name = sl_read_text(&reader, &out->name_length);
    out->params = sl_read_text(&reader, &out->params_length);
    bool is_valid = out->action >= SL_TRANSPORT_PLAY && out->action <= SL_TRANSPORT_ACTION_LAST &&
                    is_quantize(out->quantize) && is_value_of(out) && out->track_length <= SL_SCORE_NAME_BYTES_MAX &&
                    out->name_length <= SL_SCORE_NAME_BYTES_MAX && out->params_length <= SL_SCORE_PARAMS_BYTES_MAX;
    return end_read(&reader, is_valid);
}

sl_err sl_applied_encode(const sl_applied *in, sl_writer *out)
{
    sl_write_le(out, in->through_seq, 8);
    sl_write_le(out, in->frame, 8);
    sl_write_le(out, in->rate, 4);
    sl_write_le(out, in->late, 1);
    return written(out);
}

sl_err sl_applied_decode(const sl_event *event, sl_applied *out)
{
    sl_reader reader;
    sl_err err = begin_read(event, &reader);
    if (err != SL_OK) return err;
    *out = (sl_applied){.through_seq = sl_read_le(&reader, 8), .frame = sl_read_le(&reader, 8)};
    out->rate = (uint32_t)sl_read_le(&reader, 4);
    uint64_t flags = sl_read_le(&reader, 1);
    out->late = flags == 1;
    return end_read(&reader,
                    flags <= 1 && out->rate >= RATE_MIN && out->rate <= RATE_MAX && out->frame < INT64_MAX / 4);
}
