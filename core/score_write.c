/* Writing scores. */
#include "core/score.h"

#include <assert.h>

enum { FLAG_REPLACES = 1, FLAG_TEMPO = 2, FLAG_SIGNATURE = 4 };

static void write_varint(sl_writer *out, uint32_t value)
{
    while (value >= 0x80) {
        sl_write_le(out, (value & 0x7f) | 0x80, 1);
        value >>= 7;
    }
    sl_write_le(out, value, 1);
}

static void write_double(sl_writer *out, double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    sl_write_le(out, bits, 8);
}

/* Leaves room for a number of `size` bytes, and says where. */
static size_t leave_room(sl_writer *out, size_t size)
{
    size_t position = out->length;
    sl_write_le(out, 0, size);
    return position;
}

static void write_back(sl_writer *out, size_t position, uint64_t value, size_t size)
{
    if (!out->bad) sl_put_le(out->bytes + position, value, size);
}

void sl_score_begin(sl_score_writer *score, sl_writer *out, const sl_score_head *head)
{
    *score = (sl_score_writer){.out = out};
    unsigned flags = (head->replaces ? FLAG_REPLACES : 0U) | (head->has_tempo ? FLAG_TEMPO : 0U) |
                     (head->has_signature ? FLAG_SIGNATURE : 0U);
    sl_write_le(out, head->code_seq, 8);
    sl_write_le(out, head->quantize, 1);
    sl_write_le(out, flags, 1);
    sl_write_text(out, head->buffer, head->buffer_length);
    if (head->has_tempo) write_double(out, head->bpm);
    if (head->has_signature) {
        sl_write_le(out, head->numerator, 1);
        sl_write_le(out, head->denominator, 1);
    }
    score->track_count_position = leave_room(out, 2);
}

void sl_score_begin_track(sl_score_writer *score, const sl_score_track *track)
{
    sl_writer *out = score->out;
    score->track_count++;
    score->track_position = leave_room(out, 4);
    sl_write_text(out, track->name, track->name_length);
    sl_write_le(out, track->channel, 1);
    sl_write_text(out, track->instrument, track->instrument_length);
    sl_write_text(out, track->params, track->params_length);
    score->effect_count_position = leave_room(out, 1);
    score->effect_count = 0;
    score->clip_count_position = 0;
    score->clip_count = 0;
}

void sl_score_put_effect(sl_score_writer *score, const char *name, size_t name_length, const char *params,
                         size_t params_length)
{
    assert(score->clip_count_position == 0);
    score->effect_count++;
    sl_write_text(score->out, name, name_length);
    sl_write_text(score->out, params, params_length);
}

static void begin_clips(sl_score_writer *score)
{
    if (score->clip_count_position == 0) score->clip_count_position = leave_room(score->out, 2);
}

void sl_score_begin_clip(sl_score_writer *score, const char *name, size_t length)
{
    begin_clips(score);
    score->clip_count++;
    sl_write_text(score->out, name, length);
    score->clip_position = leave_room(score->out, 4);
}

void sl_score_put_step(sl_score_writer *score, const sl_score_step *step)
{
    sl_writer *out = score->out;
    sl_write_le(out, step->op, 1);
    switch ((sl_score_op)step->op) {
    case SL_SCORE_NOTE:
        sl_write_le(out, step->pitch, 1);
        write_varint(out, step->duration);
        sl_write_le(out, step->velocity, 2);
        sl_write_le(out, step->style, 1);
        break;
    case SL_SCORE_REST: write_varint(out, step->duration); break;
    case SL_SCORE_LOOP: write_varint(out, step->count); break;
    case SL_SCORE_TRANSPOSE: sl_write_le(out, (uint8_t)step->semitones, 1); break;
    case SL_SCORE_TEMPO:
        write_double(out, step->bpm);
        write_varint(out, step->duration);
        sl_write_le(out, step->curve, 1);
        break;
    case SL_SCORE_SIGNATURE:
        sl_write_le(out, step->numerator, 1);
        sl_write_le(out, step->denominator, 1);
        break;
    case SL_SCORE_DYNAMICS:
        sl_write_le(out, step->from, 2);
        sl_write_le(out, step->to, 2);
        write_varint(out, step->duration);
        break;
    case SL_SCORE_SWING: sl_write_le(out, step->amount, 2); break;
    case SL_SCORE_QUANTIZE:
        write_varint(out, step->duration);
        sl_write_le(out, step->amount, 2);
        break;
    case SL_SCORE_EUCLID:
        write_varint(out, step->hits);
        write_varint(out, step->steps);
        write_varint(out, step->rotation);
        write_varint(out, step->count);
        sl_write_le(out, step->pitch, 1);
        sl_write_le(out, step->velocity, 2);
        write_varint(out, step->duration);
        break;
    case SL_SCORE_END:
    case SL_SCORE_STACK:
    case SL_SCORE_OP_COUNT: break;
    }
}

void sl_score_end_clip(sl_score_writer *score)
{
    write_back(score->out, score->clip_position, score->out->length - score->clip_position - 4, 4);
}

void sl_score_end_track(sl_score_writer *score)
{
    begin_clips(score);
    write_back(score->out, score->effect_count_position, score->effect_count, 1);
    write_back(score->out, score->clip_count_position, score->clip_count, 2);
    write_back(score->out, score->track_position, score->out->length - score->track_position - 4, 4);
}

void sl_score_end(sl_score_writer *score)
{
    write_back(score->out, score->track_count_position, score->track_count, 2);
}
