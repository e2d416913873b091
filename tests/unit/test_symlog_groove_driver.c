/* Tests of tools/symlog/groove_driver: what symlog says on the groove box's ports and when, and what it passes on.
 * Ports, clock and log are the test's own: what is put is applied at once, unless the test holds it back. */
#include "tests/unit/cmocka_small.h"

#include "tools/symlog/groove_driver.h"
#include "tools/symlog/host.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PORTS = 3, TOLD_BYTES = 1 << 16, QUEUE = 64 };

#define MS_NS UINT64_C(1000000)

/* A draft on its way. */
typedef struct queued {
    sl_event draft;
    uint8_t payload[512];
} queued;

static sl_state *state;
static sl_groove_driver driver;
static bool open[PORTS];
static bool guest[PORTS];
static bool is_sink_full;
static char told[TOLD_BYTES]; /* what was sent, a line each: "1 FULL ;1;0;-1;-1;t120;beep:4" */
static queued queue[QUEUE];
static size_t queue_count;
static uint64_t sessions[PORTS];
static uint64_t now_ns;

static size_t count_ports(void *ctx)
{
    (void)ctx;
    return PORTS;
}

static uint32_t source_of(void *ctx, size_t port)
{
    (void)ctx;
    return (uint32_t)port + 1;
}

static bool is_open(void *ctx, size_t port)
{
    (void)ctx;
    return open[port];
}

static bool is_guest(void *ctx, size_t port)
{
    (void)ctx;
    return guest[port];
}

/* Symlog's origin is different in every log: it is left out. */
static void send_frame(void *ctx, size_t port, const uint8_t *bytes, size_t length)
{
    (void)ctx;
    sl_sysex frame;
    char origin[SL_GROOVE_ORIGIN_BYTES];
    char line[256];
    assert_int_equal(sl_sysex_read(bytes, length, &frame), SL_SYSEX_FAULT_NONE);
    sl_groove_origin(state, origin);
    const char *text = frame.payload;
    size_t rest = frame.payload_length;
    if (rest >= sizeof origin && memcmp(text, origin, sizeof origin) == 0) {
        text += sizeof origin;
        rest -= sizeof origin;
    }
    snprintf(line, sizeof line, "%zu %s %.*s\n", port + 1, sl_sysex_op_name(frame.op), (int)rest, text);
    assert_true(strlen(told) + strlen(line) < sizeof told);
    snprintf(told + strlen(told), sizeof told - strlen(told), "%s", line);
}

static sl_err put(void *ctx, const sl_event *draft)
{
    (void)ctx;
    if (is_sink_full) return SL_ERR_FULL;
    assert_true(queue_count < QUEUE && draft->length <= sizeof queue[0].payload);
    queue[queue_count] = (queued){.draft = *draft};
    memcpy(queue[queue_count++].payload, draft->payload, draft->length);
    return SL_OK;
}

static void note(void *ctx, const sl_state *own, const sl_effect *effect)
{
    (void)ctx;
    (void)own;
    sl_groove_driver_note(&driver, effect);
}

/* An event is committed. */
static void commit(sl_event event, const void *payload, size_t length)
{
    const sl_output output = {.tell = note};
    event.seq = sl_state_seq(state) + 1;
    event.version = event.kind == SL_KIND_SESSION ? SL_SESSION_VERSION : SL_PAYLOAD_VERSION;
    event.source_seq = SL_SOURCE_SEQ_NONE;
    event.payload = payload;
    event.length = (uint32_t)length;
    assert_int_equal(sl_reduce(state, &event, &output), SL_OK);
    sl_groove_driver_see(&driver, &event, now_ns);
}

/* What was put is committed. */
static void commit_queue(void)
{
    const size_t count = queue_count;
    static queued taken[QUEUE];
    memcpy(taken, queue, sizeof queue);
    queue_count = 0;
    for (size_t i = 0; i < count; i++) commit(taken[i].draft, taken[i].payload, taken[i].draft.length);
}

/* Ticks whenever it is wanted, until the clock is `ms` further. */
static void pass(uint64_t ms)
{
    const uint64_t end_ns = now_ns + ms * MS_NS;
    for (int turns = 0; turns < 100000; turns++) {
        uint64_t due_ns = sl_groove_driver_tick(&driver, now_ns);
        assert_true(due_ns > now_ns);
        if (queue_count > 0) {
            commit_queue();
            due_ns = now_ns;
        }
        if (due_ns > end_ns) {
            now_ns = end_ns;
            return;
        }
        now_ns = due_ns;
    }
    fail_msg("it wants to be called again and again");
}

static void expect(const char *expected)
{
    assert_string_equal(told, expected);
    told[0] = '\0';
}

static void plug_in(size_t port)
{
    uint8_t bytes[64];
    sl_writer writer = {.bytes = bytes, .capacity = sizeof bytes};
    const sl_session session = {.input = SL_INPUT_SYSEX, .name = "midi:x", .name_length = 6};
    assert_int_equal(sl_session_encode(&session, &writer), SL_OK);
    open[port] = true;
    sessions[port]++;
    commit((sl_event){.kind = SL_KIND_SESSION, .source = (uint32_t)port + 1, .session = sessions[port]}, writer.bytes,
           writer.length);
}

/* A peer at that port says a frame: op and text. */
static void hear(size_t port, uint8_t op, const char *text)
{
    uint8_t frame[512] = {0xF0, 0x7D, op};
    const size_t length = strlen(text);
    for (size_t i = 0; i < length; i++) frame[3 + i] = (uint8_t)text[i];
    frame[3 + length] = 0xF7;
    commit((sl_event){.kind = SL_KIND_SYSEX, .source = (uint32_t)port + 1, .session = sessions[port]}, frame,
           length + 4);
}

static void edit(const char *text)
{
    commit((sl_event){.kind = SL_KIND_GROOVE_EDIT}, text, strlen(text));
}

static void begin(bool is_authority, bool is_listening)
{
    const sl_groove_driver_options options = {
        .state = state,
        .is_authority = is_authority,
        .is_listening = is_listening,
        .sink = {.put = put},
        .outlet =
            {.count = count_ports, .source = source_of, .is_open = is_open, .is_guest = is_guest, .send = send_frame},
    };
    assert_int_equal(sl_groove_driver_open(&driver, &options), SL_OK);
    uint8_t bytes[64];
    sl_writer writer = {.bytes = bytes, .capacity = sizeof bytes};
    const sl_start start = {.program = "x", .program_length = 1, .options = "", .options_length = 0};
    assert_int_equal(sl_start_encode(&start, &writer), SL_OK);
    commit((sl_event){.kind = SL_KIND_START}, writer.bytes, writer.length);
}

static int set_up(void **unused)
{
    (void)unused;
    memset(open, 0, sizeof open);
    memset(guest, 0, sizeof guest);
    memset(sessions, 0, sizeof sessions);
    is_sink_full = false;
    told[0] = '\0';
    queue_count = 0;
    now_ns = 1000 * MS_NS;
    return sl_state_create(sl_host_memory(), &state) == SL_OK ? 0 : -1;
}

static int tear_down(void **unused)
{
    (void)unused;
    sl_groove_driver_close(&driver);
    sl_state_destroy(state);
    return 0;
}

/* With a groove that is known, and a peer on port 1; nothing is due. */
static void begin_known(bool is_authority)
{
    begin(is_authority, false);
    plug_in(0);
    hear(0, SL_SYSEX_FULL, "d7;1;0;-1;-1;t100;vol80;kick:4=Xxxx");
    pass(100);
    told[0] = '\0';
}

static void test_groove_driver_greets_on_open(void **unused)
{
    (void)unused;
    begin(false, false);
    plug_in(0);
    pass(1);
    expect("1 HELLO \n");
    pass(10000);
    expect("");
}

static void test_groove_driver_authority_greets_with_its_state(void **unused)
{
    (void)unused;
    begin(true, false);
    plug_in(0);
    pass(1);
    expect("1 HELLO \n1 FULL ;1;0;-1;-1;t120;beep:4=Xxxx\n");
}

static void test_groove_driver_greets_again_after_a_reconnect(void **unused)
{
    (void)unused;
    begin_known(false);
    open[0] = false;
    pass(1000);
    expect("");
    plug_in(0);
    pass(1);
    expect("1 HELLO \n");
}

static void test_groove_driver_greets_a_guest_that_says_no_full(void **unused)
{
    (void)unused;
    begin_known(false);
    guest[1] = guest[2] = true;
    plug_in(1);
    plug_in(2);
    hear(1, SL_SYSEX_FULL, "e1;1;0;-1;-1;t100;vol80;kick:4=Xxxx");
    expect("1 FULL e1;1;0;-1;-1;t100;vol80;kick:4=Xxxx\n3 FULL e1;1;0;-1;-1;t100;vol80;kick:4=Xxxx\n");
    pass(200);
    expect("3 HELLO \n");
}

static void test_groove_driver_answers_hello(void **unused)
{
    (void)unused;
    begin_known(false);
    hear(0, SL_SYSEX_HELLO, "d7");
    pass(49);
    expect("");
    pass(2);
    expect("1 FULL ;1;0;-1;-1;t100;vol80;kick:4=Xxxx\n");
}

static void test_groove_driver_authority_answers_hello_at_once(void **unused)
{
    (void)unused;
    begin_known(true);
    hear(0, SL_SYSEX_HELLO, "d7");
    pass(0);
    expect("1 FULL ;2;0;-1;-1;t100;vol80;kick:4=Xxxx\n");
}

/* The answer says what the peer has just said, not what was before. */
static void test_groove_driver_answers_hello_after_the_peers_full(void **unused)
{
    (void)unused;
    begin_known(false);
    hear(0, SL_SYSEX_HELLO, "d7");
    hear(0, SL_SYSEX_FULL, "d7;2;0;-1;-1;t55;vol80;kick:4=Xxxx");
    pass(1);
    expect("1 FULL ;1;0;-1;-1;t55;vol80;kick:4=Xxxx\n");
}

static void test_groove_driver_passes_on_but_not_back(void **unused)
{
    (void)unused;
    begin_known(false);
    plug_in(1);
    plug_in(2);
    pass(100);
    told[0] = '\0';
    hear(1, SL_SYSEX_DELTA, "e1;9;bpm=0099");
    hear(2, 0x44, "whatever");
    expect("1 DELTA e1;9;bpm=0099\n3 DELTA e1;9;bpm=0099\n1 op whatever\n2 op whatever\n");
    open[2] = false;
    hear(1, SL_SYSEX_DELTA, "e1;10;bpm=98");
    expect("1 DELTA e1;10;bpm=98\n");
}

static void test_groove_driver_passes_on_what_it_refuses(void **unused)
{
    (void)unused;
    begin_known(false);
    plug_in(1);
    pass(100);
    told[0] = '\0';
    hear(0, SL_SYSEX_DELTA, "d7;9;jump=3");
    expect("2 DELTA d7;9;jump=3\n");
}

static void test_groove_driver_keeps_its_own_echo_and_duplicates(void **unused)
{
    (void)unused;
    char origin[SL_GROOVE_ORIGIN_BYTES + 1] = "";
    char echo[64];
    begin_known(false);
    plug_in(1);
    pass(100);
    told[0] = '\0';
    sl_groove_origin(state, origin);
    snprintf(echo, sizeof echo, "%s;77;bpm=66", origin);
    hear(0, SL_SYSEX_DELTA, echo);
    hear(0, SL_SYSEX_DELTA, "d7;9;bpm=98");
    hear(0, SL_SYSEX_DELTA, "d7;9;bpm=98");
    expect("2 DELTA d7;9;bpm=98\n");
}

static void test_groove_driver_frame_in_a_circle(void **unused)
{
    (void)unused;
    begin_known(true);
    plug_in(1);
    plug_in(2);
    pass(100);
    told[0] = '\0';
    hear(0, SL_SYSEX_BYE, "x");
    hear(1, SL_SYSEX_BYE, "x");
    hear(2, SL_SYSEX_BYE, "x");
    expect("2 BYE x\n3 BYE x\n");
    hear(0, SL_SYSEX_BYE, "x"); /* said again where it was said */
    expect("2 BYE x\n3 BYE x\n");
    pass(1001);
    told[0] = '\0';
    hear(1, SL_SYSEX_BYE, "x");
    expect("1 BYE x\n3 BYE x\n");
}

static void test_groove_driver_tells_edits(void **unused)
{
    (void)unused;
    begin_known(false);
    edit("play");
    edit("beat=0/1/3");
    pass(0);
    edit("sel=1/2");
    pass(0);
    edit("stop");
    pass(0);
    expect("1 DELTA ;1;play\n1 DELTA ;2;beat=0/1/3\n1 DELTA ;3;sel=1/2\n1 DELTA ;4;stop\n");
    edit("stop"); /* changes nothing */
    edit("beat=9/9/1");
    edit("nonsense");
    pass(1000);
    expect("");
}

static void test_groove_driver_tells_edits_to_all(void **unused)
{
    (void)unused;
    begin_known(false);
    plug_in(2);
    pass(100);
    told[0] = '\0';
    edit("play");
    pass(0);
    expect("1 DELTA ;1;play\n3 DELTA ;1;play\n");
}

static void test_groove_driver_tempo_ten_a_second(void **unused)
{
    (void)unused;
    begin_known(false);
    char text[32];
    for (int i = 0; i < 100; i++) { /* a second of turning a knob */
        snprintf(text, sizeof text, "bpm=%d", 101 + i);
        edit(text);
        snprintf(text, sizeof text, "vol=%d", i % 2);
        edit(text);
        pass(10);
    }
    pass(200);
    unsigned bpm = 0;
    unsigned vol = 0;
    for (const char *at = told; (at = strstr(at, "bpm=")) != NULL; at++) bpm++;
    for (const char *at = told; (at = strstr(at, "vol=")) != NULL; at++) vol++;
    assert_in_range(bpm, 9, 11);
    assert_in_range(vol, 9, 11);
    assert_non_null(strstr(told, "bpm=200\n")); /* the last one counts */
}

static void test_groove_driver_tempo_of_another_counts(void **unused)
{
    (void)unused;
    begin_known(false);
    edit("bpm=101");
    pass(0);
    edit("bpm=102"); /* waits */
    hear(0, SL_SYSEX_DELTA, "d7;2;bpm=77");
    pass(1000);
    expect("1 DELTA ;1;bpm=101\n");
}

static void test_groove_driver_coalesces_lane_edits(void **unused)
{
    (void)unused;
    begin_known(false);
    edit("lane=0/gain/-3");
    pass(100);
    edit("lane=0/sound/snare");
    pass(149);
    expect("");
    pass(2);
    expect("1 FULL ;1;0;-1;-1;t100;vol80;snare:4=Xxxx@-3\n");
    pass(1000);
    expect("");
}

static void test_groove_driver_heartbeat_while_armed(void **unused)
{
    (void)unused;
    begin_known(true);
    pass(3800);
    expect("");
    pass(200);
    expect("1 FULL ;2;0;-1;-1;t100;vol80;kick:4=Xxxx\n");
    pass(4000);
    expect("1 FULL ;3;0;-1;-1;t100;vol80;kick:4=Xxxx\n");
    hear(0, SL_SYSEX_BYE, "d7");
    pass(20000);
    expect("");
    hear(0, SL_SYSEX_DELTA, "d7;2;play");
    pass(4100);
    expect("1 FULL ;4;1;-1;-1;t100;vol80;kick:4=Xxxx\n");
}

static void test_groove_driver_no_heartbeat_without_authority(void **unused)
{
    (void)unused;
    begin_known(false);
    pass(20000);
    expect("");
}

static void test_groove_driver_no_heartbeat_to_a_pulled_cable(void **unused)
{
    (void)unused;
    begin_known(true);
    open[0] = false;
    plug_in(1);
    pass(100);
    told[0] = '\0';
    pass(20000);
    expect("");
}

/* A second after the last frame of the push, one FULL says it all. */
static void test_groove_driver_holds_back_during_a_push(void **unused)
{
    (void)unused;
    begin_known(true);
    guest[1] = true;
    plug_in(1);
    pass(100);
    told[0] = '\0';
    for (int i = 0; i < 100; i++) {
        hear(1, 0x22, "abcd");
        edit(i % 2 == 0 ? "bpm=120" : "bpm=121");
        edit(i % 2 == 0 ? "play" : "stop");
        hear(1, SL_SYSEX_HELLO, "e1");
        pass(90);
    }
    for (const char *at = told; *at != '\0'; at = strchr(at, '\n') + 1)
        assert_true(strncmp(at, "1 firmware abcd\n", 16) == 0 || strncmp(at, "1 HELLO e1\n", 11) == 0);
    told[0] = '\0';
    pass(900);
    expect("");
    pass(20);
    expect("1 FULL ;3;0;-1;-1;t121;vol80;kick:4=Xxxx\n2 FULL ;3;0;-1;-1;t121;vol80;kick:4=Xxxx\n");
}

/* The push begins between a frame's commit and its being put. */
static void test_groove_driver_push_begins_meanwhile(void **unused)
{
    (void)unused;
    begin_known(false);
    edit("play");
    assert_int_equal(queue_count, 1);
    hear(0, 0x20, "48000");
    commit_queue();
    pass(990);
    expect("");
    pass(20);
    expect("1 FULL ;2;1;-1;-1;t100;vol80;kick:4=Xxxx\n");
}

/* A FULL that says what was before is not sent. */
static void test_groove_driver_full_overtaken(void **unused)
{
    (void)unused;
    begin_known(true);
    pass(4000 - 101);
    told[0] = '\0';
    now_ns += 101 * MS_NS;
    (void)sl_groove_driver_tick(&driver, now_ns);
    assert_int_equal(queue_count, 1);
    hear(0, SL_SYSEX_DELTA, "d7;2;bpm=77");
    commit_queue();
    expect("");
    pass(20);
    expect("1 FULL ;3;0;-1;-1;t77;vol80;kick:4=Xxxx\n");
}

/* Nothing is lost where the log's queue has no room for a while. */
static void test_groove_driver_full_sink(void **unused)
{
    (void)unused;
    begin(true, false);
    is_sink_full = true;
    plug_in(0);
    pass(1000);
    edit("play");
    pass(1000);
    expect("");
    is_sink_full = false;
    pass(300);
    expect("1 FULL ;1;1;-1;-1;t120;beep:4=Xxxx\n1 HELLO \n");
}

static void test_groove_driver_listening_says_nothing(void **unused)
{
    (void)unused;
    begin(false, true);
    plug_in(0);
    plug_in(1);
    hear(0, SL_SYSEX_HELLO, "d7");
    hear(0, SL_SYSEX_FULL, "d7;1;0;-1;-1;t100;kick:4");
    pass(10000);
    assert_false(sl_groove_driver_finish(&driver, now_ns));
    expect("");
}

static void test_groove_driver_says_bye(void **unused)
{
    (void)unused;
    begin_known(true);
    plug_in(1);
    pass(100);
    told[0] = '\0';
    assert_true(sl_groove_driver_finish(&driver, now_ns));
    commit_queue();
    expect("1 BYE \n2 BYE \n");
    assert_false(sl_groove_driver_finish(&driver, now_ns));
    hear(0, SL_SYSEX_HELLO, "d7");
    pass(10000);
    expect("2 HELLO d7\n");
}

static void test_groove_driver_bye_to_nobody(void **unused)
{
    (void)unused;
    begin(true, false);
    assert_false(sl_groove_driver_finish(&driver, now_ns));
    assert_int_equal(queue_count, 0);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_groove_driver_greets_on_open),
        TEST(test_groove_driver_authority_greets_with_its_state),
        TEST(test_groove_driver_greets_again_after_a_reconnect),
        TEST(test_groove_driver_greets_a_guest_that_says_no_full),
        TEST(test_groove_driver_answers_hello),
        TEST(test_groove_driver_authority_answers_hello_at_once),
        TEST(test_groove_driver_answers_hello_after_the_peers_full),
        TEST(test_groove_driver_passes_on_but_not_back),
        TEST(test_groove_driver_passes_on_what_it_refuses),
        TEST(test_groove_driver_keeps_its_own_echo_and_duplicates),
        TEST(test_groove_driver_frame_in_a_circle),
        TEST(test_groove_driver_tells_edits),
        TEST(test_groove_driver_tells_edits_to_all),
        TEST(test_groove_driver_tempo_ten_a_second),
        TEST(test_groove_driver_tempo_of_another_counts),
        TEST(test_groove_driver_coalesces_lane_edits),
        TEST(test_groove_driver_heartbeat_while_armed),
        TEST(test_groove_driver_no_heartbeat_without_authority),
        TEST(test_groove_driver_no_heartbeat_to_a_pulled_cable),
        TEST(test_groove_driver_holds_back_during_a_push),
        TEST(test_groove_driver_push_begins_meanwhile),
        TEST(test_groove_driver_full_overtaken),
        TEST(test_groove_driver_full_sink),
        TEST(test_groove_driver_listening_says_nothing),
        TEST(test_groove_driver_says_bye),
        TEST(test_groove_driver_bye_to_nobody),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
