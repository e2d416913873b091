/*
 * Hears what symlog plays over JACK: a client of the server that $JACK_DEFAULT_SERVER names. For tests/e2e/jack.py.
 *
 *     jack-listener OUT [sine | impulse]
 *
 * It connects to PortAudio's outputs as they appear, and writes what comes in as frames, left and right in turn, as
 * float32, to OUT; silence while nothing is connected. For each period OUT.times gets four u64: the frame in OUT with
 * which it begins, JACK's own frame time, CLOCK_MONOTONIC in nanoseconds when it was heard, and whether anything was
 * connected. A wish lets it feed PortAudio's inputs: a sine of 1 kHz at -6 dB, or an impulse twice a second.
 *
 * It says "ready rate=… period=…", "connected …" for each port, and, once SIGINT, SIGTERM or the server's end stops
 * it, "done frames=… xruns=… lost=…": lost are the frames for which the disk was too slow.
 */
#include <jack/jack.h>
#include <jack/ringbuffer.h>
#include <math.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { CHANNELS = 2, RING_SECONDS = 8, RING_PERIODS = 1 << 14, NAP_NS = 5000000, FRAMES_MAX = 8192 };

typedef struct period {
    uint64_t frame;
    uint64_t jack_frame;
    uint64_t ns;
    uint64_t is_connected;
} period;

typedef struct listener {
    jack_client_t *client;
    jack_port_t *in[CHANNELS];
    jack_port_t *out[CHANNELS]; /* NULL: it feeds nothing */
    bool feeds_impulses;
    uint32_t rate;
    jack_ringbuffer_t *samples;
    jack_ringbuffer_t *periods;
    float chunk[CHANNELS * FRAMES_MAX]; /* JACK's thread's, and so are the next two */
    uint64_t frame;
    uint64_t fed;
    atomic_uint xruns;
    atomic_uint lost;
    FILE *sound;
    FILE *times;
} listener;

static atomic_bool is_over;

static void on_signal(int number)
{
    (void)number;
    atomic_store(&is_over, true);
}

static void on_shutdown(void *ctx)
{
    (void)ctx;
    atomic_store(&is_over, true);
}

static int on_xrun(void *ctx)
{
    listener *listener = ctx;
    atomic_fetch_add(&listener->xruns, 1);
    return 0;
}

static void feed(listener *listener, jack_nframes_t frames)
{
    for (int channel = 0; channel < CHANNELS; channel++) {
        float *to = jack_port_get_buffer(listener->out[channel], frames);
        for (jack_nframes_t i = 0; i < frames; i++) {
            const uint64_t at = (listener->fed + i) % listener->rate;
            const double turn = 2 * 3.14159265358979323846 * 1000.0 * (double)at / listener->rate;
            if (listener->feeds_impulses)
                to[i] = at % (listener->rate / 2) == 0 ? 1.0F : 0.0F;
            else
                to[i] = (float)(0.5 * sin(turn));
        }
    }
    listener->fed += frames;
}

/* JACK's thread: copies, and waits for nothing. */
static int on_period(jack_nframes_t frames, void *ctx)
{
    listener *listener = ctx;
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    const float *left = jack_port_get_buffer(listener->in[0], frames);
    const float *right = jack_port_get_buffer(listener->in[1], frames);
    for (size_t i = 0; i < frames; i++) {
        listener->chunk[2 * i] = left[i];
        listener->chunk[2 * i + 1] = right[i];
    }
    if (listener->out[0] != NULL) feed(listener, frames);
    const size_t bytes = CHANNELS * (size_t)frames * sizeof *listener->chunk;
    const period period = {.frame = listener->frame,
                           .jack_frame = jack_last_frame_time(listener->client),
                           .ns = (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec,
                           .is_connected = jack_port_connected(listener->in[0]) > 0};
    const bool has_room = jack_ringbuffer_write_space(listener->samples) >= bytes &&
                          jack_ringbuffer_write_space(listener->periods) >= sizeof period;
    if (!has_room) {
        atomic_fetch_add(&listener->lost, frames);
        return 0;
    }
    jack_ringbuffer_write(listener->samples, (const char *)listener->chunk, bytes);
    jack_ringbuffer_write(listener->periods, (const char *)&period, sizeof period);
    listener->frame += frames;
    return 0;
}

static void empty(jack_ringbuffer_t *ring, FILE *to)
{
    jack_ringbuffer_data_t parts[2];
    jack_ringbuffer_get_read_vector(ring, parts);
    for (int i = 0; i < 2; i++)
        if (fwrite(parts[i].buf, 1, parts[i].len, to) != parts[i].len) abort();
    jack_ringbuffer_read_advance(ring, parts[0].len + parts[1].len);
}

/* Connects those that are not yet. `ours` are in the order of channels; so are theirs of one client. */
static void connect(listener *listener, const char *pattern, unsigned long flags, jack_port_t *const ours[CHANNELS])
{
    const char **theirs = jack_get_ports(listener->client, pattern, JACK_DEFAULT_AUDIO_TYPE, flags);
    for (size_t i = 0; theirs != NULL && theirs[i] != NULL; i++) {
        const char *end = strrchr(theirs[i], '_');
        const long channel = end != NULL ? strtol(end + 1, NULL, 10) : CHANNELS;
        if (channel < 0 || channel >= CHANNELS) continue;
        const char *mine = jack_port_name(ours[channel]);
        if (jack_port_connected_to(ours[channel], theirs[i]) != 0) continue;
        const bool takes = (flags & JackPortIsOutput) != 0;
        if (jack_connect(listener->client, takes ? theirs[i] : mine, takes ? mine : theirs[i]) == 0)
            printf("connected %s\n", theirs[i]);
    }
    jack_free(theirs);
}

static bool open_files(listener *listener, const char *path)
{
    char times[4096];
    snprintf(times, sizeof times, "%s.times", path);
    listener->sound = fopen(path, "wb");
    listener->times = fopen(times, "wb");
    return listener->sound != NULL && listener->times != NULL;
}

static bool open_client(listener *listener, const char *wish)
{
    listener->client = jack_client_open("listener", JackNoStartServer, NULL);
    if (listener->client == NULL) return false;
    listener->rate = jack_get_sample_rate(listener->client);
    listener->samples = jack_ringbuffer_create(CHANNELS * sizeof(float) * RING_SECONDS * listener->rate);
    listener->periods = jack_ringbuffer_create(RING_PERIODS * sizeof(period));
    if (listener->samples == NULL || listener->periods == NULL) return false;
    for (int i = 0; i < CHANNELS; i++) {
        char name[16];
        snprintf(name, sizeof name, "in_%d", i);
        listener->in[i] = jack_port_register(listener->client, name, JACK_DEFAULT_AUDIO_TYPE, JackPortIsInput, 0);
        snprintf(name, sizeof name, "out_%d", i);
        if (wish != NULL)
            listener->out[i] = jack_port_register(listener->client, name, JACK_DEFAULT_AUDIO_TYPE, JackPortIsOutput, 0);
        if (listener->in[i] == NULL || (wish != NULL && listener->out[i] == NULL)) return false;
    }
    listener->feeds_impulses = wish != NULL && strcmp(wish, "impulse") == 0;
    jack_set_process_callback(listener->client, on_period, listener);
    jack_set_xrun_callback(listener->client, on_xrun, listener);
    jack_on_shutdown(listener->client, on_shutdown, listener);
    return jack_get_buffer_size(listener->client) <= FRAMES_MAX && jack_activate(listener->client) == 0;
}

int main(int argc, char **argv)
{
    static listener listener;
    if (argc < 2 || !open_files(&listener, argv[1]) || !open_client(&listener, argc > 2 ? argv[2] : NULL)) {
        fprintf(stderr, "jack-listener OUT [sine | impulse]: no such file can be written, or there is no server\n");
        return 1;
    }
    setvbuf(stdout, NULL, _IOLBF, 0);
    signal(SIGINT, on_signal);
    signal(SIGTERM, on_signal);
    printf("ready rate=%u period=%u\n", listener.rate, jack_get_buffer_size(listener.client));
    while (!atomic_load(&is_over)) {
        connect(&listener, "^PortAudio.*:out_", JackPortIsOutput, listener.in);
        if (listener.out[0] != NULL) connect(&listener, "^PortAudio.*:in_", JackPortIsInput, listener.out);
        nanosleep(&(struct timespec){.tv_nsec = NAP_NS}, NULL);
        empty(listener.samples, listener.sound);
        empty(listener.periods, listener.times);
    }
    jack_deactivate(listener.client);
    empty(listener.samples, listener.sound);
    empty(listener.periods, listener.times);
    fclose(listener.sound);
    fclose(listener.times);
    printf("done frames=%llu xruns=%u lost=%u\n", (unsigned long long)listener.frame, atomic_load(&listener.xruns),
           atomic_load(&listener.lost));
    fflush(stdout);
    _Exit(0); /* a server that is gone does not answer to jack_client_close, which JACK's exit would wait for */
}
