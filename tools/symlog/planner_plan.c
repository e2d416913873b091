/* What is planned: notes, beats, and where everything falls silent. */
#include "tools/symlog/planner_internal.h"

#include <stdlib.h>
#include <string.h>

enum {
    PLAN_AGAIN = SL_PLANNER_LOOKAHEAD * 3 / 4, /* frames: when less than that is planned, more is */
    CAPACITY_MIN = 256
};

static bool is_quiet(const sl_planner *planner);
static bool add(void *ctx, const sl_sound *sound);
static void insert(sl_planner *planner, const sl_planned *item);
static void add_beats(sl_planner *planner, uint64_t from, uint64_t to);
static void add_silence(sl_planner *planner, uint64_t from, uint64_t to);

sl_err sl_planner_plan(sl_planner *planner, uint64_t now)
{
    if (!planner->has_begun || planner->planned_to >= now + PLAN_AGAIN) return SL_OK;
    const bool is_still = !planner->is_open && !planner->is_late;
    if (is_still && now > planner->advanced + SL_SCHEDULE_RATE && now < planner->planned_to) {
        sl_schedule_advance(planner->schedule, now);
        planner->advanced = now;
    }
    return sl_planner_plan_to(planner, now + SL_PLANNER_LOOKAHEAD);
}

sl_err sl_planner_plan_to(sl_planner *planner, uint64_t to)
{
    const uint64_t from = planner->planned_to;
    if (to <= from) return SL_OK;
    const bool is_silent = planner->has_begun && is_quiet(planner);
    planner->planned_to = to;
    if (!planner->has_begun) return SL_OK;
    if (is_silent) {
        if (from < planner->foretold_to && planner->owner.foretell != NULL)
            planner->owner.foretell(planner->owner.ctx, from, planner->foretold_to, NULL, 0);
        planner->foretold_to = to;
        return SL_OK;
    }
    if (planner->planned_at > 0) {
        planner->planned_count -= planner->planned_at;
        memmove(planner->planned, planner->planned + planner->planned_at,
                planner->planned_count * sizeof *planner->planned);
        planner->planned_at = 0;
    }
    const size_t begin = planner->planned_count;
    const sl_position position = sl_schedule_position(planner->schedule, from);
    planner->beat = position.beat;
    planner->beat_tick = position.tick;
    sl_schedule_notes(planner->schedule, from, to, add, planner);
    const size_t count = planner->planned_count - begin;
    const bool is_told = count > 0 || from < planner->foretold_to;
    if (is_told && planner->owner.foretell != NULL && !planner->is_bad)
        planner->owner.foretell(planner->owner.ctx, from, to, planner->planned + begin, count);
    planner->foretold_to = to;
    add_silence(planner, from, to);
    add_beats(planner, from, to);
    if (planner->is_bad) return SL_ERR_MEMORY;
    return SL_OK;
}

/* Nothing can happen from planned_to on without another mark. */
static bool is_quiet(const sl_planner *planner)
{
    const sl_schedule *schedule = planner->schedule;
    if (planner->was_running || planner->has_panic) return false;
    return !sl_schedule_position(schedule, planner->planned_to).is_playing &&
           !sl_schedule_is_sounding(schedule, planner->planned_to);
}

/* A place at the end of the list; NULL: no memory. */
static sl_planned *grow(sl_planner *planner)
{
    if (planner->planned_count == planner->planned_capacity) {
        const size_t capacity = planner->planned_capacity > 0 ? planner->planned_capacity * 2 : CAPACITY_MIN;
        sl_planned *planned = realloc(planner->planned, capacity * sizeof *planned);
        if (planned == NULL) {
            planner->is_bad = true;
            return NULL;
        }
        memset(planned + planner->planned_count, 0, (capacity - planner->planned_count) * sizeof *planned);
        planner->planned = planned;
        planner->planned_capacity = capacity;
    }
    return &planner->planned[planner->planned_count++];
}

static bool add(void *ctx, const sl_sound *sound)
{
    sl_planner *planner = ctx;
    sl_planned *place = grow(planner);
    if (place == NULL) return false;
    *place = (sl_planned){
        .frame = sound->frame,
        .type = SL_PLANNED_NOTE,
        .is_start = sound->is_start,
        .pitch = sound->pitch,
        .velocity = sound->velocity,
        .channel = sound->channel,
        .is_lane = sound->is_lane,
        .beat = planner->beat + (double)(sound->tick - planner->beat_tick) / (double)SL_TICKS_PER_BEAT,
        .id = sound->id,
        .track = sound->track,
        .track_length = sound->track_length,
    };
    return true;
}

/* True if `item`, no note, belongs before `other` of the same frame: behind notes that end and before those that start.
 */
static bool is_before(const sl_planned *item, const sl_planned *other)
{
    if (item->frame != other->frame) return item->frame < other->frame;
    return other->type == SL_PLANNED_NOTE && other->is_start;
}

static void insert(sl_planner *planner, const sl_planned *item)
{
    if (grow(planner) == NULL) return;
    size_t at = planner->planned_count - 1;
    for (; at > planner->planned_at && is_before(item, &planner->planned[at - 1]); at--) {
        planner->planned[at] = planner->planned[at - 1];
    }
    planner->planned[at] = *item;
}

static bool is_running(const sl_planner *planner, uint64_t frame)
{
    return sl_schedule_position(planner->schedule, frame).is_playing;
}

/* The first frame of from < f <= to at which the clock stands still; it runs at `from`, and not at `to`. */
static uint64_t find_halt(const sl_planner *planner, uint64_t from, uint64_t to)
{
    while (from + 1 < to) {
        const uint64_t middle = from + (to - from) / 2;
        if (is_running(planner, middle)) {
            from = middle;
        } else {
            to = middle;
        }
    }
    return to;
}

/* The clock halts at `from`, by a mark, or on the way to `to`. */
static void add_silence(sl_planner *planner, uint64_t from, uint64_t to)
{
    const bool runs_on = is_running(planner, from);
    const bool runs_through = is_running(planner, to);
    sl_planned silence = {.frame = from, .type = SL_PLANNED_SILENCE};
    if (runs_on && !runs_through) silence.frame = find_halt(planner, from, to);
    if ((planner->was_running || runs_on) && !runs_through) insert(planner, &silence);
    if (planner->has_panic) insert(planner, &(sl_planned){.frame = from, .type = SL_PLANNED_PANIC});
    planner->has_panic = false;
    planner->was_running = runs_through;
}

static void add_beats(sl_planner *planner, uint64_t from, uint64_t to)
{
    const sl_schedule *schedule = planner->schedule;
    if (!is_running(planner, from)) return;
    int64_t tick = sl_schedule_next(schedule, sl_schedule_tick(schedule, from), SL_QUANTIZE_BEAT);
    for (;;) {
        const uint64_t frame = sl_schedule_frame(schedule, tick);
        if (frame == SL_FRAME_NEVER || frame >= to) return;
        const sl_position position = sl_schedule_position(schedule, frame);
        const int64_t bar_tick = sl_schedule_next(schedule, tick, SL_QUANTIZE_BAR);
        const sl_planned item = {.frame = frame,
                                 .type = SL_PLANNED_BEAT,
                                 .is_start = bar_tick == tick,
                                 .bar = position.bar,
                                 .beat = position.beat};
        insert(planner, &item);
        tick = sl_schedule_next(schedule, tick + 1, SL_QUANTIZE_BEAT);
    }
}

void sl_planner_cut(sl_planner *planner, uint64_t frame)
{
    while (planner->planned_count > planner->planned_at &&
           planner->planned[planner->planned_count - 1].frame >= frame) {
        planner->planned_count--;
    }
    /* Where two marks tell of one frame, what was before the first counts. */
    if (planner->planned_to != frame) planner->was_running = planner->has_begun && is_running(planner, frame);
    planner->planned_to = frame;
}

void sl_planner_hand_out(sl_planner *planner, uint64_t now)
{
    const size_t begin = planner->planned_at;
    size_t end = begin;
    while (end < planner->planned_count && planner->planned[end].frame <= now) end++;
    planner->planned_at = end;
    if (end > begin) planner->owner.due(planner->owner.ctx, planner->planned + begin, end - begin);
}

uint64_t sl_planner_next(const sl_planner *planner)
{
    uint64_t next = SL_FRAME_NEVER;
    if (planner->planned_at < planner->planned_count) next = planner->planned[planner->planned_at].frame;
    if (is_quiet(planner)) return next;
    const uint64_t plan = planner->planned_to > PLAN_AGAIN ? planner->planned_to - PLAN_AGAIN + 1 : 0;
    return plan < next ? plan : next;
}
