/*
 * The payloads of the events of sound: parameter, player, heard, processor. As core/payload.h says: little-endian,
 * texts as u32 length and bytes, decoded texts are views.
 */
#ifndef SL_CORE_SOUND_EVENTS_H
#define SL_CORE_SOUND_EVENTS_H

#include "core/bytes.h"
#include "core/digest.h"
#include "core/event.h"

enum { SL_PARAMETER_ID_BYTES_MAX = 95, SL_DEVICE_BYTES_MAX = 255, SL_PROCESSOR_BYTES_MAX = 128 << 10 };

/* parameter: f64 value · text id ("lead.cutoff", "processor.gain") */
typedef struct sl_parameter_event {
    double value; /* finite */
    const char *id;
    size_t id_length; /* 1 to SL_PARAMETER_ID_BYTES_MAX */
} sl_parameter_event;

typedef enum sl_player_type {
    SL_PLAYER_TIMER = 0,     /* no sound: MIDI and beats go on */
    SL_PLAYER_SOUND = 1,     /* into a device */
    SL_PLAYER_NO_DEVICE = 2, /* sound that is computed, and heard by nobody */
    SL_PLAYER_TYPE_LAST = SL_PLAYER_NO_DEVICE
} sl_player_type;

/* player: u8 type · u32 rate · u32 block · text device. It says its first mark behind this. */
typedef struct sl_player_event {
    uint8_t type;   /* an sl_player_type */
    uint32_t rate;  /* frames in a second */
    uint32_t block; /* the device's, frames; 0: none, or it varies */
    const char *device;
    size_t device_length; /* at most SL_DEVICE_BYTES_MAX */
} sl_player_event;

/* heard: u64 frame · u32 frames · u32 rate · u32 missed · u32 version · 16 bytes digest. The sound of frames
 * frame <= f < frame + frames, as the renderer made it: XXH3-128 of its samples, left and right in turn, as float32. */
typedef struct sl_heard {
    uint64_t frame;
    uint32_t frames; /* 1 to 2 seconds */
    uint32_t rate;
    uint32_t missed;  /* how many of them the player was late with: silence was heard in their place */
    uint32_t version; /* the SL_RENDERER_VERSION that made it */
    sl_digest digest;
} sl_heard;

/* processor: text path · text source */
typedef struct sl_processor_event {
    const char *path;
    size_t path_length;
    const char *source;
    size_t source_length; /* at most SL_PROCESSOR_BYTES_MAX */
} sl_processor_event;

sl_err sl_parameter_event_encode(const sl_parameter_event *in, sl_writer *out);
sl_err sl_parameter_event_decode(const sl_event *event, sl_parameter_event *out);
sl_err sl_player_event_encode(const sl_player_event *in, sl_writer *out);
sl_err sl_player_event_decode(const sl_event *event, sl_player_event *out);
sl_err sl_heard_encode(const sl_heard *in, sl_writer *out);
sl_err sl_heard_decode(const sl_event *event, sl_heard *out);
sl_err sl_processor_event_encode(const sl_processor_event *in, sl_writer *out);
sl_err sl_processor_event_decode(const sl_event *event, sl_processor_event *out);

/* "timer", "sound", "no device"; NULL for a number that has none. */
const char *sl_player_type_name(uint8_t type);

#endif
