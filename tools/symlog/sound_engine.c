/* The sound engine: taking what the log has, rendering, marks. */
#include "tools/symlog/sound_engine.h"

#include "tools/symlog/host.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

struct sl_sound_engine {
    sl_sound_owner owner;
    uint32_t rate;
    sl_schedule *schedule; /* NULL: none yet */
    sl_playback *playback; /* NULL: silence */
    sl_player_item *first; /* what waits: a mark whose frame is not there yet, and what is behind it */
    sl_player_item **end;
    sl_player_item *unseen; /* what came since the last step */
    uint64_t frame;         /* rendered next */
    uint64_t first_frame;   /* of the present playback */
    uint64_t seen_seq;      /* the last of the others */
    uint64_t taken_seq;     /* the last item that was taken */
    uint64_t wanted_seq;    /* the newest thing that a mark is wanted for */
    uint64_t marked_seq;    /* what the newest mark says has been seen */
    uint64_t mark_frame;    /* the newest mark's */
    uint64_t silent_to;     /* the schedule with which the music began counts from this frame on */
    uint64_t advanced;
    uint64_t lead;
    uint64_t put_frame;
    bool has_put;
    bool is_live;      /* what is rendered is heard */
    bool has_begun;    /* a mark since it is */
    bool is_open;      /* a mark is on its way into the log and back */
    bool is_late;      /* the newest mark came too late */
    bool has_coming;   /* `coming` is one */
    bool is_mixer_due; /* `mixer` counts from the present frame on, and the playback was not told */
    sl_mixer coming;   /* counts from the next mark on */
    sl_mixer mixer;    /* the newest mark's */
    uint64_t marks;
    uint64_t late;
};

static void see_new(sl_sound_engine *engine);
static sl_err take_ready(sl_sound_engine *engine);
static sl_err take(sl_sound_engine *engine, const sl_player_item *item);
static sl_err load(sl_sound_engine *engine, const sl_player_item *item);
static sl_err count_mark(sl_sound_engine *engine, const sl_applied *mark);
static void put_mark(sl_sound_engine *engine);

sl_err sl_sound_engine_create(sl_sound_engine **out, const sl_sound_owner *owner, uint32_t rate, sl_playback *playback,
                              uint64_t frame)
{
    sl_sound_engine *engine = calloc(1, sizeof *engine);
    if (engine == NULL) {
        sl_playback_destroy(playback);
        return SL_ERR_MEMORY;
    }
    engine->owner = *owner;
    engine->rate = rate;
    if (playback != NULL && sl_renderer_rate(sl_playback_renderer(playback)) != rate) {
        sl_playback_destroy(playback);
        playback = NULL;
    }
    engine->playback = playback;
    engine->frame = playback != NULL ? sl_playback_frame(playback) : frame;
    engine->first_frame = playback != NULL ? engine->frame : SL_FRAME_NEVER;
    engine->lead = SL_SOUND_LEAD;
    engine->end = &engine->first;
    *out = engine;
    return SL_OK;
}

void sl_sound_engine_destroy(sl_sound_engine *engine)
{
    if (engine == NULL) return;
    while (engine->first != NULL) {
        sl_player_item *item = engine->first;
        engine->first = item->next;
        free(item);
    }
    sl_playback_destroy(engine->playback);
    sl_schedule_destroy(engine->schedule);
    free(engine);
}

uint64_t sl_sound_engine_frame(const sl_sound_engine *engine)
{
    return engine->frame;
}

uint64_t sl_sound_engine_first(const sl_sound_engine *engine)
{
    return engine->first_frame;
}

sl_playback *sl_sound_engine_playback(sl_sound_engine *engine)
{
    return engine->playback;
}

uint64_t sl_sound_engine_marks(const sl_sound_engine *engine)
{
    return engine->marks;
}

uint64_t sl_sound_engine_late(const sl_sound_engine *engine)
{
    return engine->late;
}

bool sl_sound_engine_is_whole(const sl_sound_engine *engine, uint64_t *seq)
{
    *seq = engine->taken_seq;
    return engine->playback != NULL && engine->first == NULL && !engine->is_late && !engine->is_mixer_due;
}

/* At `frame`, or where the newest mark begins to count, which may be a little ahead. */
static bool is_running(const sl_schedule *schedule, uint64_t frame)
{
    sl_applied mark;
    const uint64_t at = sl_schedule_mark(schedule, &mark) && mark.frame > frame ? mark.frame : frame;
    return sl_schedule_position(schedule, at).is_playing;
}

sl_position sl_sound_engine_position(const sl_sound_engine *engine)
{
    sl_applied mark;
    const sl_schedule *schedule = engine->schedule;
    if (schedule == NULL) return (sl_position){.numerator = 4, .denominator = 4, .bpm = 120};
    const bool is_ahead = sl_schedule_mark(schedule, &mark) && mark.frame > engine->frame;
    return sl_schedule_position(schedule, is_ahead ? mark.frame : engine->frame);
}

bool sl_sound_engine_is_running(const sl_sound_engine *engine)
{
    return engine->schedule != NULL && is_running(engine->schedule, engine->frame);
}

void sl_sound_engine_begin(sl_sound_engine *engine)
{
    engine->is_live = true;
}

void sl_sound_engine_put(sl_sound_engine *engine, sl_player_item *item)
{
    item->next = NULL;
    *engine->end = item;
    engine->end = &item->next;
    if (engine->unseen == NULL) engine->unseen = item;
}

sl_err sl_sound_engine_step(sl_sound_engine *engine)
{
    see_new(engine);
    const sl_err err = take_ready(engine);
    if (err == SL_OK && engine->is_live) put_mark(engine);
    return err;
}

static bool read_mark(const sl_player_item *item, sl_applied *mark)
{
    return item->type == SL_PLAYER_EVENT && sl_applied_decode(&item->event, mark) == SL_OK;
}

/* What came since the last step is looked at once: marks that are in time, and what wants another. */
static void see_new(sl_sound_engine *engine)
{
    for (; engine->unseen != NULL; engine->unseen = engine->unseen->next) {
        sl_player_item *item = engine->unseen;
        sl_applied mark;
        engine->seen_seq = item->seq;
        if (!read_mark(item, &mark)) {
            const bool is_sounding = item->type != SL_PLAYER_MIXER && item->type != SL_PLAYER_WHOLE;
            if (is_sounding) engine->wanted_seq = item->seq;
            continue;
        }
        engine->is_open = false;
        engine->mark_frame = mark.frame;
        engine->is_late = mark.frame < engine->frame;
        if (engine->is_late) {
            engine->late++;
            if (engine->lead < SL_SOUND_LEAD_MAX) engine->lead *= 2;
            continue;
        }
        item->in_time = true;
        engine->marked_seq = mark.through_seq;
        engine->has_begun = engine->is_live;
        const bool has_slack = mark.frame > engine->frame + engine->lead / 2;
        if (has_slack && engine->lead > SL_SOUND_LEAD) engine->lead -= engine->lead / 8;
        if (engine->lead < SL_SOUND_LEAD) engine->lead = SL_SOUND_LEAD;
    }
}

/* The frame at which what waits next counts; SL_FRAME_NEVER: nothing does. A mark that came too late, and all behind
 * it, waits for the one that voids it. */
static uint64_t next_due(const sl_sound_engine *engine)
{
    sl_applied mark;
    for (const sl_player_item *item = engine->first; item != NULL; item = item->next) {
        const bool is_mark = read_mark(item, &mark);
        if (!is_mark && item == engine->first) return engine->frame;
        if (is_mark && item->in_time) return mark.frame;
    }
    return SL_FRAME_NEVER;
}

/* Takes all that counts at the present frame. */
static sl_err take_ready(sl_sound_engine *engine)
{
    sl_err err = SL_OK;
    while (err == SL_OK && engine->first != NULL && next_due(engine) <= engine->frame) {
        bool is_last = false;
        while (!is_last && err == SL_OK) {
            sl_player_item *item = engine->first;
            assert(item != NULL);
            sl_applied mark;
            is_last = !read_mark(item, &mark) || item->in_time;
            err = take(engine, item);
            engine->taken_seq = item->seq;
            engine->first = item->next;
            if (engine->first == NULL) engine->end = &engine->first;
            free(item);
        }
    }
    return err;
}

static sl_err take(sl_sound_engine *engine, const sl_player_item *item)
{
    const char *what;
    sl_applied mark;
    sl_err err = SL_OK;
    if (item->type == SL_PLAYER_WHOLE) return load(engine, item);
    if (item->type == SL_PLAYER_MIXER) {
        memcpy(&engine->coming, item->bytes, sizeof engine->coming);
        engine->has_coming = true;
    }
    if (engine->schedule == NULL) return SL_OK;
    if (item->type == SL_PLAYER_EVENT) err = sl_schedule_take(engine->schedule, &item->event, &what);
    if (item->type == SL_PLAYER_FOLLOW) err = sl_schedule_follow(engine->schedule, item->seq, &item->follow);
    if (err == SL_OK && read_mark(item, &mark) && item->in_time) err = count_mark(engine, &mark);
    return err == SL_ERR_REFUSED ? SL_OK : err; /* as the reducer has it: nothing changed */
}

/* A mark counts: from here on the mixer is another one. A renderer begins with it where there was none, or one for
 * another rate. */
static sl_err count_mark(sl_sound_engine *engine, const sl_applied *mark)
{
    sl_err err = SL_OK;
    if (engine->playback != NULL && sl_renderer_rate(sl_playback_renderer(engine->playback)) != mark->rate) {
        sl_playback_destroy(engine->playback);
        engine->playback = NULL;
    }
    if (engine->playback == NULL && mark->rate == engine->rate) {
        engine->first_frame = mark->frame;
        err = sl_playback_create(sl_host_memory(), mark->rate, mark->frame, &engine->playback);
    }
    if (engine->has_coming) engine->mixer = engine->coming;
    engine->is_mixer_due = engine->has_coming; /* of several marks at one frame the last one's counts */
    return err;
}

/* The schedule that there is at the beginning; or, later, the one that appeared with the log's first live code. A mark
 * with which it appeared is in it. */
static sl_err load(sl_sound_engine *engine, const sl_player_item *item)
{
    sl_reader reader = {.bytes = item->bytes, .length = item->length};
    sl_schedule *schedule = NULL;
    sl_applied mark;
    sl_err err = sl_schedule_decode(&reader, sl_host_memory(), &schedule);
    if (err != SL_OK) return err;
    sl_schedule_destroy(engine->schedule);
    engine->schedule = schedule;
    const bool has_mark = sl_schedule_mark(schedule, &mark);
    engine->marked_seq = sl_schedule_applied_seq(schedule);
    engine->wanted_seq = sl_schedule_taken_seq(schedule);
    if (!engine->is_live || !has_mark) return SL_OK;
    engine->is_open = false;
    engine->mark_frame = mark.frame;
    engine->is_late = mark.frame < engine->frame;
    engine->has_begun = !engine->is_late;
    if (engine->is_late) return SL_OK;
    if (engine->playback == NULL) engine->silent_to = mark.frame;
    return count_mark(engine, &mark);
}

static void render_silence(sl_sound_engine *engine, float *left_right, size_t frames)
{
    memset(left_right, 0, 2 * frames * sizeof *left_right);
    engine->frame += frames;
}

sl_err sl_sound_engine_render(sl_sound_engine *engine, float *left_right, size_t frames)
{
    while (frames > 0) {
        sl_err err = take_ready(engine);
        if (err != SL_OK) return err;
        const uint64_t due = next_due(engine);
        assert(due > engine->frame);
        size_t some = due - engine->frame < frames ? (size_t)(due - engine->frame) : frames;
        const bool waits = engine->frame < engine->silent_to;
        if (waits && engine->silent_to - engine->frame < some) some = (size_t)(engine->silent_to - engine->frame);
        /* A renderer that has not begun yet has the frame of the mark that it begins with. */
        const bool is_silent = engine->playback == NULL || engine->schedule == NULL || waits ||
                               sl_playback_frame(engine->playback) != engine->frame;
        if (is_silent) {
            render_silence(engine, left_right, some);
        } else {
            if (engine->is_mixer_due) sl_playback_set_mixer(engine->playback, &engine->mixer);
            engine->is_mixer_due = false;
            sl_playback_render(engine->playback, engine->schedule, left_right, some);
            engine->frame += some;
            const bool is_still = engine->first == NULL && !engine->is_open && !engine->is_late;
            if (is_still && engine->frame > engine->advanced + engine->rate) {
                sl_schedule_advance(engine->schedule, engine->frame);
                engine->advanced = engine->frame;
            }
        }
        left_right += 2 * some;
        frames -= some;
    }
    return SL_OK;
}

/* Something is not said yet: what was taken, that the last mark was late, or from where on this player plays. */
static bool needs_mark(const sl_sound_engine *engine)
{
    if (engine->is_open || engine->schedule == NULL) return false;
    if (engine->is_late || engine->wanted_seq > engine->marked_seq) return true;
    return !engine->has_begun && is_running(engine->schedule, engine->frame);
}

static void put_mark(sl_sound_engine *engine)
{
    if (!needs_mark(engine)) return;
    if (engine->has_put && engine->frame < engine->put_frame + SL_SOUND_BLOCK) return;
    sl_applied mark = {.through_seq = engine->seen_seq,
                       .frame = engine->frame + engine->lead,
                       .rate = engine->rate,
                       .late = engine->is_late};
    if (mark.frame < engine->mark_frame) mark.frame = engine->mark_frame;
    engine->put_frame = engine->frame;
    engine->has_put = true;
    engine->is_open = engine->owner.mark(engine->owner.ctx, &mark);
    if (engine->is_open) engine->marks++;
}
