/* The ports of the system's MIDI services that have names: ALSA's sequencer and JACK, through RtMidi. */
#ifndef SL_INGEST_MIDI_NAMED_H
#define SL_INGEST_MIDI_NAMED_H

#include "ingest/midi_way.h"

#include <stdbool.h>
#include <stddef.h>

enum {
    SL_MIDI_LISTED_MAX = 128,
    SL_MIDI_NAMED_FRAME_BYTES_MAX = 8 << 10 /* JACK loses longer ones, and nobody learns of it */
};

/* One port, as the others see it. */
typedef struct sl_midi_listed {
    const char *service; /* "ALSA", "JACK"; static */
    char name[SL_MIDI_LABEL_BYTES];
    bool gives; /* frames come from it */
    bool takes; /* frames can be sent to it */
} sl_midi_listed;

/* The ports there are now, at most SL_MIDI_LISTED_MAX; symlog's own are left out. Returns how many. `absent` gets a
 * sentence about the services that are not there, "" if all are. Any thread; it may take some ten milliseconds. */
size_t sl_midi_named_list(sl_midi_listed ports[SL_MIDI_LISTED_MAX], char absent[SL_MIDI_WHY_BYTES]);

#endif
