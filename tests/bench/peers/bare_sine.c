/*
 * The peer of bench_sound: a stream of PortAudio on JACK that only plays a sine.
 *
 *     bare-sine FRAMES
 *
 * Opened as symlog opens its own. For each byte on standard input it says "callbacks flagged", counted since it began,
 * in a line; it ends with standard input.
 */
#include <math.h>
#include <pa_jack.h>
#include <portaudio.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { CHANNELS = 2, TABLE = 480 /* frames: 100 Hz at 48,000 a second */ };

typedef struct player {
    float table[TABLE];
    size_t at;
    atomic_ulong callbacks;
    atomic_ulong flagged;
} player;

static int play(const void *in, void *out, unsigned long frames, const PaStreamCallbackTimeInfo *time,
                PaStreamCallbackFlags status, void *ctx)
{
    (void)in;
    (void)time;
    player *player = ctx;
    float *to = out;
    for (unsigned long i = 0; i < frames; i++) {
        to[CHANNELS * i] = to[CHANNELS * i + 1] = player->table[player->at];
        player->at = (player->at + 1) % TABLE;
    }
    atomic_fetch_add(&player->callbacks, 1);
    if ((status & (paInputUnderflow | paInputOverflow | paOutputUnderflow | paOutputOverflow)) != 0)
        atomic_fetch_add(&player->flagged, 1);
    return paContinue;
}

static PaError start(player *player, unsigned long block)
{
    PaStream *stream;
    (void)PaJack_SetClientName("bare-sine");
    const PaError error = Pa_Initialize();
    if (error != paNoError) return error;
    const PaHostApiIndex jack = Pa_HostApiTypeIdToHostApiIndex(paJACK);
    if (jack < 0) return paHostApiNotFound;
    const PaDeviceIndex device = Pa_GetHostApiInfo(jack)->defaultOutputDevice;
    const PaDeviceInfo *info = Pa_GetDeviceInfo(device);
    if (info == NULL) return paDeviceUnavailable;
    const PaStreamParameters output = {.device = device,
                                       .channelCount = CHANNELS,
                                       .sampleFormat = paFloat32,
                                       .suggestedLatency = info->defaultLowOutputLatency};
    const PaError opened =
        Pa_OpenStream(&stream, NULL, &output, info->defaultSampleRate, block, paClipOff | paDitherOff, play, player);
    return opened == paNoError ? Pa_StartStream(stream) : opened;
}

int main(int argc, char **argv)
{
    static player player;
    char byte;
    for (int i = 0; i < TABLE; i++)
        player.table[i] = (float)(0.1 * sin(2 * 3.14159265358979323846 * (double)i / (double)TABLE));
    const PaError error = start(&player, argc > 1 ? strtoul(argv[1], NULL, 10) : 0);
    if (error != paNoError) {
        fprintf(stderr, "bare-sine: %s\n", Pa_GetErrorText(error));
        return 1;
    }
    while (read(STDIN_FILENO, &byte, 1) == 1) {
        printf("%lu %lu\n", atomic_load(&player.callbacks), atomic_load(&player.flagged));
        fflush(stdout);
    }
    _exit(0); /* a server that is gone would be waited for */
}
