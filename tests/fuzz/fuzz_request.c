/*
 * Any bytes as what a stranger sends to the WebSocket port: its headers, then its messages. Nobody without the token
 * comes in, every answer is valid JSON for whoever asked, and none comes for a mark before its commit.
 *
 * The input is a number of texts, each ended by a NUL: Origin, Host, the token, then messages. An empty message commits
 * the oldest mark.
 */
#include "tests/fuzz/fuzz.h"
#include "tools/symlog/access.h"
#include "tools/symlog/rpc.h"

enum { MESSAGES_MAX = 64, SUBSCRIBER = 7 };

/* The rest of the input. */
typedef struct input {
    const char *bytes;
    size_t length;
} input;

/* Stands in for the service. */
typedef struct owner {
    size_t marks_waiting;
    uint64_t seq; // of the last mark committed
    size_t answers;
} owner;

static bool next_text(input *input, char **text, size_t *length);
static void check_access(input *input);
static void check_messages(input *input);
static void make_set(sl_state *state);
static void take_set_event(sl_state *state, uint16_t kind, const void *payload, size_t length);
static sl_err take_mark(void *ctx, const char *text, size_t length);
static sl_err refuse_pause(void *ctx, uint32_t source, uint64_t session, bool is_paused);
static sl_err refuse_question(void *ctx, const sl_question *question);
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
    for (size_t i = 0; i < 3; i++) free(texts[i]);
}

static void check_messages(input *input)
{
    owner owner = {0};
    sl_state *state = NULL;
    sl_rpc *rpc = NULL;
    require(sl_state_create(sl_host_memory(), &state) == SL_OK);
    make_set(state);
    const sl_rpc_owner options = {.state = state,
                                  .log_id = "00",
                                  .ctx = &owner,
                                  .mark = take_mark,
                                  .edit = take_mark,
                                  .pause = refuse_pause,
                                  .write_ports = write_no_ports,
                                  .ask = refuse_question,
                                  .answer = check_answer};
    require(sl_rpc_create(&rpc, &options) == SL_OK);
    char *text = NULL;
    size_t length = 0;
    for (size_t count = 0; count < MESSAGES_MAX && next_text(input, &text, &length); count++) {
        if (length > 0) {
            sl_rpc_receive(rpc, SUBSCRIBER, text, length);
        } else if (owner.marks_waiting > 0) {
            owner.marks_waiting--;
            owner.seq++;
            sl_rpc_marked(rpc, owner.seq, owner.seq % 2 == 0 ? "refused" : NULL);
        }
        free(text);
    }
    sl_rpc_destroy(rpc);
    sl_state_destroy(state);
}

/* A track and a scene, so that there is something to ask about. */
static void make_set(sl_state *state)
{
    static const char track[] = "/live/track/added\0\0\0,is\0\0\0\0\0Bass\0\0\0";
    static const char scene[] = "/live/scene/added\0\0\0,is\0\0\0\0\0Drop\0\0\0";
    take_set_event(state, SL_KIND_OSC, track, sizeof track);
    take_set_event(state, SL_KIND_OSC, scene, sizeof scene);
    require(sl_node_child_count(sl_tree_project(sl_state_tree_view(state)), SL_NODE_TRACK) == 1);
}

static void take_set_event(sl_state *state, uint16_t kind, const void *payload, size_t length)
{
    const sl_event event = {
        .seq = sl_state_seq(state) + 1,
        .kind = kind,
        .version = 1,
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

static sl_err refuse_pause(void *ctx, uint32_t source, uint64_t session, bool is_paused)
{
    (void)ctx;
    (void)source;
    (void)session;
    (void)is_paused;
    return SL_ERR_FULL;
}

static sl_err refuse_question(void *ctx, const sl_question *question)
{
    (void)ctx;
    (void)question;
    return SL_ERR_FULL;
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
