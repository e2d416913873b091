/* The codec of requests and answers. */
#include "tools/eval/eval_wire.h"

enum { MAGIC = 0x5645534c /* "LSEV" */, VERSION = 1 };

static bool is_request(const sl_eval_request *request)
{
    size_t total = 0;
    if (request->buffer_count < 1 || request->buffer_count > SL_EVAL_BUFFERS_MAX) return false;
    if (request->quantize > SL_QUANTIZE_BAR && request->quantize != SL_QUANTIZE_DEFAULT) return false;
    for (size_t i = 0; i < request->buffer_count; i++) {
        const sl_eval_buffer *buffer = &request->buffers[i];
        if (buffer->name_length > SL_SCORE_NAME_BYTES_MAX) return false;
        if (buffer->source_length > SL_EVAL_SOURCE_BYTES_MAX) return false;
        total += buffer->source_length;
    }
    return total <= SL_EVAL_SOURCES_BYTES_MAX;
}

static bool is_fault(const sl_eval_fault *fault)
{
    return fault->buffer_length <= SL_SCORE_NAME_BYTES_MAX && fault->message_length <= SL_EVAL_MESSAGE_BYTES_MAX;
}

static bool is_answer(const sl_eval_answer *answer)
{
    if (answer->printed_length > SL_EVAL_PRINTED_BYTES_MAX || answer->skipped_count > SL_EVAL_BUFFERS_MAX) return false;
    for (size_t i = 0; i < answer->skipped_count; i++)
        if (!is_fault(&answer->skipped[i])) return false;
    if (answer->type == SL_EVAL_SCORE) return answer->score_length <= SL_SCORE_BYTES_MAX;
    return answer->type == SL_EVAL_FAULT && is_fault(&answer->fault);
}

static sl_err check_head(sl_reader *reader)
{
    uint64_t magic = sl_read_le(reader, 4), version = sl_read_le(reader, 1);
    if (reader->bad || magic != MAGIC) return SL_ERR_MALFORMED;
    return version == VERSION ? SL_OK : SL_ERR_VERSION;
}

sl_err sl_eval_request_encode(const sl_eval_request *in, sl_writer *out)
{
    if (!is_request(in)) return SL_ERR_RANGE;
    sl_write_le(out, MAGIC, 4);
    sl_write_le(out, VERSION, 1);
    sl_write_le(out, in->quantize, 1);
    sl_write_le(out, in->code_seq, 8);
    sl_write_le(out, in->buffer_count, 1);
    for (size_t i = 0; i < in->buffer_count; i++) {
        sl_write_text(out, in->buffers[i].name, in->buffers[i].name_length);
        sl_write_text(out, in->buffers[i].source, in->buffers[i].source_length);
    }
    return out->bad ? SL_ERR_FULL : SL_OK;
}

sl_err sl_eval_request_decode(const uint8_t *bytes, size_t length, sl_eval_request *out)
{
    sl_reader reader = {.bytes = bytes, .length = length};
    sl_err err = check_head(&reader);
    if (err != SL_OK) return err;
    out->quantize = (uint8_t)sl_read_le(&reader, 1);
    out->code_seq = sl_read_le(&reader, 8);
    out->buffer_count = (uint8_t)sl_read_le(&reader, 1);
    if (out->buffer_count > SL_EVAL_BUFFERS_MAX) return SL_ERR_MALFORMED;
    for (size_t i = 0; i < out->buffer_count; i++) {
        out->buffers[i].name = sl_read_text(&reader, &out->buffers[i].name_length);
        out->buffers[i].source = sl_read_text(&reader, &out->buffers[i].source_length);
    }
    if (reader.bad || reader.position != length || !is_request(out)) return SL_ERR_MALFORMED;
    return SL_OK;
}

static void write_fault(sl_writer *out, const sl_eval_fault *fault)
{
    sl_write_text(out, fault->buffer, fault->buffer_length);
    sl_write_text(out, fault->message, fault->message_length);
    sl_write_le(out, fault->line, 4);
    sl_write_le(out, fault->column, 4);
}

static void read_fault(sl_reader *reader, sl_eval_fault *out)
{
    out->buffer = sl_read_text(reader, &out->buffer_length);
    out->message = sl_read_text(reader, &out->message_length);
    out->line = (uint32_t)sl_read_le(reader, 4);
    out->column = (uint32_t)sl_read_le(reader, 4);
}

sl_err sl_eval_answer_encode(const sl_eval_answer *in, sl_writer *out)
{
    if (!is_answer(in)) return SL_ERR_RANGE;
    sl_write_le(out, MAGIC, 4);
    sl_write_le(out, VERSION, 1);
    sl_write_le(out, in->type, 1);
    sl_write_text(out, in->printed, in->printed_length);
    sl_write_le(out, in->skipped_count, 1);
    for (size_t i = 0; i < in->skipped_count; i++) write_fault(out, &in->skipped[i]);
    if (in->type == SL_EVAL_SCORE)
        sl_write_text(out, (const char *)in->score, in->score_length);
    else
        write_fault(out, &in->fault);
    return out->bad ? SL_ERR_FULL : SL_OK;
}

sl_err sl_eval_answer_decode(const uint8_t *bytes, size_t length, sl_eval_answer *out)
{
    sl_reader reader = {.bytes = bytes, .length = length};
    memset(out, 0, sizeof *out);
    sl_err err = check_head(&reader);
    if (err != SL_OK) return err;
    out->type = (uint8_t)sl_read_le(&reader, 1);
    out->printed = sl_read_text(&reader, &out->printed_length);
    out->skipped_count = (uint8_t)sl_read_le(&reader, 1);
    if (out->skipped_count > SL_EVAL_BUFFERS_MAX) return SL_ERR_MALFORMED;
    for (size_t i = 0; i < out->skipped_count; i++) read_fault(&reader, &out->skipped[i]);
    if (out->type == SL_EVAL_SCORE)
        out->score = (const uint8_t *)sl_read_text(&reader, &out->score_length);
    else
        read_fault(&reader, &out->fault);
    if (reader.bad || reader.position != length || !is_answer(out)) return SL_ERR_MALFORMED;
    return SL_OK;
}
