/* A log's sound: the walk over its events. */
#include "tools/symlog/performance.h"

#include "core/schedule.h"
#include "tools/symlog/host.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

typedef struct walk {
    const sl_performance *performance;
    sl_log_marks own;          /* read here */
    const sl_log_marks *marks; /* all of them, or those from the last `start` on */
    size_t at;                 /* the next mark */
    uint64_t begin_seq;        /* marks before this event are passed over: nothing of them is heard any more */

    sl_playback *saved; /* begins behind event begin_seq - 1 */
    sl_state *state;
    sl_playback *playback;
    sl_log_reader *reader;
    sl_mixer mixer;    /* counts from the present frame on, … */
    bool is_mixer_new; /* … and was not told yet: of several at one frame the last counts */
    bool is_exact;
    bool is_lossy;  /* an event was lost: nothing is exact any more */
    bool is_middle; /* it begins in the middle of a sound that nothing tells of */
    bool is_over;   /* nobody listens any more */
    float block[2 * SL_PERFORMANCE_BLOCK_FRAMES];
} walk;

static sl_err read_marks(walk *walk, uint64_t first, char errmsg[256]);
static sl_err find_beginning(walk *walk, uint64_t first, char errmsg[256]);
static sl_err find_saved(walk *walk, uint64_t oldest, size_t target);
static sl_err go(walk *walk, char errmsg[256]);
static sl_err begin_in_the_middle(walk *walk);
static sl_err take_event(walk *walk, const sl_event *event);
static sl_err take_mark(walk *walk, const sl_log_mark *mark);
static void end_sound(walk *walk, uint64_t frame);
static void render_to(walk *walk, uint64_t frame);
static void tell_mixer(walk *walk);

sl_err sl_performance_run(const sl_performance *performance, sl_state **state, sl_playback **playback, char errmsg[256])
{
    walk *walk = calloc(1, sizeof *walk);
    if (state != NULL) *state = NULL;
    if (playback != NULL) *playback = NULL;
    if (walk == NULL) {
        snprintf(errmsg, 256, "%s", sl_err_text(SL_ERR_MEMORY));
        return SL_ERR_MEMORY;
    }
    walk->performance = performance;
    walk->is_exact = true;
    sl_log_beginning beginning;
    sl_err err = sl_log_begins(performance->log, &beginning);
    if (err != SL_OK) snprintf(errmsg, 256, "%.255s", sl_log_error(performance->log));
    if (err == SL_OK) err = read_marks(walk, beginning.first_seq, errmsg);
    if (err == SL_OK) err = find_beginning(walk, beginning.first_seq, errmsg);
    if (err == SL_OK) err = go(walk, errmsg);
    if (err == SL_OK || err == SL_ERR_END) {
        tell_mixer(walk);
        if (performance->is_exact != NULL) *performance->is_exact = walk->is_exact;
        if (state != NULL) *state = walk->state;
        if (playback != NULL) *playback = walk->playback;
        if (state != NULL) walk->state = NULL;
        if (playback != NULL) walk->playback = NULL;
    }
    if (walk->reader != NULL) sl_log_reader_close(walk->reader);
    if (walk->state != NULL) sl_state_destroy(walk->state);
    sl_playback_destroy(walk->playback);
    sl_playback_destroy(walk->saved);
    sl_log_marks_clear(&walk->own);
    free(walk);
    return err;
}

/* Who hears nothing needs those of the last run alone. */
static sl_err read_marks(walk *walk, uint64_t first, char errmsg[256])
{
    const sl_performance *performance = walk->performance;
    uint64_t start = 0;
    walk->marks = performance->marks != NULL ? performance->marks : &walk->own;
    if (performance->marks != NULL) return SL_OK;
    sl_err err = SL_OK;
    if (performance->hear == NULL)
        err = sl_log_marks_last_start(performance->log, first, performance->through, &start, errmsg);
    if (err != SL_OK) return err;
    if (start == 0)
        return sl_log_marks_read_all(performance->db, performance->log, performance->through, &walk->own, errmsg);
    const sl_range range = {.from = start, .through = performance->through};
    return sl_log_marks_read(performance->log, range, 0, &walk->own, errmsg);
}

/* The first mark with which there is sound; behind all events: none. */
static uint64_t find_first(const walk *walk)
{
    const sl_log_marks *marks = walk->marks;
    size_t index = 0;
    while (index < marks->count && !marks->items[index].is_beginning) index++;
    return index < marks->count ? marks->items[index].seq : walk->performance->through + 1;
}

/* Where nothing before is heard any more, and the state before that. */
static sl_err find_beginning(walk *walk, uint64_t first, char errmsg[256])
{
    const sl_performance *performance = walk->performance;
    const sl_log_marks *marks = walk->marks;
    const size_t target =
        performance->hear != NULL ? sl_log_marks_at_frame(marks, performance->from_frame) : marks->count;
    size_t index = target;
    while (index > 0 && !marks->items[index - 1].is_beginning) index--;
    const bool is_new = marks->count > 0 ? marks->items[0].is_beginning : marks->start_count > 0;
    walk->is_middle = index == 0 && first > 1 && !is_new;
    walk->begin_seq = first;
    if (index == 0 && !walk->is_middle) walk->begin_seq = find_first(walk);
    if (index > 0) walk->begin_seq = marks->items[index - 1].seq;
    const uint64_t oldest = walk->is_middle ? first - 1 : walk->begin_seq;
    if (performance->states != NULL && (index > 0 || walk->is_middle)) {
        const sl_err err = find_saved(walk, oldest, target);
        if (err != SL_OK) snprintf(errmsg, 256, "%s", sl_err_text(err));
        if (err != SL_OK) return err;
    }
    walk->is_lossy = marks->first_lost > 0 && marks->first_lost < walk->begin_seq;
    walk->is_exact = !walk->is_lossy;
    return sl_host_nearest(performance->db, performance->log, walk->begin_seq - 1, &walk->state, errmsg);
}

/* Whether a playback saved after event `seq` lies where the marks say that it may. */
static bool is_plausible(const walk *walk, uint64_t seq, sl_playback *playback)
{
    const sl_performance *performance = walk->performance;
    const sl_log_marks *marks = walk->marks;
    const uint64_t frame = sl_playback_frame(playback);
    const size_t index = sl_log_marks_at(marks, seq);
    if (performance->hear != NULL && frame > performance->from_frame) return false;
    if (index > 0 && frame < marks->items[index - 1].frame) return false;
    if (index > 0 && sl_renderer_rate(sl_playback_renderer(playback)) != marks->items[index - 1].rate) return false;
    const sl_log_mark *next = index < marks->count ? &marks->items[index] : NULL;
    return next == NULL || (!next->is_late && next->frame >= frame);
}

/* The newest saved state from which the frames wanted can be reached, with `target` marks at or before them. */
static sl_err find_saved(walk *walk, uint64_t oldest, size_t target)
{
    const sl_log_marks *marks = walk->marks;
    uint64_t seq = target < marks->count ? marks->items[target].seq - 1 : walk->performance->through;
    while (seq >= oldest) {
        uint64_t found = 0;
        sl_playback *playback = NULL;
        const sl_err err = sl_sound_states_nearest(walk->performance->states, seq, &found, &playback);
        if (err == SL_ERR_MEMORY) return err;
        if (err != SL_OK) return SL_OK;
        if (found >= oldest && is_plausible(walk, found, playback)) {
            walk->saved = playback;
            walk->begin_seq = found + 1;
            walk->is_middle = false;
            return SL_OK;
        }
        sl_playback_destroy(playback);
        if (found < oldest || found == 0) return SL_OK;
        seq = found - 1;
    }
    return SL_OK;
}

static bool is_heard_out(const walk *walk)
{
    const sl_performance *performance = walk->performance;
    if (performance->hear == NULL || performance->to_frame == 0 || walk->playback == NULL) return false;
    return sl_playback_frame(walk->playback) >= performance->to_frame;
}

static sl_err go(walk *walk, char errmsg[256])
{
    const sl_performance *performance = walk->performance;
    sl_err err = sl_log_reader_open(performance->log, sl_state_seq(walk->state) + 1, &walk->reader);
    if (err != SL_OK) {
        snprintf(errmsg, 256, "%.255s", sl_log_error(performance->log));
        return err;
    }
    while (walk->at < walk->marks->count && walk->marks->items[walk->at].seq < walk->begin_seq) walk->at++;
    while (err == SL_OK) {
        if (sl_state_seq(walk->state) + 1 == walk->begin_seq) err = begin_in_the_middle(walk);
        if (err != SL_OK) snprintf(errmsg, 256, "%s", sl_err_text(err));
        if (err != SL_OK || walk->is_over || is_heard_out(walk)) break;
        if (sl_log_reader_next_seq(walk->reader) > performance->through) break;
        sl_event event;
        err = sl_log_read(walk->reader, &event);
        if (err == SL_ERR_END) break;
        if (err != SL_OK) sl_host_read_error(walk->reader, err, errmsg);
        if (err == SL_OK) {
            err = take_event(walk, &event);
            if (err != SL_OK) snprintf(errmsg, 256, "event %llu: %s", (unsigned long long)event.seq, sl_err_text(err));
        }
    }
    if (err == SL_ERR_END) err = SL_OK;
    if (err == SL_OK && performance->hear != NULL) render_to(walk, performance->to_frame);
    return err == SL_OK && walk->is_over ? SL_ERR_END : err;
}

/* With what was saved; or, where a pruned log begins in the middle, from silence at the mark that its state tells. */
static sl_err begin_in_the_middle(walk *walk)
{
    const sl_schedule *schedule = sl_state_schedule(walk->state);
    sl_applied mark;
    if (walk->saved != NULL) {
        walk->playback = walk->saved;
        walk->saved = NULL;
        return SL_OK;
    }
    if (!walk->is_middle || schedule == NULL || !sl_schedule_mark(schedule, &mark)) return SL_OK;
    walk->is_middle = false;
    walk->is_exact = false;
    const sl_err err = sl_playback_create(sl_host_memory(), mark.rate, mark.frame, &walk->playback);
    sl_mixer_read(walk->state, &walk->mixer);
    walk->is_mixer_new = true;
    return err == SL_ERR_RANGE ? SL_OK : err;
}

/* A mark at which all that is wanted has been heard is not taken any more. */
static sl_err take_event(walk *walk, const sl_event *event)
{
    const sl_log_marks *marks = walk->marks;
    if (event->kind == SL_KIND_LOST) {
        walk->is_lossy = true;
        walk->is_exact = false;
    }
    if (walk->at < marks->count && marks->items[walk->at].seq == event->seq) {
        const sl_err err = take_mark(walk, &marks->items[walk->at++]);
        if (err != SL_OK || walk->is_over || is_heard_out(walk)) return err;
    }
    return sl_reduce(walk->state, event, NULL);
}

static sl_err take_mark(walk *walk, const sl_log_mark *mark)
{
    const sl_performance *performance = walk->performance;
    const bool is_last = performance->hear != NULL && performance->to_frame > 0 && mark->frame >= performance->to_frame;
    const uint64_t frame = is_last ? performance->to_frame : mark->frame;
    if (mark->is_beginning)
        end_sound(walk, frame);
    else
        render_to(walk, frame);
    if (walk->is_over || is_heard_out(walk)) return SL_OK;
    if (mark->is_beginning) {
        sl_playback_destroy(walk->playback);
        walk->playback = NULL;
        walk->is_exact = !walk->is_lossy;
        const sl_err err = sl_playback_create(sl_host_memory(), mark->rate, mark->frame, &walk->playback);
        if (err != SL_OK) return err == SL_ERR_RANGE ? SL_OK : err;
    }
    sl_mixer_read(walk->state, &walk->mixer);
    walk->is_mixer_new = true;
    return SL_OK;
}

static bool is_playing(const walk *walk)
{
    const sl_schedule *schedule = sl_state_schedule(walk->state);
    return sl_schedule_position(schedule, sl_playback_frame(walk->playback)).is_playing;
}

/* What is left up to where the renderer begins anew: rendered as far as anybody wants it. */
static void end_sound(walk *walk, uint64_t frame)
{
    const sl_performance *performance = walk->performance;
    if (walk->playback == NULL || performance->hear == NULL) return;
    uint64_t now = sl_playback_frame(walk->playback);
    if (now >= frame) return;
    render_to(walk, performance->want != NULL ? performance->want(performance->ctx, now, frame) : frame);
    now = sl_playback_frame(walk->playback);
    if (now < performance->from_frame) now = performance->from_frame;
    if (walk->is_over || now >= frame) return;
    const sl_performance_block block = {
        .frame = now,
        .frames = frame - now,
        .rate = sl_renderer_rate(sl_playback_renderer(walk->playback)),
        .is_exact = walk->is_exact,
        .is_playing = is_playing(walk),
    };
    walk->is_over = !performance->hear(performance->ctx, &block);
}

static void render_to(walk *walk, uint64_t frame)
{
    const sl_performance *performance = walk->performance;
    if (walk->playback == NULL) return;
    uint64_t now;
    while ((now = sl_playback_frame(walk->playback)) < frame && !walk->is_over) {
        const bool is_before = performance->hear != NULL && now < performance->from_frame;
        const uint64_t limit = is_before && performance->from_frame < frame ? performance->from_frame : frame;
        const uint64_t left = limit - now;
        const size_t frames = left < SL_PERFORMANCE_BLOCK_FRAMES ? (size_t)left : SL_PERFORMANCE_BLOCK_FRAMES;
        const sl_performance_block block = {
            .frame = now,
            .frames = frames,
            .left_right = walk->block,
            .rate = sl_renderer_rate(sl_playback_renderer(walk->playback)),
            .is_exact = walk->is_exact,
            .is_playing = is_playing(walk),
        };
        tell_mixer(walk);
        sl_playback_render(walk->playback, sl_state_schedule(walk->state), walk->block, frames);
        if (performance->hear != NULL && !is_before) walk->is_over = !performance->hear(performance->ctx, &block);
    }
}

static void tell_mixer(walk *walk)
{
    if (walk->playback == NULL || !walk->is_mixer_new) return;
    sl_playback_set_mixer(walk->playback, &walk->mixer);
    walk->is_mixer_new = false;
}
