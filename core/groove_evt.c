/* What one evt would make of the groove: "play", "bpm=120", "beat=0/1/2", … Changes nothing but the patch it is given.
 */
#include "core/groove_internal.h"

#include <assert.h>

/* The evt being read, up to its end. */
typedef struct evt {
    const sl_groove_state *groove; /* or NULL */
    const char *text;
    size_t length;
    size_t at;
    sl_patch *patch;
    sl_groove_plan *plan;
} evt;

typedef sl_refusal (*plan_function)(evt *evt);

static plan_function find_verb(const char *verb, size_t length, bool is_client);
static sl_refusal plan_play(evt *evt);
static sl_refusal plan_stop(evt *evt);
static sl_refusal plan_bpm(evt *evt);
static sl_refusal plan_volume(evt *evt);
static sl_refusal plan_selection(evt *evt);
static sl_refusal plan_beat(evt *evt);
static sl_refusal plan_lane(evt *evt);
static sl_refusal plan_whole(evt *evt);
static sl_refusal refuse(evt *evt, sl_refusal refusal, size_t position, const char *detail);
static void say(evt *evt, const char *word, const int32_t *numbers, size_t count);

sl_refusal sl_groove_plan_evt(const sl_groove_state *groove, const char *text, size_t length, bool is_client,
                              sl_patch *patch, sl_groove_plan *plan)
{
    *plan = (sl_groove_plan){.set_list = -1, .item = -1};
    if (groove != NULL) {
        plan->is_running = groove->view.is_running;
        plan->set_list = groove->view.set_list;
        plan->item = groove->view.item;
    }
    evt evt = {.groove = groove, .text = text, .length = length, .patch = patch, .plan = plan};
    const char *equals = memchr(text, '=', length);
    evt.at = equals != NULL ? (size_t)(equals - text) + 1 : length;
    plan_function plan_verb = find_verb(text, evt.at, is_client);
    if (plan_verb == NULL) return refuse(&evt, SL_REFUSAL_EVT, 0, "play, stop, bpm=, vol=, sel=, beat= or lane=");
    return plan_verb(&evt);
}

static plan_function find_verb(const char *verb, size_t length, bool is_client)
{
    static const struct {
        const char *verb;
        plan_function plan;
    } verbs[] = {{"play", plan_play},      {"stop", plan_stop},  {"bpm=", plan_bpm},   {"vol=", plan_volume},
                 {"sel=", plan_selection}, {"beat=", plan_beat}, {"lane=", plan_lane}, {"patch=", plan_whole}};
    for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++)
        if (strlen(verbs[i].verb) == length && memcmp(verbs[i].verb, verb, length) == 0)
            return is_client || verbs[i].plan != plan_whole ? verbs[i].plan : NULL;
    return NULL;
}

static sl_refusal refuse(evt *evt, sl_refusal refusal, size_t position, const char *detail)
{
    evt->plan->detail = detail;
    evt->plan->position = position;
    return refusal;
}

/* Reading the fields. */

/* Where the field at `at` ends: at a '/', or with the evt. */
static size_t field_end(const evt *evt, size_t at)
{
    while (at < evt->length && evt->text[at] != '/') at++;
    return at;
}

static sl_refusal check_fields(evt *evt, size_t count, const char *detail)
{
    size_t found = 1;
    for (size_t i = evt->at; i < evt->length; i++) found += evt->text[i] == '/';
    return found == count ? SL_REFUSAL_NONE : refuse(evt, SL_REFUSAL_FIELDS, evt->at, detail);
}

/* Reads a whole number that fills a field; one with many digits as the nearest that an int32 holds. */
static sl_refusal read_number(evt *evt, int32_t *out)
{
    size_t begin = evt->at, end = field_end(evt, begin);
    bool is_negative = begin < end && evt->text[begin] == '-';
    size_t digits = begin + (is_negative ? 1 : 0);
    int64_t number = 0;
    for (size_t i = digits; i < end; i++) {
        char c = evt->text[i];
        if (c < '0' || c > '9') return refuse(evt, SL_REFUSAL_VALUE, i, "a whole number");
        number = number * 10 + (c - '0');
        if (number > INT32_MAX) number = INT32_MAX;
    }
    if (digits == end) return refuse(evt, SL_REFUSAL_VALUE, end, "a whole number");
    *out = (int32_t)(is_negative ? -number : number);
    evt->at = end < evt->length ? end + 1 : end;
    return SL_REFUSAL_NONE;
}

static sl_refusal read_numbers(evt *evt, int32_t *numbers, size_t count, const char *detail)
{
    sl_refusal refusal = check_fields(evt, count, detail);
    for (size_t i = 0; i < count && refusal == SL_REFUSAL_NONE; i++) refusal = read_number(evt, &numbers[i]);
    return refusal;
}

static int32_t clamp(int32_t number, int32_t min, int32_t max)
{
    if (number < min) return min;
    return number > max ? max : number;
}

/* The verbs. */

static sl_refusal plan_play(evt *evt)
{
    evt->plan->is_running = true;
    say(evt, "play", NULL, 0);
    return SL_REFUSAL_NONE;
}

static sl_refusal plan_stop(evt *evt)
{
    evt->plan->is_running = false;
    say(evt, "stop", NULL, 0);
    return SL_REFUSAL_NONE;
}

static sl_refusal plan_bpm(evt *evt)
{
    int32_t bpm;
    sl_refusal refusal = read_numbers(evt, &bpm, 1, "bpm=N");
    if (refusal != SL_REFUSAL_NONE) return refusal;
    bpm = clamp(bpm, SL_PATCH_BPM_MIN, SL_PATCH_BPM_MAX);
    evt->patch->has_bpm = true;
    evt->patch->bpm = (uint16_t)bpm;
    say(evt, "bpm=", &bpm, 1);
    return SL_REFUSAL_NONE;
}

static sl_refusal plan_volume(evt *evt)
{
    int32_t volume;
    sl_refusal refusal = read_numbers(evt, &volume, 1, "vol=N");
    if (refusal != SL_REFUSAL_NONE) return refusal;
    volume = clamp(volume, 0, SL_PATCH_VOLUME_MAX);
    evt->patch->has_volume = true;
    evt->patch->volume = (uint8_t)volume;
    say(evt, "vol=", &volume, 1);
    return SL_REFUSAL_NONE;
}

/* Without lists only the index moves: the patch comes with a FULL. */
static sl_refusal plan_selection(evt *evt)
{
    int32_t numbers[2];
    sl_refusal refusal = read_numbers(evt, numbers, 2, "sel=LIST/ITEM");
    if (refusal != SL_REFUSAL_NONE) return refusal;
    for (size_t i = 0; i < 2; i++)
        if (numbers[i] < -1 || numbers[i] > SL_SYSEX_INDEX_MAX) return refuse(evt, SL_REFUSAL_INDEX, 0, NULL);
    if (evt->groove != NULL && evt->groove->setlists != NULL) {
        sl_groove_item item;
        if (sl_groove_find_item(evt->groove, numbers[0], numbers[1], &item) != SL_OK)
            return refuse(evt, SL_REFUSAL_INDEX, 0, "a set list and an item that are there");
        refusal = sl_groove_plan_patch(item.patch, item.patch_length, evt->patch, evt->plan);
        if (refusal != SL_REFUSAL_NONE) return refusal;
    }
    evt->plan->set_list = numbers[0];
    evt->plan->item = numbers[1];
    say(evt, "sel=", numbers, 2);
    return SL_REFUSAL_NONE;
}

static sl_refusal plan_beat(evt *evt)
{
    int32_t numbers[3];
    sl_refusal refusal = read_numbers(evt, numbers, 3, "beat=LANE/STEP/LEVEL");
    if (refusal != SL_REFUSAL_NONE) return refusal;
    if (numbers[2] < SL_LEVEL_REST || numbers[2] > SL_LEVEL_GHOST)
        return refuse(evt, SL_REFUSAL_VALUE, evt->length - 1, "a level from 0 to 3");
    if (numbers[0] < 0 || numbers[0] >= evt->patch->lane_count)
        return refuse(evt, SL_REFUSAL_INDEX, 0, "a lane that is there");
    sl_lane *lane = &evt->patch->lanes[numbers[0]];
    if (numbers[1] < 0 || numbers[1] >= lane->step_count)
        return refuse(evt, SL_REFUSAL_INDEX, 0, "a step that is there");
    lane->steps[numbers[1]] = (uint8_t)numbers[2];
    evt->plan->is_edit = true;
    say(evt, "beat=", numbers, 3);
    return SL_REFUSAL_NONE;
}

static sl_refusal plan_lane(evt *evt)
{
    int32_t index;
    const char *expected;
    sl_refusal refusal = check_fields(evt, 3, "lane=LANE/FIELD/VALUE");
    if (refusal == SL_REFUSAL_NONE) refusal = read_number(evt, &index);
    if (refusal != SL_REFUSAL_NONE) return refusal;
    size_t field = evt->at, end = field_end(evt, field), value = end + 1;
    bool is_there = index >= 0 && index < evt->patch->lane_count;
    sl_lane *lane = &evt->patch->lanes[is_there ? index : 0];
    sl_err err = sl_lane_set(lane, evt->text + field, end - field, evt->text + value, evt->length - value, &expected);
    if (err == SL_ERR_NOT_FOUND) return refuse(evt, SL_REFUSAL_VALUE, field, expected);
    if (err != SL_OK) return refuse(evt, SL_REFUSAL_VALUE, value, expected);
    if (!is_there) return refuse(evt, SL_REFUSAL_INDEX, 0, "a lane that is there");
    evt->plan->is_edit = evt->plan->wants_full = true;
    return SL_REFUSAL_NONE;
}

static sl_refusal plan_whole(evt *evt)
{
    sl_refusal refusal = sl_groove_plan_patch(evt->text + evt->at, evt->length - evt->at, evt->patch, evt->plan);
    evt->plan->position += evt->at;
    evt->plan->is_edit = evt->plan->wants_full = true;
    return refusal;
}

sl_refusal sl_groove_plan_patch(const char *text, size_t length, sl_patch *patch, sl_groove_plan *plan)
{
    bool had_volume = patch->has_volume;
    uint16_t bpm = patch->bpm;
    uint8_t volume = patch->volume;
    sl_patch_error error;
    if (sl_patch_parse(text, length, patch, &error) != SL_OK) {
        plan->detail = error.expected;
        plan->position = error.position;
        return SL_REFUSAL_PATCH;
    }
    if (!patch->has_bpm) patch->bpm = bpm;
    patch->has_bpm = true;
    if (!patch->has_volume && had_volume) patch->volume = volume;
    patch->has_volume = patch->has_volume || had_volume;
    return SL_REFUSAL_NONE;
}

/* Notes the canonical evt: `word`, then the numbers with '/' between. */
static void say(evt *evt, const char *word, const int32_t *numbers, size_t count)
{
    sl_writer out = {.bytes = (uint8_t *)evt->plan->evt, .capacity = sizeof evt->plan->evt};
    sl_write_bytes(&out, word, strlen(word));
    for (size_t i = 0; i < count; i++) {
        char digits[10];
        size_t at = sizeof digits;
        uint32_t number = (uint32_t)(numbers[i] < 0 ? -numbers[i] : numbers[i]);
        do digits[--at] = (char)('0' + number % 10);
        while ((number /= 10) > 0);
        if (i > 0) sl_write_bytes(&out, "/", 1);
        if (numbers[i] < 0) sl_write_bytes(&out, "-", 1);
        sl_write_bytes(&out, digits + at, sizeof digits - at);
    }
    assert(!out.bad);
    evt->plan->evt_length = (uint8_t)out.length;
}
