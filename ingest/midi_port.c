/* A MIDI port: its thread, and the queue before it. */
#include "ingest/midi_port.h"

#include "ingest/clock.h"
#include "ingest/midi_intake.h"
#include "ingest/thread.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum { READ_BYTES = 4096 };

#define MS_NS UINT64_C(1000000)
#define LOOK_EVERY_NS (250 * MS_NS)    /* whether it is still there */
#define FULL_SINK_WAIT_NS (2 * MS_NS)  /* then it is tried again */
#define FULL_DEVICE_WAIT_NS (2 * MS_NS) /* likewise, where nothing tells that there is room */

/* A frame that waits to be sent. */
typedef struct waiting {
    struct waiting *next;
    size_t length;
    uint8_t bytes[];
} waiting;

struct sl_midi_port {
    /* Immutable while the thread runs. */
    sl_midi_way way;
    pthread_t thread;
    int wake_fd; /* an eventfd */
    void (*say)(void *ctx, const char *name, const char *what, const char *why);
    void *say_ctx;

    /* The port's thread only, but for the counts. */
    sl_midi_intake intake;
    waiting *going; /* is being sent … */
    size_t gone;    /* … so much of it */
    uint64_t go_on_ns;
    bool is_blocked;                  /* the device has no room */
    uint8_t read_bytes[READ_BYTES];   /* read, and … */
    size_t read_length;               /* … of them this many, … */
    size_t read_taken;                /* … these already taken */
    bool is_sink_full;                /* the rest has to wait */
    uint64_t look_ns;                 /* when to look whether the connection is still there */
    char told[SL_MIDI_WHY_BYTES];     /* why it could not be opened, as said last */
    uint64_t refused_told;            /* of the intake's, when last said */
    uint64_t dropped_told;

    pthread_mutex_t lock;
    waiting *first; /* Under the lock, and so are the next four. */
    waiting **end;
    uint64_t queue_bytes; /* what is being sent included */
    uint64_t queue_max;
    uint64_t unsent;

    /* Any thread. */
    atomic_bool is_open;
    atomic_bool can_send; /* written under the lock, too */
    atomic_bool is_finishing;
    _Atomic uint64_t finish_ns;
    _Atomic uint64_t sent;
};

static void *run(void *ctx);
static bool is_over(sl_midi_port *port, uint64_t now_ns);
static void try_to_open(sl_midi_port *port);
static void serve_connection(sl_midi_port *port);
static void close_connection(sl_midi_port *port, const char *why);
static bool read_some(sl_midi_port *port);
static bool take_read(sl_midi_port *port, uint64_t now_ns);
static bool write_some(sl_midi_port *port, uint64_t now_ns);
static void sleep_until(const sl_midi_port *port, short events, uint64_t until_ns, struct pollfd *connection);
static void drop_queue(sl_midi_port *port);

sl_err sl_midi_port_start(sl_midi_port **out, const sl_midi_port_options *options)
{
    assert(strlen(options->name) <= SL_NAME_BYTES_MAX);
    sl_err err = SL_ERR_MEMORY;
    sl_midi_port *port = calloc(1, sizeof *port);
    if (port == NULL) {
        options->way.destroy(options->way.ctx);
        return SL_ERR_MEMORY;
    }
    port->way = options->way;
    port->say = options->say;
    port->say_ctx = options->say_ctx;
    port->end = &port->first;
    port->intake.sink = options->sink;
    port->intake.start_ns = options->start_ns;
    port->intake.source = options->source;
    port->intake.session = options->session;
    snprintf(port->intake.name, sizeof port->intake.name, "%s", options->name);
    pthread_mutex_init(&port->lock, NULL);
    port->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (port->wake_fd >= 0) err = sl_midi_intake_open(&port->intake);
    if (err == SL_OK) err = sl_thread_start(&port->thread, "midi", run, port);
    if (err == SL_OK) {
        *out = port;
        return SL_OK;
    }
    if (port->wake_fd >= 0) close(port->wake_fd);
    sl_midi_intake_close(&port->intake);
    port->way.destroy(port->way.ctx);
    pthread_mutex_destroy(&port->lock);
    free(port);
    return err;
}

static void wake(const sl_midi_port *port)
{
    /* Fails only when the counter is full, and then the thread is awake. */
    if (write(port->wake_fd, &(uint64_t){1}, sizeof(uint64_t)) < 0) assert(errno == EAGAIN);
}

void sl_midi_port_finish(sl_midi_port *port, unsigned patience_ms)
{
    if (port == NULL) return;
    atomic_store(&port->finish_ns, sl_clock_boot_ns() + patience_ms * MS_NS);
    atomic_store(&port->is_finishing, true);
    wake(port);
}

void sl_midi_port_stop(sl_midi_port *port, sl_midi_counts *last)
{
    if (!atomic_load(&port->is_finishing)) sl_midi_port_finish(port, 0);
    pthread_join(port->thread, NULL);
    if (last != NULL) *last = sl_midi_port_counts(port);
    close(port->wake_fd);
    sl_midi_intake_close(&port->intake);
    port->way.destroy(port->way.ctx);
    pthread_mutex_destroy(&port->lock);
    free(port);
}

sl_err sl_midi_port_send(sl_midi_port *port, const uint8_t *frame, size_t length)
{
    sl_err err = SL_OK;
    waiting *item = NULL;
    const size_t length_max = port->way.frame_bytes_max;
    if (length_max > 0 && length > length_max) err = SL_ERR_RANGE;
    if (err == SL_OK) item = malloc(sizeof *item + length);
    if (err == SL_OK && item == NULL) err = SL_ERR_MEMORY;
    if (item != NULL) {
        item->next = NULL;
        item->length = length;
        memcpy(item->bytes, frame, length);
    }
    pthread_mutex_lock(&port->lock);
    if (err == SL_OK && !atomic_load(&port->can_send)) err = SL_ERR_END;
    if (err == SL_OK && port->queue_bytes + length > SL_MIDI_QUEUE_BYTES) err = SL_ERR_FULL;
    if (err == SL_OK) {
        *port->end = item;
        port->end = &item->next;
        port->queue_bytes += length;
        if (port->queue_bytes > port->queue_max) port->queue_max = port->queue_bytes;
        item = NULL;
    } else {
        port->unsent++;
    }
    pthread_mutex_unlock(&port->lock);
    free(item);
    if (err == SL_OK) wake(port);
    return err;
}

bool sl_midi_port_is_open(const sl_midi_port *port)
{
    return atomic_load(&port->is_open);
}

sl_midi_counts sl_midi_port_counts(const sl_midi_port *port)
{
    sl_midi_port *own = (sl_midi_port *)port; /* for its lock alone */
    sl_midi_counts counts = {
        .received = atomic_load_explicit(&port->intake.received, memory_order_relaxed),
        .processed = atomic_load_explicit(&port->intake.processed, memory_order_relaxed),
        .refused = atomic_load_explicit(&port->intake.refused, memory_order_relaxed),
        .dropped = atomic_load_explicit(&port->intake.dropped, memory_order_relaxed),
        .sent = atomic_load_explicit(&port->sent, memory_order_relaxed),
    };
    pthread_mutex_lock(&own->lock);
    counts.unsent = port->unsent;
    counts.queue_bytes = port->queue_bytes;
    counts.queue_max = port->queue_max;
    pthread_mutex_unlock(&own->lock);
    return counts;
}

uint32_t sl_midi_port_source(const sl_midi_port *port)
{
    return port->intake.source;
}

const char *sl_midi_port_name(const sl_midi_port *port)
{
    return port->intake.name;
}

static void say(const sl_midi_port *port, const char *what, const char *why)
{
    if (port->say != NULL) port->say(port->say_ctx, port->intake.name, what, why);
}

static void *run(void *ctx)
{
    sl_midi_port *port = ctx;
    while (!is_over(port, sl_clock_boot_ns())) {
        if (atomic_load(&port->is_open)) {
            serve_connection(port);
        } else {
            try_to_open(port);
        }
    }
    if (atomic_load(&port->is_open)) close_connection(port, NULL);
    return NULL;
}

/* It is to stop, and nothing waits, or its time is up. */
static bool is_over(sl_midi_port *port, uint64_t now_ns)
{
    if (!atomic_load(&port->is_finishing)) return false;
    if (!atomic_load(&port->is_open) || now_ns >= atomic_load(&port->finish_ns)) return true;
    pthread_mutex_lock(&port->lock);
    const bool is_empty = port->queue_bytes == 0;
    pthread_mutex_unlock(&port->lock);
    return is_empty;
}

/* One attempt, and a pause if it failed. */
static void try_to_open(sl_midi_port *port)
{
    char why[SL_MIDI_WHY_BYTES] = "";
    const sl_err err = port->way.open(port->way.ctx, why);
    if (err == SL_OK) {
        /* Open before that is in the log, because who reads it there sends to it; its session stands in the log before
         * anything that comes of it, so it waits for room there. */
        const bool can_send = port->way.can_write(port->way.ctx);
        atomic_store(&port->can_send, can_send);
        atomic_store(&port->is_open, true);
        while (sl_midi_intake_begin(&port->intake, sl_clock_boot_ns()) != SL_OK) {
            if (atomic_load(&port->is_finishing)) return;
            sleep_until(port, 0, sl_clock_boot_ns() + FULL_SINK_WAIT_NS, NULL);
        }
        port->read_length = port->read_taken = 0;
        port->is_blocked = port->is_sink_full = false;
        port->told[0] = '\0';
        port->look_ns = sl_clock_boot_ns() + LOOK_EVERY_NS;
        say(port, "open", can_send ? "" : "it takes no frames");
        return;
    }
    if (strcmp(why, port->told) != 0) say(port, "waiting", why);
    memcpy(port->told, why, sizeof why);
    sleep_until(port, 0, sl_clock_boot_ns() + port->way.open_every_ms * MS_NS, NULL);
}

/* Waits for something to do, and does it. */
static void serve_connection(sl_midi_port *port)
{
    const sl_midi_way *way = &port->way;
    const uint64_t began_ns = sl_clock_boot_ns();
    const bool is_finishing = atomic_load(&port->is_finishing);
    pthread_mutex_lock(&port->lock);
    const bool has_more = port->going != NULL || port->first != NULL;
    pthread_mutex_unlock(&port->lock);

    /* A sink without room has it look at nothing for a moment: a connection that broke would wake it at once. */
    struct pollfd connection = {.fd = port->is_sink_full ? -1 : way->fd(way->ctx)};
    short events = is_finishing ? 0 : POLLIN;
    uint64_t until_ns = is_finishing ? atomic_load(&port->finish_ns) : began_ns + LOOK_EVERY_NS;
    if (port->is_sink_full) until_ns = began_ns + FULL_SINK_WAIT_NS;
    if (has_more && port->is_blocked && way->frame_bytes_max == 0) events = (short)(events | POLLOUT);
    if (has_more && !port->is_blocked && port->go_on_ns < until_ns) until_ns = port->go_on_ns;
    if (has_more && port->is_blocked && way->frame_bytes_max > 0) until_ns = began_ns + FULL_DEVICE_WAIT_NS;
    sleep_until(port, events, until_ns, &connection);

    const uint64_t now_ns = sl_clock_boot_ns();
    if ((connection.revents & POLLOUT) != 0 || way->frame_bytes_max > 0 || port->is_sink_full) port->is_blocked = false;
    const bool is_told = (connection.revents & (POLLIN | POLLHUP | POLLERR | POLLNVAL)) != 0;
    bool is_well = true;
    if (port->is_sink_full) {
        is_well = take_read(port, now_ns);
    } else if (is_told && !is_finishing) {
        is_well = read_some(port);
    } else if (is_told && (connection.revents & POLLIN) == 0) {
        is_well = false;
    }
    if (is_well && has_more && !port->is_blocked && now_ns >= port->go_on_ns) is_well = write_some(port, now_ns);
    if (is_well && way->is_there != NULL && now_ns >= port->look_ns) {
        port->look_ns = now_ns + LOOK_EVERY_NS;
        is_well = way->is_there(way->ctx);
    }
    if (!is_well) close_connection(port, "it is gone; it is opened again when it comes back");
}

static bool read_some(sl_midi_port *port)
{
    const ssize_t count = port->way.read(port->way.ctx, port->read_bytes, sizeof port->read_bytes);
    if (count < 0) return false;
    port->read_length = (size_t)count;
    port->read_taken = 0;
    return take_read(port, sl_clock_boot_ns());
}

/* Takes what has been read and not yet taken. True, always: the connection is well. */
static bool take_read(sl_midi_port *port, uint64_t now_ns)
{
    sl_midi_intake *intake = &port->intake;
    size_t taken = 0;
    const sl_err err = sl_midi_intake_take(intake, port->read_bytes + port->read_taken,
                                           port->read_length - port->read_taken, now_ns, &taken);
    port->read_taken += taken;
    port->is_sink_full = err == SL_ERR_FULL;
    const uint64_t refused = atomic_load_explicit(&intake->refused, memory_order_relaxed);
    if (port->refused_told == 0 && refused > 0) {
        say(port, "refused", "bytes that are no whole frame; from now on they are only counted");
        port->refused_told = refused;
    }
    return true;
}

/* Takes the next frame out of the queue, if none is being sent. */
static bool has_frame(sl_midi_port *port)
{
    if (port->going != NULL) return true;
    pthread_mutex_lock(&port->lock);
    port->going = port->first;
    if (port->going != NULL) port->first = port->going->next;
    if (port->first == NULL) port->end = &port->first;
    pthread_mutex_unlock(&port->lock);
    port->gone = 0;
    return port->going != NULL;
}

/* Writes a piece. False: the connection is gone. */
static bool write_some(sl_midi_port *port, uint64_t now_ns)
{
    if (!has_frame(port)) return true;
    const waiting *frame = port->going;
    size_t want = frame->length - port->gone;
    if (port->way.frame_bytes_max == 0 && want > SL_MIDI_CHUNK_BYTES) want = SL_MIDI_CHUNK_BYTES;
    const ssize_t written = port->way.write(port->way.ctx, frame->bytes + port->gone, want);
    if (written < 0) return false;
    port->is_blocked = (size_t)written < want;
    port->gone += (size_t)written;
    port->go_on_ns = now_ns + (uint64_t)written * 1000 * MS_NS / SL_MIDI_BYTES_PER_S;
    if (port->gone < frame->length) return true;
    atomic_fetch_add_explicit(&port->sent, 1, memory_order_relaxed);
    pthread_mutex_lock(&port->lock);
    port->queue_bytes -= frame->length;
    pthread_mutex_unlock(&port->lock);
    free(port->going);
    port->going = NULL;
    return true;
}

/* `why` is NULL when it was closed on purpose. */
static void close_connection(sl_midi_port *port, const char *why)
{
    pthread_mutex_lock(&port->lock); /* nothing comes into the queue behind this */
    atomic_store(&port->is_open, false);
    atomic_store(&port->can_send, false);
    pthread_mutex_unlock(&port->lock);
    sl_midi_intake_end(&port->intake, sl_clock_boot_ns());
    port->way.close(port->way.ctx);
    drop_queue(port);
    if (why != NULL) say(port, "closed", why);
}

static void drop_queue(sl_midi_port *port)
{
    uint64_t count = 0;
    while (has_frame(port)) {
        free(port->going);
        port->going = NULL;
        count++;
    }
    pthread_mutex_lock(&port->lock);
    port->unsent += count;
    port->queue_bytes = 0;
    pthread_mutex_unlock(&port->lock);
}

/* Until then at the latest, or until the connection tells one of `events` or breaks, or the thread is woken. */
static void sleep_until(const sl_midi_port *port, short events, uint64_t until_ns, struct pollfd *connection)
{
    struct pollfd wanted[2] = {{.fd = port->wake_fd, .events = POLLIN}, {.fd = -1}};
    if (connection != NULL) wanted[1] = (struct pollfd){.fd = connection->fd, .events = events};
    const uint64_t now_ns = sl_clock_boot_ns();
    const uint64_t left_ns = until_ns > now_ns ? until_ns - now_ns : 0;
    const struct timespec left = {.tv_sec = (time_t)(left_ns / (1000 * MS_NS)),
                                  .tv_nsec = (long)(left_ns % (1000 * MS_NS))};
    if (ppoll(wanted, 2, &left, NULL) < 0) return; /* a signal; look again */
    if (connection != NULL) connection->revents = wanted[1].revents;
    uint64_t count = 0;
    if (wanted[0].revents != 0 && read(port->wake_fd, &count, sizeof count) < 0) assert(errno == EAGAIN);
}
