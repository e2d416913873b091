/*
 * Any bytes as the records of a log, in the form of `log export --raw`: no payload is read beyond its end, every event
 * is taken, whoever listens gets valid JSON and changes nothing by listening, and a state that is saved and loaded goes
 * on as the one that was not.
 *
 * Numbers and checksums are set right before an event is taken, or nothing but noise would get past them.
 */
#include "core/bytes.h"
#include "core/message.h"
#include "core/payload.h"
#include "core/picture.h"
#include "core/state_codec.h"
#include "tests/fuzz/fuzz.h"

enum {
    EVENTS_MAX = 256,
    RELOAD_EVERY = 8,
    MESSAGES_BYTES_MAX = 4 << 20 /* beyond which they are no longer checked: a big tree's */
};

/* The same events go into both. */
typedef struct pair {
    sl_state *told;   // somebody listens
    sl_state *silent; // nobody does
    size_t message_bytes;
} pair;

static bool read_event(sl_reader *reader, const uint8_t id[SL_LOG_ID_BYTES], uint64_t seq, sl_event *out);
static void check_record(const sl_event *event, const uint8_t id[SL_LOG_ID_BYTES]);
static void check_payload(const sl_event *event);
static void check_saved(const uint8_t *bytes, size_t length);
static void check_changed(const sl_state *state, const sl_event *event);
static sl_state *reload(sl_state *state);
static void take(pair *pair, const sl_event *event);
static void check_message(void *ctx, const sl_state *state, const sl_effect *effect);
static void check_texts(const pair *pair);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    pair pair = {0};
    require(sl_state_create(sl_host_memory(), &pair.told) == SL_OK);
    require(sl_state_create(sl_host_memory(), &pair.silent) == SL_OK);
    sl_reader reader = {.bytes = data, .length = size};
    const uint8_t *id = sl_read_view(&reader, SL_LOG_ID_BYTES);
    sl_event event;
    for (uint64_t seq = 1; seq <= EVENTS_MAX && read_event(&reader, id, seq, &event); seq++) {
        check_record(&event, id);
        check_payload(&event);
        take(&pair, &event);
    }
    require(sl_digest_equal(state_digest(pair.told), state_digest(pair.silent)));
    check_texts(&pair);
    sl_state_destroy(pair.told);
    sl_state_destroy(pair.silent);
    return 0;
}

static bool read_event(sl_reader *reader, const uint8_t id[SL_LOG_ID_BYTES], uint64_t seq, sl_event *out)
{
    sl_read_le(reader, 8); /* the number */
    const uint8_t *header = sl_read_view(reader, SL_RECORD_HEADER_BYTES);
    if (header == NULL || sl_record_decode(header, SL_RECORD_HEADER_BYTES, out) != SL_OK) return false;
    const size_t rest = reader->length - reader->position;
    if (out->length > rest) out->length = (uint32_t)rest; /* a cut payload is one more to be taken */
    out->seq = seq;
    out->payload = sl_read_view(reader, out->length);
    sl_err err = sl_record_check(out, id, header);
    require(err == SL_OK || err == SL_ERR_CORRUPT);
    return true;
}

static void check_record(const sl_event *event, const uint8_t id[SL_LOG_ID_BYTES])
{
    uint8_t header[SL_RECORD_HEADER_BYTES];
    sl_record_encode(event, id, header);
    sl_event again;
    require(sl_record_decode(header, sizeof header, &again) == SL_OK);
    again.seq = event->seq;
    again.payload = event->payload;
    require(sl_record_check(&again, id, header) == SL_OK);
    require(again.kind == event->kind && again.version == event->version && again.source == event->source);
    require(again.session == event->session && again.source_seq == event->source_seq);
    require(again.time_ns == event->time_ns && again.length == event->length);
    again.seq++;
    require(sl_record_check(&again, id, header) == SL_ERR_CORRUPT);
}

/* Every decoder reads every payload: what it accepts, it must be able to write again. */
static void check_payload(const sl_event *event)
{
    static uint8_t bytes[1 << 20];
    sl_writer writer = {.bytes = bytes, .capacity = sizeof bytes};
    union {
        sl_start start;
        sl_session session;
        sl_counters counters;
        sl_checkpoint checkpoint;
        sl_refused refused;
        sl_gave_up gave_up;
        sl_base base;
        sl_paused paused;
    } as;
    if (sl_start_decode(event, &as.start) == SL_OK) require(sl_start_encode(&as.start, &writer) == SL_OK);
    if (sl_session_decode(event, &as.session) == SL_OK) require(sl_session_encode(&as.session, &writer) == SL_OK);
    if (sl_counters_decode(event, &as.counters) == SL_OK) require(sl_counters_encode(&as.counters, &writer) == SL_OK);
    if (sl_checkpoint_decode(event, &as.checkpoint) == SL_OK) {
        require(sl_checkpoint_encode(&as.checkpoint, &writer) == SL_OK);
    }
    if (sl_refused_decode(event, &as.refused) == SL_OK) require(sl_refused_encode(&as.refused, &writer) == SL_OK);
    if (sl_gave_up_decode(event, &as.gave_up) == SL_OK) require(sl_gave_up_encode(&as.gave_up, &writer) == SL_OK);
    if (sl_paused_decode(event, &as.paused) == SL_OK) require(sl_paused_encode(&as.paused, &writer) == SL_OK);
    if (sl_base_decode(event, &as.base) == SL_OK) {
        require(sl_base_encode(&as.base, &writer) == SL_OK);
        check_saved(as.base.state, as.base.state_length);
    }
}

/* Bytes that may be a saved state: one that is taken must be as good as any other. */
static void check_saved(const uint8_t *bytes, size_t length)
{
    sl_state *state = NULL;
    if (sl_state_load(bytes, length, sl_host_memory(), &state) != SL_OK) return;
    state = reload(state);
    sl_state_destroy(state);
}

/* The bytes of a real state with some of them changed: the payload's, from where the event's time says. */
static void check_changed(const sl_state *state, const sl_event *event)
{
    sl_text bytes;
    sl_text_open(&bytes, sl_host_memory());
    require(sl_state_save(state, &bytes) == SL_OK && bytes.length > 0);
    const size_t begin = (size_t)(event->time_ns % bytes.length);
    for (size_t i = 0; i < event->length && begin + i < bytes.length; i++) {
        bytes.bytes[begin + i] = (char)(bytes.bytes[begin + i] ^ event->payload[i]);
    }
    check_saved((const uint8_t *)bytes.bytes, bytes.length);
    sl_text_close(&bytes);
}

/* The state that its own bytes give; the given one is gone. */
static sl_state *reload(sl_state *state)
{
    const sl_digest digest = state_digest(state);
    sl_text bytes;
    sl_text_open(&bytes, sl_host_memory());
    require(sl_state_save(state, &bytes) == SL_OK && !bytes.bad);
    sl_state_destroy(state);
    require(sl_state_load((const uint8_t *)bytes.bytes, bytes.length, sl_host_memory(), &state) == SL_OK);
    require(sl_digest_equal(state_digest(state), digest));
    sl_text_close(&bytes);
    return state;
}

static void take(pair *pair, const sl_event *event)
{
    if (event->seq % RELOAD_EVERY == 0) pair->silent = reload(pair->silent);
    if (event->kind == SL_KIND_BASE) check_changed(pair->silent, event);
    const sl_output output = {.tell = check_message, .ctx = pair};
    require(sl_reduce(pair->told, event, &output) == SL_OK);
    require(sl_reduce(pair->silent, event, NULL) == SL_OK);
    require(sl_state_seq(pair->told) == event->seq);
    if (event->kind != SL_KIND_PICTURE) return;
    sl_picture_error error = {0};
    sl_err err = sl_picture_check(event->payload, event->length, sl_host_memory(), &error);
    require(err == SL_OK || (err == SL_ERR_REFUSED && error.what != NULL));
}

static void check_message(void *ctx, const sl_state *state, const sl_effect *effect)
{
    pair *pair = ctx;
    if (pair->message_bytes > MESSAGES_BYTES_MAX) return;
    sl_text text;
    sl_text_open(&text, sl_host_memory());
    sl_message_effect(&text, state, effect);
    require(!text.bad);
    if (text.length > 0) sl_message_close(&text, sl_state_seq(state));
    if (text.length > 0) require_json(text.bytes, text.length);
    pair->message_bytes += text.length;
    sl_text_close(&text);
}

/* What is told of the state at the end. */
static void check_texts(const pair *pair)
{
    if (pair->message_bytes > MESSAGES_BYTES_MAX) return;
    sl_text text;
    sl_text_open(&text, sl_host_memory());
    sl_message_stat(&text, pair->told, "");
    require(!text.bad);
    require_json(text.bytes, text.length);
    sl_text_clear(&text);
    sl_text_node(&text, sl_state_tree_view(pair->told), sl_tree_project(sl_state_tree_view(pair->told)), -1);
    require(!text.bad);
    require_json(text.bytes, text.length);
    sl_text_close(&text);
}
