/* A patch from its text: the tokens, and what each of them says. */
#include "core/patch_internal.h"

/* Reads what follows the keyword. */
typedef bool (*read_function)(sl_patch_cursor *cursor, sl_patch *patch);

typedef struct keyword {
    const char *word;
    read_function read;
} keyword;

static bool read_token(sl_patch_cursor *cursor, sl_patch *patch);
static bool read_other(sl_patch_cursor *cursor, sl_patch *patch);
static bool read_version(sl_patch_cursor *cursor, sl_patch *patch);
static bool read_bpm(sl_patch_cursor *cursor, sl_patch *patch);
static bool read_volume(sl_patch_cursor *cursor, sl_patch *patch);
static bool read_count_in(sl_patch_cursor *cursor, sl_patch *patch);
static bool read_bars(sl_patch_cursor *cursor, sl_patch *patch);
static bool read_trainer(sl_patch_cursor *cursor, sl_patch *patch);
static bool read_ramp(sl_patch_cursor *cursor, sl_patch *patch);
static bool read_repeat(sl_patch_cursor *cursor, sl_patch *patch);
static bool read_end(sl_patch_cursor *cursor, sl_patch *patch);

static const keyword keywords[] = {
    {"v", read_version},  {"t", read_bpm},    {"vol", read_volume},  {"cd", read_count_in}, {"b", read_bars},
    {"tr", read_trainer}, {"rmp", read_ramp}, {"rep=", read_repeat}, {"end=", read_end},
};

static const char a_number[] = "a number up to 9999";
static const char a_tempo[] = "a tempo from 5 to 300";
static const char a_volume[] = "a volume from 0 to 100";

sl_err sl_patch_parse(const char *text, size_t length, sl_patch *out, sl_patch_error *error)
{
    sl_patch_cursor cursor = {.text = text};
    bool is_good = true;
    sl_patch_begin(out);
    out->lane_count = 0; /* beep:4 stands there only where no lane does */
    while (is_good) {
        const char *next = cursor.at < length ? memchr(text + cursor.at, ';', length - cursor.at) : NULL;
        cursor.end = next != NULL ? (size_t)(next - text) : length;
        is_good = read_token(&cursor, out);
        if (!is_good || cursor.end == length) break;
        cursor.at = cursor.end + 1;
    }
    if (out->lane_count == 0) out->lane_count = 1;
    if (is_good) return SL_OK;
    if (error != NULL) *error = (sl_patch_error){.position = cursor.at, .expected = cursor.expected};
    return SL_ERR_MALFORMED;
}

/* A word is a keyword where a number follows, or nothing, or where it ends with '='. */
static bool is_keyword(const char *word, const char *token, size_t length)
{
    size_t word_length = strlen(word);
    if (length < word_length || memcmp(word, token, word_length) != 0) return false;
    if (length == word_length || word[word_length - 1] == '=') return true;
    char next = token[word_length];
    return (next >= '0' && next <= '9') || next == '-' || next == '+';
}

static bool check_bytes(sl_patch_cursor *cursor)
{
    for (size_t i = cursor->at; i < cursor->end; i++)
        if (cursor->text[i] < ' ' || cursor->text[i] > '~') return sl_patch_fail(cursor, i, "printable ASCII");
    return true;
}

static bool read_token(sl_patch_cursor *cursor, sl_patch *patch)
{
    if (!check_bytes(cursor)) return false;
    size_t end = cursor->end;
    while (cursor->at < cursor->end && cursor->text[cursor->at] == ' ') cursor->at++;
    while (cursor->at < cursor->end && cursor->text[cursor->end - 1] == ' ') cursor->end--;
    const char *token = cursor->text + cursor->at;
    size_t length = cursor->end - cursor->at;
    if (length == 0) return sl_patch_fail(cursor, cursor->at, "a token");
    bool is_good;
    if (memchr(token, ':', length) != NULL) {
        if (patch->lane_count == SL_PATCH_LANES_MAX) return sl_patch_fail(cursor, cursor->at, "at most 64 lanes");
        is_good = sl_patch_read_lane(cursor, &patch->lanes[patch->lane_count]);
        if (is_good) patch->lane_count++;
    } else {
        size_t i = 0;
        const size_t count = sizeof keywords / sizeof keywords[0];
        while (i < count && !is_keyword(keywords[i].word, token, length)) i++;
        if (i == count) {
            is_good = read_other(cursor, patch);
        } else {
            cursor->at += strlen(keywords[i].word);
            is_good = keywords[i].read(cursor, patch);
        }
    }
    if (is_good && cursor->at < cursor->end) return sl_patch_fail(cursor, cursor->at, "';' or the end");
    cursor->end = end;
    return is_good;
}

static bool read_other(sl_patch_cursor *cursor, sl_patch *patch)
{
    size_t length = cursor->end - cursor->at;
    bool has_room = patch->other_count < SL_PATCH_OTHERS_MAX &&
                    length <= (size_t)(SL_PATCH_OTHERS_BYTES_MAX - patch->others_length);
    if (!has_room) return sl_patch_fail(cursor, cursor->at, "fewer unknown tokens");
    patch->others[patch->other_count++] =
        (sl_patch_other){.lane = patch->lane_count, .offset = patch->others_length, .length = (uint16_t)length};
    memcpy(patch->others_bytes + patch->others_length, cursor->text + cursor->at, length);
    patch->others_length = (uint16_t)(patch->others_length + length);
    cursor->at = cursor->end;
    return true;
}

static bool read_version(sl_patch_cursor *cursor, sl_patch *patch)
{
    int32_t number;
    (void)patch; /* it says nothing, and is not written */
    return sl_patch_number(cursor, 1, 1, "v1", &number);
}

static bool read_bpm(sl_patch_cursor *cursor, sl_patch *patch)
{
    int32_t number;
    if (!sl_patch_number(cursor, SL_PATCH_BPM_MIN, SL_PATCH_BPM_MAX, a_tempo, &number)) return false;
    patch->has_bpm = true;
    patch->bpm = (uint16_t)number;
    return true;
}

static bool read_volume(sl_patch_cursor *cursor, sl_patch *patch)
{
    int32_t number;
    if (!sl_patch_number(cursor, 0, SL_PATCH_VOLUME_MAX, a_volume, &number)) return false;
    patch->has_volume = true;
    patch->volume = (uint8_t)number;
    return true;
}

static bool read_u16(sl_patch_cursor *cursor, uint16_t *out)
{
    int32_t number = 0;
    bool is_good = sl_patch_number(cursor, 0, SL_PATCH_NUMBER_MAX, a_number, &number);
    *out = (uint16_t)number;
    return is_good;
}

static bool read_i16(sl_patch_cursor *cursor, int16_t *out)
{
    int32_t number = 0;
    bool is_good = sl_patch_number(cursor, -SL_PATCH_NUMBER_MAX, SL_PATCH_NUMBER_MAX, a_number, &number);
    *out = (int16_t)number;
    return is_good;
}

/* "cd0" is no count-in. */
static bool read_count_in(sl_patch_cursor *cursor, sl_patch *patch)
{
    patch->count_in = 0;
    patch->has_count_in = cursor->at == cursor->end;
    if (patch->has_count_in) return true;
    bool is_good = read_u16(cursor, &patch->count_in);
    patch->has_count_in = patch->count_in > 0;
    return is_good;
}

static bool read_bars(sl_patch_cursor *cursor, sl_patch *patch)
{
    return read_u16(cursor, &patch->bars);
}

static bool read_slash(sl_patch_cursor *cursor)
{
    return sl_patch_skip(cursor, '/') || sl_patch_fail(cursor, cursor->at, "'/'");
}

static bool read_trainer(sl_patch_cursor *cursor, sl_patch *patch)
{
    patch->has_trainer = true;
    return read_u16(cursor, &patch->trainer_play) && read_slash(cursor) && read_u16(cursor, &patch->trainer_mute);
}

static bool read_ramp(sl_patch_cursor *cursor, sl_patch *patch)
{
    patch->has_ramp = true;
    return read_u16(cursor, &patch->ramp_start) && read_slash(cursor) && read_i16(cursor, &patch->ramp_amount) &&
           read_slash(cursor) && read_u16(cursor, &patch->ramp_every);
}

static bool read_repeat(sl_patch_cursor *cursor, sl_patch *patch)
{
    patch->has_repeat = true;
    return read_u16(cursor, &patch->repeat);
}

static bool read_end(sl_patch_cursor *cursor, sl_patch *patch)
{
    static const struct {
        const char *word;
        sl_patch_end end;
    } words[] = {{"stop", SL_PATCH_END_STOP}, {"next", SL_PATCH_END_NEXT}};
    const char *word = cursor->text + cursor->at;
    size_t length = cursor->end - cursor->at;
    patch->end_by = 0;
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (length != strlen(words[i].word) || memcmp(word, words[i].word, length) != 0) continue;
        patch->end = (uint8_t)words[i].end;
        cursor->at = cursor->end;
        return true;
    }
    patch->end = SL_PATCH_END_BY;
    int32_t number = 0;
    bool is_good =
        sl_patch_number(cursor, -SL_PATCH_NUMBER_MAX, SL_PATCH_NUMBER_MAX, "stop, next, or a number", &number);
    patch->end_by = (int16_t)number;
    return is_good;
}

/* What tokens and lanes are read with. */

bool sl_patch_fail(sl_patch_cursor *cursor, size_t at, const char *expected)
{
    cursor->at = at;
    cursor->expected = expected;
    return false;
}

bool sl_patch_skip(sl_patch_cursor *cursor, char c)
{
    if (cursor->at == cursor->end || cursor->text[cursor->at] != c) return false;
    cursor->at++;
    return true;
}

bool sl_patch_number(sl_patch_cursor *cursor, int32_t min, int32_t max, const char *expected, int32_t *out)
{
    size_t begin = cursor->at;
    bool is_negative = min < 0 && sl_patch_skip(cursor, '-');
    if (min < 0 && !is_negative) (void)sl_patch_skip(cursor, '+');
    size_t digits = cursor->at;
    int64_t number = 0;
    for (; cursor->at < cursor->end; cursor->at++) {
        char c = cursor->text[cursor->at];
        if (c < '0' || c > '9') break;
        if (number <= INT32_MAX) number = number * 10 + (c - '0');
    }
    if (cursor->at == digits) return sl_patch_fail(cursor, digits, expected);
    if (is_negative) number = -number;
    if (number < min || number > max) return sl_patch_fail(cursor, begin, expected);
    *out = (int32_t)number;
    return true;
}
