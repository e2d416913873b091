/*
 * A schedule's bytes. Little-endian; a track and a session are written once and then named by their place.
 *
 *   u32 track_count · each (u32 length · the track as in a score: core/score.h)
 *   u32 session_count · each (f64 bpm · u8 numerator · u8 denominator · u32 count · count x (u32 track · u8
 * is_stopped)) u64 taken_seq · u8 quantize · u32 history_count · u32 history_at · history_count x u32 session u32
 * input_count · each (u64 seq · u8 action · u8 quantize · f64 value · u32 session, or all ones)
 *   u8 flags (1 has_before, 2 has_lanes) · the view · [the view before]
 *   [u32 lanes · of each view (u8 lanes_run · u32 lanes, or all ones · i64 lanes_length · i64 lanes_origin)]
 *   view: the numbers of put_view, in its order
 *
 * A voice's track may be in no session any more: it is among the tracks, too.
 */
#include "core/schedule_internal.h"

#include <assert.h>
#include <string.h>

enum { VOICES_MAX = 1 << 20, RECORD_BYTES = 192, HAS_BEFORE = 1, HAS_LANES = 2, LANE_BIT = 0x80 };
#define NONE UINT32_MAX

typedef struct coder {
    sl_schedule_put *put;
    void *ctx;
} coder;

static void put_le(coder *coder, uint64_t value, size_t size)
{
    uint8_t bytes[8];
    sl_put_le(bytes, value, size);
    coder->put(coder->ctx, bytes, size);
}

static void write_double(sl_writer *writer, double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    sl_write_le(writer, bits, 8);
}

static double read_double(sl_reader *reader)
{
    uint64_t bits = sl_read_le(reader, 8);
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* All sessions that a schedule holds, lanes too, some of them more than once, by a number. */
static sl_session_view *session_at(const sl_schedule *schedule, uint32_t number)
{
    if (number < schedule->history_count) return schedule->history[number];
    number -= schedule->history_count;
    if (number < schedule->input_count) return schedule->inputs[number].session;
    number -= schedule->input_count;
    if (number == 0) return schedule->now.session;
    if (number == 1) return schedule->before.session;
    if (number == 2) return schedule->lanes;
    return number == 3 ? schedule->now.lanes : schedule->before.lanes;
}

static uint32_t count_sessions(const sl_schedule *schedule)
{
    return schedule->history_count + schedule->input_count + 5;
}

/* Gives each session its place, in the order in which they are met; returns how many there are. */
static uint32_t list_sessions(const sl_schedule *schedule)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < count_sessions(schedule); i++)
        if (session_at(schedule, i) != NULL) session_at(schedule, i)->place = NONE;
    for (uint32_t i = 0; i < count_sessions(schedule); i++) {
        sl_session_view *session = session_at(schedule, i);
        if (session != NULL && session->place == NONE) session->place = count++;
    }
    return count;
}

/* Each track that is held, once: its index is its place. With a coder they are written, without they are counted. */
static void list_track(sl_code_track *track, uint32_t *count, coder *coder)
{
    if (coder == NULL) {
        if (track->index == NONE) track->index = (*count)++;
        return;
    }
    if (track->index != *count) return;
    (*count)++;
    put_le(coder, track->head_length + track->part->bytes_length, 4);
    coder->put(coder->ctx, track->head, track->head_length);
    coder->put(coder->ctx, track->part->bytes, track->part->bytes_length);
}

typedef void visit_track(sl_code_track *track, uint32_t *count, coder *coder);

static void forget_index(sl_code_track *track, uint32_t *count, coder *coder)
{
    (void)count;
    (void)coder;
    track->index = NONE;
}

static void visit_tracks(const sl_schedule *schedule, visit_track *visit, uint32_t *count, coder *coder)
{
    for (uint32_t i = 0; i < count_sessions(schedule); i++) {
        const sl_session_view *session = session_at(schedule, i);
        for (uint32_t j = 0; session != NULL && j < session->count; j++) visit(session->entries[j].track, count, coder);
    }
    const sl_view *views[] = {&schedule->now, &schedule->before};
    for (unsigned v = 0; v < 2; v++)
        for (uint32_t i = 0; i < views[v]->voice_count; i++) visit(views[v]->voices[i].track, count, coder);
}

static void put_session(const sl_session_view *session, coder *coder)
{
    uint8_t bytes[16];
    sl_writer writer = {.bytes = bytes, .capacity = sizeof bytes};
    write_double(&writer, session->bpm);
    sl_write_le(&writer, session->numerator, 1);
    sl_write_le(&writer, session->denominator, 1);
    sl_write_le(&writer, session->count, 4);
    coder->put(coder->ctx, bytes, writer.length);
    for (uint32_t i = 0; i < session->count; i++) {
        put_le(coder, session->entries[i].track->index, 4);
        put_le(coder, session->entries[i].is_stopped, 1);
    }
}

static void put_input(const sl_input_entry *input, coder *coder)
{
    uint8_t bytes[32];
    sl_writer writer = {.bytes = bytes, .capacity = sizeof bytes};
    sl_write_le(&writer, input->seq, 8);
    sl_write_le(&writer, input->action, 1);
    sl_write_le(&writer, input->quantize, 1);
    write_double(&writer, input->value);
    sl_write_le(&writer, input->session == NULL ? (uint32_t)NONE : input->session->place, 4);
    coder->put(coder->ctx, bytes, writer.length);
}

static void write_clock(sl_writer *writer, const sl_clock *clock)
{
    const sl_tempo *tempo = &clock->tempo;
    unsigned flags = (clock->is_running ? 1U : 0U) | (clock->is_stopped ? 2U : 0U) | (clock->has_halted ? 4U : 0U);
    sl_write_le(writer, flags, 1);
    sl_write_le(writer, clock->halt_frame, 8);
    sl_write_le(writer, (uint64_t)clock->tick, 8);
    sl_write_le(writer, (uint64_t)clock->cut, 8);
    sl_write_le(writer, (uint64_t)clock->cut_before, 8);
    sl_write_le(writer, (uint64_t)clock->bar_origin, 8);
    sl_write_le(writer, (uint64_t)clock->start, 8);
    sl_write_le(writer, clock->bar_number, 8);
    sl_write_le(writer, clock->numerator, 1);
    sl_write_le(writer, clock->denominator, 1);
    sl_write_le(writer, (uint64_t)tempo->begin, 8);
    sl_write_le(writer, tempo->ramp, 4);
    sl_write_le(writer, tempo->curve, 1);
    sl_write_le(writer, tempo->rate, 4);
    write_double(writer, tempo->bpm_from);
    write_double(writer, tempo->bpm_to);
    sl_write_le(writer, (uint64_t)tempo->tick, 8);
    write_double(writer, tempo->frame);
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

static void put_view(const sl_view *view, coder *coder)
{
    uint8_t bytes[RECORD_BYTES];
    sl_writer writer = {.bytes = bytes, .capacity = sizeof bytes};
    sl_write_le(&writer, view->applied_seq, 8);
    sl_write_le(&writer, (view->has_mark ? 1U : 0U) | (view->mark.late ? 2U : 0U), 1);
    sl_write_le(&writer, view->mark.through_seq, 8);
    sl_write_le(&writer, view->mark.frame, 8);
    sl_write_le(&writer, view->mark.rate, 4);
    write_clock(&writer, &view->clock);
    assert(!writer.bad);
    coder->put(coder->ctx, bytes, writer.length);
    writer.length = 0;
    sl_write_le(&writer, view->panics, 8);
    sl_write_le(&writer, view->voice_next, 8);
    sl_write_le(&writer, view->session->place, 4);
    sl_write_le(&writer, view->voice_count, 4);
    sl_write_le(&writer, view->plan_count, 4);
    coder->put(coder->ctx, bytes, writer.length);
    for (uint32_t i = 0; i < view->voice_count; i++) {
        const sl_voice *voice = &view->voices[i];
        writer.length = 0;
        sl_write_le(&writer, voice->number, 8);
        sl_write_le(&writer, voice->track->index, 4);
        sl_write_le(&writer, (uint64_t)voice->origin, 8);
        sl_write_le(&writer, (uint64_t)voice->from, 8);
        sl_write_le(&writer, (uint64_t)voice->end, 8);
        sl_write_le(&writer, voice->channel | (voice->is_lane ? LANE_BIT : 0U), 1);
        coder->put(coder->ctx, bytes, writer.length);
    }
    for (uint32_t i = 0; i < view->plan_count; i++) {
        const sl_plan *plan = &view->plans[i];
        writer.length = 0;
        sl_write_le(&writer, (uint64_t)plan->tick, 8);
        sl_write_le(&writer, plan->type, 1);
        sl_write_le(&writer, plan->numerator, 1);
        sl_write_le(&writer, plan->denominator, 1);
        write_double(&writer, plan->bpm);
        coder->put(coder->ctx, bytes, writer.length);
    }
}

static void put_lanes(const sl_view *view, coder *coder)
{
    put_le(coder, view->lanes_run, 1);
    put_le(coder, view->lanes == NULL ? (uint32_t)NONE : view->lanes->place, 4);
    put_le(coder, (uint64_t)view->lanes_length, 8);
    put_le(coder, (uint64_t)view->lanes_origin, 8);
}

void sl_schedule_encode(const sl_schedule *schedule, sl_schedule_put *put, void *ctx)
{
    coder coder = {.put = put, .ctx = ctx};
    uint32_t track_count = 0, written = 0, session_count = list_sessions(schedule), next = 0;
    visit_tracks(schedule, forget_index, NULL, NULL);
    visit_tracks(schedule, list_track, &track_count, NULL);
    put_le(&coder, track_count, 4);
    visit_tracks(schedule, list_track, &written, &coder);
    put_le(&coder, session_count, 4);
    for (uint32_t i = 0; i < count_sessions(schedule); i++) {
        const sl_session_view *session = session_at(schedule, i);
        if (session == NULL || session->place != next) continue;
        put_session(session, &coder);
        next++;
    }
    put_le(&coder, schedule->taken_seq, 8);
    put_le(&coder, schedule->quantize, 1);
    put_le(&coder, schedule->history_count, 4);
    put_le(&coder, schedule->history_at, 4);
    for (uint32_t i = 0; i < schedule->history_count; i++) put_le(&coder, schedule->history[i]->place, 4);
    put_le(&coder, schedule->input_count, 4);
    for (uint32_t i = 0; i < schedule->input_count; i++) put_input(&schedule->inputs[i], &coder);
    bool has_lanes = schedule->lanes != NULL;
    put_le(&coder, (schedule->has_before ? HAS_BEFORE : 0U) | (has_lanes ? HAS_LANES : 0U), 1);
    put_view(&schedule->now, &coder);
    if (schedule->has_before) put_view(&schedule->before, &coder);
    if (has_lanes) put_le(&coder, schedule->lanes->place, 4);
    if (has_lanes) put_lanes(&schedule->now, &coder);
    if (has_lanes && schedule->has_before) put_lanes(&schedule->before, &coder);
}

/* Reading. */

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
    if (reader->bad || count > SL_SCORE_TRACKS_MAX) return SL_ERR_MALFORMED;
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
        voice.channel = channel & (LANE_BIT - 1);
        voice.is_lane = (channel & LANE_BIT) != 0;
        bool is_channel = voice.channel >= 1 && voice.channel <= SL_SCHEDULE_CHANNELS;
        if (reader->bad || !is_channel || track >= loader->track_count || voice.origin > voice.from || voice.from > voice.end)
            return SL_ERR_MALFORMED;
        voice.track = sl_code_track_hold(loader->tracks[track]);
        view->voices[view->voice_count++] = voice;
    }
    return SL_OK;
}

static bool is_clock(const sl_clock *clock)
{
    const sl_tempo *tempo = &clock->tempo;
    return clock->numerator >= 1 && clock->denominator >= 1 && clock->denominator <= 32 && tempo->rate > 0 &&
           tempo->bpm_from >= 1 && tempo->bpm_from <= 1000 && tempo->bpm_to >= 1 && tempo->bpm_to <= 1000 &&
           tempo->curve < SL_CURVE_COUNT && tempo->tick >= tempo->begin && tempo->frame >= 0 && tempo->frame < 9e18 &&
           clock->tick >= tempo->tick && clock->bar_origin <= clock->tick && clock->start <= clock->tick;
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
    bool is_valid = view->lanes_length >= 0 && (view->lanes != NULL || !view->lanes_run);
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
    err = load_history(loader, schedule);
    if (err == SL_OK) err = load_inputs(loader, schedule);
    if (err != SL_OK) return err;
    sl_view_clear(&schedule->now, loader->memory);
    unsigned flags = (unsigned)sl_read_le(reader, 1);
    schedule->has_before = (flags & HAS_BEFORE) != 0;
    err = load_view(loader, &schedule->now);
    if (err == SL_OK && schedule->has_before) err = load_view(loader, &schedule->before);
    if (err == SL_OK && (flags & HAS_LANES) != 0) err = load_lanes(loader, schedule);
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

size_t sl_schedule_size_bytes(const sl_schedule *schedule)
{
    size_t size = sizeof *schedule + SL_SCHEDULE_INPUTS_MAX * sizeof *schedule->inputs;
    uint32_t count = 0;
    visit_tracks(schedule, forget_index, NULL, NULL);
    visit_tracks(schedule, list_track, &count, NULL);
    for (uint32_t i = 0; i < schedule->history_at + 1; i++)
        for (uint32_t j = 0; j < schedule->history[i]->count; j++) {
            sl_code_track *track = schedule->history[i]->entries[j].track;
            if (track->index == NONE) continue;
            size += sizeof *track + track->head_length + track->part->size_bytes;
            track->index = NONE;
        }
    return size + (schedule->now.voice_capacity + schedule->before.voice_capacity) * sizeof *schedule->now.voices;
}
