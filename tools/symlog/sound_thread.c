/* The thread that renders. */
#include "tools/symlog/sound_thread.h"

#include "core/audio_math.h"
#include "ingest/thread.h"
#include "tools/symlog/host.h"
#include "tools/symlog/sound_wire.h"

#include <errno.h>
#include <math.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    REALTIME_PRIORITY = 20,
    CHUNK = 256,        /* frames rendered at once */
    CATCH_UP = 4096,    /* likewise, of the past */
    NEAR_SHARE = 20,    /* of a second: so near the present it has caught up */
    BEGIN_SHARE = 10,   /* of a second: from then until it is heard */
    EARLY_NS = 2000000, /* the device is told to begin so long before the first frame's time */
    WAIT_NS = 10000000
};

#define SECOND_NS UINT64_C(1000000000)

struct sl_sound_thread {
    sl_sound_thread_options options; /* Immutable while the thread runs. */
    pthread_t thread;
    bool has_thread;
    sl_sound_engine *engine; /* The thread's, and so is the next part. */
    float chunk[2 * CATCH_UP];
    float *second; /* what was rendered of this second, 2 * rate */
    uint64_t second_begin;
    bool has_played; /* in it */
    uint64_t saved_frame;
    sl_text encoding;
    uint32_t metered; /* frames since the levels were told */

    atomic_bool is_stopping;
    atomic_bool is_bad;
    atomic_bool is_running;
    atomic_uint_fast64_t marks;
    atomic_uint_fast64_t late;
};

static void *run(void *ctx);
static sl_err catch_up(sl_sound_thread *thread);
static sl_err begin(sl_sound_thread *thread);
static sl_err play(sl_sound_thread *thread);
static sl_err render(sl_sound_thread *thread, size_t frames);
static void end_second(sl_sound_thread *thread, uint64_t end);
static void save(sl_sound_thread *thread);

static bool put_mark(void *ctx, const sl_applied *mark)
{
    const sl_sound_thread *thread = ctx;
    return sl_sound_send_mark(thread->options.link, mark);
}

sl_err sl_sound_thread_start(sl_sound_thread **out, const sl_sound_thread_options *options)
{
    sl_sound_thread *thread = calloc(1, sizeof *thread);
    if (thread == NULL) {
        sl_playback_destroy(options->playback);
        return SL_ERR_MEMORY;
    }
    thread->options = *options;
    sl_text_open(&thread->encoding, sl_host_memory());
    thread->second = calloc(2 * (size_t)options->rate, sizeof *thread->second);
    const sl_sound_owner owner = {.ctx = thread, .mark = put_mark};
    sl_err err =
        sl_sound_engine_create(&thread->engine, &owner, options->rate, options->playback, options->clock.frame);
    if (err == SL_OK && thread->second == NULL) err = SL_ERR_MEMORY;
    if (err == SL_OK) err = sl_thread_start(&thread->thread, "sound", run, thread);
    thread->has_thread = err == SL_OK;
    if (err == SL_OK) *out = thread;
    if (err != SL_OK) sl_sound_thread_stop(thread);
    return err;
}

static void join(sl_sound_thread *thread)
{
    atomic_store(&thread->is_stopping, true);
    if (thread->has_thread) sem_post(thread->options.wake);
    if (thread->has_thread) pthread_join(thread->thread, NULL);
    thread->has_thread = false;
}

void sl_sound_thread_finish(sl_sound_thread *thread, uint64_t played)
{
    join(thread);
    const uint64_t end = sl_sound_engine_frame(thread->engine);
    end_second(thread, played < end ? played : end);
}

void sl_sound_thread_stop(sl_sound_thread *thread)
{
    if (thread == NULL) return;
    join(thread);
    sl_sound_engine_destroy(thread->engine);
    sl_text_close(&thread->encoding);
    free(thread->second);
    free(thread);
}

/* Better than others, where that is allowed; else it is a thread like the others. */
static void become_punctual(void)
{
    const struct sched_param param = {.sched_priority = REALTIME_PRIORITY};
    (void)pthread_setschedparam(pthread_self(), SCHED_FIFO, &param);
}

/* Until something came, or room is there, or so much time has passed. */
static void wait_a_moment(sl_sound_thread *thread, uint64_t ns)
{
    const uint64_t due_ns = sl_player_clock_ns() + ns;
    const struct timespec due = {.tv_sec = (time_t)(due_ns / SECOND_NS), .tv_nsec = (long)(due_ns % SECOND_NS)};
    if (sem_clockwait(thread->options.wake, CLOCK_MONOTONIC, &due) != 0 && errno != ETIMEDOUT && errno != EINTR)
        abort();
}

/* Nothing can be done with what comes any more; but whoever puts it must not wait for room for ever. */
static void drain(sl_sound_thread *thread)
{
    for (sl_player_item *item = sl_player_feed_take(thread->options.feed); item != NULL;) {
        sl_player_item *next = item->next;
        free(item);
        item = next;
    }
    wait_a_moment(thread, WAIT_NS);
}

static void *run(void *ctx)
{
    sl_sound_thread *thread = ctx;
    become_punctual();
    sl_err err = catch_up(thread);
    if (err == SL_OK) err = begin(thread);
    while (err == SL_OK && !atomic_load(&thread->is_stopping)) err = play(thread);
    atomic_store(&thread->is_bad, err != SL_OK);
    while (!atomic_load(&thread->is_stopping)) drain(thread);
    return NULL;
}

/* What came from the log, and what is to be said to it. */
static sl_err step(sl_sound_thread *thread)
{
    for (sl_player_item *item = sl_player_feed_take(thread->options.feed); item != NULL;) {
        sl_player_item *next = item->next;
        sl_sound_engine_put(thread->engine, item);
        item = next;
    }
    const sl_err err = sl_sound_engine_step(thread->engine);
    atomic_store_explicit(&thread->is_running, sl_sound_engine_is_running(thread->engine), memory_order_relaxed);
    atomic_store_explicit(&thread->marks, sl_sound_engine_marks(thread->engine), memory_order_relaxed);
    atomic_store_explicit(&thread->late, sl_sound_engine_late(thread->engine), memory_order_relaxed);
    return err;
}

static uint64_t now_frame(const sl_sound_thread *thread)
{
    return sl_clock_anchor_frame(&thread->options.clock, sl_player_clock_ns());
}

/* Renders up to a frame, for nobody. */
static sl_err skip_to(sl_sound_thread *thread, uint64_t frame)
{
    sl_err err = SL_OK;
    while (err == SL_OK && sl_sound_engine_frame(thread->engine) < frame && !atomic_load(&thread->is_stopping)) {
        const uint64_t left = frame - sl_sound_engine_frame(thread->engine);
        err = step(thread);
        if (err == SL_OK)
            err = sl_sound_engine_render(thread->engine, thread->chunk, left < CATCH_UP ? (size_t)left : CATCH_UP);
    }
    return err;
}

/* What the log has played since its newest mark is rendered again, much quicker than it was heard. */
static sl_err catch_up(sl_sound_thread *thread)
{
    const uint32_t rate = thread->options.rate;
    sl_err err = SL_OK;
    while (err == SL_OK && !atomic_load(&thread->is_stopping) &&
           sl_sound_engine_frame(thread->engine) + rate / NEAR_SHARE < now_frame(thread))
        err = skip_to(thread, now_frame(thread));
    return err;
}

/* From which frame on it is heard, and the device is told when that is due. */
static sl_err begin(sl_sound_thread *thread)
{
    const sl_clock_anchor *clock = &thread->options.clock;
    const uint64_t soon = now_frame(thread) + clock->rate / BEGIN_SHARE;
    const uint64_t at = sl_sound_engine_frame(thread->engine);
    const uint64_t frame = soon > at ? soon : at;
    sl_err err = skip_to(thread, frame);
    if (err != SL_OK || atomic_load(&thread->is_stopping)) return err; /* it need not have come so far */
    thread->second_begin = thread->saved_frame = frame;
    sl_sound_engine_begin(thread->engine);
    while (err == SL_OK && sl_audio_ring_count(&thread->options.output->ring) < SL_SOUND_RING_LEAD) {
        err = step(thread);
        if (err == SL_OK) err = render(thread, CHUNK);
    }
    while (err == SL_OK && !atomic_load(&thread->is_stopping)) {
        const uint64_t now = sl_player_clock_ns();
        if (sl_clock_anchor_frame(clock, now + EARLY_NS) >= frame) break;
        wait_a_moment(thread, EARLY_NS / 2);
        err = step(thread);
    }
    sl_audio_output_begin(thread->options.output, frame);
    return err;
}

/* What was missed comes on top: else as long a silence again would pass until all of that is dropped. */
static size_t lead_of(const sl_audio_output *output)
{
    const size_t two = 2 * (size_t)sl_audio_output_block(output);
    const size_t lead = (two > SL_SOUND_RING_LEAD ? two : SL_SOUND_RING_LEAD) + sl_audio_output_debt(output);
    const size_t most = SL_AUDIO_RING_FRAMES / 2;
    return lead < most ? lead : most;
}

static sl_err play(sl_sound_thread *thread)
{
    sl_err err = step(thread);
    if (err != SL_OK) return err;
    const size_t lead = lead_of(thread->options.output), count = sl_audio_ring_count(&thread->options.output->ring);
    if (count < lead) return render(thread, lead - count < CHUNK ? lead - count : CHUNK);
    if (sl_sound_engine_frame(thread->engine) - thread->saved_frame >= (uint64_t)SL_SOUND_SAVE_S * thread->options.rate)
        save(thread);
    wait_a_moment(thread, WAIT_NS);
    return SL_OK;
}

static void put_bytes(void *ctx, const void *bytes, size_t length)
{
    sl_text_bytes(ctx, bytes, length);
}

/* While the ring is full. Where something hangs in between, a moment later. */
static void save(sl_sound_thread *thread)
{
    uint64_t seq;
    if (!sl_sound_engine_is_whole(thread->engine, &seq) || seq == 0) return;
    thread->saved_frame = sl_sound_engine_frame(thread->engine);
    sl_text_clear(&thread->encoding);
    sl_playback_encode(sl_sound_engine_playback(thread->engine), put_bytes, &thread->encoding);
    if (thread->encoding.bad) return;
    sl_sound_handover_put_saved(thread->options.handover, seq, &thread->encoding);
}

static float rms_of(double square, uint64_t frames)
{
    return frames > 0 ? (float)sqrt(square / (double)frames) : 0;
}

static void tell_levels(sl_sound_thread *thread)
{
    sl_playback *playback = sl_sound_engine_playback(thread->engine);
    if (playback == NULL) return;
    sl_sound_levels levels;
    levels.count = 0;
    for (uint32_t i = 0; i < SL_RENDERER_TRACKS; i++) {
        const sl_digest name = sl_playback_track_name(playback, i);
        const sl_renderer_meter meter = sl_renderer_take_meter(sl_playback_renderer(playback), i);
        if (name.low == 0 && name.high == 0) continue;
        const uint32_t at = levels.count++;
        levels.tracks[at].name = name;
        levels.tracks[at].peak_left = meter.peak_left;
        levels.tracks[at].peak_right = meter.peak_right;
        levels.tracks[at].rms_left = rms_of(meter.square_left, meter.frames);
        levels.tracks[at].rms_right = rms_of(meter.square_right, meter.frames);
    }
    sl_sound_handover_put_levels(thread->options.handover, &levels);
}

static void tell_transport(const sl_sound_thread *thread)
{
    const sl_position position = sl_sound_engine_position(thread->engine);
    const double beats = 4.0 * position.numerator / position.denominator;
    const sl_transport_view view = {.frame = sl_sound_engine_frame(thread->engine),
                                    .is_playing = position.is_playing,
                                    .bpm = position.bpm,
                                    .beat = position.beat,
                                    .bar = (double)position.bar + 1 - (position.next_bar_beat - position.beat) / beats,
                                    .beats = beats};
    sl_audio_output_set_transport(thread->options.output, &view);
}

/* Silence before the log's sound is nobody's claim: this second begins with that. */
static void begin_with_first(sl_sound_thread *thread)
{
    const uint64_t first = sl_sound_engine_first(thread->engine), end = sl_sound_engine_frame(thread->engine);
    if (first <= thread->second_begin) return;
    const uint64_t begin = first < end ? first : end;
    memmove(thread->second, thread->second + 2 * (begin - thread->second_begin),
            2 * (size_t)(end - begin) * sizeof *thread->second);
    thread->second_begin = begin;
}

/* Renders up to CHUNK frames into the ring. */
static sl_err render(sl_sound_thread *thread, size_t frames)
{
    const uint32_t rate = thread->options.rate;
    while (frames > 0) {
        const uint64_t frame = sl_sound_engine_frame(thread->engine);
        const uint64_t left = rate - frame % rate; /* of this second */
        const size_t some = left < frames ? (size_t)left : frames;
        float *to = thread->second + 2 * (frame - thread->second_begin);
        const sl_err err = sl_sound_engine_render(thread->engine, to, some);
        if (err != SL_OK) return err;
        sl_audio_ring_write(&thread->options.output->ring, to, some);
        thread->has_played = thread->has_played || sl_sound_engine_is_running(thread->engine);
        begin_with_first(thread);
        if (left == some) end_second(thread, frame + some);
        frames -= some;
        thread->metered += (uint32_t)some;
    }
    if (thread->options.output->process != NULL) tell_transport(thread);
    if (thread->metered >= rate / SL_METER_RATE) {
        tell_levels(thread);
        thread->metered = 0;
    }
    return SL_OK;
}

static bool is_silent(const float *samples, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (samples[i] < 0 || samples[i] > 0) return false;
    return true;
}

/* The stretch from where the second, or the log's sound in it, began. */
static void end_second(sl_sound_thread *thread, uint64_t end)
{
    if (end <= thread->second_begin) return;
    const size_t frames = (size_t)(end - thread->second_begin);
    const sl_heard heard = {.frame = thread->second_begin,
                            .frames = (uint32_t)frames,
                            .rate = thread->options.rate,
                            .version = SL_RENDERER_VERSION,
                            .digest = sl_digest_bytes(thread->second, 2 * frames * sizeof *thread->second)};
    /* Where nothing plays and nothing sounds the log does not grow. */
    if (thread->has_played || !is_silent(thread->second, 2 * frames))
        sl_sound_handover_put_heard(thread->options.handover, &heard);
    thread->second_begin = end;
    thread->has_played = false;
}

bool sl_sound_thread_is_well(const sl_sound_thread *thread)
{
    return !atomic_load(&thread->is_bad);
}

bool sl_sound_thread_is_running(const sl_sound_thread *thread)
{
    return atomic_load_explicit(&thread->is_running, memory_order_relaxed);
}

uint64_t sl_sound_thread_marks(const sl_sound_thread *thread)
{
    return atomic_load_explicit(&thread->marks, memory_order_relaxed);
}

uint64_t sl_sound_thread_late(const sl_sound_thread *thread)
{
    return atomic_load_explicit(&thread->late, memory_order_relaxed);
}
