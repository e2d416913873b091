/* The server, and the ear. */
#include "tests/bench/sound_card.h"

#include "tests/bench/bench.h"

#include <jack/jack.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { CHANNELS = 2, SILENCE_FRAMES = 480, PATIENCE_MS = 10000 };

struct ear {
    jack_client_t *client;
    jack_port_t *in[CHANNELS];
    jack_port_t *out[CHANNELS];
    uint64_t frame;   /* JACK's thread's, and so is the next */
    uint64_t fed;     /* the frame of the newest impulse */
    atomic_bool wish; /* for an impulse */
    atomic_uint silent_frames;
    atomic_uint onsets; /* the newest of which has the next two */
    atomic_uint_fast64_t heard_ns;
    atomic_uint_fast64_t frames; /* since the newest impulse */
};

static void say_nothing(const char *text)
{
    (void)text;
}

static void nap(void)
{
    nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
}

static jack_client_t *open_client(const char *name)
{
    jack_client_t *client = NULL;
    jack_set_error_function(say_nothing);
    jack_set_info_function(say_nothing);
    for (int i = 0; client == NULL && i < PATIENCE_MS / 50; i++) {
        client = jack_client_open(name, JackNoStartServer, NULL);
        if (client == NULL) nanosleep(&(struct timespec){.tv_nsec = 50000000}, NULL);
    }
    return client;
}

bool sound_card_open(peer_process *server, unsigned period)
{
    static unsigned number;
    char name[64], rate[16], frames[16];
    snprintf(name, sizeof name, "symlog-bench-%d-%u", (int)getpid(), ++number);
    snprintf(rate, sizeof rate, "%d", SOUND_CARD_RATE);
    snprintf(frames, sizeof frames, "%u", period);
    if (setenv("JACK_DEFAULT_SERVER", name, 1) != 0 || setenv("JACK_NO_AUDIO_RESERVATION", "1", 1) != 0)
        bench_die("no environment");
    const char *const argv[] = {"jackd", "-n", name, "-R", "-P", "70", "-d", "dummy", "-r", rate, "-p", frames, NULL};
    peer_process_start(server, argv, false);
    jack_client_t *client = open_client("probe");
    if (client != NULL) jack_client_close(client);
    if (client == NULL) (void)peer_process_end(server, SIGTERM);
    return client != NULL;
}

void sound_card_close(peer_process *server)
{
    (void)peer_process_end(server, SIGTERM);
}

static void feed(ear *ear, jack_nframes_t frames)
{
    const bool is_wished = atomic_exchange(&ear->wish, false);
    for (int i = 0; i < CHANNELS; i++) {
        float *to = jack_port_get_buffer(ear->out[i], frames);
        memset(to, 0, frames * sizeof *to);
        if (is_wished) to[0] = 0.5F;
    }
    if (is_wished) ear->fed = ear->frame;
}

/* JACK's thread: waits for nothing. */
static int on_period(jack_nframes_t frames, void *ctx)
{
    ear *ear = ctx;
    const uint64_t now_ns = bench_now_ns();
    feed(ear, frames);
    const float *left = jack_port_get_buffer(ear->in[0], frames);
    const float *right = jack_port_get_buffer(ear->in[1], frames);
    unsigned silent = atomic_load(&ear->silent_frames);
    for (jack_nframes_t i = 0; i < frames; i++) {
        const bool sounds = left[i] < 0 || left[i] > 0 || right[i] < 0 || right[i] > 0;
        if (sounds && silent >= SILENCE_FRAMES) {
            atomic_store(&ear->heard_ns, now_ns + i * UINT64_C(1000000000) / SOUND_CARD_RATE);
            atomic_store(&ear->frames, ear->frame + i - ear->fed);
            atomic_fetch_add(&ear->onsets, 1);
        }
        silent = sounds ? 0 : silent + 1;
    }
    atomic_store(&ear->silent_frames, silent);
    ear->frame += frames;
    return 0;
}

ear *ear_open(void)
{
    ear *ear = calloc(1, sizeof *ear);
    if (ear == NULL) bench_die("out of memory");
    ear->client = open_client("ear");
    if (ear->client == NULL) bench_die("jackd does not answer");
    for (int i = 0; i < CHANNELS; i++) {
        char name[16];
        snprintf(name, sizeof name, "in_%d", i);
        ear->in[i] = jack_port_register(ear->client, name, JACK_DEFAULT_AUDIO_TYPE, JackPortIsInput, 0);
        snprintf(name, sizeof name, "out_%d", i);
        ear->out[i] = jack_port_register(ear->client, name, JACK_DEFAULT_AUDIO_TYPE, JackPortIsOutput, 0);
        if (ear->in[i] == NULL || ear->out[i] == NULL) bench_die("jackd has no ports");
    }
    jack_set_process_callback(ear->client, on_period, ear);
    if (jack_activate(ear->client) != 0) bench_die("jackd does not run a client");
    return ear;
}

void ear_close(ear *ear)
{
    jack_client_close(ear->client);
    free(ear);
}

/* Connects what is not yet, and counts what is. Ours are in the order of channels; so are theirs. */
static unsigned connect_some(ear *ear, const char *pattern, bool are_outputs, jack_port_t *const ours[CHANNELS])
{
    unsigned count = 0;
    const char **theirs =
        jack_get_ports(ear->client, pattern, JACK_DEFAULT_AUDIO_TYPE, are_outputs ? JackPortIsOutput : JackPortIsInput);
    for (size_t i = 0; theirs != NULL && theirs[i] != NULL && i < CHANNELS; i++) {
        const char *mine = jack_port_name(ours[i]);
        if (jack_port_connected_to(ours[i], theirs[i]) == 0)
            (void)jack_connect(ear->client, are_outputs ? theirs[i] : mine, are_outputs ? mine : theirs[i]);
        count += jack_port_connected_to(ours[i], theirs[i]) != 0;
    }
    jack_free(theirs);
    return count;
}

void ear_connect(ear *ear, unsigned count)
{
    for (int i = 0; i < PATIENCE_MS; i++) {
        const unsigned outputs = connect_some(ear, "^PortAudio.*:out_", true, ear->in);
        if (outputs + connect_some(ear, "^PortAudio.*:in_", false, ear->out) >= count) return;
        nap();
    }
    bench_die("symlog has no ports on JACK");
}

void ear_wait_for_silence(const ear *ear)
{
    for (int i = 0; i < PATIENCE_MS && atomic_load(&ear->silent_frames) < SILENCE_FRAMES; i++) nap();
}

unsigned ear_onsets(const ear *ear)
{
    return atomic_load(&ear->onsets);
}

bool ear_wait_for_sound(const ear *ear, unsigned onsets, unsigned ms_max, uint64_t *heard_ns)
{
    const uint64_t until_ns = bench_now_ns() + ms_max * UINT64_C(1000000);
    while (atomic_load(&ear->onsets) == onsets && bench_now_ns() < until_ns) nap();
    if (heard_ns != NULL) *heard_ns = atomic_load(&ear->heard_ns);
    return atomic_load(&ear->onsets) != onsets;
}

bool ear_send_impulse(ear *ear, unsigned ms_max, uint64_t *frames)
{
    ear_wait_for_silence(ear);
    const unsigned onsets = ear_onsets(ear);
    atomic_store(&ear->wish, true);
    const bool is_heard = ear_wait_for_sound(ear, onsets, ms_max, NULL);
    *frames = atomic_load(&ear->frames);
    return is_heard;
}
