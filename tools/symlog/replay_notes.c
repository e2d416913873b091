/* The notes that a log explains. */
#include "tools/symlog/replay_notes.h"

#include "core/reduce.h"
#include "core/schedule.h"
#include "tools/symlog/host.h"
#include "tools/symlog/log_marks.h"

#include <stdio.h>

typedef struct notes {
    const sl_replay_notes *replay;
    sl_state *state;
    sl_log_reader *reader;
    sl_log_marks marks;
    size_t mark_at;     /* the next one */
    uint64_t end_frame; /* up to which notes are told after the last mark */
    uint64_t told_to;   /* a frame */
    bool has_told;      /* told_to is one: a mark was there */
    bool is_over;       /* nobody reads any more */
    double beat;        /* of beat_tick */
    int64_t beat_tick;
    sl_text line;
} notes;

static sl_err play(notes *notes, char errmsg[256]);
static sl_err tell_to(notes *notes, uint64_t frame);
static bool tell(void *ctx, const sl_sound *sound);

sl_err sl_replay_notes_print(const sl_replay_notes *replay, char errmsg[256])
{
    notes notes = {.replay = replay, .end_frame = replay->end_frame};
    sl_text_open(&notes.line, sl_host_memory());
    const uint64_t before = replay->range.from > 0 ? replay->range.from - 1 : 0;
    sl_err err = sl_host_nearest(replay->db, replay->log, before, &notes.state, errmsg);
    const sl_range range = {.from = err == SL_OK ? sl_state_seq(notes.state) + 1 : 1, .through = replay->range.through};
    if (err == SL_OK) err = sl_log_marks_read(replay->log, range, 0, &notes.marks, errmsg);
    if (notes.end_frame == 0) notes.end_frame = notes.marks.end_frame;
    if (err == SL_OK) err = play(&notes, errmsg);
    if (notes.reader != NULL) sl_log_reader_close(notes.reader);
    if (notes.state != NULL) sl_state_destroy(notes.state);
    sl_log_marks_clear(&notes.marks);
    sl_text_close(&notes.line);
    return err;
}

static sl_err open_reader(notes *notes, char errmsg[256])
{
    const sl_err err = sl_log_reader_open(notes->replay->log, sl_state_seq(notes->state) + 1, &notes->reader);
    if (err != SL_OK) snprintf(errmsg, 256, "%.255s", sl_log_error(notes->replay->log));
    return err;
}

/* The next event of the range. SL_ERR_END: there is none. */
static sl_err read_next(notes *notes, sl_event *event, char errmsg[256])
{
    if (sl_log_reader_next_seq(notes->reader) > notes->replay->range.through) return SL_ERR_END;
    const sl_err err = sl_log_read(notes->reader, event);
    if (err != SL_OK && err != SL_ERR_END) sl_host_read_error(notes->reader, err, errmsg);
    return err;
}

/* All is applied again; before a mark is, what sounds up to its frame is told. */
static sl_err play(notes *notes, char errmsg[256])
{
    const sl_log_marks *marks = &notes->marks;
    sl_event event;
    sl_err err = open_reader(notes, errmsg);
    while (err == SL_OK) {
        err = read_next(notes, &event, errmsg);
        if (err != SL_OK) break;
        while (notes->mark_at < marks->count && marks->items[notes->mark_at].seq < event.seq) notes->mark_at++;
        const bool is_mark = notes->mark_at < marks->count && marks->items[notes->mark_at].seq == event.seq;
        if (is_mark) err = tell_to(notes, marks->items[notes->mark_at].frame);
        if (err != SL_OK) break;
        err = sl_reduce(notes->state, &event, NULL);
        if (err != SL_OK) snprintf(errmsg, 256, "event %llu: %s", (unsigned long long)event.seq, sl_err_text(err));
    }
    if (err == SL_ERR_END) err = tell_to(notes, notes->end_frame);
    return err;
}

/* SL_ERR_END: nobody reads any more. */
static sl_err tell_to(notes *notes, uint64_t frame)
{
    const sl_schedule *schedule = sl_state_schedule(notes->state);
    const uint64_t from = notes->told_to;
    if (notes->has_told && schedule != NULL && frame > from) {
        const sl_position position = sl_schedule_position(schedule, from);
        notes->beat = position.beat;
        notes->beat_tick = position.tick;
        notes->is_over = false;
        sl_schedule_notes(schedule, from, frame, tell, notes);
    }
    notes->has_told = true;
    if (frame > notes->told_to) notes->told_to = frame;
    return notes->is_over ? SL_ERR_END : SL_OK;
}

static void write_json(sl_text *line, const sl_sound *sound, double beat)
{
    sl_text_string(line, "{\"frame\":");
    sl_text_u64(line, sound->frame);
    sl_text_string(line, ",\"tick\":");
    sl_text_i64(line, sound->tick);
    sl_text_string(line, ",\"beat\":");
    sl_text_double(line, beat);
    sl_text_string(line, sound->is_start ? ",\"on\":true,\"track\":" : ",\"on\":false,\"track\":");
    sl_text_json(line, sound->track, sound->track_length);
    sl_text_string(line, ",\"channel\":");
    sl_text_u64(line, sound->channel);
    sl_text_string(line, ",\"pitch\":");
    sl_text_u64(line, sound->pitch);
    sl_text_string(line, ",\"velocity\":");
    sl_text_u64(line, sound->velocity);
    sl_text_string(line, ",\"id\":\"");
    sl_text_u64(line, sound->id.voice);
    sl_text_string(line, ".");
    sl_text_u64(line, sound->id.ordinal);
    sl_text_string(line, "\"}");
}

/* "frame 4096  tick 20160  beat 1.0  on  lead  channel 1  pitch 60  velocity 127" */
static void write_words(sl_text *line, const sl_sound *sound, double beat)
{
    sl_text_string(line, "frame ");
    sl_text_u64(line, sound->frame);
    sl_text_string(line, "  tick ");
    sl_text_i64(line, sound->tick);
    sl_text_string(line, "  beat ");
    sl_text_double(line, beat);
    sl_text_string(line, sound->is_start ? "  on   " : "  off  ");
    sl_text_json(line, sound->track, sound->track_length);
    sl_text_string(line, "  channel ");
    sl_text_u64(line, sound->channel);
    sl_text_string(line, "  pitch ");
    sl_text_u64(line, sound->pitch);
    sl_text_string(line, "  velocity ");
    sl_text_u64(line, sound->velocity);
}

static bool tell(void *ctx, const sl_sound *sound)
{
    notes *notes = ctx;
    const double beat = notes->beat + (double)(sound->tick - notes->beat_tick) / (double)SL_TICKS_PER_BEAT;
    sl_text_clear(&notes->line);
    if (notes->replay->is_json) write_json(&notes->line, sound, beat);
    if (!notes->replay->is_json) write_words(&notes->line, sound, beat);
    notes->is_over = !sl_print_line(notes->replay->printer, &notes->line);
    return !notes->is_over;
}
