/*
 * What serve and its sound process say to each other: messages over a socket pair that keeps them whole. Both ends are
 * the same program, so structures are sent as they are.
 *
 *     serve                                  sound
 *       ◄──── READY ─────────────────────────   it has read the log and opened a device: it can lead
 *       ───── GO (the clock) ───────────────►   the timer's player follows; sound has the word
 *       ◄──── DRAFT, CLOCK, STATUS, METER, PARAMETERS, SAY, LOADS
 *       ───── END ──────────────────────────►   it ends
 *
 * That the log has grown is told beside it, by an eventfd. A processor's parameters are set as the log has them.
 */
#ifndef SL_TOOLS_SOUND_WIRE_H
#define SL_TOOLS_SOUND_WIRE_H

#include "core/event.h"
#include "core/live_code.h"
#include "tools/symlog/player_clock.h"
#include "tools/symlog/sound_status.h"

enum { SL_SOUND_DRAFT_BYTES = 160 << 10, SL_SOUND_SAY_BYTES = 512 };

typedef enum sl_sound_message_type {
    SL_SOUND_READY = 1,
    SL_SOUND_GO,         /* anchor */
    SL_SOUND_DRAFT,      /* draft: an event for the log */
    SL_SOUND_CLOCK,      /* anchor */
    SL_SOUND_STATUS,     /* status */
    SL_SOUND_METER,      /* meter */
    SL_SOUND_PARAMETERS, /* parameters: a processor's */
    SL_SOUND_SAY,        /* line: for people */
    SL_SOUND_LOADS,      /* saved_ns: the user's processor, as its file was saved then, is about to run */
    SL_SOUND_END
} sl_sound_message_type;

/* A processor's. */
typedef struct sl_sound_parameters {
    uint32_t count;
    sl_audio_parameter list[SL_AUDIO_PARAMETERS_MAX];
} sl_sound_parameters;

/* It is big: threads of others, whose stacks are small, have none of it. */
typedef struct sl_sound_message {
    uint32_t type; /* an sl_sound_message_type */
    union {
        sl_clock_anchor anchor;
        sl_audio_status status;
        sl_audio_meter meter;
        char line[SL_SOUND_SAY_BYTES];
        int64_t saved_ns;
        sl_sound_parameters parameters;
        struct {
            uint16_t kind;
            uint16_t version;
            uint32_t length;
            uint8_t payload[SL_SOUND_DRAFT_BYTES];
        } draft;
    } as;
} sl_sound_message;

/* Statuses with which the sound process says why it ended. */
enum {
    SL_SOUND_ENDED = 0,
    SL_SOUND_FAILED = 1,       /* its last line says why */
    SL_SOUND_CRASHED = 70,     /* inside the user's processor */
    SL_SOUND_LOOPS = 71,       /* the user's processor does not return */
    SL_SOUND_DEVICE_LOST = 72, /* it may come back, or another one may do */
    SL_SOUND_DEVICE_FOUND = 73 /* there was none, and now there is */
};

/* Sends one; what of `as` counts follows from its type. False: the other end is gone, or (then errno is EAGAIN) has no
 * room. Any thread. */
bool sl_sound_send(int link, const sl_sound_message *message);

/* The same, of these types. */
bool sl_sound_send_draft(int link, uint16_t kind, const void *payload, size_t length);
bool sl_sound_send_mark(int link, const sl_applied *mark);
bool sl_sound_send_parameters(int link, const sl_sound_parameters *parameters);
bool sl_sound_say(int link, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Receives one without waiting. SL_ERR_NOT_FOUND: there is none; SL_ERR_END: the other end is gone;
 * SL_ERR_MALFORMED: it is none, and dropped. */
sl_err sl_sound_receive(int link, sl_sound_message *out);

#endif
