/* The callback. */
#include "tools/symlog/audio_output.h"

#include <math.h>

static void play(sl_audio_output *output, float *out, size_t frames);
static void measure(sl_audio_output *output, const float *out, size_t frames);
static void set_anchor(sl_audio_output *output, uint64_t frame, uint64_t ns);

static void add(atomic_uint_fast64_t *count, uint64_t value)
{
    atomic_fetch_add_explicit(count, value, memory_order_relaxed);
}

static uint64_t get(const atomic_uint_fast64_t *count)
{
    return atomic_load_explicit(count, memory_order_relaxed);
}

void sl_audio_output_open(sl_audio_output *output, sem_t *wake)
{
    output->wake = wake;
}

void sl_audio_output_pull(void *ctx, const float *in, float *out, size_t frames, uint64_t latency_ns, unsigned flags)
{
    sl_audio_output *output = ctx;
    const uint64_t begun_ns = sl_player_clock_ns();
    const uint64_t frame = atomic_load_explicit(&output->played, memory_order_relaxed);
    add(&output->callbacks, 1);
    if (frames > atomic_load_explicit(&output->block, memory_order_relaxed))
        atomic_store_explicit(&output->block, (unsigned)frames, memory_order_relaxed);
    if (flags != 0) add(&output->flagged, 1);
    if ((flags & SL_AUDIO_INPUT_XRUN) != 0) add(&output->input_xruns, 1);
    if ((flags & SL_AUDIO_OUTPUT_XRUN) != 0) add(&output->output_xruns, 1);
    if (atomic_load_explicit(&output->is_running, memory_order_acquire)) {
        set_anchor(output, frame, begun_ns + latency_ns);
        play(output, out, frames);
        atomic_store_explicit(&output->played, frame + frames, memory_order_release);
    } else {
        memset(out, 0, 2 * frames * sizeof *out);
    }
    sl_audio_process *process = atomic_load_explicit(&output->process, memory_order_acquire);
    if (process != NULL) process(output->process_ctx, in, out, frames, frame);
    measure(output, out, frames);
    sem_post(output->wake);
    const uint64_t taken_ns = sl_player_clock_ns() - begun_ns;
    sl_audio_times_add(&output->times, taken_ns);
    if (taken_ns > get(&output->slow_ns)) atomic_store_explicit(&output->slow_ns, taken_ns, memory_order_relaxed);
}

static void play(sl_audio_output *output, float *out, size_t frames)
{
    size_t debt = atomic_load_explicit(&output->debt, memory_order_relaxed);
    if (debt > 0) debt -= sl_audio_ring_read(&output->ring, NULL, debt);
    const size_t count = debt == 0 ? sl_audio_ring_read(&output->ring, out, frames) : 0;
    atomic_store_explicit(&output->debt, debt + frames - count, memory_order_relaxed);
    if (count == frames) return;
    memset(out + 2 * count, 0, 2 * (frames - count) * sizeof *out);
    add(&output->underruns, 1);
    add(&output->missed_frames, frames - count);
}

static void end_meter(sl_audio_output *output)
{
    const unsigned written = atomic_load_explicit(&output->meter_written, memory_order_relaxed);
    const double frames = (double)output->meter_frames;
    const unsigned read = atomic_load_explicit(&output->meter_read, memory_order_acquire);
    const bool has_room = written - read < SL_METER_SLOTS;
    if (has_room)
        output->meters[written % SL_METER_SLOTS] = (sl_meter_frame){
            .ns = sl_player_clock_ns(),
            .peak_left = output->peak_left,
            .peak_right = output->peak_right,
            .rms_left = (float)sqrt(output->square_left / frames),
            .rms_right = (float)sqrt(output->square_right / frames),
        };
    if (has_room) atomic_store_explicit(&output->meter_written, written + 1, memory_order_release);
    output->meter_frames = 0;
    output->square_left = output->square_right = 0;
    output->peak_left = output->peak_right = 0;
}

static void measure(sl_audio_output *output, const float *out, size_t frames)
{
    const uint32_t wanted = output->rate / SL_METER_RATE;
    for (size_t i = 0; i < frames; i++) {
        const float left = fabsf(out[2 * i]), right = fabsf(out[2 * i + 1]);
        if (left > output->peak_left) output->peak_left = left;
        if (right > output->peak_right) output->peak_right = right;
        output->square_left += (double)left * (double)left;
        output->square_right += (double)right * (double)right;
        if (++output->meter_frames >= wanted && wanted > 0) end_meter(output);
    }
}

static void set_anchor(sl_audio_output *output, uint64_t frame, uint64_t ns)
{
    atomic_fetch_add(&output->anchor_turn, 1);
    atomic_store(&output->heard_frame, frame);
    atomic_store(&output->heard_ns, ns);
    atomic_fetch_add(&output->anchor_turn, 1);
}

void sl_audio_output_begin(sl_audio_output *output, uint64_t frame)
{
    atomic_store(&output->played, frame);
    atomic_store_explicit(&output->is_running, true, memory_order_release);
}

void sl_audio_output_set_transport(sl_audio_output *output, const sl_transport_view *view)
{
    const unsigned turn = atomic_load_explicit(&output->transport_turn, memory_order_relaxed);
    output->transports[(turn + 1) % SL_TRANSPORT_SLOTS] = *view;
    atomic_store_explicit(&output->transport_turn, turn + 1, memory_order_release);
}

symlog_transport sl_audio_output_transport(const sl_audio_output *output, uint64_t frame)
{
    const unsigned turn = atomic_load_explicit(&output->transport_turn, memory_order_acquire);
    sl_transport_view view = output->transports[turn % SL_TRANSPORT_SLOTS];
    const double frames = (double)((int64_t)frame - (int64_t)view.frame);
    const double beats = view.is_playing && output->rate > 0 ? frames / output->rate * view.bpm / 60 : 0;
    const double beat = view.beat + beats, bar = view.bar + beats / (view.beats > 0 ? view.beats : 4);
    return (symlog_transport){.is_playing = view.is_playing,
                              .bpm = view.bpm,
                              .beat = beat > 0 ? beat : 0,
                              .bar = bar > 0 ? bar : 0,
                              .frame = (int64_t)frame};
}

uint32_t sl_audio_output_block(const sl_audio_output *output)
{
    return atomic_load_explicit(&output->block, memory_order_relaxed);
}

size_t sl_audio_output_debt(const sl_audio_output *output)
{
    return atomic_load_explicit(&output->debt, memory_order_relaxed);
}

uint64_t sl_audio_output_played(const sl_audio_output *output)
{
    return atomic_load_explicit(&output->played, memory_order_acquire);
}

bool sl_audio_output_anchor(const sl_audio_output *output, sl_clock_anchor *out)
{
    for (;;) {
        const unsigned turn = atomic_load(&output->anchor_turn);
        *out = (sl_clock_anchor){
            .frame = atomic_load(&output->heard_frame), .ns = atomic_load(&output->heard_ns), .rate = output->rate};
        if (turn % 2 == 0 && turn == atomic_load(&output->anchor_turn)) return turn > 0;
    }
}

sl_output_counts sl_audio_output_counts(const sl_audio_output *output)
{
    return (sl_output_counts){
        .callbacks = get(&output->callbacks),
        .flagged = get(&output->flagged),
        .input_xruns = get(&output->input_xruns),
        .output_xruns = get(&output->output_xruns),
        .underruns = get(&output->underruns),
        .missed_frames = get(&output->missed_frames),
        .slow_ns = get(&output->slow_ns),
    };
}

uint64_t sl_audio_output_taken_ns(const sl_audio_output *output, unsigned of_1000)
{
    const uint64_t ns = sl_audio_times_quantile(&output->times, of_1000), slow_ns = get(&output->slow_ns);
    return ns < slow_ns ? ns : slow_ns; /* a bucket's end may be beyond the longest */
}

bool sl_audio_output_take_meter(sl_audio_output *output, sl_meter_frame *out)
{
    const unsigned written = atomic_load_explicit(&output->meter_written, memory_order_acquire);
    unsigned read = atomic_load_explicit(&output->meter_read, memory_order_relaxed);
    if (written == read) return false;
    if (written - read > SL_METER_SLOTS / 2) read = written - 1;
    *out = output->meters[read % SL_METER_SLOTS];
    atomic_store_explicit(&output->meter_read, read + 1, memory_order_release);
    return true;
}
