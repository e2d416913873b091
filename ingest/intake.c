/* The way of a datagram, and of what time brings. */
#include "ingest/intake.h"

#include "core/payload.h"
#include "ingest/resend.h"

#include <arpa/inet.h>
#include <assert.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

enum { REPORT_BYTES = 256, REQUEST_BYTES = SL_RESEND_BYTES_BEGIN + SL_PEERS_ASK_HOLES * SL_RESEND_BYTES_EACH };

/* What the callbacks of a tick need. */
typedef struct tick_context {
    sl_intake *intake;
    uint64_t now_ns;
} tick_context;

static bool put_session(sl_intake *intake, const sl_peer_verdict *verdict, uint64_t now_ns);
static bool put(sl_intake *intake, const sl_event *draft);
static void hand_snapshot(sl_intake *intake, const sl_event *draft);
static void refuse(sl_intake *intake, const struct sockaddr_in *from, sl_osc_fault fault, unsigned kind,
                   const char *what);
static bool on_give_up(void *ctx, uint32_t source, uint64_t session, uint64_t through);
static void on_ask(void *ctx, const struct sockaddr_in *to, const sl_hole *holes, size_t count);
static bool on_settle(void *ctx, uint32_t source, uint64_t session, uint64_t through);

void sl_intake_take(sl_intake *intake, const struct sockaddr_in *from, const uint8_t *packet, size_t length,
                    uint64_t now_ns)
{
    sl_osc_error error;
    if (!sl_osc_check(packet, length, &error)) {
        refuse(intake, from, error.fault, error.fault, sl_osc_fault_text(error.fault));
        return;
    }
    sl_datagram datagram;
    sl_datagram_fault fault = sl_datagram_read(packet, length, &datagram);
    if (fault != SL_DATAGRAM_FAULT_NONE) {
        sl_osc_fault counted = fault == SL_DATAGRAM_FAULT_WRAPPER ? SL_OSC_FAULT_TAGS : SL_OSC_FAULT_BUNDLE;
        refuse(intake, from, counted, SL_OSC_FAULT_COUNT + (unsigned)fault, sl_datagram_fault_text(fault));
        return;
    }
    uint32_t checksum = sl_crc32c(0, packet, length);
    sl_peer_verdict verdict = sl_peers_judge(intake->peers, from, &datagram, checksum, now_ns);
    if (verdict.is_dropped) return;
    sl_event draft = {.kind = SL_KIND_OSC,
                      .version = SL_PAYLOAD_VERSION,
                      .source = verdict.source,
                      .session = verdict.session,
                      .source_seq = verdict.source_seq,
                      .time_ns = now_ns - intake->start_ns,
                      .payload = packet,
                      .length = (uint32_t)length};
    if ((verdict.is_new && !put_session(intake, &verdict, now_ns)) || !put(intake, &draft)) {
        sl_peers_drop(intake->peers);
        return;
    }
    sl_peers_take(intake->peers, now_ns);
    if (datagram.has_snapshot && intake->snapshot != NULL) hand_snapshot(intake, &draft);
}

uint64_t sl_intake_tick(sl_intake *intake, uint64_t now_ns)
{
    tick_context context = {.intake = intake, .now_ns = now_ns};
    const sl_peers_output output = {.give_up = on_give_up, .ask = on_ask, .settle = on_settle, .ctx = &context};
    return sl_peers_tick(intake->peers, now_ns, &output);
}

void sl_intake_faults(const sl_intake *intake, uint64_t counts[SL_OSC_FAULT_COUNT])
{
    for (size_t i = 0; i < SL_OSC_FAULT_COUNT; i++)
        counts[i] = atomic_load_explicit(&intake->faults[i], memory_order_relaxed);
}

static bool put(sl_intake *intake, const sl_event *draft)
{
    if (sl_ring_put(intake->ring, draft) != SL_OK) return false;
    intake->is_anything_put = true;
    return true;
}

/* Puts the event that names a source, or says that its sender began anew. */
static bool put_session(sl_intake *intake, const sl_peer_verdict *verdict, uint64_t now_ns)
{
    uint8_t payload[1 + 1 + 4 + SL_NAME_BYTES_MAX];
    sl_writer writer = {.bytes = payload, .capacity = sizeof payload};
    sl_session session = {.input = SL_INPUT_OSC,
                          .has_hello = verdict->has_hello,
                          .name = verdict->name,
                          .name_length = strlen(verdict->name)};
    sl_err err = sl_session_encode(&session, &writer);
    assert(err == SL_OK);
    sl_event draft = {.kind = SL_KIND_SESSION,
                      .version = SL_SESSION_VERSION,
                      .source = verdict->source,
                      .session = verdict->session,
                      .source_seq = SL_SOURCE_SEQ_NONE,
                      .time_ns = now_ns - intake->start_ns,
                      .payload = payload,
                      .length = (uint32_t)writer.length};
    if (!put(intake, &draft)) return false;
    sl_peers_name(intake->peers);
    return true;
}

/* Hands the parts of a snapshot in a datagram, each with its own number, to those who make a picture of them; they want
 * to know when no part can come any more. */
static void hand_snapshot(sl_intake *intake, const sl_event *draft)
{
    sl_osc_walk walk = sl_osc_walk_begin(draft->payload, draft->length);
    sl_osc_message message;
    while (sl_osc_walk_next(&walk, &message)) {
        sl_event part = *draft;
        sl_osc_message inner = sl_datagram_unwrap(&message, &part.source_seq);
        if (!sl_datagram_is_snapshot(&inner)) continue;
        sl_snapshot_take(intake->snapshot, &part, &inner);
        uint64_t last;
        if (sl_snapshot_last(&part, &inner, &last)) sl_peers_watch(intake->peers, last);
    }
}

static bool on_give_up(void *ctx, uint32_t source, uint64_t session, uint64_t through)
{
    const tick_context *context = ctx;
    uint8_t payload[8];
    sl_writer writer = {.bytes = payload, .capacity = sizeof payload};
    sl_err err = sl_gave_up_encode(&(sl_gave_up){.through = through}, &writer);
    assert(err == SL_OK);
    sl_event draft = {.kind = SL_KIND_GAVE_UP,
                      .version = SL_PAYLOAD_VERSION,
                      .source = source,
                      .session = session,
                      .source_seq = SL_SOURCE_SEQ_NONE,
                      .time_ns = context->now_ns - context->intake->start_ns,
                      .payload = payload,
                      .length = (uint32_t)writer.length};
    return put(context->intake, &draft);
}

static void on_ask(void *ctx, const struct sockaddr_in *to, const sl_hole *holes, size_t count)
{
    const tick_context *context = ctx;
    const sl_intake *intake = context->intake;
    uint8_t request[REQUEST_BYTES];
    size_t length;
    if (intake->send == NULL || sl_resend_build(holes, count, request, sizeof request, &length) != SL_OK) return;
    intake->send(intake->send_ctx, to, request, length);
}

static bool on_settle(void *ctx, uint32_t source, uint64_t session, uint64_t through)
{
    const tick_context *context = ctx;
    return sl_snapshot_settle(context->intake->snapshot, source, session, through);
}

/* Counts a malformed datagram as `fault`, and tells of the first of its `kind`. */
static void refuse(sl_intake *intake, const struct sockaddr_in *from, sl_osc_fault fault, unsigned kind,
                   const char *what)
{
    assert(kind < SL_INTAKE_FAULTS);
    atomic_fetch_add_explicit(&intake->faults[fault], 1, memory_order_relaxed);
    sl_peers_count_malformed(intake->peers, from);
    if (intake->is_reported[kind] || intake->report == NULL) return;
    intake->is_reported[kind] = true;
    char address[INET_ADDRSTRLEN];
    inet_ntop(AF_INET, &from->sin_addr, address, sizeof address);
    char reason[REPORT_BYTES];
    snprintf(reason, sizeof reason, "%s:%u sent a datagram that is not taken: %s (more of this kind are only counted)",
             address, ntohs(from->sin_port), what);
    intake->report(intake->report_ctx, reason);
}
