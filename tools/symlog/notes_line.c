/* The line on which notes leave: its thread, and the queue before it. */
#include "tools/symlog/notes_line.h"

#include "ingest/clock.h"
#include "ingest/thread.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum { OPEN_EVERY_MS = 1000, LOOK_EVERY_MS = 250, BUSY_EVERY_MS = 2, ALL_NOTES_OFF = 123 };

#define MS_NS UINT64_C(1000000)

struct sl_notes_line {
    sl_notes_line_options options; /* Immutable. */
    pthread_t thread;
    int wake_fd;
    char told[SL_MIDI_WHY_BYTES]; /* Line's thread: why it could not be opened, as said last. */
    pthread_mutex_t lock;
    uint8_t queue[SL_NOTES_QUEUE_BYTES]; /* Under the lock, and so is the rest. */
    size_t queued;
    uint64_t moved_ns; /* when the queue began, or became shorter last */
    bool is_open;
    bool is_broken; /* open, and to be closed */
    bool is_lost;   /* open, blocked for too long: nothing is sent until there is room */
    uint64_t sent_bytes;
    uint64_t dropped_bytes;
    atomic_bool is_stopping;
    _Atomic uint64_t stop_ns;
};

static void *run(void *ctx);

void sl_notes_let_go_all(uint8_t bytes[SL_NOTES_LET_GO_BYTES])
{
    for (unsigned channel = 0; channel < 16; channel++) {
        uint8_t *message = bytes + (size_t)channel * SL_NOTES_MESSAGE_BYTES;
        message[0] = (uint8_t)(0xB0 | channel);
        message[1] = ALL_NOTES_OFF;
        message[2] = 0;
    }
}

sl_err sl_notes_line_start(sl_notes_line **out, const sl_notes_line_options *options)
{
    sl_err err = SL_ERR_MEMORY;
    sl_notes_line *line = calloc(1, sizeof *line);
    if (line != NULL) {
        line->options = *options;
        pthread_mutex_init(&line->lock, NULL);
        line->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        err = line->wake_fd >= 0 ? sl_thread_start(&line->thread, "notes", run, line) : SL_ERR_IO;
        if (err == SL_OK) {
            *out = line;
            return SL_OK;
        }
        if (line->wake_fd >= 0) close(line->wake_fd);
        pthread_mutex_destroy(&line->lock);
        free(line);
    }
    options->way.destroy(options->way.ctx);
    return err;
}

static void wake(const sl_notes_line *line)
{
    /* Fails only when the counter is full, and then the thread is awake. */
    if (write(line->wake_fd, &(uint64_t){1}, sizeof(uint64_t)) < 0) assert(errno == EAGAIN);
}

void sl_notes_line_stop(sl_notes_line *line, unsigned patience_ms)
{
    if (line == NULL) return;
    atomic_store(&line->stop_ns, sl_clock_boot_ns() + patience_ms * MS_NS);
    atomic_store(&line->is_stopping, true);
    wake(line);
    pthread_join(line->thread, NULL);
    close(line->wake_fd);
    line->options.way.destroy(line->options.way.ctx);
    pthread_mutex_destroy(&line->lock);
    free(line);
}

sl_notes_counts sl_notes_line_counts(sl_notes_line *line)
{
    pthread_mutex_lock(&line->lock);
    const sl_notes_counts counts = {
        .is_open = line->is_open,
        .sent = line->sent_bytes / SL_NOTES_MESSAGE_BYTES,
        .dropped = (line->dropped_bytes + SL_NOTES_MESSAGE_BYTES - 1) / SL_NOTES_MESSAGE_BYTES,
    };
    pthread_mutex_unlock(&line->lock);
    return counts;
}

/* Under the lock: what waits is too old to be of use. */
static void lose(sl_notes_line *line)
{
    line->dropped_bytes += line->queued;
    line->queued = 0;
    line->is_lost = true;
}

/* Under the lock: writes bytes of whole messages, or the rest of some, where a file takes them now; how many. */
static size_t write_now(sl_notes_line *line, const uint8_t *bytes, size_t length)
{
    const sl_midi_way *way = &line->options.way;
    const ssize_t written = way->write(way->ctx, bytes, length);
    if (written < 0) line->is_broken = true;
    if (written <= 0) return 0;
    line->sent_bytes += (size_t)written;
    return (size_t)written;
}

void sl_notes_line_send(sl_notes_line *line, const uint8_t *bytes, size_t length)
{
    bool has_work = false;
    pthread_mutex_lock(&line->lock);
    if (!line->is_open || line->is_broken || line->is_lost) {
        line->dropped_bytes += length;
    } else {
        const bool is_direct = line->queued == 0 && line->options.way.frame_bytes_max == 0;
        const size_t written = is_direct ? write_now(line, bytes, length) : 0;
        const size_t rest = length - written;
        if (line->queued == 0) line->moved_ns = sl_clock_boot_ns();
        if (line->queued + rest <= sizeof line->queue) {
            memcpy(line->queue + line->queued, bytes + written, rest);
            line->queued += rest;
        } else {
            line->dropped_bytes += rest;
            lose(line);
        }
        has_work = rest > 0;
    }
    pthread_mutex_unlock(&line->lock);
    if (has_work) wake(line);
}

static void say(const sl_notes_line *line, const char *what, const char *why)
{
    if (line->options.say != NULL) line->options.say(line->options.say_ctx, line->options.name, what, why);
}

/* Until it is woken, or the connection tells one of `events` or breaks. What it told. */
static short wait(const sl_notes_line *line, int fd, short events, int timeout_ms)
{
    struct pollfd wanted[2] = {{.fd = line->wake_fd, .events = POLLIN}, {.fd = fd, .events = events}};
    if (poll(wanted, 2, timeout_ms) < 0) return 0; /* a signal; look again */
    uint64_t count = 0;
    if (wanted[0].revents != 0 && read(line->wake_fd, &count, sizeof count) < 0) assert(errno == EAGAIN);
    return wanted[1].revents;
}

/* Every key of every channel is let go before anything else. */
static void begin(sl_notes_line *line)
{
    pthread_mutex_lock(&line->lock);
    sl_notes_let_go_all(line->queue);
    line->queued = SL_NOTES_LET_GO_BYTES;
    line->moved_ns = sl_clock_boot_ns();
    line->is_open = true;
    line->is_lost = line->is_broken = false;
    pthread_mutex_unlock(&line->lock);
}

static void try_to_open(sl_notes_line *line)
{
    const sl_midi_way *way = &line->options.way;
    char why[SL_MIDI_WHY_BYTES] = "";
    bool is_open = way->open(way->ctx, why) == SL_OK;
    if (is_open && !way->can_write(way->ctx)) {
        way->close(way->ctx);
        is_open = false;
        memcpy(why, "it takes no notes", sizeof "it takes no notes");
    }
    if (is_open) {
        begin(line);
        say(line, "open", "");
        line->told[0] = '\0';
        return;
    }
    if (strcmp(why, line->told) != 0) say(line, "waiting", why);
    memcpy(line->told, why, sizeof why);
    (void)wait(line, -1, 0, OPEN_EVERY_MS);
}

/* A file takes what it can at once; a named port one message after the other, which may take its time. */
static void flush(sl_notes_line *line)
{
    const sl_midi_way *way = &line->options.way;
    const bool is_file = way->frame_bytes_max == 0;
    for (bool goes_on = true; goes_on;) {
        uint8_t message[SL_NOTES_MESSAGE_BYTES];
        pthread_mutex_lock(&line->lock);
        size_t gone = 0;
        if (is_file && line->queued > 0) gone = write_now(line, line->queue, line->queued);
        if (!is_file && line->queued >= sizeof message) gone = sizeof message;
        if (!is_file && gone > 0) memcpy(message, line->queue, gone);
        line->queued -= gone;
        memmove(line->queue, line->queue + gone, line->queued);
        if (gone > 0) line->moved_ns = sl_clock_boot_ns();
        pthread_mutex_unlock(&line->lock);
        goes_on = !is_file && gone > 0;
        if (!goes_on) continue;
        const ssize_t written = way->write(way->ctx, message, gone);
        pthread_mutex_lock(&line->lock);
        if (written < 0) line->is_broken = true;
        if (written > 0) line->sent_bytes += gone;
        if (written == 0) line->dropped_bytes += gone;
        pthread_mutex_unlock(&line->lock);
        goes_on = written >= 0;
    }
}

static void serve_connection(sl_notes_line *line)
{
    const sl_midi_way *way = &line->options.way;
    pthread_mutex_lock(&line->lock);
    const bool has_more = line->queued > 0 || line->is_lost;
    const bool was_lost = line->is_lost;
    pthread_mutex_unlock(&line->lock);
    const bool is_file = way->frame_bytes_max == 0;
    const short events = has_more && is_file ? POLLOUT : 0;
    const short told = wait(line, way->fd(way->ctx), events, has_more && !is_file ? BUSY_EVERY_MS : LOOK_EVERY_MS);
    bool is_well = (told & (POLLERR | POLLHUP | POLLNVAL)) == 0;
    if (is_well && way->is_there != NULL) is_well = !has_more ? way->is_there(way->ctx) : true;
    if (is_well && was_lost && (told & POLLOUT) != 0) begin(line);
    if (is_well) flush(line);
    pthread_mutex_lock(&line->lock);
    const uint64_t waited_ns = sl_clock_boot_ns() - line->moved_ns;
    const bool is_blocked = line->queued > 0 && waited_ns > SL_NOTES_BLOCKED_MS * MS_NS;
    if (is_blocked) lose(line);
    if (line->is_broken) is_well = false;
    if (!is_well) lose(line);
    if (!is_well) line->is_open = false;
    const bool is_newly_lost = line->is_lost && !was_lost;
    pthread_mutex_unlock(&line->lock);
    if (is_well && is_newly_lost) say(line, "blocked", "what it does not take is dropped");
    if (is_well) return;
    way->close(way->ctx);
    say(line, "closed", "it is gone; it is opened again when it comes back");
}

static bool is_over(sl_notes_line *line)
{
    if (!atomic_load(&line->is_stopping)) return false;
    pthread_mutex_lock(&line->lock);
    const bool is_empty = !line->is_open || line->is_lost || line->queued == 0;
    pthread_mutex_unlock(&line->lock);
    return is_empty || sl_clock_boot_ns() >= atomic_load(&line->stop_ns);
}

static void *run(void *ctx)
{
    sl_notes_line *line = ctx;
    while (!is_over(line)) {
        if (line->is_open) { /* nobody else writes it */
            serve_connection(line);
        } else {
            try_to_open(line);
        }
    }
    if (line->is_open) line->options.way.close(line->options.way.ctx);
    return NULL;
}
