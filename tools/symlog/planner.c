/* The planner: taking what the log has, and marks. What is planned stands in planner_plan.c. */
#include "tools/symlog/planner_internal.h"

#include "tools/symlog/host.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static void clear(sl_planner *planner);
static sl_err take_new(sl_planner *planner, uint64_t now);
static sl_err take_through(sl_planner *planner, const sl_player_item *last);
static sl_err take(sl_planner *planner, const sl_player_item *item);
static sl_err load(sl_planner *planner, const sl_player_item *item, uint64_t now);
static sl_err take_mark(sl_planner *planner, const sl_player_item *item, const sl_applied *mark, uint64_t now);
static void put_mark(sl_planner *planner, uint64_t now);
static void wish(sl_planner *planner, uint64_t frame);

sl_player_item *sl_player_item_create(sl_player_item_type type, uint64_t seq, size_t length)
{
    sl_player_item *item = calloc(1, sizeof *item + length);
    if (item == NULL) return NULL;
    item->type = type;
    item->seq = seq;
    item->length = length;
    item->event.payload = item->bytes;
    return item;
}

sl_err sl_planner_create(sl_planner **out, const sl_planner_owner *owner)
{
    sl_planner *planner = calloc(1, sizeof *planner);
    if (planner == NULL) return SL_ERR_MEMORY;
    planner->owner = *owner;
    planner->lead = SL_PLANNER_LEAD;
    planner->rate = SL_SCHEDULE_RATE;
    planner->end = &planner->first;
    *out = planner;
    return SL_OK;
}

void sl_planner_destroy(sl_planner *planner)
{
    if (planner == NULL) return;
    clear(planner);
    free(planner->planned);
    free(planner);
}

void sl_planner_set_following(sl_planner *planner, bool is_following, uint32_t rate)
{
    if (planner->is_following && !is_following) planner->has_begun = planner->is_open = false;
    planner->is_following = is_following;
    planner->rate = rate;
}

/* Has no schedule any more. */
static void clear(sl_planner *planner)
{
    sl_schedule_destroy(planner->schedule);
    planner->schedule = NULL;
    planner->has_begun = planner->is_open = planner->is_late = planner->was_running = false;
    while (planner->first != NULL) {
        sl_player_item *item = planner->first;
        planner->first = item->next;
        free(item);
    }
    planner->end = &planner->first;
    planner->unseen = NULL;
    planner->planned_count = planner->planned_at = 0;
}

void sl_planner_put(sl_planner *planner, sl_player_item *item)
{
    item->next = NULL;
    *planner->end = item;
    planner->end = &item->next;
    if (planner->unseen == NULL) planner->unseen = item;
}

sl_err sl_planner_step(sl_planner *planner, uint64_t now, uint64_t *next)
{
    planner->next = SL_FRAME_NEVER;
    sl_err err = take_new(planner, now);
    if (err == SL_OK && planner->schedule != NULL) {
        err = sl_planner_plan(planner, now);
        if (err == SL_OK) sl_planner_hand_out(planner, now);
        if (err == SL_OK) put_mark(planner, now);
    }
    if (err != SL_OK) clear(planner);
    if (now + 1 > planner->sent_to) planner->sent_to = now + 1;
    if (planner->has_begun) wish(planner, sl_planner_next(planner));
    *next = planner->next;
    return err;
}

static void wish(sl_planner *planner, uint64_t frame)
{
    if (frame < planner->next) planner->next = frame;
}

/* What came since the last step. While a mark is late everything behind it waits: until the one that voids it, what
 * sounds is as it was before. */
static sl_err take_new(sl_planner *planner, uint64_t now)
{
    sl_err err = SL_OK;
    while (planner->unseen != NULL && err == SL_OK) {
        const sl_player_item *item = planner->unseen;
        planner->unseen = item->next;
        planner->seen_seq = item->seq;
        sl_applied mark;
        if (item->type == SL_PLAYER_WHOLE) {
            err = load(planner, item, now);
        } else if (item->type == SL_PLAYER_EVENT && sl_applied_decode(&item->event, &mark) == SL_OK) {
            err = take_mark(planner, item, &mark, now);
        } else if (!planner->is_late) {
            err = take_through(planner, item);
        }
    }
    return err;
}

/* Takes all that waits, `last` included. */
static sl_err take_through(sl_planner *planner, const sl_player_item *last)
{
    sl_err err = SL_OK;
    bool is_last = false;
    while (!is_last && err == SL_OK) {
        sl_player_item *item = planner->first;
        assert(item != NULL);
        is_last = item == last;
        err = take(planner, item);
        planner->first = item->next;
        if (planner->first == NULL) planner->end = &planner->first;
        free(item);
    }
    return err;
}

static sl_err take(sl_planner *planner, const sl_player_item *item)
{
    const char *what;
    sl_err err = SL_OK;
    if (planner->schedule == NULL) return SL_OK;
    if (item->type == SL_PLAYER_EVENT) err = sl_schedule_take(planner->schedule, &item->event, &what);
    if (item->type == SL_PLAYER_FOLLOW) err = sl_schedule_follow(planner->schedule, item->seq, &item->follow);
    return err == SL_ERR_REFUSED ? SL_OK : err; /* as the reducer has it: nothing changed */
}

/* The clock runs at `now`, or at the newest mark, which may be a little ahead. */
static bool is_running(const sl_schedule *schedule, uint64_t now)
{
    sl_applied mark;
    const uint64_t frame = sl_schedule_mark(schedule, &mark) && mark.frame > now ? mark.frame : now;
    return sl_schedule_position(schedule, frame).is_playing;
}

/* A whole schedule: all before it is past. It begins anew, as a player that was just started. */
static sl_err load(sl_planner *planner, const sl_player_item *item, uint64_t now)
{
    sl_reader reader = {.bytes = item->bytes, .length = item->length};
    sl_schedule *schedule = NULL;
    sl_err err = sl_schedule_decode(&reader, sl_host_memory(), &schedule);
    while (planner->first != item) {
        sl_player_item *before = planner->first;
        assert(before != NULL);
        planner->first = before->next;
        free(before);
    }
    planner->is_late = false;
    err = err == SL_OK ? take_through(planner, item) : err;
    if (err != SL_OK) {
        sl_schedule_destroy(schedule);
        return err;
    }
    sl_applied mark;
    /* The mark with which the log's first schedule appeared: nothing before it was to be played. */
    const bool is_ahead = planner->schedule == NULL && sl_schedule_mark(schedule, &mark) && mark.frame > now;
    const bool may_sound = !is_ahead && (planner->schedule != NULL || is_running(schedule, now));
    const sl_planned panic = {.frame = now, .type = SL_PLANNED_PANIC}; /* whatever was begun has no end here */
    if (may_sound) planner->owner.due(planner->owner.ctx, &panic, 1);
    sl_schedule_destroy(planner->schedule);
    planner->schedule = schedule;
    planner->planned_to = is_ahead ? mark.frame : 0;
    planner->mark_frame = is_ahead ? mark.frame : planner->mark_frame;
    planner->has_begun = is_ahead;
    planner->is_open = planner->was_running = false;
    planner->planned_count = planner->planned_at = 0;
    return SL_OK;
}

/* Whoever put the mark has played it: from the next frame on so does this one. What was begun otherwise has no end. */
static sl_err take_late(sl_planner *planner, const sl_player_item *item)
{
    const uint64_t frame = planner->sent_to;
    sl_err err = sl_planner_plan_to(planner, frame);
    if (err != SL_OK) return err;
    sl_planner_cut(planner, frame);
    const sl_planned panic = {.frame = frame, .type = SL_PLANNED_PANIC};
    planner->owner.due(planner->owner.ctx, &panic, 1);
    planner->is_late = false;
    err = take_through(planner, item);
    planner->has_begun = true;
    return err;
}

/* A mark is in the log. */
static sl_err take_mark(sl_planner *planner, const sl_player_item *item, const sl_applied *mark, uint64_t now)
{
    planner->is_open = false;
    planner->mark_frame = mark->frame;
    if (planner->schedule == NULL) return take_through(planner, item);
    if (mark->frame < planner->sent_to && planner->is_following) return take_late(planner, item);
    if (mark->frame < planner->sent_to) {
        planner->is_late = true;
        if (planner->lead < SL_PLANNER_LEAD_MAX) planner->lead *= 2;
        return SL_OK;
    }
    const bool has_slack = mark->frame > now + planner->lead / 2;
    if (has_slack && planner->lead > SL_PLANNER_LEAD) planner->lead -= planner->lead / 8;
    if (planner->lead < SL_PLANNER_LEAD) planner->lead = SL_PLANNER_LEAD;
    sl_err err = sl_planner_plan_to(planner, mark->frame);
    if (err != SL_OK) return err;
    sl_planner_cut(planner, mark->frame);
    const uint64_t panics = sl_schedule_panics(planner->schedule);
    planner->is_late = false;
    err = take_through(planner, item);
    planner->has_panic = planner->has_panic || sl_schedule_panics(planner->schedule) != panics;
    planner->has_begun = true;
    return err;
}

/* Something is not said yet: what was taken, that the last mark was late, or from where on a new player plays. */
static bool needs_mark(const sl_planner *planner, uint64_t now)
{
    const sl_schedule *schedule = planner->schedule;
    if (planner->is_open) return false;
    if (planner->is_late || sl_schedule_taken_seq(schedule) != sl_schedule_applied_seq(schedule)) return true;
    return !planner->has_begun && is_running(schedule, now);
}

static void put_mark(sl_planner *planner, uint64_t now)
{
    if (planner->is_following || !needs_mark(planner, now)) return;
    if (planner->has_put && now < planner->put_frame + SL_PLANNER_BLOCK) {
        wish(planner, planner->put_frame + SL_PLANNER_BLOCK);
        return;
    }
    sl_applied last;
    sl_applied mark = {.through_seq = planner->seen_seq,
                       .frame = now + planner->lead,
                       .rate = planner->rate,
                       .late = planner->is_late};
    if (sl_schedule_mark(planner->schedule, &last) && mark.frame < last.frame) mark.frame = last.frame;
    if (planner->is_late && mark.frame < planner->mark_frame) mark.frame = planner->mark_frame;
    planner->put_frame = now;
    planner->has_put = true;
    planner->is_open = planner->owner.mark(planner->owner.ctx, &mark);
    if (!planner->is_open) wish(planner, now + SL_PLANNER_BLOCK);
}
