/* Sound devices. */
#include "tools/symlog/audio_device.h"

#include "ingest/thread.h"
#include "tools/symlog/options.h"

#include <errno.h>
#include <fcntl.h>
#include <portaudio.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

enum { RATE = 48000, TIMER_BLOCK = 256, CHANNELS_MAX = 2, DEVICES_MAX = 1024 };

#define SECOND_NS UINT64_C(1000000000)

struct sl_audio_device {
    sl_audio_options options;
    char name[SL_AUDIO_DEVICE_NAME_BYTES];
    uint32_t rate;
    uint32_t block;
    int inputs;
    int outputs;
    PaStream *stream; /* NULL: a timer */
    bool is_initialized;
    pthread_t thread; /* of the timer */
    bool has_thread;
    atomic_bool is_stopping;
    float in[2 * SL_AUDIO_BLOCK_MAX]; /* the device's thread: for devices with one channel */
    float out[2 * SL_AUDIO_BLOCK_MAX];
};

/* What the libraries below PortAudio print while they look for devices is of no use to anybody. */
static PaError initialize(void)
{
    (void)fflush(stderr);
    const int kept = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
    const int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
    if (kept >= 0 && nowhere >= 0) dup2(nowhere, STDERR_FILENO);
    const PaError error = Pa_Initialize();
    if (kept >= 0 && nowhere >= 0) dup2(kept, STDERR_FILENO);
    if (kept >= 0) close(kept);
    if (nowhere >= 0) close(nowhere);
    return error;
}

static const char *api_of(const PaDeviceInfo *info)
{
    const PaHostApiInfo *api = Pa_GetHostApiInfo(info->hostApi);
    return api != NULL ? api->name : "?";
}

static bool is_api(const PaDeviceInfo *info, PaHostApiTypeId type)
{
    const PaHostApiInfo *api = Pa_GetHostApiInfo(info->hostApi);
    return api != NULL && api->type == type;
}

static bool contains(const char *text, const char *part)
{
    const size_t length = strlen(part);
    for (; *text != '\0'; text++)
        if (strncasecmp(text, part, length) == 0) return true;
    return false;
}

/* Where JACK runs it has the sound card; else what the system calls the usual one. */
static PaDeviceIndex find_usual(void)
{
    const PaHostApiIndex jack = Pa_HostApiTypeIdToHostApiIndex(paJACK);
    const PaHostApiInfo *api = jack >= 0 ? Pa_GetHostApiInfo(jack) : NULL;
    if (api != NULL && api->defaultOutputDevice >= 0) return api->defaultOutputDevice;
    return Pa_GetDefaultOutputDevice();
}

/* The one whose name is this, else one in whose name or host it stands. */
static PaDeviceIndex find(const char *name)
{
    if (name == NULL) return find_usual();
    const PaDeviceIndex count = Pa_GetDeviceCount();
    uint64_t number;
    if (sl_option_number(name, 0, DEVICES_MAX, &number))
        return (PaDeviceIndex)number < count ? (int)number : paNoDevice;
    PaDeviceIndex found = paNoDevice;
    for (PaDeviceIndex i = 0; i < count; i++) {
        const PaDeviceInfo *info = Pa_GetDeviceInfo(i);
        if (info == NULL || info->maxOutputChannels == 0) continue;
        if (strcasecmp(info->name, name) == 0) return i;
        if (found == paNoDevice && (contains(info->name, name) || contains(api_of(info), name))) found = i;
    }
    return found;
}

bool sl_audio_list(FILE *to)
{
    if (initialize() != paNoError) return false;
    const PaDeviceIndex count = Pa_GetDeviceCount(), usual = find_usual();
    for (PaDeviceIndex i = 0; i < count; i++) {
        const PaDeviceInfo *info = Pa_GetDeviceInfo(i);
        if (info == NULL) continue;
        (void)fprintf(to, "%3d  %-40s  %s, %d in, %d out, %.0f Hz%s\n", i, info->name, api_of(info),
                      info->maxInputChannels, info->maxOutputChannels, info->defaultSampleRate,
                      i == usual ? "  (usual)" : "");
    }
    Pa_Terminate();
    return count > 0;
}

/* Between one channel and two. */
static int on_stream(const void *in, void *out, unsigned long frames, const PaStreamCallbackTimeInfo *time,
                     PaStreamCallbackFlags status, void *ctx)
{
    sl_audio_device *device = ctx;
    const float *from = in;
    float *to = out;
    unsigned flags = 0;
    if ((status & (paInputUnderflow | paInputOverflow)) != 0) flags |= SL_AUDIO_INPUT_XRUN;
    if ((status & (paOutputUnderflow | paOutputOverflow)) != 0) flags |= SL_AUDIO_OUTPUT_XRUN;
    const double latency = time->outputBufferDacTime - time->currentTime;
    const uint64_t latency_ns = latency > 0 && latency < 1 ? (uint64_t)(latency * (double)SECOND_NS) : 0;
    for (unsigned long done = 0; done < frames;) {
        const unsigned long some = frames - done < SL_AUDIO_BLOCK_MAX ? frames - done : SL_AUDIO_BLOCK_MAX;
        const float *given = from != NULL ? from + done * (unsigned)device->inputs : NULL;
        float *wanted = to + done * (unsigned)device->outputs;
        for (unsigned long i = 0; given != NULL && device->inputs == 1 && i < some; i++)
            device->in[2 * i] = device->in[2 * i + 1] = given[i];
        if (device->inputs == 1 && given != NULL) given = device->in;
        float *filled = device->outputs == 1 ? device->out : wanted;
        device->options.pull(device->options.ctx, given, filled, some, latency_ns, flags);
        for (unsigned long i = 0; device->outputs == 1 && i < some; i++)
            wanted[i] = (device->out[2 * i] + device->out[2 * i + 1]) / 2;
        done += some;
        flags = 0;
    }
    return paContinue;
}

static PaError open_stream(sl_audio_device *device, const PaDeviceInfo *info, PaDeviceIndex index,
                           PaDeviceIndex input_index, double rate)
{
    const PaDeviceInfo *input_info = input_index >= 0 ? Pa_GetDeviceInfo(input_index) : NULL;
    device->outputs = info->maxOutputChannels < CHANNELS_MAX ? info->maxOutputChannels : CHANNELS_MAX;
    device->inputs = 0;
    if (input_info != NULL)
        device->inputs = input_info->maxInputChannels < CHANNELS_MAX ? input_info->maxInputChannels : CHANNELS_MAX;
    const PaStreamParameters output = {.device = index,
                                       .channelCount = device->outputs,
                                       .sampleFormat = paFloat32,
                                       .suggestedLatency = info->defaultLowOutputLatency};
    const PaStreamParameters input = {.device = input_index,
                                      .channelCount = device->inputs,
                                      .sampleFormat = paFloat32,
                                      .suggestedLatency = input_info != NULL ? input_info->defaultLowInputLatency : 0};
    return Pa_OpenStream(&device->stream, device->inputs > 0 ? &input : NULL, &output, rate,
                         device->options.block != 0 ? device->options.block : paFramesPerBufferUnspecified,
                         paClipOff | paDitherOff, on_stream, device);
}

/* Of the same device, else the usual one of the same host: both ways must go by one host. */
static PaDeviceIndex find_input(const PaDeviceInfo *info, PaDeviceIndex index)
{
    if (info->maxInputChannels > 0) return index;
    const PaHostApiInfo *api = Pa_GetHostApiInfo(info->hostApi);
    return api != NULL ? api->defaultInputDevice : paNoDevice;
}

static sl_err open_wished(sl_audio_device *device, bool starts, char errmsg[256])
{
    const char *wish = device->options.name;
    const PaDeviceIndex index = find(wish);
    const PaDeviceInfo *info = index >= 0 ? Pa_GetDeviceInfo(index) : NULL;
    if (info == NULL || info->maxOutputChannels == 0) {
        if (wish != NULL)
            snprintf(errmsg, 256, "there is no sound device \"%.60s\"; symlog serve --list-devices lists them", wish);
        else
            snprintf(errmsg, 256, "there is no sound device");
        return SL_ERR_NOT_FOUND;
    }
    snprintf(device->name, sizeof device->name, "%s: %s", api_of(info), info->name);
    PaDeviceIndex input = device->options.wants_input ? find_input(info, index) : paNoDevice;
    if (device->options.wants_input && input < 0) snprintf(errmsg, 256, "%.100s has no input", device->name);
    /* JACK has one rate; others are asked for what was asked for, then for their own. */
    const double own = info->defaultSampleRate;
    double rate = device->options.rate != 0 ? (double)device->options.rate : is_api(info, paJACK) ? own : (double)RATE;
    PaError error = open_stream(device, info, index, input, rate);
    if (error != paNoError && device->options.rate == 0 && (rate < own || rate > own))
        error = open_stream(device, info, index, input, rate = own);
    if (error != paNoError && input >= 0) {
        snprintf(errmsg, 256, "%.80s: its input cannot be opened: %.80s", device->name, Pa_GetErrorText(error));
        error = open_stream(device, info, index, paNoDevice, rate);
    }
    if (error == paNoError) {
        device->rate = (uint32_t)(Pa_GetStreamInfo(device->stream)->sampleRate + 0.5);
        device->block = device->options.block;
        if (starts) error = Pa_StartStream(device->stream);
    }
    if (error == paNoError) return SL_OK;
    snprintf(errmsg, 256, "%.80s cannot be opened at %.0f Hz: %.100s", device->name, rate, Pa_GetErrorText(error));
    return SL_ERR_IO;
}

static sl_err open_device(sl_audio_device **out, const sl_audio_options *options, bool starts, char errmsg[256])
{
    errmsg[0] = '\0';
    sl_audio_device *device = calloc(1, sizeof *device);
    if (device == NULL) return SL_ERR_MEMORY;
    device->options = *options;
    sl_err err = SL_ERR_IO;
    device->is_initialized = initialize() == paNoError;
    if (device->is_initialized)
        err = open_wished(device, starts, errmsg);
    else
        snprintf(errmsg, 256, "the system's sound cannot be used");
    if (err == SL_OK) *out = device;
    if (err != SL_OK) sl_audio_close(device);
    return err;
}

sl_err sl_audio_open(sl_audio_device **out, const sl_audio_options *options, char errmsg[256])
{
    return open_device(out, options, true, errmsg);
}

bool sl_audio_can_open(const sl_audio_options *options)
{
    char why[256];
    sl_audio_device *device = NULL;
    if (open_device(&device, options, false, why) != SL_OK) return false;
    sl_audio_close(device);
    return true;
}

static void sleep_until(uint64_t ns)
{
    const struct timespec due = {.tv_sec = (time_t)(ns / SECOND_NS), .tv_nsec = (long)(ns % SECOND_NS)};
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &due, NULL) == EINTR) continue;
}

static void *run_timer(void *ctx)
{
    sl_audio_device *device = ctx;
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    const uint64_t begun = (uint64_t)now.tv_sec * SECOND_NS + (uint64_t)now.tv_nsec;
    for (uint64_t block = 1; !atomic_load(&device->is_stopping); block++) {
        const uint64_t frames = block * device->block;
        sleep_until(begun + frames / device->rate * SECOND_NS + frames % device->rate * SECOND_NS / device->rate);
        device->options.pull(device->options.ctx, NULL, device->out, device->block, 0, 0);
    }
    return NULL;
}

sl_err sl_audio_open_timer(sl_audio_device **out, const sl_audio_options *options)
{
    sl_audio_device *device = calloc(1, sizeof *device);
    if (device == NULL) return SL_ERR_MEMORY;
    device->options = *options;
    device->rate = options->rate != 0 ? options->rate : RATE;
    device->block = options->block != 0 ? options->block : TIMER_BLOCK;
    const sl_err err = sl_thread_start(&device->thread, "no device", run_timer, device);
    device->has_thread = err == SL_OK;
    if (err == SL_OK) *out = device;
    if (err != SL_OK) sl_audio_close(device);
    return err;
}

void sl_audio_close(sl_audio_device *device)
{
    if (device == NULL) return;
    atomic_store(&device->is_stopping, true);
    if (device->has_thread) pthread_join(device->thread, NULL);
    if (device->stream != NULL) Pa_AbortStream(device->stream);
    if (device->stream != NULL) Pa_CloseStream(device->stream);
    if (device->is_initialized) Pa_Terminate();
    free(device);
}

const char *sl_audio_name(const sl_audio_device *device)
{
    return device->name;
}

uint32_t sl_audio_rate(const sl_audio_device *device)
{
    return device->rate;
}

uint32_t sl_audio_block(const sl_audio_device *device)
{
    return device->block;
}

bool sl_audio_is_timer(const sl_audio_device *device)
{
    return device->stream == NULL;
}

bool sl_audio_has_input(const sl_audio_device *device)
{
    return device->inputs > 0;
}

bool sl_audio_is_alive(const sl_audio_device *device)
{
    return device->stream == NULL || Pa_IsStreamActive(device->stream) == 1;
}

double sl_audio_load(const sl_audio_device *device)
{
    return device->stream != NULL ? Pa_GetStreamCpuLoad(device->stream) : 0;
}
