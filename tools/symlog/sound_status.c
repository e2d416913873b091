/* The newest of what is known of the sound, under a lock. */
#include "tools/symlog/sound_status.h"

#include "ingest/clock.h"

#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define LEVEL_MAX 1e9f
#define LEVEL_PARTS 1e6

struct sl_sound_status {
    void (*wake)(void *ctx); /* Immutable. */
    void *ctx;
    pthread_mutex_t lock;
    sl_audio_status status; /* Under the lock, and so is the rest. */
    sl_audio_meter meter;
    bool has_meter;
    sl_audio_parameter parameters[SL_AUDIO_PARAMETERS_MAX];
    size_t parameter_count;
    unsigned news;
};

static const char *const phase_names[SL_AUDIO_PHASE_COUNT] = {
    [SL_AUDIO_DISABLED] = "disabled",
    [SL_AUDIO_INITIALIZING] = "initializing",
    [SL_AUDIO_RUNNING_FULL_DUPLEX] = "runningFullDuplex",
    [SL_AUDIO_RUNNING_INPUT_ONLY] = "runningInputOnly",
    [SL_AUDIO_RUNNING_OUTPUT_ONLY] = "runningOutputOnly",
    [SL_AUDIO_DEGRADED] = "degraded",
    [SL_AUDIO_FAILED] = "failed",
};

const char *sl_audio_phase_name(sl_audio_phase phase)
{
    return phase_names[phase];
}

sl_err sl_sound_status_create(sl_sound_status **out, void (*wake)(void *ctx), void *ctx)
{
    sl_sound_status *store = calloc(1, sizeof *store);
    if (store == NULL) return SL_ERR_MEMORY;
    store->wake = wake;
    store->ctx = ctx;
    pthread_mutex_init(&store->lock, NULL);
    store->status.updated_at_ms = sl_clock_wall_ns() / 1000000;
    *out = store;
    return SL_OK;
}

void sl_sound_status_destroy(sl_sound_status *store)
{
    if (store == NULL) return;
    pthread_mutex_destroy(&store->lock);
    free(store);
}

static bool is_silent(sl_audio_phase phase)
{
    return phase == SL_AUDIO_DISABLED || phase == SL_AUDIO_INITIALIZING || phase == SL_AUDIO_FAILED;
}

/* In all but load, time, and what every callback adds to. */
static bool is_same(const sl_audio_status *a, const sl_audio_status *b)
{
    const sl_audio_counts *x = &a->counts;
    const sl_audio_counts *y = &b->counts;
    return a->phase == b->phase && a->sample_rate == b->sample_rate && a->buffer_size == b->buffer_size &&
           x->xruns_input == y->xruns_input && x->xruns_output == y->xruns_output && x->underruns == y->underruns &&
           x->missed_frames == y->missed_frames && x->late_marks == y->late_marks && strcmp(a->code, b->code) == 0 &&
           strcmp(a->message, b->message) == 0 && strcmp(a->hint, b->hint) == 0 && strcmp(a->device, b->device) == 0;
}

/* Ends a change that was made under the lock. */
static void add_news(sl_sound_status *store, unsigned news)
{
    store->news |= news;
    pthread_mutex_unlock(&store->lock);
    if (news != 0) store->wake(store->ctx);
}

/* The last byte of a field ends it. */
static void end_text(char *text, size_t size)
{
    text[size - 1] = '\0';
}

void sl_sound_status_set(sl_sound_status *store, const sl_audio_status *status)
{
    sl_audio_status taken = *status;
    if ((unsigned)taken.phase >= SL_AUDIO_PHASE_COUNT) taken.phase = SL_AUDIO_FAILED;
    end_text(taken.code, sizeof taken.code);
    end_text(taken.message, sizeof taken.message);
    end_text(taken.hint, sizeof taken.hint);
    end_text(taken.device, sizeof taken.device);
    taken.updated_at_ms = sl_clock_wall_ns() / 1000000;
    pthread_mutex_lock(&store->lock);
    const bool is_news = !is_same(&store->status, &taken);
    store->status = taken;
    if (is_silent(taken.phase)) store->has_meter = false;
    add_news(store, is_news ? SL_AUDIO_NEWS_STATUS : 0);
}

void sl_sound_status_set_meter(sl_sound_status *store, const sl_audio_meter *meter)
{
    pthread_mutex_lock(&store->lock);
    store->meter = *meter;
    if (store->meter.track_count > SL_AUDIO_TRACKS_MAX) store->meter.track_count = SL_AUDIO_TRACKS_MAX;
    for (uint32_t i = 0; i < store->meter.track_count; i++)
        end_text(store->meter.tracks[i].name, sizeof store->meter.tracks[i].name);
    store->has_meter = true;
    add_news(store, SL_AUDIO_NEWS_METER);
}

/* Ends its texts, and has it begin within its range; false: it has no name, or no range. */
static bool is_parameter(sl_audio_parameter *parameter)
{
    end_text(parameter->name, sizeof parameter->name);
    end_text(parameter->unit, sizeof parameter->unit);
    if (!(parameter->initial >= parameter->min)) parameter->initial = parameter->min;
    if (!(parameter->initial <= parameter->max)) parameter->initial = parameter->max;
    return parameter->name[0] != '\0' && parameter->min <= parameter->max && isfinite(parameter->max - parameter->min);
}

static bool is_same_parameter(const sl_audio_parameter *a, const sl_audio_parameter *b)
{
    return a->min == b->min && a->max == b->max && a->initial == b->initial && strcmp(a->name, b->name) == 0 &&
           strcmp(a->unit, b->unit) == 0;
}

void sl_sound_status_set_processor(sl_sound_status *store, const sl_audio_parameter *parameters, size_t count)
{
    size_t taken_count = 0;
    bool is_news = false;
    pthread_mutex_lock(&store->lock);
    for (size_t i = 0; i < count && taken_count < SL_AUDIO_PARAMETERS_MAX; i++) {
        sl_audio_parameter taken = parameters[i];
        if (!is_parameter(&taken)) continue;
        sl_audio_parameter *before = &store->parameters[taken_count++];
        is_news = is_news || taken_count > store->parameter_count || !is_same_parameter(before, &taken);
        *before = taken;
    }
    is_news = is_news || taken_count != store->parameter_count;
    store->parameter_count = taken_count;
    add_news(store, is_news ? SL_AUDIO_NEWS_PARAMETERS : 0);
}

void sl_sound_status_get(sl_sound_status *store, sl_audio_status *out)
{
    *out = (sl_audio_status){.phase = SL_AUDIO_DISABLED};
    if (store == NULL) out->updated_at_ms = sl_clock_wall_ns() / 1000000;
    if (store == NULL) return;
    pthread_mutex_lock(&store->lock);
    *out = store->status;
    pthread_mutex_unlock(&store->lock);
}

bool sl_sound_status_get_meter(sl_sound_status *store, sl_audio_meter *out)
{
    if (store == NULL) return false;
    pthread_mutex_lock(&store->lock);
    const bool has_meter = store->has_meter;
    if (has_meter) *out = store->meter;
    pthread_mutex_unlock(&store->lock);
    return has_meter;
}

size_t sl_sound_status_get_processor(sl_sound_status *store, sl_audio_parameter out[SL_AUDIO_PARAMETERS_MAX])
{
    if (store == NULL) return 0;
    pthread_mutex_lock(&store->lock);
    const size_t count = store->parameter_count;
    if (count > 0) memcpy(out, store->parameters, count * sizeof *out);
    pthread_mutex_unlock(&store->lock);
    return count;
}

unsigned sl_sound_status_take_news(sl_sound_status *store)
{
    if (store == NULL) return 0;
    pthread_mutex_lock(&store->lock);
    const unsigned news = store->news;
    store->news = 0;
    pthread_mutex_unlock(&store->lock);
    return news;
}

static void write_text(sl_text *text, const char *name, const char *value)
{
    sl_text_string(text, name);
    sl_text_json(text, value, strlen(value));
}

static void write_number(sl_text *text, const char *name, uint64_t value)
{
    sl_text_string(text, name);
    sl_text_u64(text, value);
}

static void write_time(sl_text *text, const char *name, double us)
{
    sl_text_string(text, name);
    sl_text_double(text, us);
}

void sl_audio_status_write(const sl_audio_status *status, sl_text *text)
{
    write_text(text, "{\"phase\":", sl_audio_phase_name(status->phase));
    if (status->code[0] != '\0') {
        write_text(text, ",\"diagnostic\":{\"code\":", status->code);
        write_text(text, ",\"message\":", status->message);
        write_text(text, ",\"hint\":", status->hint);
        sl_text_string(text, "}");
    }
    if (status->sample_rate > 0) write_number(text, ",\"sample_rate\":", status->sample_rate);
    if (status->buffer_size > 0) write_number(text, ",\"buffer_size\":", status->buffer_size);
    if (status->device[0] != '\0') write_text(text, ",\"device\":", status->device);
    write_number(text, ",\"counts\":{\"xruns_input\":", status->counts.xruns_input);
    write_number(text, ",\"xruns_output\":", status->counts.xruns_output);
    write_number(text, ",\"underruns\":", status->counts.underruns);
    write_number(text, ",\"missed_frames\":", status->counts.missed_frames);
    write_number(text, ",\"late_marks\":", status->counts.late_marks);
    write_number(text, ",\"callbacks\":", status->counts.callbacks);
    write_number(text, ",\"flagged\":", status->counts.flagged);
    write_time(text, "},\"callback_us\":{\"p50\":", status->callback_us.p50);
    write_time(text, ",\"p99\":", status->callback_us.p99);
    write_time(text, ",\"p999\":", status->callback_us.p999);
    write_time(text, ",\"max\":", status->callback_us.max);
    sl_text_string(text, "},\"load\":");
    sl_text_double(text, status->load);
    sl_text_string(text, ",\"updated_at_ms\":");
    sl_text_i64(text, status->updated_at_ms);
    sl_text_string(text, "}");
}

/* To a millionth (-120 dB): meters are many, and short that way. */
static void write_level(sl_text *text, const char *name, float level)
{
    const bool is_sayable = level > -LEVEL_MAX && level < LEVEL_MAX;
    sl_text_string(text, name);
    sl_text_double(text, is_sayable ? (double)llround((double)level * LEVEL_PARTS) / LEVEL_PARTS : 0);
}

static void write_levels(const sl_audio_levels *levels, sl_text *text)
{
    write_level(text, ",\"left_peak\":", levels->left_peak);
    write_level(text, ",\"left_rms\":", levels->left_rms);
    write_level(text, ",\"right_peak\":", levels->right_peak);
    write_level(text, ",\"right_rms\":", levels->right_rms);
}

void sl_audio_meter_write(const sl_audio_meter *meter, sl_text *text)
{
    sl_text_string(text, "{\"timestamp_us\":");
    sl_text_i64(text, meter->timestamp_us);
    write_levels(&meter->master, text);
    if (meter->track_count > 0) sl_text_string(text, ",\"tracks\":[");
    for (uint32_t i = 0; i < meter->track_count; i++) {
        write_text(text, i > 0 ? ",{\"name\":" : "{\"name\":", meter->tracks[i].name);
        write_levels(&meter->tracks[i].levels, text);
        sl_text_string(text, "}");
    }
    sl_text_string(text, meter->track_count > 0 ? "]}" : "}");
}
