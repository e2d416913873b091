/*
 * What the state says of how it sounds, besides what is played: Live's mixer for the project's tracks, and the
 * parameters. As of one event, and of fixed size, so that it can be kept beside a mark: what the state says before an
 * `applied` event is what counts from that mark's frame on.
 *
 * A track of live code, or a lane, is mixed as the project's first track of its name. A solo counts where the session
 * has a track of that name: what Live alone plays silences nobody here.
 */
#ifndef SL_CORE_MIXER_H
#define SL_CORE_MIXER_H

#include "core/digest.h"
#include "core/instruments.h"
#include "core/reduce.h"
#include "core/renderer.h"

enum { SL_MIXER_TRACKS_MAX = 256 }; /* that are not as they were made; more are left as they are */

typedef struct sl_mixer_track {
    sl_digest name;
    sl_renderer_mix mix;
} sl_mixer_track;

typedef struct sl_mixer {
    uint32_t count;
    bool has_solo;
    sl_mixer_track tracks[SL_MIXER_TRACKS_MAX]; /* in the project's order */
    float parameters[SL_PARAMETER_COUNT];       /* by instruments.h's index */
} sl_mixer;

/* What a new log has. */
void sl_mixer_begin(sl_mixer *out);

void sl_mixer_read(const sl_state *state, sl_mixer *out);

bool sl_mixer_equal(const sl_mixer *a, const sl_mixer *b);

/* How a track so named is mixed. */
sl_renderer_mix sl_mixer_find(const sl_mixer *mixer, sl_digest name);

/* The gain of Live's fader: 0.85 is 1 (0 dB), 1 is 2 (+6 dB), 0.4 is -18 dB, 0 is silence. */
float sl_mixer_gain_of_volume(double volume);

#endif
