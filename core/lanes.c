/* A groove as a score. */
#include "core/lanes.h"

#include <string.h>

enum { PITCH_BEEP = 76, TRACK_BYTES_MAX = 128, STEP_BYTES_MAX = 12, NAME_BYTES_MAX = SL_PATCH_SOUND_BYTES_MAX + 8 };

typedef struct sound {
    const char *name; /* in lower case */
    uint8_t pitch;    /* of General MIDI's drums */
} sound;

static const sound sounds[] = {
    {"beep", PITCH_BEEP}, {"kick", 36},     {"kick2", 35},    {"snare", 38},     {"snare2", 40},
    {"rim", 37},          {"rimshot", 37},  {"clap", 39},     {"hat", 42},       {"hatclosed", 42},
    {"closedhat", 42},    {"hatpedal", 44}, {"pedalhat", 44}, {"hatopen", 46},   {"openhat", 46},
    {"tom", 45},          {"tom1", 48},     {"tom2", 45},     {"tom3", 43},      {"tomhigh", 50},
    {"tommid", 47},       {"tomlow", 45},   {"crash", 49},    {"crash2", 57},    {"ride", 51},
    {"ridebell", 53},     {"splash", 55},   {"china", 52},    {"cowbell", 56},   {"tambourine", 54},
    {"shaker", 70},       {"maracas", 70},  {"claves", 75},   {"woodblock", 76}, {"woodblocklow", 77},
    {"triangle", 81},     {"conga", 63},    {"congalow", 64}, {"bongo", 60},     {"bongolow", 61},
    {"click", 37},
};

/* True if a text in any case is a name in lower case. */
static bool is_named(const char *name, const char *text)
{
    for (; *name != '\0'; name++, text++)
        if (*text != *name && (*text < 'A' || *text > 'Z' || *text - 'A' != *name - 'a')) return false;
    return *text == '\0';
}

uint8_t sl_lanes_pitch(const char *name)
{
    unsigned number = 0;
    const char *at = name;
    while (*at >= '0' && *at <= '9' && number < 1000) number = number * 10 + (unsigned)(*at++ - '0');
    if (at > name && *at == '\0') return number < 128 ? (uint8_t)number : PITCH_BEEP;
    for (size_t i = 0; i < sizeof sounds / sizeof sounds[0]; i++)
        if (is_named(sounds[i].name, name)) return sounds[i].pitch;
    return PITCH_BEEP;
}

static uint32_t count_beats(const sl_lane *lane)
{
    uint32_t count = 0;
    for (uint8_t i = 0; i < lane->group_count; i++) count += lane->groups[i];
    return count;
}

static int64_t bar_ticks(const sl_patch *patch)
{
    return (int64_t)count_beats(&patch->lanes[0]) * SL_TICKS_PER_BEAT;
}

int64_t sl_lanes_length(const sl_patch *patch)
{
    if (patch->end != SL_PATCH_END_STOP || patch->bars == 0) return 0;
    int64_t times = patch->has_repeat && patch->repeat > 0 ? patch->repeat : 1;
    return bar_ticks(patch) * patch->bars * times;
}

size_t sl_lanes_size_bytes(const sl_patch *patch)
{
    size_t size = TRACK_BYTES_MAX;
    for (uint16_t i = 0; i < patch->lane_count; i++)
        size += TRACK_BYTES_MAX + (size_t)STEP_BYTES_MAX * patch->lanes[i].step_count;
    return size;
}

/* What a level's velocity is multiplied by; the powers are products, for libm's differ. */
static double factor_of(const sl_patch *patch, const sl_lane *lane)
{
    const double decibel = 1.1220184543019633; /* 10^(1/20) */
    double factor = 1;
    for (int i = 0; i < lane->gain; i++) factor *= decibel;
    for (int i = 0; i > lane->gain; i--) factor /= decibel;
    return patch->has_volume ? factor * patch->volume / (double)SL_PATCH_VOLUME_MAX : factor;
}

static uint16_t velocity_of(uint8_t level, double factor)
{
    static const uint16_t levels[] = {
        [SL_LEVEL_REST] = 0,
        [SL_LEVEL_NORMAL] = SL_LANES_NORMAL,
        [SL_LEVEL_ACCENT] = SL_LANES_ACCENT,
        [SL_LEVEL_GHOST] = SL_LANES_GHOST,
    };
    double velocity = levels[level & 3] * factor;
    if (velocity >= (double)SL_SCORE_ONE) return SL_SCORE_ONE;
    return (uint16_t)(((uint32_t)(velocity * 2) + 1) / 2); /* half up */
}

/* Where a step begins: evenly, or the second of a pair after two thirds of it. */
static int64_t start_of(const sl_lane *lane, int64_t ticks, uint32_t step)
{
    uint32_t count = lane->step_count;
    bool is_late = lane->has_swing && lane->sub % 2 == 0 && step % 2 == 1;
    if (!is_late) return ticks * step / count;
    int64_t pair = ticks * (step - 1) / count;
    return pair + (ticks * (step + 1) / count - pair) * 2 / 3;
}

static void write_steps(const sl_patch *patch, const sl_lane *lane, sl_score_writer *score)
{
    int64_t ticks = lane->is_poly ? bar_ticks(patch) : (int64_t)count_beats(lane) * SL_TICKS_PER_BEAT;
    double factor = factor_of(patch, lane);
    sl_score_step step = {.op = SL_SCORE_REST, .pitch = sl_lanes_pitch(lane->sound), .duration = (uint32_t)ticks};
    if (!lane->is_enabled) {
        sl_score_put_step(score, &step);
        return;
    }
    for (uint32_t i = 0; i < lane->step_count; i++) {
        step.velocity = velocity_of(lane->steps[i], factor);
        step.op = step.velocity > 0 ? SL_SCORE_NOTE : SL_SCORE_REST;
        step.duration = (uint32_t)(start_of(lane, ticks, i + 1) - start_of(lane, ticks, i));
        sl_score_put_step(score, &step);
    }
}

/* "kick", "kick 2", …: a sound has no space. */
static size_t write_name(const sl_patch *patch, uint16_t index, uint8_t name[NAME_BYTES_MAX])
{
    const char *sound = patch->lanes[index].sound;
    sl_writer out = {.bytes = name, .capacity = NAME_BYTES_MAX};
    unsigned number = 1;
    for (uint16_t i = 0; i < index; i++) number += strcmp(patch->lanes[i].sound, sound) == 0;
    sl_write_bytes(&out, sound, strlen(sound));
    if (number > 1) sl_write_le(&out, ' ', 1);
    if (number >= 10) sl_write_le(&out, '0' + number / 10, 1);
    if (number > 1) sl_write_le(&out, '0' + number % 10, 1);
    return out.length;
}

sl_err sl_lanes_write(const sl_patch *patch, sl_writer *out)
{
    sl_score_writer score;
    sl_score_begin(&score, out, &(sl_score_head){.replaces = true, .buffer = ""});
    for (uint16_t i = 0; i < patch->lane_count; i++) {
        uint8_t name[NAME_BYTES_MAX];
        sl_score_track track = {.name = (const char *)name,
                                .name_length = write_name(patch, i, name),
                                .channel = SL_LANES_CHANNEL,
                                .instrument = "",
                                .params = ""};
        sl_score_begin_track(&score, &track);
        sl_score_begin_clip(&score, "", 0);
        write_steps(patch, &patch->lanes[i], &score);
        sl_score_end_clip(&score);
        sl_score_end_track(&score);
    }
    sl_score_end(&score);
    return out->bad ? SL_ERR_FULL : SL_OK;
}
