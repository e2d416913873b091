/* What is due on the groove box's ports. */
#include "tools/symlog/groove_driver.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { TO_BYTES = 4, EVERYBODY = 0 };

static const sl_groove_due nothing_due = {.hello_ns = SL_GROOVE_NEVER, .full_ns = SL_GROOVE_NEVER};

static void see_session(sl_groove_driver *driver, const sl_event *event, uint64_t now_ns);
static void see_frame(sl_groove_driver *driver, const sl_event *event, uint64_t now_ns);
static void see_sent(sl_groove_driver *driver, const sl_event *event, uint64_t now_ns);
static void see_edit(sl_groove_driver *driver, uint64_t now_ns);
static bool say(sl_groove_driver *driver, uint32_t to, uint8_t op, const char *evt, size_t evt_length, uint64_t now_ns);
static void say_evt(sl_groove_driver *driver, const char *evt, size_t evt_length, uint64_t now_ns);
static void say_rated(sl_groove_driver *driver, sl_groove_rated *rated, uint64_t now_ns);
static void put_off(sl_groove_driver *driver, uint32_t to, uint8_t op, uint64_t until_ns);
static size_t find_port(const sl_groove_driver *driver, uint32_t source);

sl_err sl_groove_driver_open(sl_groove_driver *driver, const sl_groove_driver_options *options)
{
    *driver = (sl_groove_driver){.options = *options,
                                 .tempo = {.prefix = "bpm="},
                                 .volume = {.prefix = "vol="},
                                 .full_ns = SL_GROOVE_NEVER,
                                 .frame = malloc(TO_BYTES + SL_SYSEX_FRAME_BYTES_MAX)};
    for (size_t i = 0; i < SL_GROOVE_PORTS_MAX; i++) driver->ports[i] = nothing_due;
    return driver->frame != NULL ? SL_OK : SL_ERR_MEMORY;
}

void sl_groove_driver_close(sl_groove_driver *driver)
{
    free(driver->frame);
    driver->frame = NULL;
}

void sl_groove_driver_note(sl_groove_driver *driver, const sl_effect *effect)
{
    if (effect->type != SL_EFFECT_GROOVE) return;
    driver->has_news = true;
    driver->news = *effect->groove;
    if (driver->news.evt_length > sizeof driver->news_evt) driver->news.evt_length = 0;
    if (driver->news.evt_length > 0) memcpy(driver->news_evt, effect->groove->evt, driver->news.evt_length);
    driver->news.evt = driver->news_evt;
}

void sl_groove_driver_see(sl_groove_driver *driver, const sl_event *event, uint64_t now_ns)
{
    if (!driver->options.is_listening) {
        switch (event->kind) {
        case SL_KIND_SESSION: see_session(driver, event, now_ns); break;
        case SL_KIND_SYSEX: see_frame(driver, event, now_ns); break;
        case SL_KIND_SYSEX_SENT: see_sent(driver, event, now_ns); break;
        case SL_KIND_GROOVE_EDIT: see_edit(driver, now_ns); break;
        default: break;
        }
    }
    driver->has_news = false;
}

static size_t count_ports(const sl_groove_driver *driver)
{
    const size_t count = driver->options.outlet.count(driver->options.outlet.ctx);
    assert(count <= SL_GROOVE_PORTS_MAX);
    return count;
}

static bool is_open(const sl_groove_driver *driver, size_t port)
{
    return driver->options.outlet.is_open(driver->options.outlet.ctx, port);
}

static uint32_t source_of(const sl_groove_driver *driver, size_t port)
{
    return driver->options.outlet.source(driver->options.outlet.ctx, port);
}

/* Its index, or the number of ports. */
static size_t find_port(const sl_groove_driver *driver, uint32_t source)
{
    const size_t count = count_ports(driver);
    size_t port = 0;
    while (port < count && source_of(driver, port) != source) port++;
    return port;
}

/* A port has been opened. */
static void see_session(sl_groove_driver *driver, const sl_event *event, uint64_t now_ns)
{
    const size_t port = find_port(driver, event->source);
    if (port == count_ports(driver)) return;
    const bool is_guest = driver->options.outlet.is_guest(driver->options.outlet.ctx, port);
    driver->ports[port].hello_ns = is_guest ? now_ns + SL_GROOVE_PATIENCE_NS : now_ns;
    if (driver->options.is_authority) driver->ports[port].full_ns = now_ns;
}

static bool is_firmware(const sl_event *event)
{
    return event->length > 3 && event->payload[1] == SL_SYSEX_MANUFACTURER && sl_sysex_is_firmware(event->payload[2]);
}

static void pass_on(const sl_groove_driver *driver, size_t from, const uint8_t *frame, size_t length)
{
    const sl_groove_outlet *outlet = &driver->options.outlet;
    const size_t count = count_ports(driver);
    for (size_t i = 0; i < count; i++) {
        if (i != from && is_open(driver, i)) outlet->send(outlet->ctx, i, frame, length);
    }
}

/* True if the same bytes came from another port a moment ago; remembers them if not. */
static bool goes_in_circles(sl_groove_driver *driver, const sl_event *event, uint64_t now_ns)
{
    const uint32_t checksum = sl_crc32c(0, event->payload, event->length);
    for (size_t i = 0; i < SL_GROOVE_PASSED; i++) {
        const sl_groove_passed *one = &driver->passed[i];
        if (one->checksum == checksum && one->source != event->source && one->until_ns > now_ns) return true;
    }
    driver->passed[driver->passed_next] =
        (sl_groove_passed){.checksum = checksum, .source = event->source, .until_ns = now_ns + SL_GROOVE_PASSED_NS};
    driver->passed_next = (driver->passed_next + 1) % SL_GROOVE_PASSED;
    return false;
}

static bool begins_with(const sl_groove_change *news, const char *prefix)
{
    const size_t length = strlen(prefix);
    return news->evt_length > length && memcmp(news->evt, prefix, length) == 0;
}

/* True if what symlog has is worth saying: who was never told of a groove would overwrite the asker's with an empty
 * one. */
static bool has_word(const sl_groove_driver *driver)
{
    const sl_groove *groove = sl_state_groove(driver->options.state);
    return driver->options.is_authority || (groove != NULL && groove->is_known);
}

/* A peer's frame. */
static void see_frame(sl_groove_driver *driver, const sl_event *event, uint64_t now_ns)
{
    const size_t port = find_port(driver, event->source);
    const sl_groove_change *news = &driver->news;
    if (is_firmware(event)) driver->push_ns = now_ns + SL_GROOVE_PUSH_NS;
    const uint8_t what = driver->has_news ? news->what : SL_GROOVE_OTHER;
    bool passes = what != SL_GROOVE_ECHO && what != SL_GROOVE_DUPLICATE;
    if (passes && what != SL_GROOVE_OTHER) passes = !goes_in_circles(driver, event, now_ns);
    if (passes) pass_on(driver, port, event->payload, event->length);
    if (!driver->has_news) return;
    if (what == SL_GROOVE_HELLO && port < count_ports(driver) && has_word(driver))
        driver->ports[port].full_ns = driver->options.is_authority ? now_ns : now_ns + SL_GROOVE_PATIENCE_NS;
    if (what == SL_GROOVE_FULL && port < count_ports(driver)) {
        driver->ports[port].hello_ns = SL_GROOVE_NEVER;
        if (driver->ports[port].full_ns != SL_GROOVE_NEVER) driver->ports[port].full_ns = now_ns;
    }
    if (news->wants_full) driver->full_ns = now_ns + SL_GROOVE_COALESCE_NS;
    /* The last word counts: what a client said before and was not told yet is no longer true. */
    if (what == SL_GROOVE_FULL || begins_with(news, driver->tempo.prefix)) driver->tempo.evt_length = 0;
    if (what == SL_GROOVE_FULL || begins_with(news, driver->volume.prefix)) driver->volume.evt_length = 0;
}

/* True if a FULL says what another one would say now. */
static bool is_up_to_date(const sl_groove_driver *driver, const sl_sysex *frame, const sl_sysex_sent *sent)
{
    sl_writer writer = {.bytes = driver->frame, .capacity = SL_SYSEX_FRAME_BYTES_MAX};
    if (sl_groove_write_full(driver->options.state, frame->seq, &writer) != SL_OK) return true;
    return writer.length == sent->frame_length && memcmp(writer.bytes, sent->frame, sent->frame_length) == 0;
}

/* What symlog says is committed now, so it can be sent. */
static void see_sent(sl_groove_driver *driver, const sl_event *event, uint64_t now_ns)
{
    sl_sysex_sent sent;
    sl_sysex frame;
    if (sl_sysex_sent_decode(event, &sent) != SL_OK) return;
    if (sl_sysex_read(sent.frame, sent.frame_length, &frame) != SL_SYSEX_FAULT_NONE || !frame.is_ours) return;
    if (frame.op != SL_SYSEX_BYE) {
        if (driver->is_finished) return;
        if (now_ns < driver->push_ns) { /* it began meanwhile */
            put_off(driver, sent.to, frame.op, driver->push_ns);
            return;
        }
        if (frame.op == SL_SYSEX_FULL && !is_up_to_date(driver, &frame, &sent)) {
            put_off(driver, sent.to, frame.op, now_ns + SL_GROOVE_OVERTAKEN_NS);
            return;
        }
    }
    const sl_groove_outlet *outlet = &driver->options.outlet;
    const size_t port = sent.to != EVERYBODY ? find_port(driver, sent.to) : count_ports(driver);
    if (sent.to == EVERYBODY) pass_on(driver, port, sent.frame, sent.frame_length);
    if (port < count_ports(driver)) outlet->send(outlet->ctx, port, sent.frame, sent.frame_length);
    if (frame.op == SL_SYSEX_BYE) driver->is_gone = true;
}

/* A frame could not be said now; a FULL will stand for a DELTA. */
static void put_off(sl_groove_driver *driver, uint32_t to, uint8_t op, uint64_t until_ns)
{
    const size_t port = to != EVERYBODY ? find_port(driver, to) : count_ports(driver);
    if (port == count_ports(driver)) {
        if (until_ns < driver->full_ns) driver->full_ns = until_ns;
    } else if (op == SL_SYSEX_HELLO) {
        driver->ports[port].hello_ns = until_ns;
    } else {
        driver->ports[port].full_ns = until_ns;
    }
}

/* A client's edit. */
static void see_edit(sl_groove_driver *driver, uint64_t now_ns)
{
    const sl_groove_change *news = &driver->news;
    if (!driver->has_news || !news->is_changed) return;
    sl_groove_rated *rated = NULL;
    if (begins_with(news, driver->tempo.prefix)) rated = &driver->tempo;
    if (begins_with(news, driver->volume.prefix)) rated = &driver->volume;
    if (news->wants_full) {
        driver->full_ns = now_ns + SL_GROOVE_COALESCE_NS;
    } else if (rated != NULL && news->evt_length <= sizeof rated->evt) {
        memcpy(rated->evt, news->evt, news->evt_length);
        rated->evt_length = news->evt_length;
        say_rated(driver, rated, now_ns);
    } else {
        say_evt(driver, news->evt, news->evt_length, now_ns);
    }
}

static void say_evt(sl_groove_driver *driver, const char *evt, size_t evt_length, uint64_t now_ns)
{
    const bool is_held = now_ns < driver->push_ns;
    if (!is_held && say(driver, EVERYBODY, SL_SYSEX_DELTA, evt, evt_length, now_ns)) return;
    put_off(driver, EVERYBODY, SL_SYSEX_DELTA, is_held ? driver->push_ns : now_ns + SL_GROOVE_RATE_NS);
}

/* Says what waits, if it is time. */
static void say_rated(sl_groove_driver *driver, sl_groove_rated *rated, uint64_t now_ns)
{
    if (rated->evt_length == 0 || now_ns < rated->next_ns) return;
    say_evt(driver, rated->evt, rated->evt_length, now_ns);
    rated->evt_length = 0;
    rated->next_ns = now_ns + SL_GROOVE_RATE_NS;
}

static bool has_open_port(const sl_groove_driver *driver)
{
    const size_t count = count_ports(driver);
    for (size_t i = 0; i < count; i++) {
        if (is_open(driver, i)) return true;
    }
    return false;
}

/* The number of the next frame: above those in the log, and above those that are on their way there. */
static uint64_t next_seq(const sl_groove_driver *driver)
{
    const sl_groove *groove = sl_state_groove(driver->options.state);
    const uint64_t logged = groove != NULL ? groove->own_seq : 0;
    return (logged > driver->last_seq ? logged : driver->last_seq) + 1;
}

static sl_err write_frame(const sl_groove_driver *driver, uint8_t op, const char *evt, size_t evt_length,
                          sl_writer *out)
{
    const sl_state *state = driver->options.state;
    switch (op) {
    case SL_SYSEX_HELLO: return sl_groove_write_hello(state, out);
    case SL_SYSEX_BYE: return sl_groove_write_bye(state, out);
    case SL_SYSEX_FULL: return sl_groove_write_full(state, next_seq(driver), out);
    default: return sl_groove_write_delta(state, next_seq(driver), evt, evt_length, out);
    }
}

/* Appends a frame to be sent once it is committed, if there is anybody to hear it. False: the log's queue has no room
 * (a frame that can never be written is given up). */
static bool say(sl_groove_driver *driver, uint32_t to, uint8_t op, const char *evt, size_t evt_length, uint64_t now_ns)
{
    if (!has_open_port(driver)) return true;
    sl_writer writer = {.bytes = driver->frame, .capacity = TO_BYTES + SL_SYSEX_FRAME_BYTES_MAX};
    sl_write_le(&writer, to, TO_BYTES);
    if (write_frame(driver, op, evt, evt_length, &writer) != SL_OK) return true;
    const sl_event draft = {
        .kind = SL_KIND_SYSEX_SENT,
        .version = SL_PAYLOAD_VERSION,
        .source = SL_SOURCE_SELF,
        .source_seq = SL_SOURCE_SEQ_NONE,
        .time_ns = now_ns - driver->options.start_ns,
        .payload = writer.bytes,
        .length = (uint32_t)writer.length,
    };
    if (driver->options.sink.put(driver->options.sink.ctx, &draft) != SL_OK) return false;
    if (op == SL_SYSEX_FULL || op == SL_SYSEX_DELTA) driver->last_seq = next_seq(driver);
    return true;
}

/* True if a peer on some open port takes part. */
static bool has_armed_peer(const sl_groove_driver *driver)
{
    const size_t count = count_ports(driver);
    for (size_t i = 0; i < count; i++) {
        if (!is_open(driver, i)) continue;
        const sl_groove_peer *peer = sl_groove_peer_of(driver->options.state, source_of(driver, i));
        if (peer != NULL && peer->is_armed) return true;
    }
    return false;
}

static uint64_t earlier(uint64_t one, uint64_t other)
{
    return one < other ? one : other;
}

/* What one port waits for. Returns when it is due again. */
static uint64_t tick_port(sl_groove_driver *driver, size_t port, uint64_t now_ns)
{
    sl_groove_due *due = &driver->ports[port];
    if (!is_open(driver, port)) {
        *due = nothing_due;
        return SL_GROOVE_NEVER;
    }
    const uint32_t source = source_of(driver, port);
    if (due->hello_ns <= now_ns && say(driver, source, SL_SYSEX_HELLO, NULL, 0, now_ns))
        due->hello_ns = SL_GROOVE_NEVER;
    if (due->full_ns <= now_ns && say(driver, source, SL_SYSEX_FULL, NULL, 0, now_ns)) due->full_ns = SL_GROOVE_NEVER;
    const uint64_t next_ns = earlier(due->hello_ns, due->full_ns);
    return next_ns <= now_ns ? now_ns + SL_GROOVE_RATE_NS : next_ns;
}

uint64_t sl_groove_driver_tick(sl_groove_driver *driver, uint64_t now_ns)
{
    if (driver->options.is_listening || driver->is_finished) return SL_GROOVE_NEVER;
    if (now_ns < driver->push_ns) return driver->push_ns;
    uint64_t next_ns = SL_GROOVE_NEVER;
    const bool is_armed = driver->options.is_authority && has_armed_peer(driver);
    if (!is_armed || !driver->is_armed) driver->heartbeat_ns = now_ns + SL_GROOVE_HEARTBEAT_NS;
    driver->is_armed = is_armed;
    const bool is_due = driver->full_ns <= now_ns || driver->heartbeat_ns <= now_ns;
    const size_t count = count_ports(driver);
    if (is_due && say(driver, EVERYBODY, SL_SYSEX_FULL, NULL, 0, now_ns)) {
        driver->full_ns = SL_GROOVE_NEVER;
        driver->heartbeat_ns = now_ns + SL_GROOVE_HEARTBEAT_NS;
        driver->tempo.evt_length = driver->volume.evt_length = 0;
        for (size_t i = 0; i < count; i++) driver->ports[i].full_ns = SL_GROOVE_NEVER;
    } else if (is_due) {
        next_ns = now_ns + SL_GROOVE_RATE_NS;
    }
    for (size_t i = 0; i < count; i++) next_ns = earlier(next_ns, tick_port(driver, i, now_ns));
    sl_groove_rated *const rated[] = {&driver->tempo, &driver->volume};
    for (size_t i = 0; i < 2; i++) {
        say_rated(driver, rated[i], now_ns);
        if (rated[i]->evt_length > 0) next_ns = earlier(next_ns, rated[i]->next_ns);
    }
    if (driver->full_ns > now_ns) next_ns = earlier(next_ns, driver->full_ns);
    if (is_armed && driver->heartbeat_ns > now_ns) next_ns = earlier(next_ns, driver->heartbeat_ns);
    return next_ns;
}

bool sl_groove_driver_finish(sl_groove_driver *driver, uint64_t now_ns)
{
    if (driver->is_finished) return !driver->is_gone;
    driver->is_finished = true;
    if (driver->options.is_listening || !has_open_port(driver)) return false;
    return say(driver, EVERYBODY, SL_SYSEX_BYE, NULL, 0, now_ns);
}
