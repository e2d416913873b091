/* Frames from ticks: the integral of 1/tempo, in closed form for each linear piece of a ramp. */
#include "core/tempo.h"

#include <assert.h>

enum { PIECES = 16, /* that a curved ramp is cut into */ TERMS = 16 };

/* How far the tempo has come from bpm_from to bpm_to at `x` of the ramp. */
static double curve_at(uint8_t curve, double x)
{
    double rest = 1 - x;
    switch ((sl_curve)curve) {
    case SL_CURVE_EASE_IN: return x * x;
    case SL_CURVE_EASE_OUT: return 1 - rest * rest;
    case SL_CURVE_EASE_IN_OUT: return x < 0.5 ? 2 * x * x : 1 - 2 * rest * rest;
    case SL_CURVE_LINEAR:
    case SL_CURVE_COUNT: break;
    }
    return x;
}

static double bpm_between(const sl_tempo *tempo, double share)
{
    return tempo->bpm_from + (tempo->bpm_to - tempo->bpm_from) * share;
}

/* Which linear piece a place in the ramp is in, and between which places and tempos it goes. */
typedef struct piece {
    int64_t begin; /* ticks from the ramp's begin */
    int64_t end;
    double from;
    double to;
} piece;

static piece piece_at(const sl_tempo *tempo, int64_t place)
{
    int64_t ramp = tempo->ramp;
    if (tempo->curve == SL_CURVE_LINEAR) return (piece){0, ramp, tempo->bpm_from, tempo->bpm_to};
    int64_t index = place * PIECES / ramp;
    while ((index + 1) * ramp / PIECES <= place) index++;
    return (piece){.begin = index * ramp / PIECES,
                   .end = (index + 1) * ramp / PIECES,
                   .from = bpm_between(tempo, curve_at(tempo->curve, (double)index / (double)PIECES)),
                   .to = bpm_between(tempo, curve_at(tempo->curve, (double)(index + 1) / (double)PIECES))};
}

static double bpm_in(const piece *piece, int64_t place)
{
    return piece->from +
           (piece->to - piece->from) * ((double)(place - piece->begin) / (double)(piece->end - piece->begin));
}

double sl_tempo_bpm(const sl_tempo *tempo, int64_t tick)
{
    int64_t place = tick - tempo->begin;
    if (place >= tempo->ramp) return tempo->bpm_to;
    piece piece = piece_at(tempo, place);
    return bpm_in(&piece, place);
}

/* The mean of 1/x between two tempos, the higher at most twice the lower: 2 atanh(z) / (high - low) with
 * z = (high - low) / (high + low), as its power series. */
static double mean_inverse_near(double low, double high)
{
    double z = (high - low) / (high + low), square = z * z, series = 0;
    for (int term = TERMS; term >= 0; term--) series = series * square + 1.0 / (2 * term + 1);
    return 2 / (high + low) * series;
}

/* The same of any two: the upper half is taken off until the rest is near. */
static double mean_inverse(double a, double b)
{
    double low = a < b ? a : b, high = a < b ? b : a;
    double sum = 0, weight = 1;
    while (high > low * 1.5) {
        double middle = (low + high) / 2;
        weight = weight / 2;
        sum += weight * mean_inverse_near(middle, high);
        high = middle;
    }
    return sum + weight * mean_inverse_near(low, high);
}

static double frames_of(const sl_tempo *tempo, int64_t ticks, double inverse)
{
    return (double)ticks * inverse * (60.0 * tempo->rate / (double)SL_TICKS_PER_BEAT);
}

double sl_tempo_frame(const sl_tempo *tempo, int64_t tick)
{
    assert(tick >= tempo->tick);
    double frame = tempo->frame;
    int64_t place = tempo->tick - tempo->begin, goal = tick - tempo->begin;
    while (place < goal && place < tempo->ramp) {
        piece piece = piece_at(tempo, place);
        int64_t end = goal < piece.end ? goal : piece.end;
        frame += frames_of(tempo, end - place, mean_inverse(bpm_in(&piece, place), bpm_in(&piece, end)));
        place = end;
    }
    return place < goal ? frame + frames_of(tempo, goal - place, 1 / tempo->bpm_to) : frame;
}

uint64_t sl_tempo_frame_at(const sl_tempo *tempo, int64_t tick)
{
    double frame = sl_tempo_frame(tempo, tick);
    uint64_t whole = (uint64_t)frame;
    return (double)whole < frame ? whole + 1 : whole;
}

int64_t sl_tempo_tick_at(const sl_tempo *tempo, uint64_t frame)
{
    int64_t low = tempo->tick;
    if (sl_tempo_frame_at(tempo, low) >= frame) return low;
    /* low is too early; high is not: */
    int64_t step = SL_TICKS_PER_BEAT, high = low + step;
    if (tempo->tick - tempo->begin >= tempo->ramp) { /* one tempo: where it must be, nearly */
        double ticks =
            ((double)frame - tempo->frame) * tempo->bpm_to / (60.0 * tempo->rate) * (double)SL_TICKS_PER_BEAT;
        int64_t guess = low + (int64_t)ticks;
        if (guess - 2 > low && sl_tempo_frame_at(tempo, guess - 2) < frame) low = guess - 2;
        high = guess + 2;
        step = 4;
    }
    while (sl_tempo_frame_at(tempo, high) < frame) {
        low = high;
        high += step;
        step *= 2;
    }
    while (high - low > 1) {
        int64_t middle = low + (high - low) / 2;
        if (sl_tempo_frame_at(tempo, middle) >= frame)
            high = middle;
        else
            low = middle;
    }
    return high;
}

void sl_tempo_change(sl_tempo *tempo, int64_t tick, double bpm, uint32_t ramp, uint8_t curve)
{
    double present = sl_tempo_bpm(tempo, tick);
    tempo->frame = sl_tempo_frame(tempo, tick);
    tempo->tick = tempo->begin = tick;
    tempo->bpm_from = ramp > 0 ? present : bpm;
    tempo->bpm_to = bpm;
    tempo->ramp = ramp;
    tempo->curve = curve;
}
