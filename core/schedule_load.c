/* A schedule made of its bytes (schedule_codec.c says which). Whatever the bytes are, it is a good schedule or none. */
#include "core/schedule_internal.h"

#include <string.h>

enum { VOICES_MAX = 1 << 20 };

#define TICKS_MAX (INT64_MAX / 4) /* so that sums of a few have room */

static double read_double(sl_reader *reader)
{
    uint64_t bits = sl_read_le(reader, 8);
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static void read_clock(sl_reader *reader, sl_clock *clock)
{
    sl_tempo *tempo = &clock->tempo;
    unsigned flags = (unsigned)sl_read_le(reader, 1);
    clock->is_running = (flags & 1) != 0;
    clock->is_stopped = (flags & 2) != 0;
    clock->has_halted = (flags & 4) != 0;
    clock->halt_frame = sl_read_le(reader, 8);
    clock->tick = (int64_t)sl_read_le(reader, 8);
    clock->cut = (int64_t)sl_read_le(reader, 8);
    clock->cut_before = (int64_t)sl_read_le(reader, 8);
    clock->bar_origin = (int64_t)sl_read_le(reader, 8);
    clock->start = (int64_t)sl_read_le(reader, 8);
    clock->bar_number = sl_read_le(reader, 8);
    clock->numerator = (uint8_t)sl_read_le(reader, 1);
    clock->denominator = (uint8_t)sl_read_le(reader, 1);
    tempo->begin = (int64_t)sl_read_le(reader, 8);
    tempo->ramp = (uint32_t)sl_read_le(reader, 4);
    tempo->curve = (uint8_t)sl_read_le(reader, 1);
    tempo->rate = (uint32_t)sl_read_le(reader, 4);
    tempo->bpm_from = read_double(reader);
    tempo->bpm_to = read_double(reader);
    tempo->tick = (int64_t)sl_read_le(reader, 8);
    tempo->frame = read_double(reader);
}

static bool is_bpm(double bpm)
{
    return bpm >= 1 && bpm <= 1000; /* not a number is neither */
}

static bool is_signature(uint8_t numerator, uint8_t denominator)
{
    return numerator >= 1 && denominator >= 1 && denominator <= 32;
}

static bool is_tick(int64_t tick)
{
    return tick >= 0 && tick < TICKS_MAX;
}

typedef struct loader {
    sl_reader *reader;
    sl_memory memory;
    sl_code_track **tracks;
    sl_session_view **sessions;
    uint32_t track_count;
    uint32_t session_count;
} loader;

static sl_err load_tracks(loader *loader)
{
    uint32_t count = (uint32_t)sl_read_le(loader->reader, 4);
    if (loader->reader->bad || count > loader->reader->length) return SL_ERR_MALFORMED;
    if (count == 0) return SL_OK;
    loader->tracks = loader->memory.resize(loader->memory.ctx, NULL, 0, count * sizeof(void *));
    if (loader->tracks == NULL) return SL_ERR_MEMORY;
    memset(loader->tracks, 0, count * sizeof(void *));
    loader->track_count = count;
    for (uint32_t i = 0; i < count; i++) {
        sl_score_track track;
        sl_score_error error;
        sl_err err = sl_score_read_track(loader->reader, &track, &error.what);
        if (err == SL_OK) err = sl_code_track_make(loader->memory, &track, NULL, &loader->tracks[i], &error);
        if (err != SL_OK) return err == SL_ERR_MEMORY ? err : SL_ERR_MALFORMED;
    }
    return SL_OK;
}

static sl_err load_session(loader *loader, sl_session_view **out)
{
    sl_reader *reader = loader->reader;
    double bpm = read_double(reader);
    uint8_t numerator = (uint8_t)sl_read_le(reader, 1), denominator = (uint8_t)sl_read_le(reader, 1);
    uint32_t count = (uint32_t)sl_read_le(reader, 4);
    bool is_valid = (bpm <= 0 || is_bpm(bpm)) && (numerator == 0 || is_signature(numerator, denominator));
    if (reader->bad || !is_valid || count > SL_SCORE_TRACKS_MAX) return SL_ERR_MALFORMED;
    sl_err err = sl_session_make(loader->memory, count, out);
    if (err != SL_OK) return err;
    (*out)->bpm = bpm;
    (*out)->numerator = numerator;
    (*out)->denominator = denominator;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t track = (uint32_t)sl_read_le(reader, 4);
        (*out)->entries[i].is_stopped = sl_read_le(reader, 1) != 0;
        if (reader->bad || track >= loader->track_count) return SL_ERR_MALFORMED;
        (*out)->entries[i].track = sl_code_track_hold(loader->tracks[track]);
    }
    return SL_OK;
}

static sl_err load_sessions(loader *loader)
{
    uint32_t count = (uint32_t)sl_read_le(loader->reader, 4);
    uint32_t count_max = SL_SCHEDULE_HISTORY_MAX + SL_SCHEDULE_INPUTS_MAX + 5;
    if (loader->reader->bad || count == 0 || count > count_max) return SL_ERR_MALFORMED;
    loader->sessions = loader->memory.resize(loader->memory.ctx, NULL, 0, count * sizeof(void *));
    if (loader->sessions == NULL) return SL_ERR_MEMORY;
    memset(loader->sessions, 0, count * sizeof(void *));
    loader->session_count = count;
    for (uint32_t i = 0; i < count; i++) {
        sl_err err = load_session(loader, &loader->sessions[i]);
        if (err != SL_OK) return err;
    }
    return SL_OK;
}

/* The session named next, with a holder more; NULL where there is none. */
static sl_session_view *read_session(loader *loader)
{
    uint32_t place = (uint32_t)sl_read_le(loader->reader, 4);
    if (loader->reader->bad || place >= loader->session_count) return NULL;
    return sl_session_hold(loader->sessions[place]);
}

static sl_err load_voices(loader *loader, sl_view *view, uint32_t count)
{
    sl_reader *reader = loader->reader;
    if (count == 0) return SL_OK;
    view->voices = loader->memory.resize(loader->memory.ctx, NULL, 0, count * sizeof *view->voices);
    if (view->voices == NULL) return SL_ERR_MEMORY;
    view->voice_capacity = count;
    for (uint32_t i = 0; i < count; i++) {
        sl_voice voice = {.number = sl_read_le(reader, 8), .next = -1};
        uint32_t track = (uint32_t)sl_read_le(reader, 4);
        voice.origin = (int64_t)sl_read_le(reader, 8);
        voice.from = (int64_t)sl_read_le(reader, 8);
        voice.end = (int64_t)sl_read_le(reader, 8);
        uint8_t channel = (uint8_t)sl_read_le(reader, 1);
        voice.channel = channel & (SL_SCHEDULE_LANE_BIT - 1);
        voice.is_lane = (channel & SL_SCHEDULE_LANE_BIT) != 0;
        bool is_channel = voice.channel >= 1 && voice.channel <= SL_SCHEDULE_CHANNELS;
        bool is_time = is_tick(voice.origin) && is_tick(voice.from) && voice.origin <= voice.from &&
                       voice.from <= voice.end && (is_tick(voice.end) || voice.end == SL_TICK_NEVER);
        if (reader->bad || !is_channel || !is_time || track >= loader->track_count) return SL_ERR_MALFORMED;
        voice.track = sl_code_track_hold(loader->tracks[track]);
        view->voices[view->voice_count++] = voice;
    }
    return SL_OK;
}

static bool is_clock(const sl_clock *clock)
{
    const sl_tempo *tempo = &clock->tempo;
    bool is_time = is_tick(tempo->begin) && is_tick(tempo->tick) && is_tick(clock->tick) && is_tick(clock->cut) &&
                   is_tick(clock->cut_before) && is_tick(clock->bar_origin) && is_tick(clock->start);
    return is_time && is_signature(clock->numerator, clock->denominator) && tempo->rate > 0 &&
           is_bpm(tempo->bpm_from) && is_bpm(tempo->bpm_to) && tempo->curve < SL_CURVE_COUNT &&
           tempo->tick >= tempo->begin && tempo->frame >= 0 && tempo->frame < 9e18 && clock->tick >= tempo->tick &&
           clock->bar_origin <= clock->tick && clock->start <= clock->tick;
}

static bool is_plan(const sl_plan *plan)
{
    if (!is_tick(plan->tick)) return false;
    switch ((sl_plan_type)plan->type) {
    case SL_PLAN_HALT: return true;
    case SL_PLAN_TEMPO: return is_bpm(plan->bpm);
    case SL_PLAN_SIGNATURE: return is_signature(plan->numerator, plan->denominator);
    }
    return false;
}

static sl_err load_view(loader *loader, sl_view *view)
{
    sl_reader *reader = loader->reader;
    view->applied_seq = sl_read_le(reader, 8);
    unsigned flags = (unsigned)sl_read_le(reader, 1);
    view->has_mark = (flags & 1) != 0;
    view->mark.late = (flags & 2) != 0;
    view->mark.through_seq = sl_read_le(reader, 8);
    view->mark.frame = sl_read_le(reader, 8);
    view->mark.rate = (uint32_t)sl_read_le(reader, 4);
    read_clock(reader, &view->clock);
    view->panics = sl_read_le(reader, 8);
    view->voice_next = sl_read_le(reader, 8);
    view->session = read_session(loader);
    uint32_t voice_count = (uint32_t)sl_read_le(reader, 4);
    view->plan_count = (uint32_t)sl_read_le(reader, 4);
    bool is_valid = !reader->bad && view->session != NULL && voice_count <= VOICES_MAX && is_clock(&view->clock);
    if (!is_valid || view->plan_count > SL_PLANS_MAX) {
        view->plan_count = 0;
        return SL_ERR_MALFORMED;
    }
    sl_err err = load_voices(loader, view, voice_count);
    for (uint32_t i = 0; i < view->plan_count && err == SL_OK; i++) {
        sl_plan *plan = &view->plans[i];
        plan->tick = (int64_t)sl_read_le(reader, 8);
        plan->type = (uint8_t)sl_read_le(reader, 1);
        plan->numerator = (uint8_t)sl_read_le(reader, 1);
        plan->denominator = (uint8_t)sl_read_le(reader, 1);
        plan->bpm = read_double(reader);
        if (!is_plan(plan)) err = SL_ERR_MALFORMED;
    }
    return err == SL_OK && reader->bad ? SL_ERR_MALFORMED : err;
}

static sl_err load_history(loader *loader, sl_schedule *schedule)
{
    sl_reader *reader = loader->reader;
    sl_session_drop(schedule->history[0], loader->memory);
    schedule->history_count = 0;
    uint32_t count = (uint32_t)sl_read_le(reader, 4), at = (uint32_t)sl_read_le(reader, 4);
    if (reader->bad || count == 0 || count > SL_SCHEDULE_HISTORY_MAX || at >= count) return SL_ERR_MALFORMED;
    for (uint32_t i = 0; i < count; i++) {
        sl_session_view *session = read_session(loader);
        if (session == NULL) return SL_ERR_MALFORMED;
        schedule->history[schedule->history_count++] = session;
    }
    schedule->history_at = at;
    return SL_OK;
}

static sl_err load_inputs(loader *loader, sl_schedule *schedule)
{
    sl_reader *reader = loader->reader;
    uint32_t count = (uint32_t)sl_read_le(reader, 4);
    if (reader->bad || count > SL_SCHEDULE_INPUTS_MAX) return SL_ERR_MALFORMED;
    for (uint32_t i = 0; i < count; i++) {
        sl_input_entry *input = &schedule->inputs[i];
        *input = (sl_input_entry){.seq = sl_read_le(reader, 8), .action = (uint8_t)sl_read_le(reader, 1)};
        input->quantize = (uint8_t)sl_read_le(reader, 1);
        input->value = read_double(reader);
        input->session = read_session(loader);
        schedule->input_count++;
        bool has_session = input->action == 0 || input->action == SL_INPUT_LANES;
        if (reader->bad || has_session != (input->session != NULL)) return SL_ERR_MALFORMED;
    }
    return SL_OK;
}

static sl_err load_lanes_of(loader *loader, sl_view *view)
{
    sl_reader *reader = loader->reader;
    view->lanes_run = sl_read_le(reader, 1) != 0;
    view->lanes = read_session(loader);
    view->lanes_length = (int64_t)sl_read_le(reader, 8);
    view->lanes_origin = (int64_t)sl_read_le(reader, 8);
    bool is_valid =
        is_tick(view->lanes_length) && is_tick(view->lanes_origin) && (view->lanes != NULL || !view->lanes_run);
    return reader->bad || !is_valid ? SL_ERR_MALFORMED : SL_OK;
}

static sl_err load_lanes(loader *loader, sl_schedule *schedule)
{
    schedule->lanes = read_session(loader);
    if (schedule->lanes == NULL) return SL_ERR_MALFORMED;
    sl_err err = load_lanes_of(loader, &schedule->now);
    return err == SL_OK && schedule->has_before ? load_lanes_of(loader, &schedule->before) : err;
}

static sl_err load(loader *loader, sl_schedule *schedule)
{
    sl_reader *reader = loader->reader;
    sl_err err = load_tracks(loader);
    if (err == SL_OK) err = load_sessions(loader);
    if (err != SL_OK) return err;
    schedule->taken_seq = sl_read_le(reader, 8);
    schedule->quantize = (uint8_t)sl_read_le(reader, 1);
    if (schedule->quantize > SL_QUANTIZE_BAR) return SL_ERR_MALFORMED;
    err = load_history(loader, schedule);
    if (err == SL_OK) err = load_inputs(loader, schedule);
    if (err != SL_OK) return err;
    sl_view_clear(&schedule->now, loader->memory);
    unsigned flags = (unsigned)sl_read_le(reader, 1);
    schedule->has_before = (flags & SL_SCHEDULE_HAS_BEFORE) != 0;
    err = load_view(loader, &schedule->now);
    if (err == SL_OK && schedule->has_before) err = load_view(loader, &schedule->before);
    if (err == SL_OK && (flags & SL_SCHEDULE_HAS_LANES) != 0) err = load_lanes(loader, schedule);
    return err == SL_OK && reader->bad ? SL_ERR_MALFORMED : err;
}

sl_err sl_schedule_decode(sl_reader *reader, sl_memory memory, sl_schedule **out)
{
    sl_schedule *schedule;
    sl_err err = sl_schedule_create(memory, &schedule);
    if (err != SL_OK) return err;
    loader loader = {.reader = reader, .memory = memory};
    err = load(&loader, schedule);
    for (uint32_t i = 0; i < loader.track_count; i++) sl_code_track_drop(loader.tracks[i], memory);
    for (uint32_t i = 0; i < loader.session_count; i++) sl_session_drop(loader.sessions[i], memory);
    if (loader.tracks != NULL) memory.resize(memory.ctx, loader.tracks, loader.track_count * sizeof(void *), 0);
    if (loader.sessions != NULL) memory.resize(memory.ctx, loader.sessions, loader.session_count * sizeof(void *), 0);
    if (err != SL_OK) {
        sl_schedule_destroy(schedule);
        return err;
    }
    *out = schedule;
    return SL_OK;
}
