/*
 * A schedule's bytes. Little-endian; a track and a session are written once and then named by their place.
 *
 *   u32 track_count · each (u32 length · the track as in a score: core/score.h)
 *   u32 session_count · each (f64 bpm · u8 numerator · u8 denominator · u32 count · count x an entry)
 *   u64 taken_seq · u8 quantize · u32 history_count · u32 history_at · history_count x u32 session
 *   u32 input_count · each (u64 seq · u8 action · u8 quantize · f64 value · u32 session, or all ones)
 *   u8 flags (1 has_before, 2 has_lanes) · the view · [the view before]
 *   [u32 lanes · of each view (u8 lanes_run · u32 lanes, or all ones · i64 lanes_length · i64 lanes_origin)]
 *   entry: u32 track · u8 is_stopped
 *   view: the numbers of put_view, in its order
 *
 * A voice's track may be in no session any more: it is among the tracks, too.
 */
#include "core/schedule_internal.h"

#include <assert.h>
#include <string.h>

enum { RECORD_BYTES = 192 };
#define NONE SL_SCHEDULE_NONE

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
        sl_write_le(&writer, voice->channel | (voice->is_lane ? SL_SCHEDULE_LANE_BIT : 0U), 1);
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
    put_le(&coder, (schedule->has_before ? SL_SCHEDULE_HAS_BEFORE : 0U) | (has_lanes ? SL_SCHEDULE_HAS_LANES : 0U), 1);
    put_view(&schedule->now, &coder);
    if (schedule->has_before) put_view(&schedule->before, &coder);
    if (has_lanes) put_le(&coder, schedule->lanes->place, 4);
    if (has_lanes) put_lanes(&schedule->now, &coder);
    if (has_lanes && schedule->has_before) put_lanes(&schedule->before, &coder);
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
