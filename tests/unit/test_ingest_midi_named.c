/* Tests of ingest/midi_named: ports that have names, at a JACK server of the test's own with its dummy driver. The
 * device is two virtual ports of RtMidi. */
#include "tests/unit/cmocka_small.h"

#include "ingest/clock.h"
#include "ingest/midi_named.h"
#include "ingest/midi_port.h"

#include <jack/jack.h>
#include <pthread.h>
#include <rtmidi/rtmidi_c.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PATIENCE_MS = 10000, NAME_BYTES = 64 };

static pid_t server;
static char server_name[NAME_BYTES];
static _Atomic unsigned frames;    /* that the port brought, … */
static _Atomic size_t frame_bytes; /* … and all their bytes */
static _Atomic unsigned sessions;
static _Atomic size_t heard_bytes; /* by the device */

static void say_nothing(const char *message)
{
    (void)message;
}

static bool is_server_there(void)
{
    jack_client_t *client = jack_client_open("test", JackNoStartServer, NULL);
    if (client != NULL) jack_client_close(client);
    return client != NULL;
}

static void start_server(void)
{
    server = fork();
    assert_true(server >= 0);
    if (server == 0) {
        if (freopen("/dev/null", "w", stdout) == NULL || freopen("/dev/null", "w", stderr) == NULL) _exit(126);
        execlp("jackd", "jackd", "-n", server_name, "-r", "-d", "dummy", "-r", "48000", "-p", "256", (char *)NULL);
        _exit(127);
    }
    for (int i = 0; i < PATIENCE_MS / 10 && !is_server_there(); i++) usleep(10000);
    if (!is_server_there()) fail_msg("jackd does not start; tools/setup installs it");
}

static void stop_server(void)
{
    if (server <= 0) return;
    kill(server, SIGTERM);
    waitpid(server, NULL, 0);
    server = 0;
}

static int set_up(void **state)
{
    (void)state;
    frames = 0;
    frame_bytes = 0;
    sessions = 0;
    heard_bytes = 0;
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    stop_server();
    return 0;
}

static sl_err put(void *ctx, const sl_event *draft)
{
    (void)ctx;
    if (draft->kind == SL_KIND_SESSION) sessions++;
    if (draft->kind != SL_KIND_SYSEX) return SL_OK;
    frame_bytes += draft->length;
    frames++;
    return SL_OK;
}

static void on_heard(double delta_s, const unsigned char *bytes, size_t length, void *ctx)
{
    (void)delta_s;
    (void)bytes;
    (void)ctx;
    heard_bytes += length;
}

/* The device: what it sends and what it hears with. */
typedef struct device {
    RtMidiOutPtr out;
    RtMidiInPtr in;
} device;

static device plug_in(void)
{
    const device device = {.out = rtmidi_out_create(RTMIDI_API_UNIX_JACK, "groovebox"),
                           .in = rtmidi_in_create(RTMIDI_API_UNIX_JACK, "groovebox", 100)};
    rtmidi_open_virtual_port(device.out, "out");
    rtmidi_in_ignore_types(device.in, false, true, true);
    rtmidi_in_set_callback(device.in, on_heard, NULL);
    rtmidi_open_virtual_port(device.in, "in");
    assert_true(device.out->ok && device.in->ok);
    return device;
}

static void unplug(device device)
{
    rtmidi_out_free(device.out);
    rtmidi_in_free(device.in);
}

static sl_midi_port *start(const char *name)
{
    sl_midi_port *port = NULL;
    sl_midi_port_options options = {.name = "port:groovebox", .source = 1, .sink = {.put = put}};
    assert_int_equal(sl_midi_named_create(name, &options.way), SL_OK);
    assert_int_equal(sl_midi_port_start(&port, &options), SL_OK);
    return port;
}

static void wait_open(const sl_midi_port *port, bool is_open)
{
    for (int i = 0; i < PATIENCE_MS && sl_midi_port_is_open(port) != is_open; i++) usleep(1000);
    assert_int_equal(sl_midi_port_is_open(port), is_open);
}

static void wait_for(const _Atomic size_t *figure, size_t at_least)
{
    for (int i = 0; i < PATIENCE_MS && *figure < at_least; i++) usleep(1000);
}

static void test_midi_named_absence_is_one_sentence(void **state)
{
    (void)state;
    sl_midi_listed ports[SL_MIDI_LISTED_MAX];
    char absent[SL_MIDI_WHY_BYTES];
    (void)sl_midi_named_list(ports, absent);
    assert_non_null(strstr(absent, "JACK server"));
}

static void test_midi_named_list(void **state)
{
    (void)state;
    start_server();
    device device = plug_in();
    sl_midi_listed ports[SL_MIDI_LISTED_MAX];
    char absent[SL_MIDI_WHY_BYTES];
    const size_t count = sl_midi_named_list(ports, absent);
    unsigned gives = 0, takes = 0;
    for (size_t i = 0; i < count; i++) {
        if (strstr(ports[i].name, "groovebox") == NULL) continue;
        assert_string_equal(ports[i].service, "JACK");
        if (ports[i].gives) gives++;
        if (ports[i].takes) takes++;
    }
    assert_true(gives == 1 && takes == 1);
    assert_null(strstr(absent, "JACK"));
    unplug(device);
}

static void test_midi_named_frames_both_ways(void **state)
{
    (void)state;
    static uint8_t frame[SL_MIDI_NAMED_FRAME_BYTES_MAX];
    frame[0] = 0xF0;
    frame[sizeof frame - 1] = 0xF7;
    start_server();
    device device = plug_in();
    sl_midi_port *port = start("groovebox");
    wait_open(port, true);
    static const uint8_t small[] = {0xF0, 0x7D, 0x40, 'a', 0xF7};
    assert_int_equal(rtmidi_out_send_message(device.out, small, sizeof small), 0);
    assert_int_equal(rtmidi_out_send_message(device.out, frame, sizeof frame), 0);
    wait_for(&frame_bytes, sizeof small + sizeof frame);
    assert_int_equal(frame_bytes, sizeof small + sizeof frame);
    assert_int_equal(frames, 2);

    assert_int_equal(sl_midi_port_send(port, frame, sizeof frame + 1), SL_ERR_RANGE);
    for (int i = 0; i < 10; i++) assert_int_equal(sl_midi_port_send(port, frame, sizeof frame), SL_OK);
    wait_for(&heard_bytes, 10 * sizeof frame);
    assert_int_equal(heard_bytes, 10 * sizeof frame);
    assert_int_equal(sl_midi_port_counts(port).sent, 10);
    sl_midi_port_stop(port, NULL);
    unplug(device);
}

static void test_midi_named_comes_back(void **state)
{
    (void)state;
    start_server();
    sl_midi_port *port = start("groovebox");
    usleep(100000);
    device device = plug_in();
    wait_open(port, true);
    unplug(device);
    wait_open(port, false);
    device = plug_in();
    wait_open(port, true);
    assert_in_range(sessions, 2, 4); /* one more where it came between the two directions */
    sl_midi_port_stop(port, NULL);
    unplug(device);
}

static void test_midi_named_server_goes(void **state)
{
    (void)state;
    start_server();
    device device = plug_in();
    sl_midi_port *port = start("groovebox");
    wait_open(port, true);
    unplug(device);
    stop_server();
    wait_open(port, false);
    sl_midi_port_stop(port, NULL);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_midi_named_absence_is_one_sentence),
        TEST(test_midi_named_list),
        TEST(test_midi_named_frames_both_ways),
        TEST(test_midi_named_comes_back),
        TEST(test_midi_named_server_goes),
    };
    snprintf(server_name, sizeof server_name, "symlog-test-%ld", (long)getpid());
    setenv("JACK_DEFAULT_SERVER", server_name, 1);
    setenv("JACK_NO_AUDIO_RESERVATION", "1", 1);
    jack_set_error_function(say_nothing);
    jack_set_info_function(say_nothing);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
