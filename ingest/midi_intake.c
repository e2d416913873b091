/* From the bytes of one connection to drafts of events. */
#include "ingest/midi_intake.h"

#include <assert.h>
#include <stdatomic.h>
#include <string.h>

static sl_err put_waiting(sl_midi_intake *intake, uint64_t now_ns);
static sl_err put_refused(sl_midi_intake *intake, sl_midi_finding finding, uint64_t now_ns);
static sl_err put(const sl_midi_intake *intake, sl_event draft, const void *payload, size_t length);

static void count(_Atomic uint64_t *counter)
{
    /* One writer, so that reading and writing apart will do. */
    const uint64_t before = atomic_load_explicit(counter, memory_order_relaxed);
    atomic_store_explicit(counter, before + 1, memory_order_relaxed);
}

sl_err sl_midi_intake_open(sl_midi_intake *intake)
{
    return sl_midi_parser_create(&intake->parser);
}

void sl_midi_intake_close(sl_midi_intake *intake)
{
    sl_midi_parser_destroy(intake->parser);
    intake->parser = NULL;
}

sl_err sl_midi_intake_begin(sl_midi_intake *intake, uint64_t now_ns)
{
    uint8_t bytes[16 + SL_NAME_BYTES_MAX];
    sl_writer writer = {.bytes = bytes, .capacity = sizeof bytes};
    const sl_session session = {.input = SL_INPUT_SYSEX, .name = intake->name, .name_length = strlen(intake->name)};
    sl_err err = sl_session_encode(&session, &writer);
    assert(err == SL_OK);
    intake->session++;
    err = put(intake, (sl_event){.kind = SL_KIND_SESSION, .version = SL_SESSION_VERSION, .time_ns = now_ns},
              writer.bytes, writer.length);
    if (err != SL_OK) intake->session--;
    if (err == SL_OK) (void)sl_midi_parser_reset(intake->parser);
    return err;
}

sl_err sl_midi_intake_take(sl_midi_intake *intake, const uint8_t *bytes, size_t length, uint64_t now_ns, size_t *taken)
{
    *taken = 0;
    for (;;) {
        if (put_waiting(intake, now_ns) != SL_OK) return SL_ERR_FULL;
        if (*taken == length) return SL_OK;
        size_t more = 0;
        intake->waiting = sl_midi_parser_take(intake->parser, bytes + *taken, length - *taken, &more);
        *taken += more;
        if (intake->waiting != SL_MIDI_NOTHING) count(&intake->received);
    }
}

/* Puts what was found last, if it still has to be. */
static sl_err put_waiting(sl_midi_intake *intake, uint64_t now_ns)
{
    const sl_midi_finding finding = intake->waiting;
    if (finding == SL_MIDI_NOTHING) return SL_OK;
    sl_err err = SL_OK;
    if (finding == SL_MIDI_FRAME) {
        size_t length = 0;
        const uint8_t *frame = sl_midi_parser_frame(intake->parser, &length);
        err = put(intake, (sl_event){.kind = SL_KIND_SYSEX, .version = SL_PAYLOAD_VERSION, .time_ns = now_ns}, frame,
                  length);
    } else {
        err = put_refused(intake, finding, now_ns);
    }
    if (err != SL_OK) return err;
    count(finding == SL_MIDI_FRAME ? &intake->processed : &intake->refused);
    intake->waiting = SL_MIDI_NOTHING;
    return SL_OK;
}

static sl_err put_refused(sl_midi_intake *intake, sl_midi_finding finding, uint64_t now_ns)
{
    if (now_ns < intake->refused_next_ns) return SL_OK;
    uint8_t bytes[128];
    sl_writer writer = {.bytes = bytes, .capacity = sizeof bytes};
    const char *reason = sl_midi_finding_text(finding);
    const sl_refused refused = {.kind = SL_KIND_SYSEX, .reason = reason, .reason_length = strlen(reason)};
    sl_err err = sl_refused_encode(&refused, &writer);
    assert(err == SL_OK);
    err = put(intake, (sl_event){.kind = SL_KIND_REFUSED, .version = SL_PAYLOAD_VERSION, .time_ns = now_ns},
              writer.bytes, writer.length);
    if (err == SL_OK) intake->refused_next_ns = now_ns + SL_MIDI_REFUSED_EVERY_NS;
    return err;
}

/* `draft.time_ns` is absolute here. */
static sl_err put(const sl_midi_intake *intake, sl_event draft, const void *payload, size_t length)
{
    draft.source = intake->source;
    draft.session = intake->session;
    draft.source_seq = SL_SOURCE_SEQ_NONE;
    draft.time_ns -= intake->start_ns;
    draft.payload = payload;
    draft.length = (uint32_t)length;
    return intake->sink.put(intake->sink.ctx, &draft);
}

void sl_midi_intake_end(sl_midi_intake *intake, uint64_t now_ns)
{
    if (intake->waiting != SL_MIDI_NOTHING) count(&intake->dropped);
    intake->waiting = SL_MIDI_NOTHING;
    if (!sl_midi_parser_reset(intake->parser)) return;
    count(&intake->received);
    count(&intake->refused);
    if (put_refused(intake, SL_MIDI_ABORTED, now_ns) != SL_OK) return; /* it is counted; the log can do without */
}
