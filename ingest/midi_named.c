/*
 * A way to a port of the system's MIDI services. RtMidi writes to standard error what a service that is not there makes
 * of it, so each is looked for first.
 */
#include "ingest/midi_named.h"

#include <errno.h>
#include <jack/jack.h>
#include <rtmidi/rtmidi_c.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define CLIENT_NAME "symlog"

enum { OPEN_EVERY_MS = 1000, RTMIDI_QUEUE = 16 /* of RtMidi's own, which a callback does without */ };

typedef struct service {
    enum RtMidiApi api;
    const char *name;
    bool (*is_there)(void);
} service;

static bool is_alsa_there(void);
static bool is_jack_there(void);

static const service services[] = {
    {RTMIDI_API_LINUX_ALSA, "ALSA", is_alsa_there},
    {RTMIDI_API_UNIX_JACK, "JACK", is_jack_there},
};
enum { SERVICE_COUNT = sizeof services / sizeof services[0] };

typedef struct named {
    RtMidiInPtr in; /* NULL: closed, as the next */
    RtMidiOutPtr out;
    bool has_in;  /* connected: something so named gives frames … */
    bool has_out; /* … takes them */
    int ends[2];  /* a pair of sockets: RtMidi's thread writes [1], the port's reads [0]; -1: closed */
    char name[];
} named;

static sl_err open_named(void *ctx, char why[SL_MIDI_WHY_BYTES]);
static void close_named(void *ctx);
static int fd_of(const void *ctx);
static bool can_write(const void *ctx);
static ssize_t read_named(void *ctx, uint8_t *bytes, size_t capacity);
static ssize_t write_named(void *ctx, const uint8_t *bytes, size_t length);
static bool is_there(void *ctx);
static void destroy(void *ctx);
static bool find_port(RtMidiPtr device, const char *name, unsigned *number);
static void on_message(double delta_s, const unsigned char *bytes, size_t length, void *ctx);

sl_err sl_midi_named_create(const char *name, sl_midi_way *out)
{
    named *named = calloc(1, sizeof *named + strlen(name) + 1);
    if (named == NULL) return SL_ERR_MEMORY;
    memcpy(named->name, name, strlen(name) + 1);
    named->ends[0] = named->ends[1] = -1;
    *out = (sl_midi_way){
        .ctx = named,
        .open = open_named,
        .close = close_named,
        .fd = fd_of,
        .can_write = can_write,
        .read = read_named,
        .write = write_named,
        .is_there = is_there,
        .destroy = destroy,
        .frame_bytes_max = SL_MIDI_NAMED_FRAME_BYTES_MAX,
        .open_every_ms = OPEN_EVERY_MS,
    };
    return SL_OK;
}

static void destroy(void *ctx)
{
    close_named(ctx);
    free(ctx);
}

static bool is_alsa_there(void)
{
    return access("/dev/snd/seq", R_OK | W_OK) == 0;
}

static void say_nothing(const char *message)
{
    (void)message;
}

static bool is_jack_there(void)
{
    jack_set_error_function(say_nothing);
    jack_set_info_function(say_nothing);
    jack_client_t *client = jack_client_open(CLIENT_NAME "-look", JackNoStartServer, NULL);
    if (client != NULL) jack_client_close(client);
    return client != NULL;
}

static void describe_absent(const bool present[SERVICE_COUNT], char why[SL_MIDI_WHY_BYTES])
{
    why[0] = '\0';
    if (!present[0] && !present[1])
        snprintf(why, SL_MIDI_WHY_BYTES, "there is neither an ALSA sequencer (/dev/snd/seq) nor a JACK server here");
    if (!present[0] && present[1]) snprintf(why, SL_MIDI_WHY_BYTES, "there is no ALSA sequencer (/dev/snd/seq) here");
    if (present[0] && !present[1]) snprintf(why, SL_MIDI_WHY_BYTES, "no JACK server runs here");
}

static void free_devices(named *named)
{
    if (named->in != NULL) rtmidi_in_free(named->in);
    if (named->out != NULL) rtmidi_out_free(named->out);
    named->in = NULL;
    named->out = NULL;
    named->has_in = named->has_out = false;
}

/* Connects both directions at one service, or what there is of them. */
static bool open_at(named *named, const service *service)
{
    unsigned number = 0;
    named->in = rtmidi_in_create(service->api, CLIENT_NAME, RTMIDI_QUEUE);
    named->out = rtmidi_out_create(service->api, CLIENT_NAME);
    if (find_port(named->in, named->name, &number)) {
        rtmidi_in_ignore_types(named->in, false, true, true);
        rtmidi_in_set_callback(named->in, on_message, named);
        rtmidi_open_port(named->in, number, "in");
        named->has_in = named->in->ok;
    }
    if (find_port(named->out, named->name, &number)) {
        rtmidi_open_port(named->out, number, "out");
        named->has_out = named->out->ok;
    }
    if (!named->has_in && !named->has_out) free_devices(named);
    return named->in != NULL;
}

static sl_err open_named(void *ctx, char why[SL_MIDI_WHY_BYTES])
{
    named *named = ctx;
    bool present[SERVICE_COUNT];
    bool is_any_there = false;
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, named->ends) != 0) {
        snprintf(why, SL_MIDI_WHY_BYTES, "%s", strerror(errno));
        return SL_ERR_IO;
    }
    for (size_t i = 0; i < SERVICE_COUNT; i++) {
        present[i] = services[i].is_there();
        is_any_there = is_any_there || present[i];
        if (present[i] && open_at(named, &services[i])) return SL_OK;
    }
    close_named(named);
    if (is_any_there) {
        snprintf(why, SL_MIDI_WHY_BYTES, "no port is so named (yet); symlog ports lists them");
    } else {
        describe_absent(present, why);
    }
    return SL_ERR_NOT_FOUND;
}

static void close_named(void *ctx)
{
    named *named = ctx;
    free_devices(named);
    for (size_t i = 0; i < 2; i++) {
        if (named->ends[i] >= 0) close(named->ends[i]);
        named->ends[i] = -1;
    }
}

static bool get_name(RtMidiPtr device, unsigned number, char name[SL_MIDI_LABEL_BYTES])
{
    int length = SL_MIDI_LABEL_BYTES;
    name[0] = '\0';
    (void)rtmidi_get_port_name(device, number, name, &length);
    name[SL_MIDI_LABEL_BYTES - 1] = '\0';
    return device->ok && name[0] != '\0' && strncmp(name, CLIENT_NAME, strlen(CLIENT_NAME)) != 0;
}

static bool find_port(RtMidiPtr device, const char *name, unsigned *number)
{
    char found[SL_MIDI_LABEL_BYTES];
    if (device == NULL || !device->ok) return false;
    const unsigned count = rtmidi_get_port_count(device);
    for (unsigned i = 0; device->ok && i < count; i++) {
        if (!get_name(device, i, found) || strstr(found, name) == NULL) continue;
        *number = i;
        return true;
    }
    return false;
}

static int fd_of(const void *ctx)
{
    const named *named = ctx;
    return named->ends[0];
}

static bool can_write(const void *ctx)
{
    const named *named = ctx;
    return named->has_out;
}

static ssize_t read_named(void *ctx, uint8_t *bytes, size_t capacity)
{
    const named *named = ctx;
    const ssize_t count = read(named->ends[0], bytes, capacity);
    return count > 0 ? count : 0;
}

static ssize_t write_named(void *ctx, const uint8_t *bytes, size_t length)
{
    const named *named = ctx;
    if (!named->has_out) return -1;
    const int status = rtmidi_out_send_message(named->out, bytes, (int)length);
    return status == 0 && named->out->ok ? (ssize_t)length : -1;
}

/* The services do not say when a port goes; its name is looked for instead. Likewise the other direction may come. */
static bool is_there(void *ctx)
{
    const named *named = ctx;
    unsigned number = 0;
    return named->has_in == find_port(named->in, named->name, &number) &&
           named->has_out == find_port(named->out, named->name, &number);
}

/* RtMidi's thread (with JACK, the one that must not wait). What finds no room is cut, which the parser notices. */
static void on_message(double delta_s, const unsigned char *bytes, size_t length, void *ctx)
{
    const named *named = ctx;
    (void)delta_s;
    if (send(named->ends[1], bytes, length, MSG_DONTWAIT | MSG_NOSIGNAL) < 0) return;
}

static sl_midi_listed *find_listed(sl_midi_listed *ports, size_t count, const char *service, const char *name)
{
    for (size_t i = 0; i < count; i++) {
        if (ports[i].service == service && strcmp(ports[i].name, name) == 0) return &ports[i];
    }
    return NULL;
}

/* Adds the ports of one direction; returns how many there are then. */
static size_t list_direction(sl_midi_listed *ports, size_t count, const service *service, RtMidiPtr device, bool is_in)
{
    char name[SL_MIDI_LABEL_BYTES];
    const unsigned present = device->ok ? rtmidi_get_port_count(device) : 0;
    for (unsigned i = 0; device->ok && i < present; i++) {
        if (!get_name(device, i, name)) continue;
        sl_midi_listed *port = find_listed(ports, count, service->name, name);
        if (port == NULL && count == SL_MIDI_LISTED_MAX) break;
        if (port == NULL) {
            port = &ports[count++];
            *port = (sl_midi_listed){.service = service->name};
            memcpy(port->name, name, sizeof name);
        }
        if (is_in) port->gives = true;
        if (!is_in) port->takes = true;
    }
    return count;
}

size_t sl_midi_named_list(sl_midi_listed ports[SL_MIDI_LISTED_MAX], char absent[SL_MIDI_WHY_BYTES])
{
    bool present[SERVICE_COUNT];
    size_t count = 0;
    for (size_t i = 0; i < SERVICE_COUNT; i++) {
        present[i] = services[i].is_there();
        if (!present[i]) continue;
        RtMidiInPtr in = rtmidi_in_create(services[i].api, CLIENT_NAME, RTMIDI_QUEUE);
        RtMidiOutPtr out = rtmidi_out_create(services[i].api, CLIENT_NAME);
        count = list_direction(ports, count, &services[i], in, true);
        count = list_direction(ports, count, &services[i], out, false);
        rtmidi_in_free(in);
        rtmidi_out_free(out);
    }
    describe_absent(present, absent);
    return count;
}
