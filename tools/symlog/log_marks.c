/* The marks of a log, in one pass. */
#include "tools/symlog/log_marks.h"

#include "core/reduce.h"
#include "core/schedule.h"
#include "core/sound_events.h"
#include "tools/symlog/host.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

enum { ROOM_MIN = 256, CHUNK_MIN = 4096, CHUNK_FACTOR = 4 };

/* What the events so far have said. */
typedef struct pass {
    sl_log_marks *marks;
    uint64_t mark_ns; /* of the newest mark */
    uint32_t rate;    /* 0: the next mark is a beginning */
} pass;

static sl_err see(pass *pass, const sl_event *event);
static sl_err see_mark(pass *pass, const sl_event *event);
static sl_err see_start(pass *pass, const sl_event *event);
static void see_time(pass *pass, const sl_event *event);
static void settle(sl_log_marks *marks);

sl_err sl_log_marks_read(sl_log *log, sl_range range, uint32_t rate, sl_log_marks *out, char errmsg[256])
{
    sl_log_reader *reader = NULL;
    pass pass = {.marks = out, .rate = rate};
    *out = (sl_log_marks){0};
    sl_err err = sl_log_reader_open(log, range.from, &reader);
    if (err != SL_OK) {
        snprintf(errmsg, 256, "%.255s", sl_log_error(log));
        return err;
    }
    while (err == SL_OK && sl_log_reader_next_seq(reader) <= range.through) {
        sl_event event;
        err = sl_log_read(reader, &event);
        if (err == SL_ERR_END) break;
        if (err != SL_OK) {
            sl_host_read_error(reader, err, errmsg);
            break;
        }
        err = see(&pass, &event);
        if (err != SL_OK) snprintf(errmsg, 256, "%s", sl_err_text(err));
    }
    sl_log_reader_close(reader);
    settle(out);
    return err == SL_ERR_END ? SL_OK : err;
}

static sl_err see(pass *pass, const sl_event *event)
{
    sl_player_event player;
    sl_err err = SL_OK;
    if (event->kind == SL_KIND_APPLIED) err = see_mark(pass, event);
    if (event->kind == SL_KIND_START) err = see_start(pass, event);
    if (event->kind == SL_KIND_PLAYER && sl_player_event_decode(event, &player) == SL_OK && player.rate != pass->rate)
        pass->rate = 0;
    if (event->kind == SL_KIND_LOST && pass->marks->first_lost == 0) pass->marks->first_lost = event->seq;
    if (err == SL_OK) see_time(pass, event);
    return err;
}

/* Makes room for one more of `size` bytes. */
static sl_err make_room(void **items, size_t count, size_t *capacity, size_t size)
{
    if (count < *capacity) return SL_OK;
    const size_t wanted = *capacity > 0 ? *capacity * 2 : ROOM_MIN;
    void *grown = realloc(*items, wanted * size);
    if (grown == NULL) return SL_ERR_MEMORY;
    *items = grown;
    *capacity = wanted;
    return SL_OK;
}

static sl_err see_mark(pass *pass, const sl_event *event)
{
    sl_log_marks *marks = pass->marks;
    sl_applied applied;
    if (sl_applied_decode(event, &applied) != SL_OK) return SL_OK;
    void *items = marks->items;
    const sl_err err = make_room(&items, marks->count, &marks->capacity, sizeof *marks->items);
    marks->items = items;
    if (err != SL_OK) return err;
    assert(marks->items != NULL);
    marks->items[marks->count++] = (sl_log_mark){
        .seq = event->seq,
        .frame = applied.frame,
        .time_ns = event->time_ns,
        .rate = applied.rate,
        .is_late = applied.late,
        .is_beginning = applied.rate != pass->rate,
    };
    pass->rate = applied.rate;
    pass->mark_ns = event->time_ns;
    return SL_OK;
}

static sl_err see_start(pass *pass, const sl_event *event)
{
    sl_log_marks *marks = pass->marks;
    void *starts = marks->starts;
    const sl_err err = make_room(&starts, marks->start_count, &marks->start_capacity, sizeof *marks->starts);
    marks->starts = starts;
    if (err != SL_OK) return err;
    assert(marks->starts != NULL);
    marks->starts[marks->start_count++] = event->seq;
    pass->rate = 0;
    return SL_OK;
}

/* How far time has gone. What was heard may reach a little further than that tells. */
static void see_time(pass *pass, const sl_event *event)
{
    sl_log_marks *marks = pass->marks;
    sl_heard heard;
    if (marks->count == 0) return;
    const sl_log_mark *last = &marks->items[marks->count - 1];
    if (event->kind == SL_KIND_HEARD && sl_heard_decode(event, &heard) == SL_OK) {
        const uint64_t end = heard.frame + heard.frames;
        if (end >= heard.frame && end > marks->end_frame) marks->end_frame = end;
    }
    if (event->kind == SL_KIND_START || event->time_ns < pass->mark_ns) return;
    const uint64_t gone = (event->time_ns - pass->mark_ns) / 1000 * last->rate / 1000000;
    if (last->frame + 1 + gone > marks->end_frame) marks->end_frame = last->frame + 1 + gone;
}

static void settle(sl_log_marks *marks)
{
    assert(marks->items != NULL || marks->count == 0);
    for (size_t i = marks->count; i-- > 1;)
        if (marks->items[i].is_late) marks->items[i - 1].frame = marks->items[i].frame;
    for (size_t i = 1; i < marks->count; i++)
        if (marks->items[i].frame < marks->items[i - 1].frame) marks->items[i].frame = marks->items[i - 1].frame;
}

sl_err sl_log_marks_read_all(const char *db, sl_log *log, uint64_t through, sl_log_marks *out, char errmsg[256])
{
    sl_log_beginning beginning;
    sl_state *state = NULL;
    sl_applied mark = {0};
    *out = (sl_log_marks){0};
    sl_err err = sl_log_begins(log, &beginning);
    if (err != SL_OK) snprintf(errmsg, 256, "%.255s", sl_log_error(log));
    if (err == SL_OK && beginning.first_seq > 1)
        err = sl_host_nearest(db, log, beginning.first_seq - 1, &state, errmsg);
    if (err != SL_OK) return err;
    const sl_schedule *schedule = state != NULL ? sl_state_schedule(state) : NULL;
    if (schedule != NULL && !sl_schedule_mark(schedule, &mark)) mark.rate = 0;
    if (state != NULL) sl_state_destroy(state);
    const sl_range range = {.from = beginning.first_seq, .through = through};
    return sl_log_marks_read(log, range, mark.rate, out, errmsg);
}

void sl_log_marks_clear(sl_log_marks *marks)
{
    free(marks->items);
    free(marks->starts);
    *marks = (sl_log_marks){0};
}

size_t sl_log_marks_at(const sl_log_marks *marks, uint64_t seq)
{
    size_t low = 0, high = marks->count;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (marks->items[middle].seq <= seq)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

size_t sl_log_marks_at_frame(const sl_log_marks *marks, uint64_t frame)
{
    size_t low = 0, high = marks->count;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (marks->items[middle].frame <= frame)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

uint64_t sl_log_marks_frame(const sl_log_marks *marks, uint64_t seq, uint64_t time_ns)
{
    const size_t index = sl_log_marks_at(marks, seq);
    const sl_log_mark *mark = index > 0 ? &marks->items[index - 1] : NULL;
    const sl_log_mark *next = index < marks->count ? &marks->items[index] : NULL;
    uint64_t start = 0;
    for (size_t i = 0; i < marks->start_count && marks->starts[i] <= seq; i++) start = marks->starts[i];
    if (mark == NULL || mark->seq < start) return next != NULL ? next->frame : marks->end_frame;
    uint64_t frame = mark->frame;
    if (time_ns > mark->time_ns) frame += (time_ns - mark->time_ns) / 1000 * mark->rate / 1000000;
    return next != NULL && next->frame < frame ? next->frame : frame;
}

/* The last start event of a stretch; 0: there is none in it. */
static sl_err find_start(sl_log *log, sl_range range, uint64_t *start, char errmsg[256])
{
    sl_log_reader *reader = NULL;
    *start = 0;
    sl_err err = sl_log_reader_open(log, range.from, &reader);
    if (err != SL_OK) {
        snprintf(errmsg, 256, "%.255s", sl_log_error(log));
        return err;
    }
    while (err == SL_OK && sl_log_reader_next_seq(reader) <= range.through) {
        sl_event event;
        err = sl_log_read(reader, &event);
        if (err == SL_OK && event.kind == SL_KIND_START) *start = event.seq;
        if (err != SL_OK && err != SL_ERR_END) sl_host_read_error(reader, err, errmsg);
    }
    sl_log_reader_close(reader);
    return err == SL_ERR_END ? SL_OK : err;
}

sl_err sl_log_marks_last_start(sl_log *log, uint64_t first, uint64_t seq, uint64_t *start, char errmsg[256])
{
    sl_err err = SL_OK;
    uint64_t through = seq, size = CHUNK_MIN;
    *start = 0;
    assert(first >= 1);
    while (err == SL_OK && *start == 0 && through >= first) {
        const uint64_t from = through - first >= size ? through - size + 1 : first;
        err = find_start(log, (sl_range){.from = from, .through = through}, start, errmsg);
        through = from - 1;
        size *= CHUNK_FACTOR;
    }
    return err;
}
