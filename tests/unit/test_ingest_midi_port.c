/* Tests of ingest/midi_port, midi_file and midi_intake: a port over a pty, a FIFO and what is neither. */
#include "tests/unit/cmocka_small.h"

#include "ingest/clock.h"
#include "ingest/midi_intake.h"
#include "ingest/midi_port.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { TOLD_BYTES = 1 << 20, PATIENCE_MS = 5000, SOURCE = 7 };

/* A sink that writes down what it is given. */
typedef struct recorder {
    pthread_mutex_t lock;
    char told[TOLD_BYTES]; /* "session 1 midi:x" and the like, a line each */
    size_t length;
    bool is_full;
} recorder;

static recorder sink;
static char said[TOLD_BYTES];
static char dir[64];
static char path[128];

static void write_line(char *to, const char *line)
{
    const size_t length = strlen(to);
    assert_true(length + strlen(line) + 2 < TOLD_BYTES);
    snprintf(to + length, TOLD_BYTES - length, "%s\n", line);
}

static sl_err put(void *ctx, const sl_event *draft)
{
    (void)ctx;
    char line[256] = "?";
    char hex[128] = "";
    sl_session session;
    sl_refused refused;
    assert_int_equal(draft->source, SOURCE);
    assert_true(draft->source_seq == SL_SOURCE_SEQ_NONE && draft->seq == 0);
    const unsigned long long number = draft->session;
    for (uint32_t i = 0; i < draft->length && i < 40; i++)
        snprintf(hex + strlen(hex), sizeof hex - strlen(hex), "%02X", draft->payload[i]);
    if (draft->kind == SL_KIND_SYSEX) snprintf(line, sizeof line, "%llu %s", number, hex);
    if (draft->kind == SL_KIND_SYSEX && draft->length > 40)
        snprintf(line, sizeof line, "%llu %u", number, draft->length);
    if (draft->kind == SL_KIND_SESSION && sl_session_decode(draft, &session) == SL_OK)
        snprintf(line, sizeof line, "%llu session input=%u %.*s", number, session.input, (int)session.name_length,
                 session.name);
    if (draft->kind == SL_KIND_REFUSED && sl_refused_decode(draft, &refused) == SL_OK)
        snprintf(line, sizeof line, "%llu refused %u %.*s", number, refused.kind, (int)refused.reason_length,
                 refused.reason);
    pthread_mutex_lock(&sink.lock);
    const bool is_full = sink.is_full;
    if (!is_full) write_line(sink.told, line);
    pthread_mutex_unlock(&sink.lock);
    return is_full ? SL_ERR_FULL : SL_OK;
}

static void say(void *ctx, const char *name, const char *what, const char *why)
{
    (void)ctx;
    char line[256];
    snprintf(line, sizeof line, "%s %s%s%s", name, what, why[0] != '\0' ? ": " : "", why);
    pthread_mutex_lock(&sink.lock);
    write_line(said, line);
    pthread_mutex_unlock(&sink.lock);
}

static int set_up(void **state)
{
    (void)state;
    snprintf(dir, sizeof dir, "/tmp/symlog-midi-XXXXXX");
    if (mkdtemp(dir) == NULL) return -1;
    snprintf(path, sizeof path, "%s/port", dir);
    pthread_mutex_init(&sink.lock, NULL);
    sink.told[0] = '\0';
    sink.is_full = false;
    said[0] = '\0';
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    unlink(path);
    rmdir(dir);
    pthread_mutex_destroy(&sink.lock);
    return 0;
}

static sl_midi_port *start(uint64_t session)
{
    sl_midi_port *port = NULL;
    sl_midi_port_options options = {.name = "midi:x",
                                    .source = SOURCE,
                                    .session = session,
                                    .start_ns = sl_clock_boot_ns(),
                                    .sink = {.put = put},
                                    .say = say};
    assert_int_equal(sl_midi_file_create(path, &options.way), SL_OK);
    assert_int_equal(sl_midi_port_start(&port, &options), SL_OK);
    return port;
}

/* Waits until `text` is exactly as expected. */
static void expect(const char *text, const char *expected)
{
    for (int i = 0; i < PATIENCE_MS; i++) {
        pthread_mutex_lock(&sink.lock);
        const bool is_there = strcmp(text, expected) == 0;
        pthread_mutex_unlock(&sink.lock);
        if (is_there) return;
        usleep(1000);
    }
    pthread_mutex_lock(&sink.lock);
    assert_string_equal(text, expected);
    pthread_mutex_unlock(&sink.lock);
}

/* A pty, its other end linked from `path`. */
static int plug_in(void)
{
    const int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    assert_true(master >= 0 && grantpt(master) == 0 && unlockpt(master) == 0);
    unlink(path);
    assert_int_equal(symlink(ptsname(master), path), 0);
    return master;
}

static void wait_open(const sl_midi_port *port, bool is_open)
{
    for (int i = 0; i < PATIENCE_MS && sl_midi_port_is_open(port) != is_open; i++) usleep(1000);
    assert_int_equal(sl_midi_port_is_open(port), is_open);
}

static void say_to(int fd, const char *bytes, size_t length)
{
    assert_int_equal(write(fd, bytes, length), length);
}

/* Reads exactly that many bytes. */
static void hear(int fd, uint8_t *bytes, size_t length)
{
    for (size_t have = 0; have < length;) {
        struct pollfd wanted = {.fd = fd, .events = POLLIN};
        assert_int_equal(poll(&wanted, 1, PATIENCE_MS), 1);
        const ssize_t more = read(fd, bytes + have, length - have);
        assert_true(more > 0);
        have += (size_t)more;
    }
}

static void test_midi_port_frame_becomes_a_draft(void **state)
{
    (void)state;
    const int master = plug_in();
    sl_midi_port *port = start(0);
    wait_open(port, true);
    say_to(master, "\xF0\x7D\x40\xF8", 4);
    say_to(master, "a\xF7", 2);
    expect(sink.told, "1 session input=3 midi:x\n1 F07D4061F7\n");
    expect(said, "midi:x open\n");
    const sl_midi_counts counts = sl_midi_port_counts(port);
    assert_true(counts.received == 1 && counts.processed == 1 && counts.refused == 0);
    sl_midi_port_stop(port, NULL);
    close(master);
}

/* Newlines, ^C, ^D and ^S are data. */
static void test_midi_port_terminal_is_raw(void **state)
{
    (void)state;
    const int master = plug_in();
    sl_midi_port *port = start(0);
    wait_open(port, true);
    say_to(master, "\xF0\x7D\x03\x04\x0A\x0D\x11\x13\xF7", 9);
    expect(sink.told, "1 session input=3 midi:x\n1 F07D03040A0D1113F7\n");
    static const uint8_t frame[] = {0xF0, 0x7D, 0x0A, 0x03, 0xF7};
    uint8_t heard[sizeof frame];
    assert_int_equal(sl_midi_port_send(port, frame, sizeof frame), SL_OK);
    hear(master, heard, sizeof heard); /* nothing was echoed before it */
    assert_memory_equal(heard, frame, sizeof frame);
    sl_midi_port_stop(port, NULL);
    close(master);
}

static void test_midi_port_refusals_are_told_ten_a_second(void **state)
{
    (void)state;
    const int master = plug_in();
    sl_midi_port *port = start(0);
    wait_open(port, true);
    for (int i = 0; i < 50; i++) say_to(master, "\xF0\x01\x90\x01", 4);
    say_to(master, "\xF0\x02\xF7", 3);
    for (int i = 0; i < PATIENCE_MS && sl_midi_port_counts(port).processed == 0; i++) usleep(1000);
    const sl_midi_counts counts = sl_midi_port_counts(port);
    assert_true(counts.received == 51 && counts.processed == 1 && counts.refused == 50);
    sl_midi_port_stop(port, NULL);
    unsigned told = 0;
    for (const char *at = sink.told; (at = strstr(at, "refused 14 a frame was broken off")) != NULL; at++) told++;
    assert_in_range(told, 1, 3);
    assert_string_equal(said, "midi:x open\n"
                              "midi:x refused: bytes that are no whole frame; from now on they are only counted\n");
    close(master);
}

static void test_midi_port_reconnects_as_a_new_session(void **state)
{
    (void)state;
    int master = plug_in();
    sl_midi_port *port = start(4);
    wait_open(port, true);
    say_to(master, "\xF0\x01", 2); /* cut off in the middle */
    usleep(100000);
    close(master);
    wait_open(port, false);
    static const uint8_t frame[] = {0xF0, 0xF7};
    assert_int_equal(sl_midi_port_send(port, frame, sizeof frame), SL_ERR_END);
    master = plug_in();
    wait_open(port, true);
    usleep(SL_MIDI_REFUSED_EVERY_NS / 1000); /* sooner, the second refusal is not told in the log */
    say_to(master, "\x05\xF7\xF0\x02\xF7", 5);
    expect(sink.told, "5 session input=3 midi:x\n5 refused 14 a frame was broken off before its F7\n"
                      "6 session input=3 midi:x\n6 refused 14 bytes that belong to no message\n6 F002F7\n");
    sl_midi_port_stop(port, NULL);
    close(master);
    assert_non_null(strstr(said, "midi:x closed: it is gone; it is opened again when it comes back\n"));
}

static void test_midi_port_waits_for_its_device(void **state)
{
    (void)state;
    sl_midi_port *port = start(0);
    expect(said, "midi:x waiting: there is no such device (yet)\n");
    const int master = plug_in();
    wait_open(port, true);
    sl_midi_port_stop(port, NULL);
    close(master);
}

static void test_midi_port_file_is_refused(void **state)
{
    (void)state;
    const int fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    close(fd);
    sl_midi_port *port = start(0);
    expect(said, "midi:x waiting: it is neither a MIDI device nor a pty nor a FIFO\n");
    sl_midi_port_stop(port, NULL);
    assert_string_equal(sink.told, "");
}

static void test_midi_port_fifo_is_read_from_one_writer_after_the_other(void **state)
{
    (void)state;
    assert_int_equal(mkfifo(path, 0600), 0);
    sl_midi_port *port = start(0);
    wait_open(port, true);
    for (int i = 0; i < 2; i++) {
        const int fd = open(path, O_WRONLY | O_CLOEXEC);
        say_to(fd, "\xF0\x01\xF7", 3);
        close(fd);
    }
    expect(sink.told, "1 session input=3 midi:x\n1 F001F7\n1 F001F7\n");
    static const uint8_t frame[] = {0xF0, 0xF7};
    assert_int_equal(sl_midi_port_send(port, frame, sizeof frame), SL_ERR_END);
    sl_midi_port_stop(port, NULL);
    assert_string_equal(said, "midi:x open: it takes no frames\n");
}

/* A frame is not cut, and no faster than the devices' buffers allow. */
static void test_midi_port_sends_whole_and_paced(void **state)
{
    (void)state;
    enum { FRAME = 3200, COUNT = 3 };
    const int master = plug_in();
    sl_midi_port *port = start(0);
    wait_open(port, true);
    static uint8_t frames[COUNT * FRAME];
    static uint8_t heard[COUNT * FRAME];
    const uint64_t began_ns = sl_clock_boot_ns();
    for (size_t i = 0; i < COUNT; i++) {
        uint8_t *frame = frames + i * FRAME;
        memset(frame, (int)i + 1, FRAME);
        frame[0] = 0xF0;
        frame[FRAME - 1] = 0xF7;
        assert_int_equal(sl_midi_port_send(port, frame, FRAME), SL_OK);
    }
    hear(master, heard, sizeof heard);
    assert_memory_equal(heard, frames, sizeof frames);
    const uint64_t took_ms = (sl_clock_boot_ns() - began_ns) / 1000000;
    assert_true(took_ms >= (sizeof frames - SL_MIDI_CHUNK_BYTES) * 1000 / SL_MIDI_BYTES_PER_S);
    for (int i = 0; i < PATIENCE_MS && sl_midi_port_counts(port).sent < COUNT; i++) usleep(1000);
    assert_int_equal(sl_midi_port_counts(port).sent, COUNT);
    sl_midi_port_stop(port, NULL);
    close(master);
}

/* A device that takes nothing: the queue fills up to its bound, then frames are not sent; sending never waits. */
static void test_midi_port_full_queue(void **state)
{
    (void)state;
    enum { FRAME = 32 << 10 };
    const int master = plug_in();
    sl_midi_port *port = start(0);
    wait_open(port, true);
    static uint8_t frame[FRAME];
    frame[0] = 0xF0;
    frame[FRAME - 1] = 0xF7;
    sl_err err = SL_OK;
    unsigned count = 0;
    while (err == SL_OK && count < 100) {
        err = sl_midi_port_send(port, frame, FRAME);
        count++;
    }
    assert_int_equal(err, SL_ERR_FULL);
    assert_int_equal(count, SL_MIDI_QUEUE_BYTES / FRAME + 1);
    sl_midi_counts counts = sl_midi_port_counts(port);
    assert_true(counts.unsent == 1 && counts.queue_bytes == SL_MIDI_QUEUE_BYTES &&
                counts.queue_max == counts.queue_bytes);
    sl_midi_port_finish(port, 50); /* and stopping does not wait for ever */
    sl_midi_port_stop(port, NULL);
    close(master);
}

static void test_midi_port_finish_sends_what_waits(void **state)
{
    (void)state;
    const int master = plug_in();
    sl_midi_port *port = start(0);
    wait_open(port, true);
    static uint8_t frame[1000];
    uint8_t heard[sizeof frame];
    frame[0] = 0xF0;
    frame[sizeof frame - 1] = 0xF7;
    assert_int_equal(sl_midi_port_send(port, frame, sizeof frame), SL_OK);
    sl_midi_port_finish(port, PATIENCE_MS);
    hear(master, heard, sizeof heard);
    sl_midi_port_stop(port, NULL);
    assert_memory_equal(heard, frame, sizeof frame);
    close(master);
}

/* What the sink has no room for waits, and nothing is lost or told twice. */
static void test_midi_port_full_sink(void **state)
{
    (void)state;
    const int master = plug_in();
    sl_midi_port *port = start(0);
    wait_open(port, true);
    pthread_mutex_lock(&sink.lock);
    sink.is_full = true;
    pthread_mutex_unlock(&sink.lock);
    say_to(master, "\xF0\x01\xF7\xF0\x02\xF7", 6);
    usleep(20000);
    pthread_mutex_lock(&sink.lock);
    sink.is_full = false;
    pthread_mutex_unlock(&sink.lock);
    expect(sink.told, "1 session input=3 midi:x\n1 F001F7\n1 F002F7\n");
    sl_midi_port_stop(port, NULL);
    close(master);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_midi_port_frame_becomes_a_draft),
        TEST(test_midi_port_terminal_is_raw),
        TEST(test_midi_port_refusals_are_told_ten_a_second),
        TEST(test_midi_port_reconnects_as_a_new_session),
        TEST(test_midi_port_waits_for_its_device),
        TEST(test_midi_port_file_is_refused),
        TEST(test_midi_port_fifo_is_read_from_one_writer_after_the_other),
        TEST(test_midi_port_sends_whole_and_paced),
        TEST(test_midi_port_full_queue),
        TEST(test_midi_port_finish_sends_what_waits),
        TEST(test_midi_port_full_sink),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
