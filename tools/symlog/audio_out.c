/* The default sound device, by PortAudio's blocking calls. */
#include "tools/symlog/audio_out.h"

#include <fcntl.h>
#include <portaudio.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { CHANNELS = 2 };

struct sl_audio_out {
    PaStream *stream;
    bool is_initialized;
    bool is_started;
};

static PaError open_default(sl_audio_out *out, uint32_t rate);
static int hush(void);
static void speak(int kept);

sl_err sl_audio_out_open(sl_audio_out **out, uint32_t rate, char errmsg[256])
{
    *out = NULL;
    sl_audio_out *made = calloc(1, sizeof *made);
    if (made == NULL) {
        snprintf(errmsg, 256, "%s", sl_err_text(SL_ERR_MEMORY));
        return SL_ERR_MEMORY;
    }
    const int kept = hush();
    const PaError code = open_default(made, rate);
    speak(kept);
    if (code == paNoError) {
        *out = made;
        return SL_OK;
    }
    if (code == paDeviceUnavailable || code == paInvalidDevice)
        snprintf(errmsg, 256, "there is no sound device here; symlog render OUT.wav writes a file instead");
    else
        snprintf(errmsg, 256, "the sound device cannot be opened at %u Hz: %.120s", (unsigned)rate,
                 Pa_GetErrorText(code));
    const int quiet = hush();
    sl_audio_out_close(made);
    speak(quiet);
    return code == paDeviceUnavailable || code == paInvalidDevice ? SL_ERR_NOT_FOUND : SL_ERR_IO;
}

static PaError open_default(sl_audio_out *out, uint32_t rate)
{
    PaError code = Pa_Initialize();
    if (code != paNoError) return code;
    out->is_initialized = true;
    const PaDeviceIndex device = Pa_GetDefaultOutputDevice();
    const PaDeviceInfo *info = device != paNoDevice ? Pa_GetDeviceInfo(device) : NULL;
    if (info == NULL) return paInvalidDevice;
    const PaStreamParameters parameters = {
        .device = device,
        .channelCount = CHANNELS,
        .sampleFormat = paFloat32,
        .suggestedLatency = info->defaultHighOutputLatency,
    };
    return Pa_OpenStream(&out->stream, NULL, &parameters, rate, paFramesPerBufferUnspecified, paClipOff | paDitherOff,
                         NULL, NULL);
}

/* Its backends print on standard error what they miss. Returns the real one; -1: it is as it was. */
static int hush(void)
{
    fflush(stderr);
    const int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
    const int kept = null >= 0 ? fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 0) : -1;
    if (kept >= 0) dup2(null, STDERR_FILENO);
    if (null >= 0) close(null);
    return kept;
}

static void speak(int kept)
{
    if (kept < 0) return;
    fflush(stderr);
    dup2(kept, STDERR_FILENO);
    close(kept);
}

/* What came too late for the device is heard as a gap, and goes on. */
sl_err sl_audio_out_write(sl_audio_out *out, const float *left_right, size_t frames, char errmsg[256])
{
    PaError code = paNoError;
    if (!out->is_started) code = Pa_StartStream(out->stream);
    out->is_started = out->is_started || code == paNoError;
    if (code == paNoError) code = Pa_WriteStream(out->stream, left_right, (unsigned long)frames);
    if (code == paNoError || code == paOutputUnderflowed) return SL_OK;
    snprintf(errmsg, 256, "the sound device plays no more: %.150s", Pa_GetErrorText(code));
    return SL_ERR_IO;
}

void sl_audio_out_drain(sl_audio_out *out)
{
    if (out->is_started) (void)Pa_StopStream(out->stream);
    out->is_started = false;
}

void sl_audio_out_close(sl_audio_out *out)
{
    if (out == NULL) return;
    if (out->is_started) (void)Pa_AbortStream(out->stream);
    if (out->stream != NULL) (void)Pa_CloseStream(out->stream);
    if (out->is_initialized) (void)Pa_Terminate();
    free(out);
}
