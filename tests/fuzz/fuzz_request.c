/*
 * Any bytes as what a stranger sends to the WebSocket port: its headers and wishes, then its messages. Nobody without
 * the token comes in, every answer is valid JSON for whoever asked, and none comes for a mark or a pause before its
 * commit.
 *
 * The input is a number of texts, each ended by a NUL: Origin, Host, the token, then messages. An empty message commits
 * the oldest mark or pause, and answers the oldest question.
 */
#include "core/payload.h"
#include "tests/fuzz/fuzz.h"
#include "tools/symlog/access.h"
#include "tools/symlog/rpc.h"
#include "tools/symlog/wishes.h"

enum { MESSAGES_MAX = 64, SUBSCRIBER = 7 };

/* The rest of the input. */
typedef struct input {
    const char *bytes;
    size_t length;
} input;

/* One of the values in an address. */
typedef struct wish {
    const char *name;
    const char *value;
} wish;

/* Stands in for the service. */
typedef struct owner {
    size_t marks_waiting; // and pauses
    uint64_t seq;         // of the last one committed
    sl_question questions[SL_RPC_QUESTIONS_MAX];
    size_t question_begin;
    size_t question_count;
    size_t answers;
    bool makes_sound;
    sl_sound_status *sound;
} owner;

static bool next_text(input *input, char **text, size_t *length);
static void check_access(input *input);
static void check_wishes(const char *value);
static const char *find_wish(void *ctx, const char *name);
static void check_messages(input *input);
static void make_set(sl_state *state);
static void make_sound(owner *owner);
static void wake_nobody(void *ctx);
static void take_set_event(sl_state *state, uint16_t kind, const void *payload, size_t length);
static void answer_oldest(owner *owner, sl_rpc *rpc);
static sl_err take_mark(void *ctx, const char *text, size_t length);
static sl_err take_pause(void *ctx, uint32_t source, uint64_t session, bool is_paused);
static sl_err take_transport(void *ctx, const uint8_t *payload, size_t length);
static sl_err take_parameter(void *ctx, const uint8_t *payload, size_t length);
static sl_sound_status *tell_sound(void *ctx);
static sl_err take_audio(void *ctx, uint64_t subscriber, const char *id);
static sl_err take_meter(void *ctx, uint64_t subscriber, const sl_audio_meter *meter);
static void write_no_audio(void *ctx, sl_text *text);
static uint64_t tell_frame(void *ctx);
static void take_hearer(void *ctx, uint64_t subscriber);
static sl_err take_watch(void *ctx, const char *path, bool is_wanted, char errmsg[256]);
static sl_err take_question(void *ctx, const sl_question *question);
static void write_no_ports(void *ctx, sl_text *text);
static void check_answer(void *ctx, uint64_t subscriber, const char *bytes, size_t length);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    input input = {.bytes = (const char *)data, .length = size};
    check_access(&input);
    check_messages(&input);
    return 0;
}

/* A copy of the next text, with a NUL behind it, so that reading beyond is noticed. The caller frees it. */
static bool next_text(input *input, char **text, size_t *length)
{
    if (input->length == 0) return false;
    *length = strnlen(input->bytes, input->length);
    *text = strndup(input->bytes, *length);
    require(*text != NULL);
    const size_t used = *length < input->length ? *length + 1 : *length;
    input->bytes += used;
    input->length -= used;
    return true;
}

static void check_access(input *input)
{
    char *texts[3] = {NULL, NULL, NULL};
    size_t length = 0;
    for (size_t i = 0; i < 3; i++) (void)next_text(input, &texts[i], &length);
    const sl_visitor visitor = {.origin = texts[0], .host = texts[1], .token = texts[2]};
    const sl_access open = {.origins = {"https://page.example"}, .origin_count = 1};
    const sl_access closed = {.token = "sesame"};
    require(sl_access_judge(&open, &visitor) != SL_VERDICT_TOKEN);
    const bool has_token = visitor.token != NULL && strcmp(visitor.token, "sesame") == 0;
    require(has_token || sl_access_judge(&closed, &visitor) != SL_VERDICT_WELCOME);
    require(visitor.origin != NULL || sl_access_judge(&open, &visitor) == SL_VERDICT_WELCOME);
    if (visitor.host != NULL) (void)sl_access_is_loopback(visitor.host);
    for (size_t i = 0; i < 3; i++) check_wishes(texts[i]);
    for (size_t i = 0; i < 3; i++) free(texts[i]);
}

/* The text as the value of each wish. */
static void check_wishes(const char *value)
{
    static const char *const names[] = {"from", "log", "batch", "compact", "throttle", "paths"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        wish wish = {.name = names[i], .value = value};
        sl_wishes wishes;
        if (sl_wishes_read(&wishes, find_wish, &wish) != NULL) continue;
        require(wishes.throttle_ms <= SL_WISHES_THROTTLE_MS_MAX);
        require(wishes.paths.count <= SL_PATHS_MAX);
        require(value == NULL || wishes.has_from == (i == 0));
    }
}

static const char *find_wish(void *ctx, const char *name)
{
    const wish *wish = ctx;
    return strcmp(wish->name, name) == 0 ? wish->value : NULL;
}

static void check_messages(input *input)
{
    owner owner = {0};
    sl_state *state = NULL;
    sl_rpc *rpc = NULL;
    require(sl_state_create(sl_host_memory(), &state) == SL_OK);
    make_set(state);
    make_sound(&owner);
    const sl_rpc_owner options = {
        .state = state,
        .log_id = "00",
        .ctx = &owner,
        .mark = take_mark,
        .edit = take_mark,
        .write_ports = write_no_ports,
        .write_player = write_no_ports,
        .transport = take_transport,
        .parameter = take_parameter,
        .sound = tell_sound,
        .add_audio = take_audio,
        .pass_meter = take_meter,
        .write_audio = write_no_audio,
        .frame = tell_frame,
        .heard = take_hearer,
        .watch = take_watch,
        .ask = take_question,
        .pause = take_pause,
        .answer = check_answer,
    };
    require(sl_rpc_create(&rpc, &options) == SL_OK);
    char *text = NULL;
    size_t length = 0;
    for (size_t count = 0; count < MESSAGES_MAX && next_text(input, &text, &length); count++) {
        if (length > 0) {
            sl_rpc_receive(rpc, SUBSCRIBER, text, length);
        } else {
            answer_oldest(&owner, rpc);
        }
        free(text);
    }
    sl_rpc_destroy(rpc);
    sl_sound_status_destroy(owner.sound);
    sl_state_destroy(state);
}

/* What the log and the worker have ready by now; every third question has no answer. */
static void answer_oldest(owner *owner, sl_rpc *rpc)
{
    if (owner->marks_waiting > 0) {
        owner->marks_waiting--;
        owner->seq++;
        sl_rpc_marked(rpc, owner->seq, owner->seq % 2 == 0 ? "refused" : NULL);
    }
    if (owner->question_count == 0) return;
    const sl_question *question = &owner->questions[owner->question_begin];
    owner->question_begin = (owner->question_begin + 1) % SL_RPC_QUESTIONS_MAX;
    owner->question_count--;
    sl_answer answer = {.ticket = question->ticket, .reason = "no \"answer\""};
    sl_text_open(&answer.result, sl_host_memory());
    sl_text_string(&answer.result, "{}");
    if (question->ticket % 3 == 0) answer.err = SL_ERR_RANGE;
    sl_rpc_answered(rpc, &answer);
    sl_text_close(&answer.result);
}

/* A sender, a track and a scene, so that there is something to ask about. */
static void make_set(sl_state *state)
{
    static const char name[] = "127.0.0.1:9000";
    const sl_session session = {.input = SL_INPUT_OSC, .name = name, .name_length = sizeof name - 1};
    uint8_t bytes[64];
    sl_writer writer = {.bytes = bytes, .capacity = sizeof bytes};
    require(sl_session_encode(&session, &writer) == SL_OK);
    take_set_event(state, SL_KIND_SESSION, bytes, writer.length);
    require(sl_state_source(state, 1) != NULL);
    static const char track[] = "/live/track/added\0\0\0,is\0\0\0\0\0Bass\0\0\0";
    static const char scene[] = "/live/scene/added\0\0\0,is\0\0\0\0\0Drop\0\0\0";
    take_set_event(state, SL_KIND_OSC, track, sizeof track);
    take_set_event(state, SL_KIND_OSC, scene, sizeof scene);
    require(sl_node_child_count(sl_tree_project(sl_state_tree_view(state)), SL_NODE_TRACK) == 1);
}

static void wake_nobody(void *ctx)
{
    (void)ctx;
}

/* A processor with a parameter, and a meter. */
static void make_sound(owner *owner)
{
    const sl_audio_parameter gain = {.name = "gain", .unit = "dB", .min = -60, .max = 6};
    const sl_audio_meter meter = {.timestamp_us = 1, .master = {.left_peak = 0.1f}};
    require(sl_sound_status_create(&owner->sound, wake_nobody, NULL) == SL_OK);
    sl_sound_status_set(owner->sound, &(sl_audio_status){.phase = SL_AUDIO_RUNNING_OUTPUT_ONLY, .device = "\"\xc3"});
    sl_sound_status_set_processor(owner->sound, &gain, 1);
    sl_sound_status_set_meter(owner->sound, &meter);
}

static void take_set_event(sl_state *state, uint16_t kind, const void *payload, size_t length)
{
    const sl_event event = {
        .seq = sl_state_seq(state) + 1,
        .kind = kind,
        .version = kind == SL_KIND_SESSION ? SL_SESSION_VERSION : 1,
        .source = 1,
        .source_seq = SL_SOURCE_SEQ_NONE,
        .payload = payload,
        .length = (uint32_t)length,
    };
    require(sl_reduce(state, &event, NULL) == SL_OK);
}

static sl_err take_mark(void *ctx, const char *text, size_t length)
{
    owner *owner = ctx;
    require(length > 0 && length <= SL_RPC_MARK_BYTES_MAX && text != NULL);
    require(owner->marks_waiting < SL_RPC_MARKS_MAX);
    owner->marks_waiting++;
    return SL_OK;
}

static sl_err take_pause(void *ctx, uint32_t source, uint64_t session, bool is_paused)
{
    owner *owner = ctx;
    (void)session;
    (void)is_paused;
    require(source == 1 && owner->marks_waiting < SL_RPC_MARKS_MAX);
    owner->marks_waiting++;
    return SL_OK;
}

static sl_err take_transport(void *ctx, const uint8_t *payload, size_t length)
{
    owner *owner = ctx;
    sl_transport transport;
    const sl_event event = {
        .kind = SL_KIND_TRANSPORT, .version = SL_PAYLOAD_VERSION, .payload = payload, .length = (uint32_t)length};
    require(sl_transport_decode(&event, &transport) == SL_OK && owner->marks_waiting < SL_RPC_MARKS_MAX);
    owner->marks_waiting++;
    return SL_OK;
}

static sl_err take_parameter(void *ctx, const uint8_t *payload, size_t length)
{
    owner *owner = ctx;
    sl_parameter_event parameter;
    const sl_event event = {
        .kind = SL_KIND_PARAMETER, .version = SL_PAYLOAD_VERSION, .payload = payload, .length = (uint32_t)length};
    require(sl_parameter_event_decode(&event, &parameter) == SL_OK && owner->marks_waiting < SL_RPC_MARKS_MAX);
    owner->marks_waiting++;
    return SL_OK;
}

static sl_sound_status *tell_sound(void *ctx)
{
    const owner *owner = ctx;
    return owner->sound;
}

static sl_err take_audio(void *ctx, uint64_t subscriber, const char *id)
{
    owner *owner = ctx;
    require(subscriber == SUBSCRIBER && id[0] != '\0' && strlen(id) < SL_AUDIO_CLIENT_BYTES);
    owner->makes_sound = true;
    return SL_OK;
}

static sl_err take_meter(void *ctx, uint64_t subscriber, const sl_audio_meter *meter)
{
    const owner *owner = ctx;
    require(subscriber == SUBSCRIBER);
    if (meter != NULL) {
        sl_text text;
        sl_text_open(&text, sl_host_memory());
        sl_audio_meter_write(meter, &text);
        require_json(text.bytes, text.length);
        sl_text_close(&text);
    }
    return owner->makes_sound ? SL_OK : SL_ERR_NOT_FOUND;
}

static void write_no_audio(void *ctx, sl_text *text)
{
    (void)ctx;
    (void)text;
}

static uint64_t tell_frame(void *ctx)
{
    (void)ctx;
    return 48000;
}

static void take_hearer(void *ctx, uint64_t subscriber)
{
    (void)ctx;
    require(subscriber == SUBSCRIBER);
}

static sl_err take_watch(void *ctx, const char *path, bool is_wanted, char errmsg[256])
{
    (void)ctx;
    require(path[0] == '/');
    snprintf(errmsg, 256, "no");
    return is_wanted ? SL_OK : SL_ERR_NOT_FOUND;
}

static sl_err take_question(void *ctx, const sl_question *question)
{
    owner *owner = ctx;
    require(owner->question_count < SL_RPC_QUESTIONS_MAX);
    require(question->type != SL_QUESTION_HISTORY || question->from <= question->through);
    owner->questions[(owner->question_begin + owner->question_count++) % SL_RPC_QUESTIONS_MAX] = *question;
    return SL_OK;
}

static void write_no_ports(void *ctx, sl_text *text)
{
    (void)ctx;
    sl_text_string(text, "[]");
}

static void check_answer(void *ctx, uint64_t subscriber, const char *bytes, size_t length)
{
    owner *owner = ctx;
    require(subscriber == SUBSCRIBER);
    require_json(bytes, length);
    owner->answers++;
}
