/* Reading scores, bounds first. */
#include "core/score.h"

#include <string.h>

enum {
    FLAG_REPLACES = 1,
    FLAG_TEMPO = 2,
    FLAG_SIGNATURE = 4,
    FLAGS = 7,
    NUMERATOR_MAX = 64,
    DENOMINATOR_MAX = 32,
    EUCLID_STEPS_MAX = 256,
    VARINT_BYTES_MAX = 5
};

static sl_err refuse(const char **what, const char *reason)
{
    *what = reason;
    return SL_ERR_MALFORMED;
}

static uint32_t read_varint(sl_reader *reader)
{
    uint64_t value = 0;
    for (unsigned i = 0; i < VARINT_BYTES_MAX; i++) {
        uint64_t byte = sl_read_le(reader, 1);
        value |= (byte & 0x7f) << (7 * i);
        if ((byte & 0x80) == 0) {
            if (value > UINT32_MAX) break;
            return (uint32_t)value;
        }
    }
    reader->bad = true;
    return 0;
}

static double read_double(sl_reader *reader)
{
    uint64_t bits = sl_read_le(reader, 8);
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static bool is_bpm(double bpm)
{
    return bpm >= 1 && bpm <= 1000; /* not a number is neither */
}

static bool is_signature(uint8_t numerator, uint8_t denominator)
{
    bool is_power = denominator > 0 && (denominator & (denominator - 1)) == 0;
    return numerator >= 1 && numerator <= NUMERATOR_MAX && is_power && denominator <= DENOMINATOR_MAX;
}

sl_err sl_score_read_head(sl_reader *reader, sl_score_head *out, const char **what)
{
    *out = (sl_score_head){.code_seq = sl_read_le(reader, 8), .quantize = (uint8_t)sl_read_le(reader, 1)};
    unsigned flags = (unsigned)sl_read_le(reader, 1);
    out->replaces = (flags & FLAG_REPLACES) != 0;
    out->has_tempo = (flags & FLAG_TEMPO) != 0;
    out->has_signature = (flags & FLAG_SIGNATURE) != 0;
    out->buffer = sl_read_text(reader, &out->buffer_length);
    if (out->has_tempo) out->bpm = read_double(reader);
    if (out->has_signature) {
        out->numerator = (uint8_t)sl_read_le(reader, 1);
        out->denominator = (uint8_t)sl_read_le(reader, 1);
    }
    out->track_count = (uint16_t)sl_read_le(reader, 2);
    if (reader->bad) return refuse(what, "the score ends too early");
    if (flags > FLAGS) return refuse(what, "an unknown flag");
    if (out->quantize > SL_QUANTIZE_BAR && out->quantize != SL_QUANTIZE_DEFAULT) return refuse(what, "no quantize");
    if (out->buffer_length > SL_SCORE_NAME_BYTES_MAX) return refuse(what, "a name that is too long");
    if (out->has_tempo && !is_bpm(out->bpm)) return refuse(what, "a tempo outside 1 to 1000");
    if (out->has_signature && !is_signature(out->numerator, out->denominator)) return refuse(what, "no time signature");
    if (out->track_count > SL_SCORE_TRACKS_MAX) return refuse(what, "too many tracks");
    return SL_OK;
}

sl_err sl_score_read_track(sl_reader *reader, sl_score_track *out, const char **what)
{
    *out = (sl_score_track){.length = (size_t)sl_read_le(reader, 4)};
    out->bytes = sl_read_view(reader, out->length);
    if (out->bytes == NULL) return refuse(what, "the score ends too early");
    sl_reader track = {.bytes = out->bytes, .length = out->length};
    out->name = sl_read_text(&track, &out->name_length);
    out->channel = (uint8_t)sl_read_le(&track, 1);
    out->instrument = sl_read_text(&track, &out->instrument_length);
    out->params = sl_read_text(&track, &out->params_length);
    out->effect_count = (uint8_t)sl_read_le(&track, 1);
    for (unsigned i = 0; i < out->effect_count; i++) {
        size_t name_length, params_length;
        (void)sl_read_text(&track, &name_length);
        (void)sl_read_text(&track, &params_length);
        if (name_length > SL_SCORE_NAME_BYTES_MAX || params_length > SL_SCORE_PARAMS_BYTES_MAX)
            return refuse(what, "a name that is too long");
    }
    out->music_position = track.position;
    out->clip_count = (uint16_t)sl_read_le(&track, 2);
    if (track.bad) return refuse(what, "a track that ends too early");
    if (out->name_length == 0) return refuse(what, "a track without a name");
    if (out->name_length > SL_SCORE_NAME_BYTES_MAX || out->instrument_length > SL_SCORE_NAME_BYTES_MAX ||
        out->params_length > SL_SCORE_PARAMS_BYTES_MAX)
        return refuse(what, "a name that is too long");
    if (out->channel > 16) return refuse(what, "a channel above 16");
    if (out->effect_count > SL_SCORE_EFFECTS_MAX) return refuse(what, "too many effects");
    if (out->clip_count > SL_SCORE_CLIPS_MAX) return refuse(what, "too many clips");
    return SL_OK;
}

sl_reader sl_score_clips(const sl_score_track *track)
{
    return (sl_reader){.bytes = track->bytes, .length = track->length, .position = track->music_position + 2};
}

sl_err sl_score_read_clip(sl_reader *reader, sl_score_clip *out, const char **what)
{
    *out = (sl_score_clip){.length = 0};
    out->name = sl_read_text(reader, &out->name_length);
    out->length = (size_t)sl_read_le(reader, 4);
    out->operations = sl_read_view(reader, out->length);
    if (out->operations == NULL) return refuse(what, "a track that ends too early");
    if (out->name_length > SL_SCORE_NAME_BYTES_MAX) return refuse(what, "a name that is too long");
    return SL_OK;
}

sl_reader sl_score_steps(const sl_score_clip *clip)
{
    return (sl_reader){.bytes = clip->operations, .length = clip->length};
}

static void read_operands(sl_reader *reader, sl_score_step *out)
{
    switch ((sl_score_op)out->op) {
    case SL_SCORE_NOTE:
        out->pitch = (uint8_t)sl_read_le(reader, 1);
        out->duration = read_varint(reader);
        out->velocity = (uint16_t)sl_read_le(reader, 2);
        out->style = (uint8_t)sl_read_le(reader, 1);
        break;
    case SL_SCORE_REST: out->duration = read_varint(reader); break;
    case SL_SCORE_LOOP: out->count = read_varint(reader); break;
    case SL_SCORE_TRANSPOSE: out->semitones = (int8_t)sl_read_le(reader, 1); break;
    case SL_SCORE_TEMPO:
        out->bpm = read_double(reader);
        out->duration = read_varint(reader);
        out->curve = (uint8_t)sl_read_le(reader, 1);
        break;
    case SL_SCORE_SIGNATURE:
        out->numerator = (uint8_t)sl_read_le(reader, 1);
        out->denominator = (uint8_t)sl_read_le(reader, 1);
        break;
    case SL_SCORE_DYNAMICS:
        out->from = (uint16_t)sl_read_le(reader, 2);
        out->to = (uint16_t)sl_read_le(reader, 2);
        out->duration = read_varint(reader);
        break;
    case SL_SCORE_SWING: out->amount = (uint16_t)sl_read_le(reader, 2); break;
    case SL_SCORE_QUANTIZE:
        out->duration = read_varint(reader);
        out->amount = (uint16_t)sl_read_le(reader, 2);
        break;
    case SL_SCORE_EUCLID:
        out->hits = read_varint(reader);
        out->steps = read_varint(reader);
        out->rotation = read_varint(reader);
        out->count = read_varint(reader);
        out->pitch = (uint8_t)sl_read_le(reader, 1);
        out->velocity = (uint16_t)sl_read_le(reader, 2);
        out->duration = read_varint(reader);
        break;
    case SL_SCORE_END:
    case SL_SCORE_STACK:
    case SL_SCORE_OP_COUNT: break;
    }
}

/* What is wrong with a step's operands; NULL: nothing. */
static const char *find_fault(const sl_score_step *step)
{
    bool is_sounding = step->op == SL_SCORE_NOTE || step->op == SL_SCORE_EUCLID;
    if (step->pitch > 127) return "a pitch above 127";
    if (step->velocity > SL_SCORE_ONE || step->amount > SL_SCORE_ONE) return "an amount above 1";
    if (is_sounding && step->duration == 0) return "a note of no length";
    if ((step->style & 15) >= SL_ARTICULATION_COUNT || step->style >> 4 > SL_TIE_CONTINUE) return "an unknown style";
    if (step->op == SL_SCORE_TEMPO && !is_bpm(step->bpm)) return "a tempo outside 1 to 1000";
    if (step->curve >= SL_CURVE_COUNT) return "an unknown curve";
    if (step->op == SL_SCORE_SIGNATURE && !is_signature(step->numerator, step->denominator)) return "no time signature";
    if (step->op == SL_SCORE_DYNAMICS) {
        bool is_from = step->from <= SL_SCORE_ONE || step->from == SL_SCORE_AS_IT_IS;
        if (!is_from || step->to > SL_SCORE_ONE) return "an amount above 1";
    }
    if (step->op == SL_SCORE_EUCLID && (step->steps > EUCLID_STEPS_MAX || step->hits > step->steps))
        return "a euclid of more hits than steps, or more than 256 steps";
    return NULL;
}

sl_err sl_score_read_step(sl_reader *reader, sl_score_step *out, const char **what)
{
    if (reader->position == reader->length) return SL_ERR_END;
    memset(out, 0, sizeof *out);
    out->op = (uint8_t)sl_read_le(reader, 1);
    if (out->op >= SL_SCORE_OP_COUNT) return refuse(what, "an unknown operation");
    read_operands(reader, out);
    if (reader->bad) return refuse(what, "a clip that ends too early");
    const char *fault = find_fault(out);
    return fault == NULL ? SL_OK : refuse(what, fault);
}

static bool opens(uint8_t op)
{
    return op == SL_SCORE_LOOP || op == SL_SCORE_STACK || op == SL_SCORE_TRANSPOSE;
}

static sl_err check_clip(const sl_score_clip *clip, size_t *position, const char **what)
{
    sl_reader steps = sl_score_steps(clip);
    unsigned depth = 0;
    for (;;) {
        *position = steps.position;
        sl_score_step step;
        sl_err err = sl_score_read_step(&steps, &step, what);
        if (err == SL_ERR_END) break;
        if (err != SL_OK) return err;
        if (step.op == SL_SCORE_END && depth == 0) return refuse(what, "an end of nothing");
        if (step.op == SL_SCORE_END) depth--;
        if (opens(step.op) && ++depth > SL_SCORE_DEPTH_MAX) return refuse(what, "operations nested too deep");
    }
    return depth == 0 ? SL_OK : refuse(what, "a loop, stack or transpose without its end");
}

static sl_err check_track(const sl_score_track *track, size_t *position, const char **what)
{
    sl_reader clips = sl_score_clips(track);
    for (unsigned i = 0; i < track->clip_count; i++) {
        sl_score_clip clip;
        *position = clips.position;
        sl_err err = sl_score_read_clip(&clips, &clip, what);
        if (err != SL_OK) return err;
        size_t at = 0;
        err = check_clip(&clip, &at, what);
        *position = clips.position - clip.length + at;
        if (err != SL_OK) return err;
    }
    *position = clips.position;
    return clips.position == clips.length ? SL_OK : refuse(what, "more bytes than a track");
}

static bool has_equal_name(const sl_event *event, const sl_score_track *track, unsigned count)
{
    sl_reader reader = {.bytes = event->payload, .length = event->length};
    const char *what;
    sl_score_head head;
    bool is_equal = false;
    if (sl_score_read_head(&reader, &head, &what) != SL_OK) return false;
    for (unsigned i = 0; i < count && !is_equal; i++) {
        sl_score_track other;
        if (sl_score_read_track(&reader, &other, &what) != SL_OK) return false;
        is_equal = other.name_length == track->name_length && memcmp(other.name, track->name, other.name_length) == 0;
    }
    return is_equal;
}

sl_err sl_score_check(const sl_event *event, sl_score_error *error)
{
    *error = (sl_score_error){.what = "a version that is not known"};
    if (event->version != SL_SCORE_VERSION) return SL_ERR_VERSION;
    error->what = "a score that is too long";
    if (event->length > SL_SCORE_BYTES_MAX) return SL_ERR_MALFORMED;
    sl_reader reader = {.bytes = event->payload, .length = event->length};
    sl_score_head head;
    sl_err err = sl_score_read_head(&reader, &head, &error->what);
    for (unsigned i = 0; i < head.track_count && err == SL_OK; i++) {
        sl_score_track track;
        error->position = reader.position;
        err = sl_score_read_track(&reader, &track, &error->what);
        if (err != SL_OK) break;
        if (has_equal_name(event, &track, i)) return refuse(&error->what, "two tracks of one name");
        size_t at = 0;
        err = check_track(&track, &at, &error->what);
        error->position = reader.position - track.length + at;
    }
    if (err != SL_OK) return err;
    error->position = reader.position;
    return reader.position == reader.length ? SL_OK : refuse(&error->what, "more bytes than a score");
}
