/* The user's processor. */
#include "tools/symlog/sound_processor.h"

#include "core/parameters.h"
#include "core/payload.h"
#include "ingest/file_watch.h"
#include "tools/symlog/processor_build.h"
#include "tools/symlog/processor_slot.h"
#include "tools/symlog/sound_wire.h"

#include <assert.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    QUIET_MS = 60,
    STUCK_MS = 500,    /* in the audio thread */
    STUCK_TICKS = 900, /* in init: 15 s */
    STUCK_DESTROY_S = 2,
    REFUSED_BYTES_MAX = 2048,
    CRASH_STACK_BYTES = 64 << 10
};

struct sl_sound_processor {
    sl_sound_processor_options options; /* Immutable. */
    sl_file_watch *watch;
    sl_processor_slot slot;
    bool is_first;     /* The watch's thread: the file was not looked at yet. */
    atomic_uint loads; /* odd while the user's init or destroy runs */
    pthread_mutex_t lock;
    sl_processor *current;               /* Under the lock: what was offered last. NULL: none. */
    bool is_new;                         /* likewise: its parameters were not set yet */
    bool is_told;                        /* that it has failed */
    float values[SYMLOG_PARAMETERS_MAX]; /* The process' own thread, and so is the rest: what was set. */
    unsigned entered;                    /* the last seen */
    unsigned loading;
    uint64_t entered_ms;
    uint64_t loading_ms;
    float left[SL_AUDIO_BLOCK_MAX]; /* The device's thread, and so is the rest. */
    float right[SL_AUDIO_BLOCK_MAX];
    float out_left[SL_AUDIO_BLOCK_MAX];
    float out_right[SL_AUDIO_BLOCK_MAX];
    bool has_crash_stack;
    char crash_stack[CRASH_STACK_BYTES];
};

static sl_sound_processor *running; /* for the signal handler */

static void process(void *ctx, const float *in, float *out, size_t frames, uint64_t frame);
static bool take(void *ctx, const sl_file_watch *watch, const sl_file_seen *seen, bool is_last);
static void catch_crashes(void);
static void refuse(const sl_sound_processor *processor, const char *reason);

sl_err sl_sound_processor_start(sl_sound_processor **out, const sl_sound_processor_options *options, char errmsg[256])
{
    sl_sound_processor *processor = calloc(1, sizeof *processor);
    snprintf(errmsg, 256, "out of memory");
    if (processor == NULL) return SL_ERR_MEMORY;
    char message[320];
    processor->options = *options;
    processor->is_first = true;
    pthread_mutex_init(&processor->lock, NULL);
    const sl_file_watch_options watch = {.path = options->path,
                                         .quiet_ms = QUIET_MS,
                                         .patience_ms = QUIET_MS,
                                         .take = take,
                                         .thread = "processor",
                                         .ctx = processor};
    sl_err err = SL_OK;
    if (options->path != NULL) {
        running = processor;
        catch_crashes();
        err = sl_file_watch_start(&processor->watch, &watch, errmsg);
        if (err == SL_OK && access(options->path, R_OK) != 0)
            sl_sound_say(options->link, "processor refused reason=\"%s: there is no such file yet; it is waited for\"",
                         options->path);
        /* Nothing is heard of the input then; what is played sounds on. */
        if (err == SL_ERR_NOT_FOUND) {
            snprintf(message, sizeof message, "%.255s; end serve, and begin with another file", errmsg);
            refuse(processor, message);
            err = SL_OK;
        }
    }
    options->output->process_ctx = processor;
    options->output->process = process;
    *out = processor;
    return err;
}

void sl_sound_processor_stop(sl_sound_processor *processor)
{
    if (processor == NULL) return;
    sl_file_watch_stop(processor->watch);
    running = NULL;
    sl_processor_slot_close(&processor->slot);
    pthread_mutex_destroy(&processor->lock);
    free(processor);
}

/* Who has used up the stack leaves none to the signal's handler. Once, with the device's first block. */
static void prepare_for_crash(sl_sound_processor *processor)
{
    if (processor->has_crash_stack) return;
    processor->has_crash_stack = true;
    (void)sigaltstack(&(stack_t){.ss_sp = processor->crash_stack, .ss_size = CRASH_STACK_BYTES}, NULL);
}

/* The device's thread. */
static void process(void *ctx, const float *in, float *out, size_t frames, uint64_t frame)
{
    sl_sound_processor *processor = ctx;
    assert(frames <= SL_AUDIO_BLOCK_MAX);
    for (size_t i = 0; i < frames; i++) {
        processor->left[i] = in != NULL ? in[2 * i] : 0;
        processor->right[i] = in != NULL ? in[2 * i + 1] : 0;
    }
    const float *left = processor->left, *right = processor->right;
    if (processor->options.path != NULL) {
        prepare_for_crash(processor);
        const symlog_transport transport = sl_audio_output_transport(processor->options.output, frame);
        const float *const from[2] = {processor->left, processor->right};
        float *const to[2] = {processor->out_left, processor->out_right};
        sl_processor_slot_run(&processor->slot, from, to, frames, &transport);
        left = processor->out_left;
        right = processor->out_right;
    }
    for (size_t i = 0; i < frames; i++) {
        out[2 * i] += left[i];
        out[2 * i + 1] += right[i];
    }
}

/* An event: so serve tells people of it, too. */
static void refuse(const sl_sound_processor *processor, const char *reason)
{
    uint8_t bytes[REFUSED_BYTES_MAX];
    sl_writer writer = {.bytes = bytes, .capacity = sizeof bytes};
    const sl_refused refused = {.kind = SL_KIND_PROCESSOR, .reason = reason, .reason_length = strlen(reason)};
    if (sl_refused_encode(&refused, &writer) == SL_OK)
        (void)sl_sound_send_draft(processor->options.link, SL_KIND_REFUSED, bytes, writer.length);
}

/* The source, before it runs. */
static bool log_source(const sl_sound_processor *processor, const char *source, size_t length)
{
    const char *path = processor->options.path;
    const size_t capacity = length + strlen(path) + 16;
    uint8_t *bytes = malloc(capacity);
    if (bytes == NULL) return false;
    sl_writer writer = {.bytes = bytes, .capacity = capacity};
    const sl_processor_event event = {
        .path = path, .path_length = strlen(path), .source = source, .source_length = length};
    const bool is_logged = sl_processor_event_encode(&event, &writer) == SL_OK &&
                           sl_sound_send_draft(processor->options.link, SL_KIND_PROCESSOR, bytes, writer.length);
    free(bytes);
    return is_logged;
}

static void tell_parameters(const sl_sound_processor *processor, const sl_processor *one)
{
    sl_sound_parameters parameters = {0};
    sl_processor_parameter list[SYMLOG_PARAMETERS_MAX];
    const size_t count = one != NULL ? sl_processor_list(one, 0, list, SYMLOG_PARAMETERS_MAX) : 0;
    parameters.count = (uint32_t)count;
    for (size_t i = 0; i < count; i++) {
        sl_audio_parameter *told = &parameters.list[i];
        snprintf(told->name, sizeof told->name, "%s", list[i].name);
        snprintf(told->unit, sizeof told->unit, "%.15s", list[i].unit);
        told->min = (double)list[i].min;
        told->max = (double)list[i].max;
        told->initial = (double)list[i].initial;
    }
    (void)sl_sound_send_parameters(processor->options.link, &parameters);
}

/* Waits for what was offered before to be taken, or takes it back. */
static void clear_slot(sl_sound_processor *processor)
{
    sl_processor *former = NULL;
    if (sl_processor_slot_collect(&processor->slot, &former)) sl_processor_close(former);
    sl_processor_close(sl_processor_slot_withdraw(&processor->slot));
}

static bool offer(sl_sound_processor *processor, sl_processor *one)
{
    pthread_mutex_lock(&processor->lock);
    sl_processor_inherit(one, processor->current);
    atomic_fetch_add(&processor->loads, 1);
    sl_err err = sl_processor_slot_offer(&processor->slot, one);
    if (err != SL_OK) clear_slot(processor);
    if (err != SL_OK) err = sl_processor_slot_offer(&processor->slot, one);
    atomic_fetch_add(&processor->loads, 1);
    if (err == SL_OK) {
        processor->current = one;
        processor->is_new = true;
        processor->is_told = false;
    }
    pthread_mutex_unlock(&processor->lock);
    if (err == SL_OK) return true;
    sl_processor_close(one);
    refuse(processor, "the one before is not in place yet; save it again");
    return false;
}

/* The text is compiled, logged, and loaded, in this order: what runs is in the log. */
static void run_source(sl_sound_processor *processor, int64_t saved_ns, const char *source, size_t length)
{
    const char *slash = strrchr(processor->options.path, '/');
    const char *name = slash != NULL ? slash + 1 : processor->options.path;
    static sl_processor_build build; /* the watch's thread alone */
    char message[SL_PROCESSOR_MESSAGE_BYTES];
    if (sl_processor_compile(name, source, length, NULL, &build) != SL_OK) {
        refuse(processor, build.message);
        return;
    }
    if (!log_source(processor, source, length)) {
        refuse(processor, "the log did not take it");
        sl_processor_build_remove(&build);
        return;
    }
    sl_processor *one = NULL;
    (void)sl_sound_send(processor->options.link, &(sl_sound_message){.type = SL_SOUND_LOADS, .as.saved_ns = saved_ns});
    atomic_fetch_add(&processor->loads, 1);
    const sl_err err = sl_processor_load(build.path, name, (double)processor->options.rate, &one, message);
    atomic_fetch_add(&processor->loads, 1);
    sl_processor_build_remove(&build);
    if (err != SL_OK) {
        refuse(processor, message);
        return;
    }
    tell_parameters(processor, one);
    if (offer(processor, one)) sl_sound_say(processor->options.link, "processor runs=%s", name);
}

/* The watch's thread. */
static bool take(void *ctx, const sl_file_watch *watch, const sl_file_seen *seen, bool is_last)
{
    sl_sound_processor *processor = ctx;
    const bool is_old = processor->is_first && seen->mtime_ns == processor->options.after_save_ns;
    char *source = NULL;
    size_t length = 0;
    char message[SL_PROCESSOR_BUILD_TEXT_BYTES];
    processor->is_first = false;
    if (is_old) return true;
    const sl_err err = sl_processor_read(seen->path, &source, &length, message);
    if (err != SL_OK && !is_last) return false;
    if (err != SL_OK && !sl_file_watch_is_gone(watch)) refuse(processor, message);
    if (err == SL_OK && length > SL_PROCESSOR_BYTES_MAX) refuse(processor, "it is longer than 128 KiB");
    if (err == SL_OK && length <= SL_PROCESSOR_BYTES_MAX) run_source(processor, seen->mtime_ns, source, length);
    free(source);
    return true;
}

/* As the log has them; a parameter that it does not know stays. Under the lock. */
static void set_parameters(sl_sound_processor *processor, const sl_state *state)
{
    sl_processor_parameter list[SYMLOG_PARAMETERS_MAX];
    const size_t count = sl_processor_list(processor->current, 0, list, SYMLOG_PARAMETERS_MAX);
    for (size_t i = 0; i < count; i++) {
        const sl_parameter_value *value = sl_state_parameter(state, list[i].id, strlen(list[i].id));
        if (value == NULL) continue;
        const float wanted = (float)value->value;
        const bool is_set = !processor->is_new && !(processor->values[i] < wanted) && !(processor->values[i] > wanted);
        if (!is_set) (void)sl_processor_set(processor->current, i, wanted); /* a NaN cannot be in the log */
        processor->values[i] = wanted;
    }
    processor->is_new = false;
}

/* The same odd number for long: the user's code does not return. */
static bool is_stuck(unsigned now, unsigned *before, uint64_t *since_ms, uint64_t ms_max)
{
    const uint64_t now_ms = sl_player_clock_ns() / 1000000;
    if (now != *before || now % 2 == 0) *since_ms = now_ms;
    *before = now;
    return now_ms - *since_ms > ms_max;
}

bool sl_sound_processor_is_left_out(sl_sound_processor *processor)
{
    if (processor == NULL || processor->options.after_save_ns == 0) return false;
    if (pthread_mutex_trylock(&processor->lock) != 0) return false; /* another one is on its way */
    const bool is_left_out = processor->current == NULL;
    pthread_mutex_unlock(&processor->lock);
    return is_left_out;
}

bool sl_sound_processor_tick(sl_sound_processor *processor, const sl_state *state)
{
    if (is_stuck(sl_processor_slot_entered(&processor->slot), &processor->entered, &processor->entered_ms, STUCK_MS))
        return false;
    if (is_stuck(atomic_load(&processor->loads), &processor->loading, &processor->loading_ms, STUCK_TICKS * 1000 / 60))
        return false;
    if (pthread_mutex_trylock(&processor->lock) != 0) return true; /* a new one is on its way */
    sl_processor *former = NULL;
    if (sl_processor_slot_collect(&processor->slot, &former)) {
        /* Here nobody else would notice that it does not return. */
        alarm(STUCK_DESTROY_S);
        atomic_fetch_add(&processor->loads, 1);
        sl_processor_close(former);
        atomic_fetch_add(&processor->loads, 1);
        alarm(0);
    }
    sl_processor_failure failure;
    const bool has_failed =
        processor->current != NULL && !processor->is_told && sl_processor_has_failed(processor->current, &failure);
    if (processor->current != NULL) set_parameters(processor, state);
    processor->is_told = processor->is_told || has_failed;
    pthread_mutex_unlock(&processor->lock);
    if (!has_failed) return true;
    char message[SL_PROCESSOR_MESSAGE_BYTES];
    const char *slash = strrchr(processor->options.path, '/');
    sl_processor_describe(&failure, slash != NULL ? slash + 1 : processor->options.path, message);
    refuse(processor, message);
    return true;
}

/* A signal inside the user's code is its fault, and told as such; others have their usual end. */
static struct sigaction former[NSIG];

static void on_crash(int number, siginfo_t *info, void *context)
{
    (void)info;
    (void)context;
    sl_sound_processor *processor = running;
    const bool is_inside = processor != NULL && (sl_processor_slot_entered(&processor->slot) % 2 == 1 ||
                                                 atomic_load(&processor->loads) % 2 == 1);
    if (is_inside) _exit(SL_SOUND_CRASHED);
    sigaction(number, &former[number], NULL); /* the same instruction faults once more */
    if (number == SIGABRT) raise(number);
}

static void on_alarm(int number)
{
    (void)number;
    _exit(SL_SOUND_LOOPS);
}

static void catch_crashes(void)
{
    static const int numbers[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};
    struct sigaction action = {.sa_sigaction = on_crash, .sa_flags = SA_SIGINFO | SA_ONSTACK};
    sigemptyset(&action.sa_mask);
    signal(SIGALRM, on_alarm);
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) sigaction(numbers[i], &action, &former[numbers[i]]);
}
