/* An event as a line for people and as the JSON object of export. The other texts are in core/message.c. */
#include "core/live_code.h"
#include "core/message.h"
#include "core/osc.h"
#include "core/payload.h"
#include "core/picture.h"
#include "core/sound_events.h"
#include "core/sysex.h"

#include <math.h> /* INFINITY alone */
#include <string.h>

enum {
    WORDS_BYTES_MAX = 1000, /* of one event; what follows is cut off */
    TEXT_BYTES_MAX = 200,   /* of one text inside them */
    SYSEX_BYTES_SHOWN = 32, /* of a frame that is not ours */
};

#define NS_PER_MS 1000000U
#define NS_PER_S 1000000000U

typedef struct words {
    sl_text *text;
    size_t begin; /* length of `text` before the words */
} words;

/* Says what a payload holds; an error where it does not follow its format. */
typedef sl_err say_payload(words *out, const sl_event *event);

static say_payload say_start;
static say_payload say_counters;
static say_payload say_session;
static say_payload say_osc;
static say_payload say_picture;
static say_payload say_refused;
static say_payload say_checkpoint;
static say_payload say_mark;
static say_payload say_nothing;
static say_payload say_gave_up;
static say_payload say_base;
static say_payload say_paused;
static say_payload say_sysex;
static say_payload say_sysex_sent;
static say_payload say_setlists;
static say_payload say_save;
static say_payload say_code;
static say_payload say_score;
static say_payload say_transport;
static say_payload say_applied;
static say_payload say_parameter;
static say_payload say_player;
static say_payload say_heard;
static say_payload say_processor;

static say_payload *const sayers[] = {
    [SL_KIND_START] = say_start,
    [SL_KIND_COUNTERS] = say_counters,
    [SL_KIND_SESSION] = say_session,
    [SL_KIND_OSC] = say_osc,
    [SL_KIND_PICTURE] = say_picture,
    [SL_KIND_REFUSED] = say_refused,
    [SL_KIND_CHECKPOINT] = say_checkpoint,
    [SL_KIND_MARK] = say_mark,
    [SL_KIND_ORDER_SETTLED] = say_nothing,
    [SL_KIND_GAVE_UP] = say_gave_up,
    [SL_KIND_BASE] = say_base,
    [SL_KIND_LOST] = say_nothing,
    [SL_KIND_PAUSED] = say_paused,
    [SL_KIND_SYSEX] = say_sysex,
    [SL_KIND_SYSEX_SENT] = say_sysex_sent,
    [SL_KIND_GROOVE_EDIT] = say_mark,
    [SL_KIND_SETLISTS] = say_setlists,
    [SL_KIND_SAVE] = say_save,
    [SL_KIND_CODE] = say_code,
    [SL_KIND_SCORE] = say_score,
    [SL_KIND_TRANSPORT] = say_transport,
    [SL_KIND_APPLIED] = say_applied,
    [SL_KIND_PARAMETER] = say_parameter,
    [SL_KIND_PLAYER] = say_player,
    [SL_KIND_HEARD] = say_heard,
    [SL_KIND_PROCESSOR] = say_processor,
};

static void say_event(sl_text *text, const sl_event *event);
static void say_source(sl_text *text, const sl_event *event, const sl_state *state);
static void say_message(words *out, const sl_osc_message *message);
static void say_argument(words *out, const sl_osc_argument *argument);
static void say_address(words *out, const char *address, size_t length);
static void say_double(sl_text *text, double value);
static void say_text(words *out, const char *bytes, size_t length);
static void say_count(words *out, const char *name, uint64_t count);
static void say_padded(sl_text *text, uint64_t value, unsigned digits);
static bool is_full(const words *out);

void sl_text_event(sl_text *text, const sl_event *event, const sl_state *state)
{
    sl_text_u64(text, event->seq);
    sl_text_string(text, " +");
    sl_text_u64(text, event->time_ns / NS_PER_S);
    sl_text_string(text, ".");
    say_padded(text, event->time_ns / NS_PER_MS % 1000, 3);
    sl_text_string(text, "s ");
    sl_text_string(text, sl_kind_name(event->kind));
    sl_text_string(text, " ");
    say_source(text, event, state);
    size_t before = text->length;
    sl_text_string(text, " ");
    say_event(text, event);
    if (!text->bad && text->length == before + 1) text->length = before;
}

/* session is written as a signed number, which every JSON reader takes; a source_seq that is none as null. */
void sl_text_event_json(sl_text *text, const sl_event *event, const sl_state *state)
{
    (void)state; /* the words of a payload need no names */
    sl_text_string(text, "{\"seq\":");
    sl_text_u64(text, event->seq);
    sl_text_string(text, ",\"time_ns\":");
    sl_text_u64(text, event->time_ns);
    sl_text_string(text, ",\"kind\":");
    sl_text_u64(text, event->kind);
    sl_text_string(text, ",\"version\":");
    sl_text_u64(text, event->version);
    sl_text_string(text, ",\"source\":");
    sl_text_u64(text, event->source);
    sl_text_string(text, ",\"session\":");
    sl_text_i64(text, (int64_t)event->session);
    sl_text_string(text, ",\"source_seq\":");
    if (event->source_seq == SL_SOURCE_SEQ_NONE) {
        sl_text_string(text, "null");
    } else {
        sl_text_i64(text, (int64_t)event->source_seq);
    }
    sl_text_string(text, ",\"payload\":\"");
    sl_text_hex(text, event->payload, event->length);
    sl_text_string(text, "\",\"text\":");

    sl_text said;
    sl_text_open(&said, text->memory);
    say_event(&said, event);
    if (said.bad) text->bad = true;
    sl_text_json(text, said.bytes, said.length);
    sl_text_close(&said);
    sl_text_string(text, "}");
}

static void say_event(sl_text *text, const sl_event *event)
{
    words out = {.text = text, .begin = text->length};
    bool is_known = event->kind <= SL_KIND_LAST && sayers[event->kind] != NULL;
    sl_err err = is_known ? sayers[event->kind](&out, event) : SL_ERR_NOT_FOUND;
    if (err == SL_OK) return;
    if (!text->bad) text->length = out.begin;
    if (!is_known) {
        sl_text_string(text, "kind ");
        sl_text_u64(text, event->kind);
    } else {
        sl_text_string(text, sl_err_text(err));
    }
    sl_text_string(text, ", ");
    sl_text_u64(text, event->length);
    sl_text_string(text, " bytes");
}

static void say_source(sl_text *text, const sl_event *event, const sl_state *state)
{
    const sl_source *source = state != NULL ? sl_state_source(state, event->source) : NULL;
    if (source != NULL && source->name[0] != '\0') {
        words out = {.text = text, .begin = text->length};
        say_address(&out, source->name, strlen(source->name));
    } else if (event->source == SL_SOURCE_SELF) {
        sl_text_string(text, "symlog");
    } else {
        sl_text_string(text, "source-");
        sl_text_u64(text, event->source);
    }
}

static sl_err say_start(words *out, const sl_event *event)
{
    sl_start start;
    sl_err err = sl_start_decode(event, &start);
    if (err != SL_OK) return err;
    say_text(out, start.program, start.program_length);
    say_count(out, " reducer", start.reducer_version);
    sl_text_string(out->text, " wall_ns ");
    sl_text_i64(out->text, start.wall_ns);
    sl_text_string(out->text, " options ");
    say_text(out, start.options, start.options_length);
    return SL_OK;
}

static sl_err say_counters(words *out, const sl_event *event)
{
    sl_counters counters;
    sl_err err = sl_counters_decode(event, &counters);
    if (err != SL_OK) return err;
    sl_source_counts total = {0};
    for (uint32_t i = 0; i < counters.count; i++) {
        const sl_source_counts *counts = &counters.sources[i];
        total.received += counts->received;
        total.processed += counts->processed;
        total.dropped += counts->dropped;
        total.parse_errors += counts->parse_errors;
        total.duplicates += counts->duplicates;
    }
    say_count(out, "sources", counters.count);
    say_count(out, ", received", total.received);
    say_count(out, ", processed", total.processed);
    say_count(out, ", dropped", total.dropped);
    say_count(out, ", parse errors", total.parse_errors);
    say_count(out, ", duplicates", total.duplicates);
    say_count(out, ", kernel drops", counters.kernel_drops);
    say_count(out, ", refused unnamed", counters.refused_unnamed);
    return SL_OK;
}

static sl_err say_session(words *out, const sl_event *event)
{
    static const char *const inputs[] = {
        [SL_INPUT_SELF] = "self ",   [SL_INPUT_OSC] = "osc ",         [SL_INPUT_CLIENT] = "client ",
        [SL_INPUT_SYSEX] = "sysex ", [SL_INPUT_PROJECT] = "project ",
    };
    sl_session session;
    sl_err err = sl_session_decode(event, &session);
    if (err != SL_OK) return err;
    sl_text_string(out->text, inputs[session.input]);
    say_text(out, session.name, session.name_length);
    say_count(out, " session", event->session);
    if (session.has_hello) sl_text_string(out->text, " hello");
    return SL_OK;
}

static sl_err say_osc(words *out, const sl_event *event)
{
    if (!sl_osc_check(event->payload, event->length, NULL)) return SL_ERR_MALFORMED;
    sl_osc_walk walk = sl_osc_walk_begin(event->payload, event->length);
    sl_osc_message message;
    bool is_first = true;
    while (sl_osc_walk_next(&walk, &message)) {
        if (!is_first) sl_text_string(out->text, " | ");
        is_first = false;
        if (is_full(out)) {
            sl_text_string(out->text, "…");
            break;
        }
        say_message(out, &message);
    }
    if (is_first) sl_text_string(out->text, "an empty bundle");
    return SL_OK;
}

static sl_err say_picture(words *out, const sl_event *event)
{
    size_t begin = event->version == SL_PICTURE_SAVE_VERSION ? 8 : 0;
    if (event->length < begin + 4) return SL_ERR_MALFORMED;
    say_count(out, "nodes", sl_get_le(event->payload + begin, 4));
    say_count(out, ", bytes", event->length);
    return SL_OK;
}

static sl_err say_save(words *out, const sl_event *event)
{
    sl_save save;
    sl_err err = sl_save_decode(event, &save);
    if (err != SL_OK) return err;
    sl_text_json(out->text, save.path, save.path_length);
    say_count(out, ", bytes", save.length);
    return SL_OK;
}

static sl_err say_refused(words *out, const sl_event *event)
{
    sl_refused refused;
    sl_err err = sl_refused_decode(event, &refused);
    if (err != SL_OK) return err;
    sl_text_string(out->text, sl_kind_name(refused.kind));
    sl_text_string(out->text, ": ");
    say_text(out, refused.reason, refused.reason_length);
    if (refused.line > 0) say_count(out, " line", refused.line);
    if (refused.column > 0) say_count(out, " column", refused.column);
    return SL_OK;
}

static void say_quantize(words *out, uint8_t quantize)
{
    if (quantize == SL_QUANTIZE_DEFAULT) return;
    sl_text_string(out->text, " quantize ");
    sl_text_string(out->text, quantize == SL_QUANTIZE_OFF ? "off" : quantize == SL_QUANTIZE_BEAT ? "beat" : "bar");
}

static sl_err say_code(words *out, const sl_event *event)
{
    sl_code code;
    sl_err err = sl_code_decode(event, &code);
    if (err != SL_OK) return err;
    say_text(out, code.buffer, code.buffer_length);
    say_quantize(out, code.quantize);
    sl_text_string(out->text, " ");
    say_text(out, code.source, code.source_length);
    return SL_OK;
}

static sl_err say_score(words *out, const sl_event *event)
{
    sl_score_error error;
    sl_score_head head;
    const char *what;
    sl_err err = sl_score_check(event, &error);
    sl_reader reader = {.bytes = event->payload, .length = event->length};
    if (err == SL_OK) err = sl_score_read_head(&reader, &head, &what);
    if (err != SL_OK) return err;
    say_text(out, head.buffer, head.buffer_length);
    say_count(out, " of", head.code_seq);
    say_quantize(out, head.quantize);
    sl_text_string(out->text, head.replaces ? " replaces, tracks" : " tracks");
    for (unsigned i = 0; i < head.track_count && !is_full(out); i++) {
        sl_score_track track;
        err = sl_score_read_track(&reader, &track, &what);
        if (err != SL_OK) return err;
        sl_text_string(out->text, " ");
        say_text(out, track.name, track.name_length);
    }
    return SL_OK;
}

static sl_err say_transport(words *out, const sl_event *event)
{
    sl_transport transport;
    sl_err err = sl_transport_decode(event, &transport);
    if (err != SL_OK) return err;
    sl_text_string(out->text, sl_transport_action_name(transport.action));
    bool has_value = transport.action == SL_TRANSPORT_TEMPO || transport.action == SL_TRANSPORT_CHANNEL;
    if (has_value) sl_text_string(out->text, " ");
    if (has_value) say_double(out->text, transport.value);
    if (transport.track_length > 0) sl_text_string(out->text, " ");
    if (transport.track_length > 0) say_text(out, transport.track, transport.track_length);
    if (transport.name_length > 0) sl_text_string(out->text, " ");
    if (transport.name_length > 0) say_text(out, transport.name, transport.name_length);
    say_quantize(out, transport.quantize);
    return SL_OK;
}

static sl_err say_applied(words *out, const sl_event *event)
{
    sl_applied applied;
    sl_err err = sl_applied_decode(event, &applied);
    if (err != SL_OK) return err;
    say_count(out, "through", applied.through_seq);
    say_count(out, " frame", applied.frame);
    say_count(out, " rate", applied.rate);
    if (applied.late) sl_text_string(out->text, " late");
    return SL_OK;
}

static sl_err say_parameter(words *out, const sl_event *event)
{
    sl_parameter_event parameter;
    const sl_err err = sl_parameter_event_decode(event, &parameter);
    if (err != SL_OK) return err;
    say_text(out, parameter.id, parameter.id_length);
    sl_text_string(out->text, " ");
    say_double(out->text, parameter.value);
    return SL_OK;
}

static sl_err say_player(words *out, const sl_event *event)
{
    sl_player_event player;
    const sl_err err = sl_player_event_decode(event, &player);
    if (err != SL_OK) return err;
    sl_text_string(out->text, sl_player_type_name(player.type));
    say_count(out, " rate", player.rate);
    if (player.block > 0) say_count(out, " block", player.block);
    if (player.device_length > 0) sl_text_string(out->text, " ");
    if (player.device_length > 0) say_text(out, player.device, player.device_length);
    return SL_OK;
}

static sl_err say_heard(words *out, const sl_event *event)
{
    sl_heard heard;
    const sl_err err = sl_heard_decode(event, &heard);
    if (err != SL_OK) return err;
    char hex[SL_DIGEST_HEX + 1];
    sl_digest_hex(heard.digest, hex);
    say_count(out, "frame", heard.frame);
    say_count(out, " frames", heard.frames);
    say_count(out, " rate", heard.rate);
    if (heard.missed > 0) say_count(out, " missed", heard.missed);
    say_count(out, " renderer", heard.version);
    sl_text_string(out->text, " digest ");
    sl_text_string(out->text, hex);
    return SL_OK;
}

static sl_err say_processor(words *out, const sl_event *event)
{
    sl_processor_event processor;
    const sl_err err = sl_processor_event_decode(event, &processor);
    if (err != SL_OK) return err;
    say_text(out, processor.path, processor.path_length);
    say_count(out, " bytes", processor.source_length);
    return SL_OK;
}

static sl_err say_checkpoint(words *out, const sl_event *event)
{
    sl_checkpoint checkpoint;
    sl_err err = sl_checkpoint_decode(event, &checkpoint);
    if (err != SL_OK) return err;
    char hex[SL_DIGEST_HEX + 1];
    sl_digest_hex(checkpoint.digest, hex);
    say_count(out, "through", checkpoint.through_seq);
    say_count(out, " reducer", checkpoint.reducer_version);
    sl_text_string(out->text, " digest ");
    sl_text_string(out->text, hex);
    return SL_OK;
}

static sl_err say_mark(words *out, const sl_event *event)
{
    say_text(out, (const char *)event->payload, event->length);
    return SL_OK;
}

static sl_err say_nothing(words *out, const sl_event *event)
{
    (void)out;
    return event->length == 0 ? SL_OK : SL_ERR_MALFORMED;
}

static sl_err say_gave_up(words *out, const sl_event *event)
{
    sl_gave_up gave_up;
    sl_err err = sl_gave_up_decode(event, &gave_up);
    if (err == SL_OK) say_count(out, "through", gave_up.through);
    return err;
}

static sl_err say_base(words *out, const sl_event *event)
{
    sl_base base;
    sl_err err = sl_base_decode(event, &base);
    if (err != SL_OK) return err;
    say_count(out, "before", base.before_seq);
    say_count(out, ", bytes", base.state_length);
    return SL_OK;
}

static sl_err say_paused(words *out, const sl_event *event)
{
    sl_paused paused;
    sl_err err = sl_paused_decode(event, &paused);
    if (err == SL_OK) sl_text_string(out->text, paused.is_paused ? "paused" : "resumed");
    return err;
}

/* A frame that is none is shown as bytes, with what is wrong. */
static void say_frame(words *out, const uint8_t *bytes, size_t length)
{
    sl_sysex frame;
    sl_sysex_fault fault = sl_sysex_read(bytes, length, &frame);
    if (fault != SL_SYSEX_FAULT_NONE || !frame.is_ours) {
        sl_text_hex(out->text, bytes, length < SYSEX_BYTES_SHOWN ? length : SYSEX_BYTES_SHOWN);
        say_count(out, length > SYSEX_BYTES_SHOWN ? "… bytes" : " bytes", length);
        if (fault == SL_SYSEX_FAULT_NONE) return;
        sl_text_string(out->text, ": ");
        sl_text_string(out->text, sl_sysex_fault_text(fault));
        say_count(out, " at byte", frame.position);
        return;
    }
    sl_text_string(out->text, sl_sysex_op_name(frame.op));
    if (!sl_sysex_is_live_sync(frame.op)) {
        sl_text_string(out->text, " ");
        sl_text_hex(out->text, &frame.op, 1);
        sl_text_string(out->text, " ");
        say_text(out, frame.payload, frame.payload_length);
        return;
    }
    sl_text_string(out->text, " ");
    say_text(out, frame.origin, frame.origin_length);
    if (frame.op == SL_SYSEX_HELLO || frame.op == SL_SYSEX_BYE) return;
    sl_text_string(out->text, " #");
    sl_text_u64(out->text, frame.seq);
    if (frame.op == SL_SYSEX_FULL) {
        sl_text_string(out->text, frame.is_running ? " running " : " stopped ");
        sl_text_i64(out->text, frame.set_list);
        sl_text_string(out->text, "/");
        sl_text_i64(out->text, frame.item);
    }
    sl_text_string(out->text, " ");
    say_text(out, frame.tail, frame.tail_length);
}

static sl_err say_sysex(words *out, const sl_event *event)
{
    say_frame(out, event->payload, event->length);
    return SL_OK;
}

static sl_err say_sysex_sent(words *out, const sl_event *event)
{
    sl_sysex_sent sent;
    sl_err err = sl_sysex_sent_decode(event, &sent);
    if (err != SL_OK) return err;
    if (sent.to == 0)
        sl_text_string(out->text, "to all ");
    else
        say_count(out, "to source", sent.to);
    if (sent.to != 0) sl_text_string(out->text, " ");
    say_frame(out, sent.frame, sent.frame_length);
    return SL_OK;
}

static sl_err say_setlists(words *out, const sl_event *event)
{
    sl_setlists lists;
    sl_err err = sl_setlists_decode(event, &lists);
    if (err != SL_OK) return err;
    say_count(out, "lists", lists.list_count);
    for (uint32_t list = 0; list < lists.list_count && !is_full(out); list++) {
        const char *text;
        size_t length;
        uint32_t item_count;
        sl_setlists_next_list(&lists, &text, &length, &item_count);
        sl_text_string(out->text, ", ");
        say_text(out, text, length);
        say_count(out, "", item_count);
        for (uint32_t item = 0; item < item_count; item++)
            sl_setlists_next_item(&lists, &text, &length, &text, &length);
    }
    return SL_OK;
}

static void say_message(words *out, const sl_osc_message *message)
{
    sl_osc_message inner;
    int64_t number;
    double timestamp;
    bool is_bad_wrapper;
    if (sl_osc_unwrap(message, &inner, &number, &timestamp, &is_bad_wrapper)) {
        sl_text_string(out->text, "#");
        sl_text_i64(out->text, number);
        sl_text_string(out->text, " ");
        message = &inner;
    }
    say_address(out, message->address, message->address_length);
    sl_osc_cursor cursor = sl_osc_arguments(message);
    sl_osc_argument argument;
    while (sl_osc_next(&cursor, &argument)) {
        sl_text_string(out->text, " ");
        if (is_full(out)) {
            sl_text_string(out->text, "…");
            return;
        }
        say_argument(out, &argument);
    }
}

static void say_argument(words *out, const sl_osc_argument *argument)
{
    uint8_t word[8];
    for (unsigned i = 0; i < 8; i++) word[i] = (uint8_t)((uint64_t)argument->integer >> (56 - 8 * i));
    char character = (char)argument->integer;
    switch (argument->tag) {
    case 'i':
    case 'h': sl_text_i64(out->text, argument->integer); break;
    case 'f':
    case 'd': say_double(out->text, argument->number); break;
    case 's':
    case 'S': say_text(out, (const char *)argument->bytes, argument->length); break;
    case 'c': say_text(out, &character, 1); break;
    case 'T': sl_text_string(out->text, "true"); break;
    case 'F': sl_text_string(out->text, "false"); break;
    case 'N': sl_text_string(out->text, "null"); break;
    case 'I': sl_text_string(out->text, "impulse"); break;
    case 'b':
        sl_text_string(out->text, "<");
        sl_text_u64(out->text, argument->length);
        sl_text_string(out->text, " bytes>");
        break;
    case 't':
        sl_text_string(out->text, "time:");
        sl_text_hex(out->text, word, 8);
        break;
    case 'm':
    case 'r':
        sl_text_string(out->text, argument->tag == 'm' ? "midi:" : "rgba:");
        sl_text_hex(out->text, word + 4, 4);
        break;
    default: break;
    }
}

/* As it is where it can be told from the rest of the line, else in quotes. */
static void say_address(words *out, const char *address, size_t length)
{
    bool is_plain = length > 0 && length <= TEXT_BYTES_MAX;
    for (size_t i = 0; i < length && is_plain; i++) is_plain = address[i] > ' ' && address[i] < 0x7f;
    if (is_plain) {
        sl_text_bytes(out->text, address, length);
    } else {
        say_text(out, address, length);
    }
}

static void say_double(sl_text *text, double value)
{
    if (value > -INFINITY && value < INFINITY) {
        sl_text_double(text, value);
    } else {
        sl_text_string(text, value > 0 ? "inf" : value < 0 ? "-inf" : "nan");
    }
}

/* In quotes, escaped as in JSON. What is too long is cut between two code points. */
static void say_text(words *out, const char *bytes, size_t length)
{
    size_t kept = length;
    if (kept > TEXT_BYTES_MAX) {
        kept = TEXT_BYTES_MAX;
        for (unsigned i = 0; i < 3 && ((uint8_t)bytes[kept] & 0xc0) == 0x80; i++) kept--;
    }
    sl_text_json(out->text, bytes, kept);
    if (kept < length) sl_text_string(out->text, "…");
}

static void say_count(words *out, const char *name, uint64_t count)
{
    sl_text_string(out->text, name);
    sl_text_string(out->text, " ");
    sl_text_u64(out->text, count);
}

static void say_padded(sl_text *text, uint64_t value, unsigned digits)
{
    for (uint64_t limit = 10; digits > 1; digits--, limit *= 10) {
        if (value < limit) sl_text_string(text, "0");
    }
    sl_text_u64(text, value);
}

static bool is_full(const words *out)
{
    return out->text->bad || out->text->length - out->begin > WORDS_BYTES_MAX;
}
