/* Notifications of the player. */
#include "tools/symlog/announcer.h"

#include "tools/symlog/host.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

struct sl_announcer {
    void (*wake)(void *ctx); /* Immutable. */
    void *ctx;
    pthread_mutex_t lock;
    sl_announcement *first; /* Under the lock, and so are the next two. */
    sl_announcement **end;
    size_t count;
    atomic_bool is_heard;
    _Atomic uint64_t dropped;
    sl_text text; /* Player's thread, and so is the rest: what is being written. */
    int64_t from_us;
    int64_t to_us;
    size_t note_count;
    bool goes_on; /* it is a further part of a batch */
};

static void put(sl_announcer *announcer);

sl_err sl_announcer_create(sl_announcer **out, void (*wake)(void *ctx), void *ctx)
{
    sl_announcer *announcer = calloc(1, sizeof *announcer);
    if (announcer == NULL) return SL_ERR_MEMORY;
    announcer->wake = wake;
    announcer->ctx = ctx;
    announcer->end = &announcer->first;
    pthread_mutex_init(&announcer->lock, NULL);
    sl_text_open(&announcer->text, sl_host_memory());
    *out = announcer;
    return SL_OK;
}

void sl_announcer_destroy(sl_announcer *announcer)
{
    if (announcer == NULL) return;
    for (sl_announcement *each = sl_announcer_take(announcer); each != NULL;) {
        sl_announcement *next = each->next;
        free(each);
        each = next;
    }
    sl_text_close(&announcer->text);
    pthread_mutex_destroy(&announcer->lock);
    free(announcer);
}

void sl_announcer_set_heard(sl_announcer *announcer, bool is_heard)
{
    atomic_store(&announcer->is_heard, is_heard);
}

bool sl_announcer_is_heard(const sl_announcer *announcer)
{
    return atomic_load(&announcer->is_heard);
}

uint64_t sl_announcer_dropped(const sl_announcer *announcer)
{
    return atomic_load(&announcer->dropped);
}

sl_announcement *sl_announcer_take(sl_announcer *announcer)
{
    pthread_mutex_lock(&announcer->lock);
    sl_announcement *first = announcer->first;
    announcer->first = NULL;
    announcer->end = &announcer->first;
    announcer->count = 0;
    pthread_mutex_unlock(&announcer->lock);
    return first;
}

static void begin(sl_text *text, const char *method)
{
    sl_text_clear(text);
    sl_text_string(text, "{\"jsonrpc\":\"2.0\",\"method\":\"");
    sl_text_string(text, method);
    sl_text_string(text, "\",\"params\":{");
}

static void add_time(sl_text *text, const char *name, int64_t time_us)
{
    sl_text_string(text, name);
    sl_text_i64(text, time_us);
}

static void say_beat(sl_announcer *announcer, const char *method, const sl_planned *planned, int64_t time_us)
{
    sl_text *text = &announcer->text;
    begin(text, method);
    sl_text_string(text, "\"beat\":");
    sl_text_double(text, planned->beat);
    sl_text_string(text, ",\"bar\":");
    sl_text_u64(text, planned->bar);
    sl_text_string(text, ",\"frame\":");
    sl_text_u64(text, planned->frame);
    add_time(text, ",\"time_us\":", time_us);
    put(announcer);
}

void sl_announcer_say_moment(sl_announcer *announcer, const sl_planned *planned, int64_t time_us)
{
    if (planned->type == SL_PLANNED_BEAT) {
        if (planned->is_start) say_beat(announcer, "bar", planned, time_us);
        say_beat(announcer, "beat", planned, time_us);
    } else if (planned->type == SL_PLANNED_PANIC) {
        begin(&announcer->text, "panic");
        add_time(&announcer->text, "\"time_us\":", time_us);
        put(announcer);
    }
}

static void begin_part(sl_announcer *announcer, bool goes_on)
{
    sl_text *text = &announcer->text;
    begin(text, "notes");
    add_time(text, "\"from_us\":", announcer->from_us);
    add_time(text, ",\"to_us\":", announcer->to_us);
    if (goes_on) sl_text_string(text, ",\"goes_on\":true");
    sl_text_string(text, ",\"notes\":[");
    announcer->note_count = 0;
}

void sl_announcer_begin_notes(sl_announcer *announcer, int64_t from_us, int64_t to_us)
{
    announcer->from_us = from_us;
    announcer->to_us = to_us;
    begin_part(announcer, false);
}

void sl_announcer_add_note(sl_announcer *announcer, const sl_planned *planned, int64_t time_us)
{
    sl_text *text = &announcer->text;
    if (text->length > SL_ANNOUNCER_NOTES_BYTES) {
        sl_announcer_end_notes(announcer);
        begin_part(announcer, true);
    }
    if (announcer->note_count++ > 0) sl_text_string(text, ",");
    sl_text_string(text, "{\"id\":\"");
    sl_text_u64(text, planned->id.voice);
    sl_text_string(text, ".");
    sl_text_u64(text, planned->id.ordinal);
    sl_text_string(text, planned->is_start ? "\",\"on\":true,\"track\":" : "\",\"on\":false,\"track\":");
    sl_text_json(text, planned->track, planned->track_length);
    if (planned->is_lane) sl_text_string(text, ",\"lane\":true");
    sl_text_string(text, ",\"channel\":");
    sl_text_u64(text, planned->channel);
    sl_text_string(text, ",\"pitch\":");
    sl_text_u64(text, planned->pitch);
    sl_text_string(text, ",\"velocity\":");
    sl_text_u64(text, planned->velocity);
    sl_text_string(text, ",\"beat\":");
    sl_text_double(text, planned->beat);
    add_time(text, ",\"time_us\":", time_us);
    sl_text_string(text, "}");
}

void sl_announcer_end_notes(sl_announcer *announcer)
{
    sl_text_string(&announcer->text, "]");
    put(announcer);
}

/* Sends on what has been written. */
static void put(sl_announcer *announcer)
{
    sl_text *text = &announcer->text;
    sl_text_string(text, "}}");
    sl_announcement *item = text->bad ? NULL : malloc(sizeof *item + text->length);
    if (text->bad) sl_text_close(text);
    if (item != NULL) {
        item->next = NULL;
        item->length = text->length;
        memcpy(item->bytes, text->bytes, text->length);
    }
    pthread_mutex_lock(&announcer->lock);
    const bool fits = item != NULL && announcer->count < SL_ANNOUNCER_COUNT_MAX;
    if (fits) {
        *announcer->end = item;
        announcer->end = &item->next;
        announcer->count++;
    }
    pthread_mutex_unlock(&announcer->lock);
    if (fits) {
        announcer->wake(announcer->ctx);
    } else {
        atomic_fetch_add(&announcer->dropped, 1);
        free(item);
    }
}
