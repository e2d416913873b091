/*
 * Any bytes as what a groove box sends. The first byte says what the others are:
 *
 *   'p'  a patch: what is taken must be written, read and written again as the same
 *   else a conversation of parts, each ended by a byte FF. What a part is says its first byte: below 80 an edit; F0 a
 *        frame as it is; F1 set lists; F2 a session; else a frame of source 1 or 2, that F0 7D and F7 are put around
 *
 * After each event the tree shows the groove, the groove is canonical, and what is refused has changed nothing; at the
 * end the state is saved and loaded, and mirrored by a FULL.
 */
#include "core/groove.h"
#include "core/message.h"
#include "core/patch.h"
#include "core/state_codec.h"
#include "tests/fuzz/fuzz.h"

enum { PART_END = 0xFF, FRAME_BYTES_MAX = 8192 };

typedef struct conversation {
    sl_state *state;
    bool is_refused; /* the present event */
    uint32_t told;   /* effects of the present event: diffs and grooves */
} conversation;

static void check_patch(const char *text, size_t length);
static void converse(const uint8_t *data, size_t size);
static void take_part(conversation *conversation, const uint8_t *part, size_t size);
static void check_groove(const conversation *conversation);
static void check_saved(sl_state *state);
static void check_mirror(sl_state *state);
static void check_text(const sl_event *event);

static sl_patch patch, again;
static char text_bytes[SL_PATCH_TEXT_BYTES_MAX], again_bytes[SL_PATCH_TEXT_BYTES_MAX];

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > 0 && data[0] == 'p')
        check_patch((const char *)data + 1, size - 1);
    else
        converse(data, size);
    return 0;
}

static size_t write_patch(const sl_patch *from, char *bytes)
{
    sl_writer out = {.bytes = (uint8_t *)bytes, .capacity = SL_PATCH_TEXT_BYTES_MAX};
    require(sl_patch_write(from, &out) == SL_OK);
    return out.length;
}

static void check_patch(const char *text, size_t length)
{
    sl_patch_error error = {.expected = NULL};
    if (sl_patch_parse(text, length, &patch, &error) != SL_OK) {
        require(error.expected != NULL && error.position <= length);
        return;
    }
    require(patch.lane_count >= 1);
    for (uint16_t i = 0; i < patch.lane_count; i++) require(patch.lanes[i].step_count >= 1);
    size_t written = write_patch(&patch, text_bytes);
    require(sl_patch_parse(text_bytes, written, &again, NULL) == SL_OK);
    for (uint16_t i = 0; i < patch.lane_count; i++) require(sl_lane_equal(&patch.lanes[i], &again.lanes[i]));
    require(write_patch(&again, again_bytes) == written && memcmp(text_bytes, again_bytes, written) == 0);
}

static void converse(const uint8_t *data, size_t size)
{
    conversation conversation;
    require(sl_state_create(sl_host_memory(), &conversation.state) == SL_OK);
    for (size_t at = 0; at < size;) {
        const uint8_t *end = memchr(data + at, PART_END, size - at);
        size_t length = end != NULL ? (size_t)(end - data) - at : size - at;
        take_part(&conversation, data + at, length);
        check_groove(&conversation);
        at += length + 1;
    }
    check_saved(conversation.state);
    check_mirror(conversation.state);
    sl_state_destroy(conversation.state);
}

static void note(void *ctx, const sl_state *state, const sl_effect *effect)
{
    conversation *conversation = ctx;
    sl_text text;
    sl_text_open(&text, sl_host_memory());
    sl_message_effect(&text, state, effect);
    require(!text.bad);
    if (text.length > 0) sl_text_string(&text, "}");
    if (text.length > 0) require_json(text.bytes, text.length);
    sl_text_close(&text);
    if (effect->type == SL_EFFECT_REFUSED) conversation->is_refused = true;
    if (effect->type != SL_EFFECT_REFUSED) conversation->told++;
}

/* The groove's text, or nothing. */
static sl_digest groove_digest(sl_state *state)
{
    sl_state_digests(state, NULL, NULL);
    const sl_node *node = sl_tree_find_path(sl_state_tree_view(state), "grooves[0]", 10);
    return node != NULL ? node->content : (sl_digest){0};
}

static void take(conversation *conversation, sl_event event)
{
    sl_output output = {.tell = note, .ctx = conversation};
    event.seq = sl_state_seq(conversation->state) + 1;
    event.version = 1;
    event.source_seq = SL_SOURCE_SEQ_NONE;
    conversation->is_refused = false;
    conversation->told = 0;
    check_text(&event);
    sl_digest before = groove_digest(conversation->state);
    require(sl_reduce(conversation->state, &event, &output) == SL_OK);
    sl_digest after = groove_digest(conversation->state);
    bool is_same = memcmp(&before, &after, sizeof before) == 0;
    if (conversation->is_refused) require(is_same && conversation->told == 0);
}

static void take_part(conversation *conversation, const uint8_t *part, size_t size)
{
    static uint8_t frame[FRAME_BYTES_MAX];
    if (size == 0 || size > FRAME_BYTES_MAX - 3) return;
    sl_event event = {.kind = SL_KIND_SYSEX, .source = 1, .payload = part, .length = (uint32_t)size};
    if (part[0] < 0x80) event = (sl_event){.kind = SL_KIND_GROOVE_EDIT, .payload = part, .length = (uint32_t)size};
    if (part[0] == 0xF1)
        event = (sl_event){.kind = SL_KIND_SETLISTS, .payload = part + 1, .length = (uint32_t)size - 1};
    if (part[0] == 0xF2)
        event = (sl_event){.kind = SL_KIND_SESSION, .source = 1, .payload = part + 1, .length = (uint32_t)size - 1};
    if (part[0] >= 0x80 && part[0] < 0xF0) {
        frame[0] = SL_SYSEX_BEGIN;
        frame[1] = SL_SYSEX_MANUFACTURER;
        memcpy(frame + 2, part + 1, size - 1);
        frame[size + 1] = SL_SYSEX_END;
        event.payload = frame;
        event.length = (uint32_t)size + 2;
        event.source = 1 + (part[0] & 1U);
    }
    take(conversation, event);
}

static void check_text(const sl_event *event)
{
    sl_text text;
    sl_text_open(&text, sl_host_memory());
    sl_text_event(&text, event, NULL);
    require(!text.bad);
    for (size_t i = 0; i < text.length; i++) require((uint8_t)text.bytes[i] >= ' '); /* one line */
    sl_text_close(&text);
}

/* What is shown is what the patch says. */
static void check_groove(const conversation *conversation)
{
    const sl_groove *groove = sl_state_groove(conversation->state);
    const sl_node *node = sl_tree_find_path(sl_state_tree_view(conversation->state), "grooves[0]", 10);
    if (groove == NULL || node == NULL) return;
    require(sl_patch_parse(groove->patch, groove->patch_length, &patch, NULL) == SL_OK);
    size_t written = write_patch(&patch, text_bytes);
    require(written == groove->patch_length && memcmp(text_bytes, groove->patch, written) == 0);
    require(patch.has_bpm && sl_node_child_count(node, SL_NODE_LANE) == patch.lane_count);
    for (uint16_t i = 0; i < patch.lane_count; i++) {
        const sl_node *lane = sl_node_child(node, SL_NODE_LANE, i);
        require(sl_node_child_count(lane, SL_NODE_STEP) == patch.lanes[i].step_count);
        for (uint16_t s = 0; s < patch.lanes[i].step_count; s++) {
            sl_value level = sl_node_value(sl_node_child(lane, SL_NODE_STEP, s), SL_ATTRIBUTE_LEVEL);
            require(level.as.integer == patch.lanes[i].steps[s]);
        }
    }
}

static void check_saved(sl_state *state)
{
    sl_text saved;
    sl_state *loaded;
    sl_text_open(&saved, sl_host_memory());
    require(sl_state_save(state, &saved) == SL_OK);
    require(sl_state_load((const uint8_t *)saved.bytes, saved.length, sl_host_memory(), &loaded) == SL_OK);
    sl_digest before = state_digest(state), after = state_digest(loaded);
    require(memcmp(&before, &after, sizeof before) == 0);
    sl_state_destroy(loaded);
    sl_text_close(&saved);
}

/* A FULL makes another symlog show the same (but for the device's id, which it does not tell). */
static void check_mirror(sl_state *state)
{
    static uint8_t bytes[SL_SYSEX_FRAME_BYTES_MAX];
    const sl_groove *groove = sl_state_groove(state);
    if (groove == NULL || groove->device_id[0] != '\0' || !groove->is_known) return;
    sl_writer out = {.bytes = bytes, .capacity = sizeof bytes};
    require(sl_groove_write_full(state, 1, &out) == SL_OK);
    conversation mirror;
    require(sl_state_create(sl_host_memory(), &mirror.state) == SL_OK);
    bytes[3] = 'm'; /* not its own origin */
    take(&mirror, (sl_event){.kind = SL_KIND_SYSEX, .source = 1, .payload = bytes, .length = (uint32_t)out.length});
    require(!mirror.is_refused);
    sl_digest one = groove_digest(state), other = groove_digest(mirror.state);
    require(memcmp(&one, &other, sizeof one) == 0);
    sl_state_destroy(mirror.state);
}
