/* A lane: read from a token, and edited field by field. */
#include "core/patch_internal.h"

#include <assert.h>

static const char a_sound[] = "a sound (letters, digits, _ - . #; at most 31)";
static const char some_groups[] = "groups of beats (2+2+3; at most 64 in all)";
static const char a_sub[] = "a subdivision (1, 2, 3, 4 or 6)";
static const char a_gain[] = "a gain in dB, -99 to 99";
static const char a_pattern[] = "a pattern of X x g . -, with at most a sign for each step";
static const char a_euclid[] = "(hits,steps) or (hits,steps,rotation), with at most as many steps as the lane has";

static bool read_sound(sl_patch_cursor *cursor, sl_lane *lane);
static bool read_groups(sl_patch_cursor *cursor, sl_lane *lane);
static bool read_sub(sl_patch_cursor *cursor, sl_lane *lane);
static bool read_pattern(sl_patch_cursor *cursor, sl_lane *lane);
static bool read_euclid(sl_patch_cursor *cursor, sl_lane *lane);
static bool read_gain(sl_patch_cursor *cursor, sl_lane *lane);
static uint16_t count_beats(const sl_lane *lane);
static void fill_default(sl_lane *lane, uint16_t first_beat);

bool sl_patch_read_lane(sl_patch_cursor *cursor, sl_lane *out)
{
    memset(out, 0, sizeof *out);
    out->sub = 1;
    out->is_enabled = true;
    if (!read_sound(cursor, out)) return false;
    if (!sl_patch_skip(cursor, ':')) return sl_patch_fail(cursor, cursor->at, a_sound);
    if (!read_groups(cursor, out)) return false;
    if (sl_patch_skip(cursor, '/')) {
        if (!read_sub(cursor, out)) return false;
        out->has_swing = sl_patch_skip(cursor, 's');
    }
    out->step_count = (uint16_t)(count_beats(out) * out->sub);
    fill_default(out, 0);
    if (sl_patch_skip(cursor, '=')) {
        if (!read_pattern(cursor, out)) return false;
    } else if (sl_patch_skip(cursor, '(')) {
        if (!read_euclid(cursor, out)) return false;
    }
    if (sl_patch_skip(cursor, '@') && !read_gain(cursor, out)) return false;
    out->is_poly = sl_patch_skip(cursor, '~');
    out->is_enabled = !sl_patch_skip(cursor, '!');
    return true;
}

static bool is_sound_byte(char c)
{
    bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    return is_letter || (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '.' || c == '#';
}

static bool read_sound(sl_patch_cursor *cursor, sl_lane *lane)
{
    size_t begin = cursor->at;
    while (cursor->at < cursor->end && is_sound_byte(cursor->text[cursor->at])) cursor->at++;
    size_t length = cursor->at - begin;
    if (length == 0) return sl_patch_fail(cursor, begin, a_sound);
    if (length > SL_PATCH_SOUND_BYTES_MAX) return sl_patch_fail(cursor, begin + SL_PATCH_SOUND_BYTES_MAX, a_sound);
    memset(lane->sound, 0, sizeof lane->sound);
    memcpy(lane->sound, cursor->text + begin, length);
    return true;
}

static bool read_groups(sl_patch_cursor *cursor, sl_lane *lane)
{
    int32_t beats = 0;
    lane->group_count = 0;
    do {
        int32_t group;
        size_t begin = cursor->at;
        if (!sl_patch_number(cursor, 1, SL_PATCH_BEATS_MAX, some_groups, &group)) return false;
        beats += group;
        if (beats > SL_PATCH_BEATS_MAX) return sl_patch_fail(cursor, begin, some_groups);
        lane->groups[lane->group_count++] = (uint8_t)group;
    } while (sl_patch_skip(cursor, '+'));
    return true;
}

static bool read_sub(sl_patch_cursor *cursor, sl_lane *lane)
{
    size_t begin = cursor->at;
    int32_t sub;
    if (!sl_patch_number(cursor, 1, SL_PATCH_SUB_MAX, a_sub, &sub)) return false;
    if (sub == 5) return sl_patch_fail(cursor, begin, a_sub);
    lane->sub = (uint8_t)sub;
    return true;
}

static bool read_gain(sl_patch_cursor *cursor, sl_lane *lane)
{
    int32_t gain;
    if (!sl_patch_number(cursor, -SL_PATCH_GAIN_MAX, SL_PATCH_GAIN_MAX, a_gain, &gain)) return false;
    lane->gain = (int8_t)gain;
    return true;
}

static uint16_t count_beats(const sl_lane *lane)
{
    uint16_t beats = 0;
    for (uint8_t i = 0; i < lane->group_count; i++) beats = (uint16_t)(beats + lane->groups[i]);
    return beats;
}

/* The steps of the beats from `first_beat` on: an accent where a group begins, any other normal. */
static void fill_default(sl_lane *lane, uint16_t first_beat)
{
    size_t from = (size_t)first_beat * lane->sub, group_at = 0;
    for (size_t i = from; i < lane->step_count; i++) lane->steps[i] = SL_LEVEL_NORMAL;
    for (uint8_t i = 0; i < lane->group_count; i++) {
        if (group_at >= from) lane->steps[group_at] = SL_LEVEL_ACCENT;
        group_at += (size_t)lane->groups[i] * lane->sub;
    }
}

/* Takes `count` steps as the lane's: one for each beat, or for each step; what they are short of are rests. */
static void spread(sl_lane *lane, const uint8_t *steps, size_t count)
{
    size_t every = count == count_beats(lane) ? lane->sub : 1;
    for (size_t i = 0; i < lane->step_count; i++) {
        bool is_told = i % every == 0 && i / every < count;
        lane->steps[i] = is_told ? steps[i / every] : (uint8_t)SL_LEVEL_REST;
    }
}

static bool read_level(char c, uint8_t *out)
{
    switch (c) {
    case 'X': *out = SL_LEVEL_ACCENT; return true;
    case 'x': *out = SL_LEVEL_NORMAL; return true;
    case 'g': *out = SL_LEVEL_GHOST; return true;
    case '.':
    case '-': *out = SL_LEVEL_REST; return true;
    default: return false;
    }
}

static bool read_pattern(sl_patch_cursor *cursor, sl_lane *lane)
{
    uint8_t steps[SL_PATCH_STEPS_MAX];
    size_t count = 0;
    while (cursor->at < cursor->end && count < lane->step_count &&
           read_level(cursor->text[cursor->at], &steps[count])) {
        cursor->at++;
        count++;
    }
    uint8_t level;
    bool is_too_long = cursor->at < cursor->end && read_level(cursor->text[cursor->at], &level);
    if (count == 0 || is_too_long) return sl_patch_fail(cursor, cursor->at, a_pattern);
    spread(lane, steps, count);
    return true;
}

/* Stands for the pattern whose sign i is x where ((i + rotation) * hits) mod count < hits, else a rest. */
static bool read_euclid(sl_patch_cursor *cursor, sl_lane *lane)
{
    int32_t hits, count, rotation = 0;
    size_t begin = cursor->at;
    if (!sl_patch_number(cursor, 0, SL_PATCH_STEPS_MAX, a_euclid, &hits)) return false;
    if (!sl_patch_skip(cursor, ',')) return sl_patch_fail(cursor, cursor->at, a_euclid);
    if (!sl_patch_number(cursor, 1, lane->step_count, a_euclid, &count)) return false;
    if (hits > count) return sl_patch_fail(cursor, begin, a_euclid);
    if (sl_patch_skip(cursor, ',') &&
        !sl_patch_number(cursor, -SL_PATCH_STEPS_MAX, SL_PATCH_STEPS_MAX, a_euclid, &rotation))
        return false;
    if (!sl_patch_skip(cursor, ')')) return sl_patch_fail(cursor, cursor->at, a_euclid);
    uint8_t steps[SL_PATCH_STEPS_MAX];
    int32_t first = (rotation % count + count) % count;
    for (int32_t i = 0; i < count; i++) steps[i] = (i + first) * hits % count < hits ? SL_LEVEL_NORMAL : SL_LEVEL_REST;
    spread(lane, steps, (size_t)count);
    return true;
}

/* Editing. */

/* Lays the steps of `old` out in the lane's new groups and subdivision: beat by beat, and in a beat those that have the
 * same moment. New beats are as without a pattern, new steps in a beat that was there are rests. */
static void relay_steps(sl_lane *lane, const sl_lane *old)
{
    uint16_t beats = count_beats(lane), old_beats = count_beats(old);
    lane->step_count = (uint16_t)(beats * lane->sub);
    if (beats > old_beats) fill_default(lane, old_beats);
    size_t kept = beats < old_beats ? beats : old_beats;
    for (size_t i = 0; i < kept * lane->sub; i++) {
        size_t beat = i / lane->sub, part = i % lane->sub * old->sub;
        lane->steps[i] =
            part % lane->sub == 0 ? old->steps[beat * old->sub + part / lane->sub] : (uint8_t)SL_LEVEL_REST;
    }
    memset(lane->steps + lane->step_count, 0, sizeof lane->steps - lane->step_count);
}

static bool set_sound(sl_patch_cursor *cursor, sl_lane *lane)
{
    return read_sound(cursor, lane);
}

static bool set_groups(sl_patch_cursor *cursor, sl_lane *lane)
{
    const sl_lane old = *lane;
    if (!read_groups(cursor, lane)) return false;
    relay_steps(lane, &old);
    return true;
}

static bool set_sub(sl_patch_cursor *cursor, sl_lane *lane)
{
    const sl_lane old = *lane;
    if (!read_sub(cursor, lane)) return false;
    relay_steps(lane, &old);
    return true;
}

static bool read_flag(sl_patch_cursor *cursor, bool *out)
{
    int32_t flag;
    if (!sl_patch_number(cursor, 0, 1, "0 or 1", &flag)) return false;
    *out = flag == 1;
    return true;
}

static bool set_swing(sl_patch_cursor *cursor, sl_lane *lane)
{
    return read_flag(cursor, &lane->has_swing);
}

static bool set_poly(sl_patch_cursor *cursor, sl_lane *lane)
{
    return read_flag(cursor, &lane->is_poly);
}

static bool set_enabled(sl_patch_cursor *cursor, sl_lane *lane)
{
    return read_flag(cursor, &lane->is_enabled);
}

sl_err sl_lane_set(sl_lane *lane, const char *field, size_t field_length, const char *value, size_t value_length,
                   const char **expected)
{
    static const struct {
        const char *name;
        bool (*set)(sl_patch_cursor *cursor, sl_lane *lane);
    } fields[] = {{"sound", set_sound}, {"groups", set_groups}, {"sub", set_sub},        {"swing", set_swing},
                  {"gain", read_gain},  {"poly", set_poly},     {"enabled", set_enabled}};
    const size_t count = sizeof fields / sizeof fields[0];
    size_t i = 0;
    while (i < count && (strlen(fields[i].name) != field_length || memcmp(fields[i].name, field, field_length) != 0))
        i++;
    *expected = "sound, groups, sub, swing, gain, poly or enabled";
    if (i == count) return SL_ERR_NOT_FOUND;
    sl_lane edited = *lane;
    sl_patch_cursor cursor = {.text = value, .end = value_length};
    bool is_good = fields[i].set(&cursor, &edited);
    *expected = is_good ? "nothing behind the value" : cursor.expected;
    if (!is_good || cursor.at < cursor.end) return SL_ERR_MALFORMED;
    *lane = edited;
    return SL_OK;
}
