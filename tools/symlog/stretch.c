/* A stretch of sound, found. */
#include "tools/symlog/stretch.h"

#include "core/renderer.h"
#include "tools/symlog/moment.h"

#include <stdio.h>

static sl_err find_frame(const sl_stretch *stretch, sl_log *log, const char *moment, uint64_t *frame, char errmsg[256]);
static sl_err find_rate(sl_stretch *stretch, char errmsg[256]);

sl_err sl_stretch_find(sl_stretch *out, const char *db, sl_log *log, const char *from, const char *to, char errmsg[256])
{
    *out = (sl_stretch){0};
    sl_err err = sl_log_last(log, &out->last);
    if (err != SL_OK) {
        snprintf(errmsg, 256, "%.255s", sl_log_error(log));
        return err;
    }
    err = sl_log_marks_read_all(db, log, out->last, &out->marks, errmsg);
    if (err != SL_OK) return err;
    if (out->marks.count == 0) {
        snprintf(errmsg, 256, "nothing was played in this log: it has neither live code nor groove that sounded");
        return SL_ERR_NOT_FOUND;
    }
    out->from_frame = out->marks.items[0].frame;
    out->to_frame = out->marks.end_frame;
    if (from != NULL) err = find_frame(out, log, from, &out->from_frame, errmsg);
    if (err == SL_OK && to != NULL) err = find_frame(out, log, to, &out->to_frame, errmsg);
    if (err != SL_OK) return err;
    if (out->to_frame > out->from_frame) return find_rate(out, errmsg);
    snprintf(errmsg, 256, "nothing lies there: %s is frame %llu, %s frame %llu", from != NULL ? "--from" : "the first",
             (unsigned long long)out->from_frame, to != NULL ? "--to" : "the log's end",
             (unsigned long long)out->to_frame);
    return SL_ERR_RANGE;
}

static sl_err find_frame(const sl_stretch *stretch, sl_log *log, const char *moment, uint64_t *frame, char errmsg[256])
{
    uint64_t seq = 0;
    uint64_t time_ns = 0;
    const sl_err err = sl_moment_place(log, moment, &seq, &time_ns, errmsg);
    if (err != SL_OK) return err;
    *frame = sl_log_marks_frame(&stretch->marks, seq, time_ns);
    if (*frame < stretch->marks.items[0].frame) *frame = stretch->marks.items[0].frame;
    return SL_OK;
}

/* A mark at whose frame another follows counts for nothing. */
static sl_err find_rate(sl_stretch *stretch, char errmsg[256])
{
    const sl_log_marks *marks = &stretch->marks;
    size_t index = sl_log_marks_at_frame(marks, stretch->from_frame);
    stretch->rate = marks->items[index > 0 ? index - 1 : 0].rate;
    for (; index < marks->count && marks->items[index].frame < stretch->to_frame; index++) {
        const sl_log_mark *mark = &marks->items[index];
        if (index + 1 < marks->count && marks->items[index + 1].frame == mark->frame) continue;
        if (mark->rate == stretch->rate) continue;
        snprintf(errmsg, 256,
                 "it has two rates: %u Hz up to event %llu, %u Hz from there on; render them apart, with --to %llu and "
                 "with --from %llu",
                 (unsigned)stretch->rate, (unsigned long long)mark->seq, (unsigned)mark->rate,
                 (unsigned long long)mark->seq, (unsigned long long)mark->seq);
        return SL_ERR_RANGE;
    }
    if (stretch->rate >= SL_RENDERER_RATE_MIN && stretch->rate <= SL_RENDERER_RATE_MAX) return SL_OK;
    snprintf(errmsg, 256, "it was played at %u Hz, of which there is no sound: that is made at %d to %d Hz",
             (unsigned)stretch->rate, SL_RENDERER_RATE_MIN, SL_RENDERER_RATE_MAX);
    return SL_ERR_RANGE;
}

void sl_stretch_clear(sl_stretch *stretch)
{
    sl_log_marks_clear(&stretch->marks);
}
