/* The share language: a patch's beginning, and its canonical text. */
#include "core/patch_internal.h"

#include <assert.h>

static void write_header(const sl_patch *patch, sl_writer *out);
static void write_lane(const sl_lane *lane, sl_writer *out);
static void write_string(sl_writer *out, const char *string);
static void write_number(sl_writer *out, const char *before, uint32_t number);
static void write_signed(sl_writer *out, const char *before, int32_t number);

void sl_patch_begin(sl_patch *patch)
{
    memset(patch, 0, sizeof *patch);
    patch->bpm = SL_PATCH_BPM_DEFAULT;
    patch->volume = SL_PATCH_VOLUME_MAX;
    patch->lane_count = 1;
    patch->lanes[0] = (sl_lane){.sound = "beep",
                                .group_count = 1,
                                .groups = {4},
                                .sub = 1,
                                .is_enabled = true,
                                .step_count = 4,
                                .steps = {SL_LEVEL_ACCENT, SL_LEVEL_NORMAL, SL_LEVEL_NORMAL, SL_LEVEL_NORMAL}};
}

/* Every token ends with ';', and the last one gives it back. */
sl_err sl_patch_write(const sl_patch *patch, sl_writer *out)
{
    size_t begin = out->length;
    write_header(patch, out);
    uint16_t other = 0;
    for (uint16_t lane = 0; lane <= patch->lane_count; lane++) {
        for (; other < patch->other_count && patch->others[other].lane <= lane; other++) {
            sl_write_bytes(out, patch->others_bytes + patch->others[other].offset, patch->others[other].length);
            write_string(out, ";");
        }
        if (lane < patch->lane_count) write_lane(&patch->lanes[lane], out);
    }
    if (out->bad) return SL_ERR_FULL;
    out->length--;
    assert(out->length - begin <= SL_PATCH_TEXT_BYTES_MAX);
    return SL_OK;
}

static void write_header(const sl_patch *patch, sl_writer *out)
{
    if (patch->has_bpm) write_number(out, "t", patch->bpm);
    if (patch->has_bpm) write_string(out, ";");
    if (patch->has_volume) write_number(out, "vol", patch->volume);
    if (patch->has_volume) write_string(out, ";");
    if (patch->has_count_in && patch->count_in == 0) write_string(out, "cd");
    if (patch->has_count_in && patch->count_in > 0) write_number(out, "cd", patch->count_in);
    if (patch->has_count_in) write_string(out, ";");
    if (patch->bars > 0) write_number(out, "b", patch->bars);
    if (patch->bars > 0) write_string(out, ";");
    if (patch->has_trainer) {
        write_string(out, "tr");
        sl_patch_write_trainer(patch, out);
        write_string(out, ";");
    }
    if (patch->has_ramp) {
        write_string(out, "rmp");
        sl_patch_write_ramp(patch, out);
        write_string(out, ";");
    }
    if (patch->has_repeat) write_number(out, "rep=", patch->repeat);
    if (patch->has_repeat) write_string(out, ";");
    if (patch->end == SL_PATCH_END_NONE) return;
    write_string(out, "end=");
    sl_patch_write_end(patch, out);
    write_string(out, ";");
}

void sl_patch_write_trainer(const sl_patch *patch, sl_writer *out)
{
    if (!patch->has_trainer) return;
    write_number(out, "", patch->trainer_play);
    write_number(out, "/", patch->trainer_mute);
}

void sl_patch_write_ramp(const sl_patch *patch, sl_writer *out)
{
    if (!patch->has_ramp) return;
    write_number(out, "", patch->ramp_start);
    write_signed(out, "/", patch->ramp_amount);
    write_number(out, "/", patch->ramp_every);
}

void sl_patch_write_end(const sl_patch *patch, sl_writer *out)
{
    switch ((sl_patch_end)patch->end) {
    case SL_PATCH_END_NONE: break;
    case SL_PATCH_END_STOP: write_string(out, "stop"); break;
    case SL_PATCH_END_NEXT: write_string(out, "next"); break;
    case SL_PATCH_END_BY: write_signed(out, "", patch->end_by); break;
    }
}

static void write_lane(const sl_lane *lane, sl_writer *out)
{
    static const char levels[] = {
        [SL_LEVEL_REST] = '.', [SL_LEVEL_NORMAL] = 'x', [SL_LEVEL_ACCENT] = 'X', [SL_LEVEL_GHOST] = 'g'};
    char text[SL_PATCH_STEPS_MAX];
    write_string(out, lane->sound);
    write_string(out, ":");
    sl_write_bytes(out, text, sl_lane_write_groups(lane, text));
    if (lane->sub > 1 || lane->has_swing) write_number(out, "/", lane->sub);
    if (lane->has_swing) write_string(out, "s");
    for (uint16_t i = 0; i < lane->step_count; i++) text[i] = levels[lane->steps[i]];
    write_string(out, "=");
    sl_write_bytes(out, text, lane->step_count);
    if (lane->gain != 0) write_signed(out, "@", lane->gain);
    if (lane->is_poly) write_string(out, "~");
    if (!lane->is_enabled) write_string(out, "!");
    write_string(out, ";");
}

size_t sl_lane_write_groups(const sl_lane *lane, char *text)
{
    sl_writer out = {.bytes = (uint8_t *)text, .capacity = SL_PATCH_GROUPS_BYTES_MAX};
    for (uint8_t i = 0; i < lane->group_count; i++) write_number(&out, i > 0 ? "+" : "", lane->groups[i]);
    assert(!out.bad);
    return out.length;
}

static void write_string(sl_writer *out, const char *string)
{
    sl_write_bytes(out, string, strlen(string));
}

static void write_number(sl_writer *out, const char *before, uint32_t number)
{
    char digits[10];
    size_t at = sizeof digits;
    do digits[--at] = (char)('0' + number % 10);
    while ((number /= 10) > 0);
    write_string(out, before);
    sl_write_bytes(out, digits + at, sizeof digits - at);
}

static void write_signed(sl_writer *out, const char *before, int32_t number)
{
    write_string(out, before);
    write_number(out, number < 0 ? "-" : "+", (uint32_t)(number < 0 ? -number : number));
}

bool sl_lane_equal(const sl_lane *a, const sl_lane *b)
{
    bool is_same = strcmp(a->sound, b->sound) == 0 && a->group_count == b->group_count && a->sub == b->sub &&
                   a->has_swing == b->has_swing && a->is_poly == b->is_poly && a->is_enabled == b->is_enabled &&
                   a->gain == b->gain && a->step_count == b->step_count;
    return is_same && memcmp(a->groups, b->groups, a->group_count) == 0 &&
           memcmp(a->steps, b->steps, a->step_count) == 0;
}
