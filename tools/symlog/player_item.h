/*
 * What a player is told, one thing at a time: events that the schedule takes, what other inputs say of tempo and
 * transport, and now and then a whole schedule; one that makes sound, of mixer and parameters, too.
 */
#ifndef SL_TOOLS_PLAYER_ITEM_H
#define SL_TOOLS_PLAYER_ITEM_H

#include "core/schedule.h"

#include <stddef.h>
#include <stdint.h>

typedef enum sl_player_item_type {
    SL_PLAYER_EVENT,  /* a score, transport or applied event: `event` */
    SL_PLAYER_FOLLOW, /* what another input said in event `seq`: `follow`, for sl_schedule_follow */
    SL_PLAYER_WHOLE,  /* a schedule as sl_schedule_encode wrote it, after event `seq`: it replaces the player's */
    SL_PLAYER_MIXER,  /* an sl_mixer (core/mixer.h): what counts from the mark on that follows, event `seq` */
    SL_PLAYER_WISH    /* event `seq` changed something else that sounds: a mark is wanted */
} sl_player_item_type;

/* One allocation. */
typedef struct sl_player_item {
    struct sl_player_item *next;
    sl_player_item_type type;
    uint64_t seq;
    sl_event event;   /* its payload is `bytes` */
    sl_follow follow; /* likewise its bytes */
    bool in_time;     /* the sound engine's: a mark that counts at its frame */
    size_t length;
    _Alignas(8) uint8_t bytes[];
} sl_player_item;

/* With room for `length` bytes; NULL: no memory. free() gives it back. */
sl_player_item *sl_player_item_create(sl_player_item_type type, uint64_t seq, size_t length);

#endif
