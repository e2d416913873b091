/* The ports of the groove box in serve. */
#include "tools/symlog/groove_ports.h"

#include "ingest/clock.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A port of the command line. */
typedef struct cable {
    char name[SL_NAME_BYTES_MAX + 1];
    bool is_named;
    uint32_t source;
    uint64_t session;
    sl_midi_port *port;  /* NULL: not started, or no longer */
    sl_midi_counts last; /* when it was stopped */
} cable;

/* A place for a subscriber. */
typedef struct place {
    sl_midi_intake intake;
    uint64_t subscriber; /* 0: free */
    bool has_begun;      /* its session event has been put */
    bool was_used;       /* ever, since the start */
    uint64_t sent;
    uint64_t unsent;
} place;

/* What the log told of a source before this start. */
typedef struct past {
    uint32_t source;
    uint64_t session;
    sl_source_counts counts;
} past;

struct sl_groove_ports {
    sl_groove_ports_options options;
    size_t cable_count;
    cable cables[SL_GROOVE_CABLES_MAX];
    place places[SL_GROOVE_PLACES];
    past pasts[SL_GROOVE_PORTS_MAX];
    uint64_t told[SL_GROOVE_PORTS_MAX]; /* received and sent, when they were counted last */
    uint32_t source_next;
};

static past find_past(sl_groove_ports *ports, const char *name);
static void free_intakes(sl_groove_ports *ports);
static size_t count_ports(void *ctx);
static uint32_t source_of(void *ctx, size_t port);
static bool is_open(void *ctx, size_t port);
static bool is_guest(void *ctx, size_t port);
static void send_frame(void *ctx, size_t port, const uint8_t *frame, size_t length);

sl_err sl_groove_ports_create(sl_groove_ports **out, const sl_groove_ports_options *options)
{
    assert(options->cable_count <= SL_GROOVE_CABLES_MAX);
    sl_groove_ports *ports = calloc(1, sizeof *ports);
    if (ports == NULL) return SL_ERR_MEMORY;
    ports->options = *options;
    ports->source_next = sl_state_source_next(options->state);
    ports->cable_count = options->cable_count;
    for (size_t i = 0; i < ports->cable_count; i++) {
        cable *cable = &ports->cables[i];
        cable->is_named = options->cables[i].is_named;
        snprintf(cable->name, sizeof cable->name, "%s:%s", cable->is_named ? "port" : "midi",
                 options->cables[i].target);
        ports->pasts[i] = find_past(ports, cable->name);
        if (ports->pasts[i].source == SL_SOURCE_SELF) ports->pasts[i].source = ports->source_next++;
        cable->source = ports->pasts[i].source;
        cable->session = ports->pasts[i].session;
    }
    for (size_t i = 0; i < SL_GROOVE_PLACES; i++) {
        sl_midi_intake *intake = &ports->places[i].intake;
        snprintf(intake->name, sizeof intake->name, "ws:%zu", i + 1);
        const past past = find_past(ports, intake->name);
        ports->pasts[ports->cable_count + i] = past;
        intake->start_ns = options->start_ns;
        intake->source = past.source;
        intake->session = past.session;
        if (sl_midi_intake_open(intake) == SL_OK) continue;
        sl_groove_ports_destroy(ports);
        return SL_ERR_MEMORY;
    }
    ports->options.cables = NULL;
    ports->options.state = NULL;
    *out = ports;
    return SL_OK;
}

/* The source so named; or one without a number. */
static past find_past(sl_groove_ports *ports, const char *name)
{
    const sl_source *source = NULL;
    for (size_t i = 0; (source = sl_state_source_at(ports->options.state, i)) != NULL; i++) {
        if (source->input != SL_INPUT_SYSEX || strcmp(source->name, name) != 0) continue;
        return (past){.source = source->number, .session = source->session, .counts = source->counts};
    }
    return (past){.source = SL_SOURCE_SELF};
}

uint32_t sl_groove_ports_source_next(const sl_groove_ports *ports)
{
    return ports->source_next;
}

static sl_err start_cable(sl_groove_ports *ports, cable *cable, sl_sink sink)
{
    const char *target = cable->name + strlen("port:");
    sl_midi_port_options port = {
        .name = cable->name,
        .source = cable->source,
        .session = cable->session,
        .start_ns = ports->options.start_ns,
        .sink = sink,
        .say = ports->options.say,
        .say_ctx = ports->options.ctx,
    };
    sl_err err = cable->is_named ? sl_midi_named_create(target, &port.way) : sl_midi_file_create(target, &port.way);
    return err == SL_OK ? sl_midi_port_start(&cable->port, &port) : err;
}

sl_err sl_groove_ports_start(sl_groove_ports *ports, sl_sink sink)
{
    for (size_t i = 0; i < SL_GROOVE_PLACES; i++) ports->places[i].intake.sink = sink;
    for (size_t i = 0; i < ports->cable_count; i++) {
        sl_err err = start_cable(ports, &ports->cables[i], sink);
        if (err != SL_OK) return err;
    }
    return SL_OK;
}

/* The log is closed, or is about to be. */
static sl_err put_nowhere(void *ctx, const sl_event *draft)
{
    (void)ctx;
    (void)draft;
    return SL_ERR_FULL;
}

void sl_groove_ports_stop(sl_groove_ports *ports, unsigned patience_ms)
{
    for (size_t i = 0; i < SL_GROOVE_PLACES; i++) ports->places[i].intake.sink = (sl_sink){.put = put_nowhere};
    for (size_t i = 0; i < ports->cable_count; i++) sl_midi_port_finish(ports->cables[i].port, patience_ms);
    for (size_t i = 0; i < ports->cable_count; i++) {
        cable *cable = &ports->cables[i];
        if (cable->port != NULL) sl_midi_port_stop(cable->port, &cable->last);
        cable->port = NULL;
    }
}

void sl_groove_ports_destroy(sl_groove_ports *ports)
{
    if (ports == NULL) return;
    sl_groove_ports_stop(ports, 0);
    free_intakes(ports);
    free(ports);
}

static void free_intakes(sl_groove_ports *ports)
{
    for (size_t i = 0; i < SL_GROOVE_PLACES; i++) sl_midi_intake_close(&ports->places[i].intake);
}

sl_midi_port *sl_groove_ports_find(const sl_groove_ports *ports, const char *target, bool is_named)
{
    for (size_t i = 0; i < ports->cable_count; i++) {
        const cable *cable = &ports->cables[i];
        if (cable->is_named == is_named && strcmp(cable->name + strlen("port:"), target) == 0) return cable->port;
    }
    return NULL;
}

sl_groove_outlet sl_groove_ports_outlet(sl_groove_ports *ports)
{
    return (sl_groove_outlet){
        .ctx = ports,
        .count = count_ports,
        .source = source_of,
        .is_open = is_open,
        .is_guest = is_guest,
        .send = send_frame,
    };
}

static size_t count_ports(void *ctx)
{
    const sl_groove_ports *ports = ctx;
    return ports->cable_count + SL_GROOVE_PLACES;
}

static uint32_t source_of(void *ctx, size_t port)
{
    const sl_groove_ports *ports = ctx;
    const size_t cables = ports->cable_count;
    return port < cables ? ports->cables[port].source : ports->places[port - cables].intake.source;
}

static bool is_open(void *ctx, size_t port)
{
    const sl_groove_ports *ports = ctx;
    const size_t cables = ports->cable_count;
    if (port >= cables) return ports->places[port - cables].has_begun;
    return ports->cables[port].port != NULL && sl_midi_port_is_open(ports->cables[port].port);
}

static bool is_guest(void *ctx, size_t port)
{
    const sl_groove_ports *ports = ctx;
    return port >= ports->cable_count;
}

static void send_frame(void *ctx, size_t port, const uint8_t *frame, size_t length)
{
    sl_groove_ports *ports = ctx;
    if (port < ports->cable_count) {
        /* What could not be sent is counted there. */
        if (sl_midi_port_send(ports->cables[port].port, frame, length) != SL_OK) return;
        return;
    }
    place *place = &ports->places[port - ports->cable_count];
    if (ports->options.send(ports->options.ctx, place->subscriber, frame, length)) {
        place->sent++;
    } else {
        place->unsent++;
    }
}

/* The subscriber's place, or a free one that is now its; NULL: there is none. */
static place *find_place(sl_groove_ports *ports, uint64_t subscriber)
{
    place *free_one = NULL;
    for (size_t i = 0; i < SL_GROOVE_PLACES; i++) {
        place *place = &ports->places[i];
        if (place->subscriber == subscriber) return place;
        if (place->subscriber == 0 && free_one == NULL) free_one = place;
    }
    if (free_one != NULL) free_one->subscriber = subscriber;
    return free_one;
}

sl_err sl_groove_ports_receive(sl_groove_ports *ports, uint64_t subscriber, const uint8_t *bytes, size_t length,
                               size_t *taken)
{
    const uint64_t now_ns = sl_clock_boot_ns();
    *taken = 0;
    place *place = find_place(ports, subscriber);
    if (place == NULL) return SL_ERR_BUSY;
    if (!place->has_begun) {
        if (place->intake.source == SL_SOURCE_SELF)
            place->intake.source = ports->options.new_source(ports->options.ctx);
        if (sl_midi_intake_begin(&place->intake, now_ns) != SL_OK) return SL_ERR_FULL;
        place->has_begun = place->was_used = true;
        ports->options.say(ports->options.ctx, place->intake.name, "open", "");
    }
    return sl_midi_intake_take(&place->intake, bytes, length, now_ns, taken);
}

void sl_groove_ports_left(sl_groove_ports *ports, uint64_t subscriber)
{
    for (size_t i = 0; i < SL_GROOVE_PLACES; i++) {
        place *place = &ports->places[i];
        if (place->subscriber != subscriber) continue;
        if (place->has_begun) sl_midi_intake_end(&place->intake, sl_clock_boot_ns());
        if (place->has_begun) ports->options.say(ports->options.ctx, place->intake.name, "closed", "");
        place->subscriber = 0;
        place->has_begun = false;
    }
}

static sl_midi_counts counts_of(const sl_groove_ports *ports, size_t port)
{
    if (port < ports->cable_count) {
        const cable *cable = &ports->cables[port];
        return cable->port != NULL ? sl_midi_port_counts(cable->port) : cable->last;
    }
    const place *place = &ports->places[port - ports->cable_count];
    return (sl_midi_counts){
        .received = atomic_load_explicit(&place->intake.received, memory_order_relaxed),
        .processed = atomic_load_explicit(&place->intake.processed, memory_order_relaxed),
        .refused = atomic_load_explicit(&place->intake.refused, memory_order_relaxed),
        .dropped = atomic_load_explicit(&place->intake.dropped, memory_order_relaxed),
        .sent = place->sent,
        .unsent = place->unsent,
    };
}

static bool was_used(const sl_groove_ports *ports, size_t port)
{
    return port < ports->cable_count || ports->places[port - ports->cable_count].was_used;
}

bool sl_groove_ports_counters(sl_groove_ports *ports, sl_counters *counters)
{
    bool is_changed = false;
    const size_t count = ports->cable_count + SL_GROOVE_PLACES;
    for (size_t i = 0; i < count && counters->count < SL_SOURCES_MAX + 1; i++) {
        const sl_midi_counts now = counts_of(ports, i);
        const sl_source_counts *before = &ports->pasts[i].counts;
        if (!was_used(ports, i)) continue;
        const uint64_t told = now.received + now.sent + now.unsent;
        if (told != ports->told[i]) is_changed = true;
        ports->told[i] = told;
        counters->sources[counters->count++] = (sl_source_counts){
            .source = source_of(ports, i),
            .received = before->received + now.received,
            .processed = before->processed + now.processed,
            .dropped = before->dropped + now.dropped,
            .parse_errors = before->parse_errors + now.refused,
        };
    }
    return is_changed;
}

sl_groove_figures sl_groove_ports_figures(const sl_groove_ports *ports)
{
    sl_groove_figures figures = {0};
    const size_t count = ports->cable_count + SL_GROOVE_PLACES;
    for (size_t i = 0; i < count; i++) {
        const sl_midi_counts now = counts_of(ports, i);
        if (is_open((void *)ports, i)) figures.ports++;
        figures.frames_in += now.processed;
        figures.frames_out += now.sent;
        figures.refused += now.refused + now.dropped + now.unsent;
    }
    return figures;
}

static void write_figure(sl_text *text, const char *name, uint64_t value)
{
    sl_text_string(text, ",\"");
    sl_text_string(text, name);
    sl_text_string(text, "\":");
    sl_text_u64(text, value);
}

void sl_groove_ports_write(const sl_groove_ports *ports, sl_text *text)
{
    const size_t count = ports->cable_count + SL_GROOVE_PLACES;
    const char *separator = "";
    sl_text_string(text, "[");
    for (size_t i = 0; i < count; i++) {
        if (!was_used(ports, i)) continue;
        const size_t cables = ports->cable_count;
        const char *name = i < cables ? ports->cables[i].name : ports->places[i - cables].intake.name;
        const sl_midi_counts now = counts_of(ports, i);
        sl_text_string(text, separator);
        sl_text_string(text, "{\"name\":");
        sl_text_json(text, name, strlen(name));
        write_figure(text, "source", source_of((void *)ports, i));
        sl_text_string(text, is_open((void *)ports, i) ? ",\"is_open\":true" : ",\"is_open\":false");
        write_figure(text, "received", now.received);
        write_figure(text, "processed", now.processed);
        write_figure(text, "refused", now.refused);
        write_figure(text, "dropped", now.dropped);
        write_figure(text, "sent", now.sent);
        write_figure(text, "unsent", now.unsent);
        write_figure(text, "queue_bytes", now.queue_bytes);
        write_figure(text, "queue_max", now.queue_max);
        sl_text_string(text, "}");
        separator = ",";
    }
    sl_text_string(text, "]");
}
