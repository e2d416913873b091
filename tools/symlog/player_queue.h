/*
 * What is on its way from the service thread to the player: a bounded queue of items. One thread puts, one takes.
 */
#ifndef SL_TOOLS_PLAYER_QUEUE_H
#define SL_TOOLS_PLAYER_QUEUE_H

#include "core/err.h"
#include "tools/symlog/player_item.h"

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

enum {
    SL_PLAYER_QUEUE_ITEMS_MAX = 4096,
    SL_PLAYER_QUEUE_BYTES_MAX = 64 << 20 /* one item may be longer, if it is alone */
};

typedef struct sl_player_queue {
    pthread_mutex_t lock;
    sl_player_item *first; /* Under the lock, and so is the rest. */
    sl_player_item **end;
    size_t count;
    size_t bytes;
} sl_player_queue;

void sl_player_queue_open(sl_player_queue *queue);

/* Frees what is in it. */
void sl_player_queue_close(sl_player_queue *queue);

/* Takes the item over. SL_ERR_FULL: no room, the item is freed. */
sl_err sl_player_queue_put(sl_player_queue *queue, sl_player_item *item);

/* Half of the room, or more, is taken, by number or by bytes. Either thread. */
bool sl_player_queue_is_half_full(sl_player_queue *queue);

/* All that is in it, in order, linked; the caller's. NULL: nothing. */
sl_player_item *sl_player_queue_take(sl_player_queue *queue);

#endif
