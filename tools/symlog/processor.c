/* A shared object, checked and run. */
#include "tools/symlog/processor.h"

#include <assert.h>
#include <dlfcn.h>
#include <math.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

_Static_assert(ATOMIC_INT_LOCK_FREE == 2, "the audio thread takes no lock");

#define SAMPLE_MAX 1000.0F

/* One parameter on its way. */
typedef struct ramp {
    float value;
    float goal;
    float step;
    uint32_t left; /* frames until value is goal */
    bool is_flat;  /* the whole plane holds the goal */
} ramp;

struct sl_processor {
    /* Immutable once loaded. */
    void *library;
    const symlog_processor_description *description;
    void *state; /* the user's, and the audio thread's */
    double rate;
    uint32_t ramp_frames;
    size_t count;
    sl_processor_parameter parameters[SYMLOG_PARAMETERS_MAX];

    /* Any thread. */
    _Atomic float goals[SYMLOG_PARAMETERS_MAX];
    atomic_bool has_failed;
    sl_processor_failure failure; /* written before has_failed is set */

    /* Audio thread only. */
    ramp ramps[SYMLOG_PARAMETERS_MAX];
    float planes[SYMLOG_PARAMETERS_MAX][SYMLOG_FRAMES_MAX];
    const float *values[SYMLOG_PARAMETERS_MAX]; /* each its plane */
    float last[2];                              /* the last good frame */
    uint32_t fade_left;                         /* frames of its fading */
};

static sl_err check(sl_processor *processor, const char *name, char *message);
static sl_err open_library(sl_processor *processor, const char *path, const char *name, char *message);
static void prepare(sl_processor *processor);
static void run_part(sl_processor *processor, const float *const in[2], float *const out[2], size_t frames,
                     const symlog_transport *transport);

static sl_err refuse(char *message, const char *format, ...) __attribute__((format(printf, 2, 3)));

static sl_err refuse(char *message, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(message, SL_PROCESSOR_MESSAGE_BYTES, format, arguments);
    va_end(arguments);
    return SL_ERR_REFUSED;
}

sl_err sl_processor_load(const char *path, const char *name, double rate, sl_processor **out,
                         char message[SL_PROCESSOR_MESSAGE_BYTES])
{
    *out = NULL;
    message[0] = '\0';
    sl_processor *processor = calloc(1, sizeof *processor);
    if (processor == NULL) {
        (void)refuse(message, "%s: out of memory", name);
        return SL_ERR_MEMORY;
    }
    processor->rate = rate;
    sl_err err = open_library(processor, path, name, message);
    if (err == SL_OK) err = check(processor, name, message);
    if (err == SL_OK && processor->description->init != NULL) {
        processor->state = processor->description->init(rate);
        if (processor->state == NULL) err = refuse(message, "%s: its init gave NULL: out of memory?", name);
    }
    if (err == SL_OK) {
        prepare(processor);
        *out = processor;
        return SL_OK;
    }
    if (processor->library != NULL) (void)dlclose(processor->library);
    free(processor);
    return err;
}

void sl_processor_close(sl_processor *processor)
{
    if (processor == NULL) return;
    const symlog_processor_description *description = processor->description;
    if (description->destroy != NULL && processor->state != NULL) description->destroy(processor->state);
    (void)dlclose(processor->library);
    free(processor);
}

/* What dlopen says begins with the temporary path; the symbol is what people need. */
static sl_err open_library(sl_processor *processor, const char *path, const char *name, char *message)
{
    static const char undefined[] = "undefined symbol: ";
    processor->library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (processor->library == NULL) {
        const char *said = dlerror();
        const char *symbol = said == NULL ? NULL : strstr(said, undefined);
        if (symbol != NULL)
            return refuse(message, "%s: %s is declared, but defined nowhere", name, symbol + sizeof undefined - 1);
        return refuse(message, "%s: cannot be loaded: %s", name, said == NULL ? "the system does not say why" : said);
    }
    processor->description = dlsym(processor->library, "symlog_processor");
    if (processor->description != NULL) return SL_OK;
    return refuse(message,
                  "%s: defines no symlog_processor: end the file with \"const symlog_processor_description "
                  "symlog_processor = {.abi = SYMLOG_PROCESSOR_ABI, .process = process};\"",
                  name);
}

static bool is_name(const char *name, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        const char c = name[i];
        const bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        if (!is_letter && !(c >= '0' && c <= '9') && c != '_' && c != '-') return false;
    }
    return length > 0;
}

static sl_err check_parameter(sl_processor *processor, size_t index, const char *name, char *message)
{
    const symlog_parameter *from = &processor->description->parameters[index];
    const char *own = from->name == NULL ? "" : from->name, *unit = from->unit == NULL ? "" : from->unit;
    const size_t length = strnlen(own, SYMLOG_NAME_BYTES_MAX + 1);
    if (length == 0)
        return refuse(message, "%s: parameter %zu has no name: is parameter_count greater than there are?", name,
                      index);
    if (length > SYMLOG_NAME_BYTES_MAX)
        return refuse(message, "%s: the name of parameter %zu is longer than %d bytes", name, index,
                      SYMLOG_NAME_BYTES_MAX);
    if (!is_name(own, length))
        return refuse(message, "%s: a parameter's name is made of letters, digits, '_' and '-'; parameter %zu's is not",
                      name, index);
    if (strnlen(unit, SYMLOG_UNIT_BYTES_MAX + 1) > SYMLOG_UNIT_BYTES_MAX)
        return refuse(message, "%s: the unit of \"%s\" is longer than %d bytes", name, own, SYMLOG_UNIT_BYTES_MAX);
    for (size_t i = 0; i < index; i++)
        if (strcmp(processor->parameters[i].name, own) == 0)
            return refuse(message, "%s: two parameters are named \"%s\"", name, own);
    if (!isfinite(from->min) || !isfinite(from->max) || !isfinite(from->max - from->min) || from->min >= from->max)
        return refuse(message, "%s: the range of \"%s\" is %g to %g: min must be less than max, and both finite", name,
                      own, (double)from->min, (double)from->max);
    if (!(from->initial >= from->min && from->initial <= from->max))
        return refuse(message, "%s: the initial value of \"%s\" is %g, which is not within %g to %g", name, own,
                      (double)from->initial, (double)from->min, (double)from->max);
    sl_processor_parameter *to = &processor->parameters[index];
    *to = (sl_processor_parameter){.min = from->min, .max = from->max, .initial = from->initial};
    (void)snprintf(to->id, sizeof to->id, "processor.%s", own);
    (void)snprintf(to->name, sizeof to->name, "%s", own);
    (void)snprintf(to->unit, sizeof to->unit, "%s", unit);
    return SL_OK;
}

static sl_err check(sl_processor *processor, const char *name, char *message)
{
    const symlog_processor_description *description = processor->description;
    assert(description != NULL);
    if (description->abi == 0)
        return refuse(message, "%s: symlog_processor has no abi: write .abi = SYMLOG_PROCESSOR_ABI into it", name);
    if (description->abi != SYMLOG_PROCESSOR_ABI)
        return refuse(message, "%s: is written for version %u of symlog_processor.h, this symlog has %d", name,
                      (unsigned)description->abi, SYMLOG_PROCESSOR_ABI);
    if (description->process == NULL)
        return refuse(message, "%s: symlog_processor has no process: write .process = process into it", name);
    if (description->parameter_count > SYMLOG_PARAMETERS_MAX)
        return refuse(message, "%s: has %u parameters; %d is the most", name, (unsigned)description->parameter_count,
                      SYMLOG_PARAMETERS_MAX);
    if (description->parameter_count > 0 && description->parameters == NULL)
        return refuse(message, "%s: symlog_processor has a parameter_count, but no parameters", name);
    processor->count = description->parameter_count;
    for (size_t i = 0; i < processor->count; i++) {
        const sl_err err = check_parameter(processor, i, name, message);
        if (err != SL_OK) return err;
    }
    return SL_OK;
}

static void prepare(sl_processor *processor)
{
    const double frames = processor->rate * (int)SL_PROCESSOR_RAMP_MS / 1000;
    processor->ramp_frames = frames < 1 ? 1 : (uint32_t)frames;
    atomic_init(&processor->has_failed, false);
    for (size_t i = 0; i < processor->count; i++) {
        const float initial = processor->parameters[i].initial;
        atomic_init(&processor->goals[i], initial);
        processor->ramps[i] = (ramp){.value = initial, .goal = initial};
        processor->values[i] = processor->planes[i];
    }
}

size_t sl_processor_list(const sl_processor *processor, size_t first, sl_processor_parameter *out, size_t max)
{
    for (size_t i = 0; i < max && first + i < processor->count; i++) {
        out[i] = processor->parameters[first + i];
        out[i].value = atomic_load_explicit(&processor->goals[first + i], memory_order_relaxed);
    }
    return processor->count;
}

sl_err sl_processor_find(const sl_processor *processor, const char *id, size_t *index)
{
    for (size_t i = 0; i < processor->count; i++) {
        const sl_processor_parameter *parameter = &processor->parameters[i];
        if (strcmp(parameter->id, id) != 0 && strcmp(parameter->name, id) != 0) continue;
        *index = i;
        return SL_OK;
    }
    return SL_ERR_NOT_FOUND;
}

sl_err sl_processor_set(sl_processor *processor, size_t index, float value)
{
    if (index >= processor->count || isnan(value)) return SL_ERR_RANGE;
    const sl_processor_parameter *parameter = &processor->parameters[index];
    const float clamped = fminf(fmaxf(value, parameter->min), parameter->max);
    atomic_store_explicit(&processor->goals[index], clamped, memory_order_relaxed);
    return SL_OK;
}

void sl_processor_inherit(sl_processor *processor, const sl_processor *former)
{
    for (size_t i = 0; former != NULL && i < processor->count; i++) {
        size_t index;
        if (sl_processor_find(former, processor->parameters[i].id, &index) != SL_OK) continue;
        const float value = atomic_load_explicit(&former->goals[index], memory_order_relaxed);
        if (sl_processor_set(processor, i, value) != SL_OK) continue;
        const float taken = atomic_load_explicit(&processor->goals[i], memory_order_relaxed);
        processor->ramps[i] = (ramp){.value = taken, .goal = taken};
    }
}

uint32_t sl_processor_ramp_frames(const sl_processor *processor)
{
    return processor->ramp_frames;
}

double sl_processor_rate(const sl_processor *processor)
{
    return processor->rate;
}

symlog_transport sl_processor_later(const symlog_transport *transport, size_t frames, double rate)
{
    symlog_transport later = *transport;
    later.frame += (int64_t)frames;
    if (later.is_playing) later.beat += (double)frames / rate * later.bpm / 60;
    return later;
}

void sl_processor_run(sl_processor *processor, const float *const in[2], float *const out[2], size_t frames,
                      const symlog_transport *transport)
{
    for (size_t done = 0; done < frames;) {
        const size_t count = frames - done < SYMLOG_FRAMES_MAX ? frames - done : SYMLOG_FRAMES_MAX;
        const symlog_transport now = sl_processor_later(transport, done, processor->rate);
        const float *const in_part[2] = {in[0] + done, in[1] + done};
        float *const out_part[2] = {out[0] + done, out[1] + done};
        run_part(processor, in_part, out_part, count, &now);
        done += count;
    }
}

/* The parameter's values for the coming frames. */
static void fill(sl_processor *processor, size_t index, size_t frames)
{
    ramp *ramp = &processor->ramps[index];
    float *plane = processor->planes[index];
    const float goal = atomic_load_explicit(&processor->goals[index], memory_order_relaxed);
    if (goal != ramp->goal) {
        ramp->goal = goal;
        ramp->left = processor->ramp_frames;
        ramp->step = (goal - ramp->value) / (float)ramp->left;
        ramp->is_flat = false;
    }
    if (ramp->is_flat) return;
    if (ramp->left == 0) {
        for (size_t i = 0; i < SYMLOG_FRAMES_MAX; i++) plane[i] = ramp->goal;
        ramp->is_flat = true;
        return;
    }
    for (size_t i = 0; i < frames; i++) {
        if (ramp->left > 0) ramp->left--;
        plane[i] = ramp->goal - ramp->step * (float)ramp->left;
    }
    ramp->value = plane[frames - 1];
}

static bool is_sound(const float *samples, size_t frames)
{
    unsigned bad = 0;
    for (size_t i = 0; i < frames; i++) bad |= !(fabsf(samples[i]) <= SAMPLE_MAX);
    return bad == 0;
}

static void fail(sl_processor *processor, float *const out[2], size_t frames, int64_t frame)
{
    size_t at = 0;
    int channel = 0;
    while (at < frames && is_sound(&out[0][at], 1) && is_sound(&out[1][at], 1)) at++;
    assert(at < frames);
    if (is_sound(&out[0][at], 1)) channel = 1;
    const float value = out[channel][at];
    sl_processor_fault fault = SL_PROCESSOR_TOO_LOUD;
    if (isnan(value)) fault = SL_PROCESSOR_NAN;
    if (isinf(value)) fault = SL_PROCESSOR_INFINITE;
    processor->failure =
        (sl_processor_failure){.fault = fault, .channel = channel, .frame = frame + (int64_t)at, .value = value};
    processor->fade_left = processor->ramp_frames;
    atomic_store_explicit(&processor->has_failed, true, memory_order_release);
}

static void fade(sl_processor *processor, float *const out[2], size_t frames)
{
    for (size_t i = 0; i < frames; i++) {
        if (processor->fade_left > 0) processor->fade_left--;
        const float part = (float)processor->fade_left / (float)processor->ramp_frames;
        for (int side = 0; side < 2; side++) out[side][i] = processor->last[side] * part;
    }
}

static void run_part(sl_processor *processor, const float *const in[2], float *const out[2], size_t frames,
                     const symlog_transport *transport)
{
    if (atomic_load_explicit(&processor->has_failed, memory_order_relaxed)) {
        fade(processor, out, frames);
        return;
    }
    for (size_t i = 0; i < processor->count; i++) fill(processor, i, frames);
    /* What the user's code leaves out is silence, not what lay there. */
    for (int side = 0; side < 2; side++) memset(out[side], 0, frames * sizeof *out[side]);
    const float *const in_part[2] = {in[0], in[1]};
    float *const out_part[2] = {out[0], out[1]};
    processor->description->process(processor->state, in_part, out_part, (int)frames, processor->values, transport);
    if (!is_sound(out[0], frames) || !is_sound(out[1], frames)) {
        fail(processor, out, frames, transport->frame);
        fade(processor, out, frames);
        return;
    }
    for (int side = 0; side < 2; side++) processor->last[side] = out[side][frames - 1];
}

bool sl_processor_has_failed(const sl_processor *processor, sl_processor_failure *failure)
{
    if (!atomic_load_explicit(&processor->has_failed, memory_order_acquire)) return false;
    *failure = processor->failure;
    return true;
}

void sl_processor_describe(const sl_processor_failure *failure, const char *name,
                           char message[SL_PROCESSOR_MESSAGE_BYTES])
{
    static const char *const hints[] = {
        [SL_PROCESSOR_WELL] = "",
        [SL_PROCESSOR_NAN] = "0/0, or the root or logarithm of a negative number?",
        [SL_PROCESSOR_INFINITE] = "a division by 0, or feedback that grows?",
        [SL_PROCESSOR_TOO_LOUD] = "feedback that grows? A sample lies within -1 and 1, 1,000 is the most",
    };
    char value[32];
    (void)snprintf(value, sizeof value, "%g", (double)failure->value);
    (void)snprintf(message, SL_PROCESSOR_MESSAGE_BYTES,
                   "%s gave %s in the %s channel, at frame %lld: %s; it is muted until the file is saved again", name,
                   failure->fault == SL_PROCESSOR_NAN ? "NaN" : value, failure->channel == 0 ? "left" : "right",
                   (long long)failure->frame, hints[failure->fault]);
}
